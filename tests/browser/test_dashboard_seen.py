"""The dashboard as somebody watches it: it lives, its charts are drawn, each has a table."""

import re

from daemon_process import metric
from open_desk import OpenDesk, is_sound
from playwright.sync_api import Page, expect


def is_told_of_all(page: Page, desk: OpenDesk) -> None:
    """The page comes to say how many SMS the SMSC has handed over, all of them today.

    Not how many are stored: what agents ask for callers is stored, too.
    """
    address, smsc = desk.origin.removeprefix("http://"), {"smsc": "simulator"}
    came = round(metric(address, "smsd_messages_received_total", smsc))
    expect(page.locator("[data-figure='today.received']")).to_have_text(str(came))


def test_a_message_appears_by_itself(desk: OpenDesk) -> None:
    """Texted by a phone while somebody looks on: counted without a click, without a reload."""
    with desk.visitor("viewer") as page:
        page.goto("/")
        expect(page.locator("#pulse")).to_be_visible()
        page.evaluate("window.sameAsBefore = true")
        desk.phones.text("994501310001", "2 AZE 1310001")
        is_told_of_all(page, desk)
        assert page.evaluate("window.sameAsBefore")


def test_charts_are_drawn_and_told(desk: OpenDesk) -> None:
    """Every chart has a canvas with something on it, and a table that says the same in numbers."""
    desk.phones.text("994501310002", "2 AZE 1310002")
    with desk.visitor("viewer") as page:
        page.goto("/")
        charts = page.locator(".chart")
        expect(page.locator(".chart canvas")).to_have_count(charts.count())
        first = charts.first
        first.locator("summary").click()
        expect(first.locator("table caption, table thead th").first).to_be_visible()
        page.get_by_role("group", name="Range").get_by_role("button").last.click()
        expect(
            page.get_by_role("group", name="Range").get_by_role("button").last
        ).to_have_attribute("aria-pressed", "true")


def test_without_scripts_it_is_a_page_of_figures(desk: OpenDesk) -> None:
    """What it knew when it was asked for, and a word on how to see it anew."""
    desk.phones.text("994501310003", "2 AZE 1310003")
    with desk.visitor("viewer", java_script_enabled=False) as page:
        page.goto("/")
        expect(page.locator("[data-figure='today.received']")).not_to_have_text("0")
        expect(page.locator("noscript")).to_have_count(1)
        expect(page.locator("#charts")).to_be_hidden()


def test_where_no_stream_gets_through_it_asks(desk: OpenDesk) -> None:
    """Behind a proxy that keeps streams back the figures still come, and the page says how."""
    with desk.visitor("viewer") as page:
        page.route("**/live", lambda route: route.fulfill(status=204))
        page.goto("/")
        expect(page.locator("#pulse")).to_have_class(re.compile("plain"))
        desk.phones.text("994501310004", "2 AZE 1310004")
        is_told_of_all(page, desk)


def test_without_news_it_says_so(desk: OpenDesk) -> None:
    """Old figures are not taken for new ones; when news comes again, all is as before."""
    with desk.visitor("viewer") as page:
        page.route("**/live*", lambda route: route.abort())
        page.goto("/")
        expect(page.locator("#no-news")).to_be_visible()
        expect(page.locator("#pulse")).to_be_hidden()
        is_sound(page)
        page.unroute("**/live*")
        expect(page.locator("#no-news")).to_be_hidden()
