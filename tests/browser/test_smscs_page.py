"""The SMSCs in a browser: an admin suspends one at night, with a reason, and lets it back."""

from open_desk import OpenDesk, is_sound

PHONE = "994501700001"


def test_an_smsc_is_suspended_and_resumed_by_hand(desk: OpenDesk) -> None:
    """It unbinds, says since when; it binds again, and a phone is answered."""
    with desk.visitor("admin") as page:
        page.goto("/smsc")
        card = page.locator("section.smsc")
        card.get_by_text("Suspend", exact=True).first.click()
        form = card.locator("form[action$='/suspend']")
        form.locator("[name=reason]").fill("the operator asked for it")
        form.get_by_role("button").click()
        page.get_by_text("The SMSC is suspended.").wait_for()
        assert "Suspended since" in card.inner_text()
        assert card.get_by_text("not connected").count() == 1
        is_sound(page)
        card.get_by_text("Resume", exact=True).first.click()
        form = card.locator("form[action$='/resume']")
        form.locator("[name=reason]").fill("the operator is back")
        form.get_by_role("button").click()
        page.get_by_text("The SMSC is resumed").wait_for()
        card.get_by_text("in service", exact=True).wait_for()
    assert "1700001" in desk.phones.text(PHONE, "2 AZE 1700001").text


def test_a_form_without_a_reason_is_held_back_by_the_browser(desk: OpenDesk) -> None:
    """The field is marked as needed, so nobody has to go and come back to learn that."""
    with desk.visitor("admin") as page:
        page.goto("/smsc")
        page.get_by_text("Reconnect", exact=True).first.click()
        form = page.locator("form[action$='/reconnect']")
        form.get_by_role("button").click()
        assert form.locator("[name=reason]:invalid").count() == 1
        assert page.url.endswith("/smsc")
