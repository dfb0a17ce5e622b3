"""Debian's Chromium, and what a page may not do while somebody looks at it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    ViewportSize,
    sync_playwright,
)

WAIT_MS = 15_000
PHONE: ViewportSize = {"width": 360, "height": 740}
DESKTOP: ViewportSize = {"width": 1440, "height": 900}

# It starts from nothing, speaks to nobody of its own accord, and needs no graphics card.
_ARGUMENTS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class NoBrowser(Exception):
    """There is no Chromium here."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser with a profile of its own; raises NoBrowser."""
    program = shutil.which("chromium")
    if program is None:
        raise NoBrowser("chromium is not installed: apt-get install chromium")
    sandbox = ["--no-sandbox"] if os.getuid() == 0 else []  # which Chromium refuses to root
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=[*_ARGUMENTS, *sandbox], timeout=WAIT_MS
        )
        try:
            yield browser
        finally:
            browser.close()


class Watch:
    """What the pages of a context did that they must not: all must be from `origins`.

    faults: a line each, in the order of their happening.
    """

    def __init__(self, context: BrowserContext, origins: tuple[str, ...]) -> None:
        self.faults: list[str] = []
        self.requested: list[str] = []
        self._origins = origins
        context.on("request", self._requested)
        context.on("response", self._answered)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.faults.append(f"script: {error.error}"))

    def _requested(self, request: Request) -> None:
        self.requested.append(f"{request.method} {request.url}")
        if not request.url.startswith((*(f"{origin}/" for origin in self._origins), "data:")):
            self.faults.append(f"it asks elsewhere: {request.url}")

    def _answered(self, response: Response) -> None:
        # A whole page may be refused, and tests see to that; what a page needs must be there.
        if response.status >= 400 and response.request.resource_type != "document":
            self.faults.append(f"{response.status} for {response.url}")

    def _said(self, message: ConsoleMessage) -> None:
        # Chromium tells what the Content-Security-Policy forbids here, too.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.faults.append(f"console: {message.text}")


def no_scrolling_sideways(page: Page) -> list[str]:
    """What sticks out of a page at its width; empty: nothing."""
    found: list[str] = page.evaluate(
        """() => {
          const width = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= width) return [];
          const out = [...document.querySelectorAll("body *")].filter(
            (e) => e.getBoundingClientRect().right > width + 0.5 && !e.closest(".scroll"));
          return [`${document.documentElement.scrollWidth} > ${width}`,
            ...out.slice(0, 5).map((e) => e.outerHTML.slice(0, 120))];
        }"""
    )
    return found


def scrolled_by_mouse_only(page: Page) -> list[str]:
    """What would scroll if it held more, and cannot be reached by keyboard (WCAG 2.1.1).

    axe asks that only of what scrolls already, and how much a page holds is chance.
    """
    found: list[str] = page.evaluate(
        """() => {
          const keyed = "a[href], button, input, select, textarea, summary, [tabindex='0']";
          return [...document.querySelectorAll("body *")].filter((e) => {
            const {overflowX, overflowY, display} = getComputedStyle(e);
            return display !== "none" && /auto|scroll/.test(`${overflowX} ${overflowY}`)
              && !e.matches(keyed) && !e.querySelector(keyed);
          }).map((e) => `scrolls by mouse only: ${e.outerHTML.slice(0, 120)}`);
        }"""
    )
    return found


def context_of(browser: Browser, origin: str, **options: Any) -> BrowserContext:
    """A fresh context that waits as long as tests may, and no longer."""
    context = browser.new_context(base_url=origin, **({"locale": "en"} | options))
    context.set_default_timeout(WAIT_MS)
    return context
