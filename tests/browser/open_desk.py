"""A real daemon with its desk, a simulated SMSC with phones, and people of every role."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

from axe import violations
from chromium import (
    DESKTOP,
    PHONE,
    Watch,
    context_of,
    no_scrolling_sideways,
    scrolled_by_mouse_only,
)
from daemon_process import Daemon, smsc_section, write_config
from playwright.sync_api import Browser, BrowserContext, Page

from simulators.process import SmscProcess
from smsd.config import load_config
from smsd.desk.access.passwords import Passwords
from storage.roles import Role
from storage.users import add_user

PASSWORD = "four invented words here"
EVERYBODY: Mapping[str, tuple[Role, ...]] = {
    **{role.value: (role,) for role in Role},
    "second": (Role.POLICY,),  # who activates what another proposed
    "everything": tuple(Role),
}


class OpenDesk:
    """The running desk. A context manager that ends it all.

    origin: how browsers know it. url: the store's. smscs: the simulators, by `names`; phones: of
    the first. more: lines of [desk]. mode: of the register. receipts: whether replies are reported.
    later_s: how much later than it is it begins. others: origins besides ours that its pages may
    lead to.
    """

    def __init__(
        self,
        browser: Browser,
        folder: Path,
        more: str = "",
        names: Sequence[str] = ("simulator",),
        mode: str = "off",
        receipts: bool = False,
        later_s: float = 0.0,
    ) -> None:
        self.browser = browser
        self.others: tuple[str, ...] = ()
        self._signed_in: dict[str, Any] = {}
        self._clock = folder / "clock-offset"
        with ExitStack() as stack:
            log = stack.enter_context((folder / "smsc.log").open("wb"))
            self.smscs = {
                name: stack.enter_context(SmscProcess("--retry-delay", "0.05", log=log))
                for name in names
            }
            self.phones = stack.enter_context(self.smscs[names[0]].client())
            asked = f"receipts = {str(receipts).lower()}"
            sections = [
                smsc_section(smsc.port, name, more=asked) for name, smsc in self.smscs.items()
            ]
            self.move_clock(later_s)
            self.config = write_config(folder, sections, mode, desk=more)
            self.daemon = stack.enter_context(
                Daemon(self.config, "--clock-offset-file", str(self._clock))
            )
            self.url = load_config(self.config, {}).store.url
            address = self.daemon.wait_for("started")["desk"]
            for _ in names:
                self.daemon.wait_for("bound")
            self.origin = f"http://localhost:{address.rpartition(':')[2]}"
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add_everybody(self, people: Mapping[str, tuple[Role, ...]] = EVERYBODY) -> None:
        """Create people, each with PASSWORD."""
        hashed = Passwords().hash(PASSWORD)
        at_us = round((time.time() + self._later_s) * 1_000_000)
        for name, roles in people.items():
            add_user(self.url, name, hashed, False, roles, "smsd", "", at_us)

    def move_clock(self, seconds: float) -> None:
        """Make it so much later than it is; 0: now."""
        self._later_s = seconds
        self._clock.write_text(f"{seconds}\n")

    @contextmanager
    def visitor(self, name: str = "", **options: Any) -> Iterator[Page]:
        """A page of somebody signed in, or of nobody; at its end nothing may have been amiss."""
        if name and name not in self._signed_in:
            with self._watched() as context:
                sign_in(context.new_page(), name)
                self._signed_in[name] = context.storage_state()
        if name:
            options["storage_state"] = self._signed_in[name]
        with self._watched(**options) as context:
            yield context.new_page()

    @contextmanager
    def _watched(self, **options: Any) -> Iterator[BrowserContext]:
        context = context_of(self.browser, self.origin, **options)
        watch = Watch(context, (self.origin, *self.others))
        try:
            yield context
            assert not watch.faults, "\n".join(watch.faults)
        except BaseException as fault:
            fault.add_note("".join(["the daemon's last words:\n", *self.daemon.lines[-8:]]))
            raise
        finally:
            context.close()


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """As people do, from wherever they are sent to."""
    page.goto("/sign-in")
    page.locator("input[name=name]").fill(name)
    page.locator("input[name=password]").fill(password)
    page.locator("main button").first.click()


def is_sound(page: Page) -> None:
    """No page keeps anybody out, nothing sticks out of it: large and light, small and dark."""
    faults = faults_of(page)
    assert not faults, "\n".join(faults)


def faults_of(page: Page) -> list[str]:
    """What is wrong with a page; see `is_sound`. It is left as it was found."""
    size, found = page.viewport_size, []
    for scheme, other in (("light", DESKTOP), ("dark", PHONE)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(other)
        amiss = [*violations(page), *no_scrolling_sideways(page), *scrolled_by_mouse_only(page)]
        found += [f"{scheme}, {other['width']} px: {each}" for each in amiss]
    page.emulate_media(color_scheme="null")
    if size is not None:
        page.set_viewport_size(size)
    return found
