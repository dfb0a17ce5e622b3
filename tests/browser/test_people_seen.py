"""People and the audit, as admins and auditors see them."""

import re

from open_desk import OpenDesk, is_sound, sign_in
from playwright.sync_api import expect

from storage import audit

OWN = "a password of her own"


def test_somebody_new_comes_in_with_a_password_of_her_own(desk: OpenDesk) -> None:
    """Added by an admin, who sees a password once; she replaces it, and only hers is good."""
    with desk.visitor("admin") as page:
        page.goto("/people")
        form = page.locator("form[action='/people']")
        form.get_by_label("User name").fill("Sevinj")
        form.get_by_label("Police").check()
        form.get_by_label("Reason").fill("new colleague")
        form.get_by_role("button").click()
        given = page.locator(".stat").inner_text()
        is_sound(page)
        page.get_by_role("link", name="It is noted").click()
        expect(page.locator("h1")).to_have_text("sevinj")
        is_sound(page)
        assert given not in page.content()
    with desk.visitor() as page:
        sign_in(page, "sevinj", given)
        expect(page.locator("h1")).to_have_text("Choose your own password")
        is_sound(page)
        page.get_by_label("The password that you were given").fill(given)
        page.get_by_label("Your new password").fill(OWN)
        page.get_by_label("The new password once more").fill(OWN)
        page.get_by_role("button", name="Use this password").click()
        expect(page.locator(".who")).to_contain_text("sevinj")
    with desk.visitor() as page:
        sign_in(page, "sevinj", given)
        expect(page.get_by_role("alert")).to_be_visible()
        sign_in(page, "sevinj", OWN)
        expect(page.locator(".who")).to_contain_text("sevinj")


def test_a_token_is_made_and_revoked_by_hand(desk: OpenDesk) -> None:
    """Shown once; afterwards the list says that it is good for nothing."""
    with desk.visitor("admin") as page:
        page.goto("/people")
        page.get_by_role("link", name="Tokens of programs").click()
        form = page.locator("form[action='/tokens']")
        form.get_by_label("Name").fill("gate-3")
        form.get_by_label("checking permits").check()
        form.get_by_label("Until").fill(form.get_by_label("Until").get_attribute("max") or "")
        form.get_by_label("Reason").fill("the new gate")
        form.get_by_role("button").click()
        expect(page.locator("main")).to_contain_text(re.compile(r"Bearer smsd_[\w-]{43}"))
        is_sound(page)
        page.get_by_role("link", name="It is noted").click()
        row = page.get_by_role("row", name=re.compile("gate-3"))
        expect(row).to_contain_text("good")
        row.locator("summary").click()
        is_sound(page)
        row.get_by_label("Reason").fill("the gate is closed")
        row.get_by_role("button", name="Revoke").click()
        expect(page.get_by_role("status")).to_have_text("The token is revoked.")
        expect(page.get_by_role("row", name=re.compile("gate-3"))).to_contain_text("revoked")


def test_the_audit_is_read_and_verified_by_hand(desk: OpenDesk) -> None:
    """Filtered by day; a phone is whole only for a reason; a hash of the log is met again."""
    about = "994501309999"
    audit.note(desk.url, 1, "agent", "look_up", "", "a caller", about)
    head = audit.head(desk.url)
    assert head is not None
    with desk.visitor("auditor") as page:
        page.goto("/audit")
        is_sound(page)
        form = page.locator("form[action='/audit']")
        form.get_by_label("Day").fill("1970-01-01")
        form.get_by_label("Who").fill("agent")
        form.get_by_label("What").select_option("looked up")
        form.get_by_role("button", name="Show").click()
        row = page.get_by_role("row", name=re.compile("a caller"))
        expect(row).to_contain_text("…999")
        assert about not in page.content()
        whole = page.locator("form[action='/audit/whole']")
        whole.get_by_label("Reason").fill("complaint 7")
        whole.get_by_role("button").click()
        expect(page.get_by_role("row", name=re.compile("a caller"))).to_contain_text(about)
        assert about not in page.url
        verifying = page.locator("form[action='/audit/verify']")
        verifying.get_by_label("A hash that was noted earlier").fill(head.hash)
        verifying.get_by_role("button", name="Verify").click()
        expect(page.get_by_role("status")).to_contain_text("The audit is sound")
        expect(page.get_by_role("status")).to_contain_text("The noted hash is in it.")
        is_sound(page)
