"""One browser and one desk for all tests that look at pages; a visitor of it for each."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# The daemon and the provider in processes of their own, and the desk's table of routes, are the
# same there and here.
sys.path.extend(
    str(Path(__file__).parents[1] / room) for room in ("daemon", "oidc", "desk", "gateway")
)

from chromium import WAIT_MS, NoBrowser, chromium
from open_desk import OpenDesk
from playwright.sync_api import Browser, expect

expect.set_options(timeout=WAIT_MS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium."""
    try:
        with chromium() as running:
            yield running
    except NoBrowser as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def desk(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenDesk]:
    """A desk with people; tests share it, and each has phones and documents of its own."""
    with OpenDesk(browser, tmp_path_factory.mktemp("desk"), "public_rules = true") as stage:
        stage.add_everybody()
        yield stage


@pytest.fixture(scope="session")
def empty_desk(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenDesk]:
    """A desk that nobody has been added to."""
    with OpenDesk(browser, tmp_path_factory.mktemp("empty")) as stage:
        yield stage
