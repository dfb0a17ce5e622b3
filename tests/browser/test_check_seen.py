"""A police officer in the street, with a phone in one hand."""

from chromium import PHONE
from open_desk import OpenDesk, is_sound
from playwright.sync_api import Page, expect


def check(page: Page, what: str) -> None:
    """Type it and send it off by the phone's own key."""
    page.locator("#what").fill(what)
    page.locator("#what").press("Enter")


def test_a_reference_is_valid_or_not(desk: OpenDesk) -> None:
    """Until when and for what, large enough to read at arm's length; nothing of the phone."""
    reply = desk.phones.text("994501500001", "2 AZE 1500001").text
    reference = reply.rpartition("№ ")[2]
    with desk.visitor("police", viewport=PHONE, has_touch=True, is_mobile=True) as page:
        page.goto("/check")
        check(page, reference.lower())
        verdict = page.locator(".verdict")
        expect(verdict).to_have_class("verdict ok")
        expect(verdict).to_contain_text("2")
        told = page.locator("main").inner_text()
        assert "994501500001" not in told
        assert "1500001" not in told.replace(reference, "")
        size = page.locator(".verdict h2").evaluate(
            "(e) => parseFloat(getComputedStyle(e).fontSize)"
        )
        assert size >= 28
        expect(verdict).to_be_in_viewport()
        is_sound(page)


def test_a_document_without_a_permit(desk: OpenDesk) -> None:
    """Not valid, said by a word and a mark, not by colour alone."""
    with desk.visitor("police", viewport=PHONE) as page:
        page.goto("/check")
        check(page, "AZE 1599999")
        expect(page.locator(".verdict")).to_have_class("verdict bad")
        expect(page.locator(".verdict .mark")).to_have_text("✕")
        is_sound(page)


def test_what_was_mistyped_is_still_there(desk: OpenDesk) -> None:
    """A word by the field says what is wrong, and what was typed can be mended."""
    with desk.visitor("police", viewport=PHONE) as page:
        page.goto("/check")
        check(page, "12")
        expect(page.get_by_role("alert")).to_be_visible()
        expect(page.locator("#what")).to_have_value("12")
        is_sound(page)


def test_every_check_is_in_the_audit(desk: OpenDesk) -> None:
    """Who checked what and when; the document only where it can be erased."""
    with desk.visitor("police") as page:
        page.goto("/check")
        check(page, "AZE 1500002")
        expect(page.locator(".verdict")).to_be_visible()
    with desk.visitor("auditor") as page:
        page.goto("/audit")
        line = page.locator("tbody tr", has_text="police").first
        expect(line).to_contain_text("check")


def test_others_do_not_check(desk: OpenDesk) -> None:
    """An agent is told so, and the page is not in his navigation."""
    with desk.visitor("agent") as page:
        page.goto("/check")
        expect(page.locator("main")).to_contain_text("no role for this")
        expect(page.locator("nav a[href='/check']")).to_have_count(0)
