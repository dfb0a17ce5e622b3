"""Every page that the desk's own table of routes knows: for everybody, at any size, by any light.

A page that is new is looked at without anybody's doing; one whose path has names in it needs an
example here, and the test says so.
"""

from collections.abc import Callable
from itertools import groupby
from typing import Any, NamedTuple

import pytest
from chromium import PHONE, no_scrolling_sideways
from daemon_process import POLICY_FILE
from desk_stage import DeskStage, write_config
from open_desk import OpenDesk, faults_of
from playwright.sync_api import Page

from smsd.config import load_config

Found = list[str]

# What the names in a path may stand for.
EXAMPLES = {
    "/rules/{language}": ("/rules/az", "/rules/en", "/rules/ru"),
    "/people/{name}": ("/people/agent",),
    "/look-up/{number}": ("/look-up/1", "/look-up/3"),
    "/policy/proposals/{number}": ("/policy/proposals/1",),
}
# Files to keep rather than pages to look at.
FILES = {"/policy/file", "/policy/proposals/{number}/file", "/static/{digest}/{file}"}


class Shown(NamedTuple):
    """A page. who: as whom it is looked at; nobody in particular where everybody may."""

    path: str
    who: str


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Shown]:
    """Every page, those for everybody first."""
    file = write_config(tmp_path_factory.mktemp("routes"), POLICY_FILE, "public_rules = true")
    stage = DeskStage(load_config(file, {}))
    try:
        routes = [each for each in stage.desk.routes if each.method == "GET" and not each.data]
    finally:
        stage.close()
    found = []
    for route in routes:
        if route.path in FILES:
            continue
        assert "{" not in route.path or route.path in EXAMPLES, f"{route.path}: add to EXAMPLES"
        who = "" if route.access.roles is None else "everything"
        found += [Shown(path, who) for path in EXAMPLES.get(route.path, (route.path,))]
    return sorted(found, key=lambda shown: shown.who)


@pytest.fixture(scope="module")
def lived_in(desk: OpenDesk) -> OpenDesk:
    """The desk with something to show in every room."""
    desk.phones.text("994501300001", "2 AZE 1300001")
    desk.phones.text("994501300001", "2 AZE 1300001")
    desk.phones.text("994501300002", "nonsense")
    with desk.visitor("everything") as page:
        propose(page, POLICY_FILE.read_text(encoding="utf-8") + "\n# one line more\n")
    return desk


def propose(page: Page, policy: str) -> None:
    """Put a policy file before the others."""
    page.goto("/policy/propose")
    upload = {"name": "new.toml", "mimeType": "text/plain", "buffer": policy.encode()}
    page.locator("input[type=file]").set_input_files([upload])  # type: ignore[list-item]
    page.locator("[name=reason]").fill("a test of every page")
    page.get_by_role("button", name="Propose").first.click()
    page.wait_for_url("**/policy/proposals/*")


def seen(
    desk: OpenDesk, pages: list[Shown], look: Callable[[Page], Found], **options: Any
) -> dict[str, Found]:
    """What is found on each page, by its path; nothing, where nothing is."""
    found = {}
    for who, shown in groupby(pages, lambda shown: shown.who):
        with desk.visitor(who, **options) as page:
            for path, _ in shown:
                answer = page.goto(path)
                assert answer is not None
                assert answer.status == 200, path
                found[path] = look(page)
    return {path: each for path, each in found.items() if each}


def test_nobody_is_kept_out_of_a_page(lived_in: OpenDesk, pages: list[Shown]) -> None:
    """axe finds nothing, and nothing sticks out: large and light, small and dark."""
    assert seen(lived_in, pages, faults_of) == {}


@pytest.mark.parametrize("locale", ["az", "ru"])
def test_longer_words_find_their_place(lived_in: OpenDesk, pages: list[Shown], locale: str) -> None:
    """The other languages fit a phone, too."""
    assert seen(lived_in, pages, no_scrolling_sideways, locale=locale, viewport=PHONE) == {}


def test_links_lead_somewhere(lived_in: OpenDesk, pages: list[Shown]) -> None:
    """Whatever a page links to is there, and within the desk."""
    told = "all => all.map((each) => each.href)"
    found = seen(lived_in, pages, lambda page: page.locator("a[href]").evaluate_all(told))
    links = {link: path for path, here in found.items() for link in here}
    with lived_in.visitor("everything") as page:
        dead = {
            link: (path, status)
            for link, path in links.items()
            if (status := page.request.get(link).status) != 200
        }
    assert dead == {}
    assert not [link for link in links if not link.startswith(f"{lived_in.origin}/")]


def test_every_page_without_scripts(lived_in: OpenDesk, pages: list[Shown]) -> None:
    """Where scripts are off, each page still has its heading and its content."""

    def lacking(page: Page) -> list[str]:
        words = page.locator("main").inner_text()
        return [] if page.locator("h1").count() == 1 and len(words) > 60 else [words]

    assert seen(lived_in, pages, lacking, java_script_enabled=False) == {}
