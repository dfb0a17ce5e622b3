"""A real daemon with its desk, a simulated SMSC with phones, and people of every role."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

from axe import violations
from chromium import DESKTOP, PHONE, Watch, context_of, no_scrolling_sideways
from daemon_process import Daemon, smsc_section, write_config
from playwright.sync_api import Browser, BrowserContext, Page

from simulators.process import SmscProcess
from storage.roles import Role

PASSWORD = "four invented words here"
EVERYBODY: Mapping[str, tuple[Role, ...]] = {
    **{role.value: (role,) for role in Role},
    "second": (Role.POLICY,),  # who activates what another proposed
    "everything": tuple(Role),
}


class OpenDesk:
    """The running desk. A context manager that ends it all.

    origin: how browsers know it. phones: the simulator's. more: lines of [desk].
    """

    def __init__(self, browser: Browser, folder: Path, more: str = "") -> None:
        self.browser = browser
        self._signed_in: dict[str, Any] = {}
        self._clock = folder / "clock-offset"
        with ExitStack() as stack:
            smsc = stack.enter_context(SmscProcess("--retry-delay", "0.05"))
            self.phones = stack.enter_context(smsc.client())
            self.config = write_config(folder, [smsc_section(smsc.port)], desk=more)
            self.daemon = stack.enter_context(
                Daemon(self.config, "--clock-offset-file", str(self._clock))
            )
            address = self.daemon.wait_for("started")["desk"]
            self.daemon.wait_for("bound")
            self.origin = f"http://localhost:{address.rpartition(':')[2]}"
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def smsd(self, *arguments: str | Path, given: str = "") -> str:
        """What a command prints; given: what it is told on its standard input."""
        done = subprocess.run(
            [sys.executable, "-m", "smsd", *map(str, arguments), "--config", str(self.config)],
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def add_everybody(self) -> None:
        """Create the people of EVERYBODY."""
        for name, roles in EVERYBODY.items():
            options = [option for role in roles for option in ("--role", role.value)]
            self.smsd("user", "add", name, *options, given=f"{PASSWORD}\n{PASSWORD}\n")

    def move_clock(self, seconds: float) -> None:
        """Make it so much later than it is; 0: now."""
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
        watch = Watch(context, (self.origin,))
        try:
            yield context
            assert watch.faults == []
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
    assert faults_of(page) == []


def faults_of(page: Page) -> list[str]:
    """What is wrong with a page; see `is_sound`. It is left as it was found."""
    size, found = page.viewport_size, []
    for scheme, other in (("light", DESKTOP), ("dark", PHONE)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(other)
        amiss = [*violations(page), *no_scrolling_sideways(page)]
        found += [f"{scheme}, {other['width']} px: {each}" for each in amiss]
    page.emulate_media(color_scheme="null")
    if size is not None:
        page.set_viewport_size(size)
    return found
