"""An agent with a caller on the line: looks up, explains, overrides, blocks, answers."""

from datetime import UTC, datetime, timedelta

import pytest
from open_desk import PASSWORD, OpenDesk, is_sound
from playwright.sync_api import Page, expect

REASON = "the caller's surgery is today"


def look_up(page: Page, what: str) -> None:
    """Search from the look-up's form."""
    page.goto("/look-up")
    page.get_by_label("Phone, document or reference").fill(what)
    page.get_by_role("button", name="Look up").click()


def open_only(page: Page, what: str) -> None:
    """Search for what leads to one conversation alone, whose newest SMS is chosen."""
    look_up(page, what)
    expect(page.locator(".chat")).to_be_visible()


def act(page: Page, summary: str, button: str, reason: str = REASON) -> None:
    """Open one of the acts, give the reason, do it."""
    page.locator("summary", has_text=summary).click()
    opened = page.locator("details[open]", has=page.get_by_role("button", name=button))
    opened.locator("[name=reason]").fill(reason)
    opened.get_by_role("button", name=button, exact=True).click()


@pytest.mark.parametrize(
    ("number", "typed"),
    [("1400001", "0 50 140 00 01"), ("1400011", "aze-1400011"), ("1400021", "reference")],
)
def test_a_conversation_as_the_phone_saw_it(desk: OpenDesk, number: str, typed: str) -> None:
    """By phone, document or reference: asked, decided by which article, answered, on its way."""
    reply = desk.phones.text(f"99450{number}", f"2 AZE {number}").text
    reference = reply.rpartition("№ ")[2]
    with desk.visitor("agent") as page:
        open_only(page, reference if typed == "reference" else typed)
        chosen = page.locator(".chat .chosen")
        expect(chosen).to_contain_text(f"2 AZE {number}")
        expect(chosen).to_contain_text(f"AZE{number}")
        expect(chosen.locator(".answer").last).to_contain_text("taken by the operator")
        expect(page.locator(".chat")).to_contain_text(reply)
        expect(page.locator("section.card", has_text="Permits today")).to_contain_text("valid")
        is_sound(page)


def test_what_cannot_be_found(desk: OpenDesk) -> None:
    """Nonsense is told apart from what is not there, and both say what to do."""
    with desk.visitor("agent") as page:
        look_up(page, "???")
        expect(page.locator("p.wrong")).to_contain_text("no phone, document or reference")
        expect(page.get_by_label("Phone, document or reference")).to_have_value("???")
        is_sound(page)
        look_up(page, "AZE 1499999")
        expect(page.locator("main")).to_contain_text("Nothing was found")
        page.goto("/look-up/99999999")
        expect(page.locator("main")).to_contain_text("no such SMS")


def test_nothing_personal_stands_in_addresses(desk: OpenDesk) -> None:
    """What is searched for is in no address: histories and proxies keep those."""
    desk.phones.text("994501400002", "2 AZE 1400002")
    with desk.visitor("agent") as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        open_only(page, "AZE1400002")
        assert asked
        assert not [url for url in asked if "1400002" in url]


def test_an_override_needs_a_reason_and_reaches_the_phone(desk: OpenDesk) -> None:
    """Refused by its rule; granted once by an agent, who is named in the audit with the reason."""
    phone, phones = "994501400003", desk.phones
    phones.text(phone, "2 AZE 1400003")
    phones.text(phone, "return")
    refused = phones.text(phone, "2 AZE 1400003").text
    with desk.visitor("agent") as page:
        open_only(page, phone)
        expect(page.locator(".chosen")).to_contain_text("refused")
        expect(page.locator(".chosen")).to_contain_text("once-a-day")
        act(page, "Grant AZE1400003 once", "Grant by override", reason=" ")
        expect(page.get_by_role("alert")).to_contain_text("Give a reason")
        is_sound(page)
        opened = page.locator("details[open]")
        opened.locator("[name=reason]").fill(REASON)
        phones.watch(phone)
        opened.get_by_role("button", name="Grant by override").click()
        expect(page.get_by_role("status").first).to_contain_text("Granted by override")
        granted = phones.next_received(phone).text
        assert granted != refused
        expect(page.locator(".chat")).to_contain_text(granted)
        is_sound(page)
    with desk.visitor("auditor") as page:
        page.goto("/audit")
        line = page.locator("tr", has_text=REASON).first
        expect(line).to_contain_text("agent")
        expect(line).to_contain_text("override")
        is_sound(page)


def test_a_block_holds_until_it_is_lifted(desk: OpenDesk) -> None:
    """Blocked: the next SMS is refused; lifted: the one after is granted."""
    phone, document = "994501400004", "AZE1400004"
    desk.phones.text(phone, f"1 {document}")
    with desk.visitor("agent") as page:
        open_only(page, document)
        page.locator("summary", has_text="Block a person").click()
        page.get_by_label("From which code").select_option("2")
        page.get_by_label("First free day").fill(
            (datetime.now(UTC).date() + timedelta(days=7)).isoformat()
        )
        page.locator("#block-reason").fill(REASON)
        page.get_by_role("button", name="Block", exact=True).click()
        expect(page.get_by_role("status").first).to_contain_text("Blocked")
        expect(page.locator("section.card").first).to_contain_text("blocked from code 2")
        is_sound(page)
        refused = desk.phones.text(phone, f"2 {document}").text
        act(page, "Lift the block", "Lift the block")
        expect(page.get_by_role("status").first).to_contain_text("The block is lifted")
        assert desk.phones.text(phone, f"2 {document}").text != refused


def test_a_caller_without_a_phone(desk: OpenDesk) -> None:
    """Decided like an SMS, and the answer is there to be read out; the limits are the same."""
    with desk.visitor("agent") as page:
        for words in ("AZE1400005", "AZE1400005"):
            page.goto("/look-up")
            page.get_by_label("Code", exact=True).select_option("2")
            page.get_by_label("Document", exact=True).fill(words)
            page.locator("#ask-reason").fill("called 9108, has no phone")
            page.get_by_role("button", name="Ask for the permit").click()
            expect(page.locator(".aloud .words")).to_contain_text("AZE1400005")
            is_sound(page)
    repeated = desk.phones.text("994501400005", "2 AZE1400005").text
    assert "qüvvədədir" in repeated


def test_by_keyboard_alone(desk: OpenDesk) -> None:
    """From the sign-in page to the conversation without a mouse."""
    desk.phones.text("994501400006", "2 AZE 1400006")
    desk.phones.text("994501400006", "2 AZE 1400006")
    with desk.visitor() as page:
        page.goto("/sign-in?next=/look-up")
        press_until(page, "#name")
        page.keyboard.type("agent")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_label("Phone, document or reference")).to_be_focused()
        page.keyboard.type("AZE 1400006")
        page.keyboard.press("Enter")
        expect(page.get_by_role("table", name="SMS found").locator("tbody tr")).to_have_count(2)
        press_until(page, "[aria-label='SMS found'] tbody th a")
        page.keyboard.press("Enter")
        expect(page.locator(".chosen")).to_contain_text("2 AZE 1400006")


def press_until(page: Page, wanted: str) -> None:
    """Tab on to something; each stop on the way shows that it is one."""
    for _ in range(60):
        page.keyboard.press("Tab")
        outline, there = page.evaluate(
            """(wanted) => [getComputedStyle(document.activeElement).outlineStyle,
              document.activeElement.matches(wanted)]""",
            wanted,
        )
        assert outline != "none"
        if there:
            return
    raise AssertionError(f"{wanted} cannot be reached by Tab")
