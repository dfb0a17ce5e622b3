"""A policy officer before midnight, and a second one who must agree."""

import re
from pathlib import Path

from daemon_process import POLICY_FILE
from open_desk import OpenDesk, is_sound
from playwright.sync_api import Browser, Page, expect

REASON = "decree 77 of today"
WINDOW = (
    '  { from = 2020-04-05T00:00:00, value = 120, source = "seed: codes 1 and 2; ours: code 3" },'
)
LONGER = '  { from = 2026-01-01T00:00:00, value = 180, source = "decree 77" },'
IN_FORCE = POLICY_FILE.read_text(encoding="utf-8")


def propose(page: Page, policy: str) -> None:
    """Upload a file with a reason, and wait until it is studied."""
    page.goto("/policy/propose")
    page.locator("input[type=file]").set_input_files(
        {"name": "new.toml", "mimeType": "text/plain", "buffer": policy.encode()}
    )
    page.locator("[name=reason]").fill(REASON)
    page.locator("form[action='/policy/propose'] button").click()


def test_a_policy_is_compared_and_put_in_force_by_another(browser: Browser, tmp_path: Path) -> None:
    """Two hours become three: told for whom, not by him who proposed it, then decided by."""
    longer = IN_FORCE.replace(WINDOW, f"{WINDOW}\n{LONGER}")
    assert longer != IN_FORCE
    with OpenDesk(browser, tmp_path) as desk:
        desk.add_everybody()
        before = desk.phones.text("994501600001", "2 AZE 1600001").text
        with desk.visitor("policy") as page:
            propose(page, longer)
            page.wait_for_url("**/policy/proposals/*")
            expect(page.locator("progress")).to_have_count(0)
            expect(page.locator("main")).to_contain_text("180")
            expect(page.get_by_role("button", name="Put in force")).to_have_count(0)
            is_sound(page)
            proposal = page.url
        with desk.visitor("second") as page:
            page.goto(proposal)
            page.locator("[name=reason]").first.fill(REASON)
            page.locator("button[formaction$='/activate']").click()
            expect(page.get_by_role("status").first).to_be_visible()
            is_sound(page)
        desk.daemon.wait_for("policy_in_force")
        after = desk.phones.text("994501600002", "2 AZE 1600002").text
        assert (length_min(before), length_min(after)) == (120, 180)
        with desk.visitor("auditor") as page:
            page.goto("/policy")
            expect(page.locator("main")).to_contain_text(REASON)
            is_sound(page)


def length_min(reply: str) -> int:
    """Of the permit in a reply."""
    begin, end = re.findall(r"(\d\d):(\d\d)", reply)[:2]
    minutes = [int(hour) * 60 + int(minute) for hour, minute in (begin, end)]
    return (minutes[1] - minutes[0]) % 1_440


def test_a_policy_that_is_not_sound(desk: OpenDesk) -> None:
    """Every fault by its line and in words; what was typed is still there to be mended."""
    with desk.visitor("policy") as page:
        page.goto("/policy/propose")
        page.locator("[name=text]").fill(
            IN_FORCE.replace('verdict = "refuse"', 'verdict = "no"', 1)
        )
        page.locator("[name=reason]").fill(REASON)
        page.locator("form[action='/policy/propose'] button").click()
        expect(page.get_by_role("alert")).to_contain_text("Line")
        expect(page.get_by_role("alert")).to_contain_text("verdict")
        expect(page.locator("[name=reason]")).to_have_value(REASON)
        assert 'verdict = "no"' in page.locator("[name=text]").input_value()
        is_sound(page)


def test_the_rules_for_everybody(desk: OpenDesk) -> None:
    """Without a sign-in, in three languages, with how to text; and nothing of the desk's rooms."""
    with desk.visitor() as page:
        for language, word in (("en", "Text"), ("az", "SMS"), ("ru", "СМС")):
            page.goto(f"/rules/{language}")
            expect(page.locator("html")).to_have_attribute("lang", language)
            expect(page.locator("main")).to_contain_text("8103")
            expect(page.locator("main")).to_contain_text(word)
        expect(page.locator("nav a[href='/look-up']")).to_have_count(0)
