"""In and out of the desk, as people do it and as others try to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from open_desk import PASSWORD, OpenDesk, is_sound, sign_in
from playwright.sync_api import Browser, Page, expect

from storage.users import list_users

DAY_S = 86_400
FORGED = """\
<form method="post" action="{origin}/people"><input name="csrf" value="TOKEN">
<input name="name" value="forged"><input name="role_admin" value="1">
<input name="reason" value="x"><button>go</button></form>"""
ADD = "form[action='/people']"


@pytest.fixture
def own_desk(browser: Browser, tmp_path: Path) -> Iterator[OpenDesk]:
    """A desk whose clock and patience are this test's alone."""
    with OpenDesk(browser, tmp_path, "sign_in_failures_max = 2") as stage:
        stage.add_everybody()
        yield stage


def test_the_right_password_leads_to_where_one_was_going(desk: OpenDesk) -> None:
    """Whoever is sent to sign in goes on from there; signing out ends it."""
    with desk.visitor() as page:
        page.goto("/me")
        expect(page).to_have_url(f"{desk.origin}/sign-in?next=%2Fme")
        is_sound(page)
        page.get_by_label("User name").fill("agent")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(f"{desk.origin}/me")
        expect(page.locator(".who")).to_contain_text("agent")
        page.get_by_role("button", name="Sign out").click()
        page.goto("/me")
        expect(page.locator("h1")).to_have_text("Sign in")


@pytest.mark.parametrize(
    "there", ["//elsewhere.invalid/", "/\\elsewhere.invalid", "https://e.invalid"]
)
def test_nobody_is_sent_elsewhere(desk: OpenDesk, there: str) -> None:
    """A link to the sign-in page cannot make it a way to another site."""
    with desk.visitor() as page:
        page.goto(f"/sign-in?next={there}")
        page.get_by_label("User name").fill("agent")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page).to_have_url(f"{desk.origin}/")


def test_a_wrong_password_and_one_too_many(own_desk: OpenDesk) -> None:
    """The same words for a wrong name and a wrong password; then, a wait, for the right one too."""
    said = []
    with own_desk.visitor() as page:
        for name in ("agent", "nobody-of-that-name", "agent"):
            sign_in(page, name, "not the password")
            expect(page.get_by_role("alert")).to_be_visible()
            said.append(page.get_by_role("alert").inner_text())
            expect(page.get_by_label("User name")).to_have_value(name)
            expect(page.get_by_label("Password")).to_have_value("")
            is_sound(page)
        assert len(set(said)) == 1
        sign_in(page, "agent", PASSWORD)
        expect(page.get_by_role("alert")).to_contain_text("tried too often")
        page.goto("/me")
        expect(page.locator("h1")).to_have_text("Sign in")


def test_a_session_that_is_over(own_desk: OpenDesk) -> None:
    """A form that was open for too long does nothing, and the next page asks to sign in."""
    with own_desk.visitor("admin") as page:
        page.goto("/people")
        expect(page.locator("h1")).to_be_visible()
        fill_new_person(page, "latecomer")
        own_desk.move_clock(DAY_S)
        page.locator(f"{ADD} button").click()
        expect(page.locator("main")).to_contain_text("Sign in first")
        page.goto("/people")
        expect(page.locator("h1")).to_have_text("Sign in")
    assert "latecomer" not in names(own_desk)


def names(desk: OpenDesk) -> set[str]:
    """Who may sign in."""
    return {each.name for each in list_users(desk.url)}


def fill_new_person(page: Page, name: str) -> None:
    """All that the form asks for."""
    page.locator(f"{ADD} [name=name]").fill(name)
    page.locator(f"{ADD} input[type=checkbox]").first.check()
    page.locator(f"{ADD} [name=reason]").fill("a test")


@pytest.mark.parametrize("token", [None, "", "made-up"])
def test_a_forged_form_does_nothing(desk: OpenDesk, token: str | None) -> None:
    """Without the session's token, or with another, the words say that nothing was done."""
    with desk.visitor("admin") as page:
        page.goto("/people")
        fill_new_person(page, "forged")
        page.locator(f"{ADD} [name=csrf]").evaluate(
            "(field, token) => token === null ? field.remove() : field.value = token", token
        )
        page.locator(f"{ADD} button").click()
        expect(page.locator("main")).to_contain_text("Nothing was done")
        is_sound(page)
    assert "forged" not in names(desk)


@pytest.mark.parametrize(
    ("host", "words"),
    [("127.0.0.1", "Sign in first"), ("localhost", "Nothing was done")],
    ids=["another site", "another port of ours"],
)
def test_a_form_from_elsewhere_does_nothing(
    desk: OpenDesk, monkeypatch: pytest.MonkeyPatch, host: str, words: str
) -> None:
    """Even one that knows the token: the browser keeps the cookie back, or says where it is."""
    form = FORGED.format(origin=desk.origin)
    elsewhere = f"http://{host}:9"
    monkeypatch.setattr(desk, "others", (elsewhere,))
    with desk.visitor("admin") as page:
        page.goto("/people")
        form = form.replace("TOKEN", page.locator("[name=csrf]").first.input_value())
        page.route(
            f"{elsewhere}/", lambda route: route.fulfill(content_type="text/html", body=form)
        )
        page.goto(f"{elsewhere}/")
        page.get_by_role("button").click()
        expect(page.locator("main")).to_contain_text(words)
    assert "forged" not in names(desk)
