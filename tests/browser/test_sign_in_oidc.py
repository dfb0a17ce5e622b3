"""Sign-in through npm's oidc-provider, by hand in a real browser, and what can go wrong on the way.

The desk is known as localhost and the provider as 127.0.0.1: two sites to the browser, so that
what it keeps back from a way that begins elsewhere (SameSite) is kept back here, too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from open_desk import OpenDesk, is_sound
from playwright.sync_api import Browser, Page, expect
from provider_process import ProviderProcess

from storage import users
from storage.roles import Role

SECRET = "of the client, for tests"
OIDC = """\
[desk.oidc]
issuer = "{issuer}"
client_id = "smsd"
client_secret_file = "{folder}/secret"
label = "state login"
attempt_s = 86400  # for a clock that is moved
roles = {{ agent = "desk-agents", police = "desk-police" }}
"""


@contextmanager
def desk_with(browser: Browser, provider: ProviderProcess, folder: Path) -> Iterator[OpenDesk]:
    """A desk that sends people to the provider."""
    (folder / "secret").write_text(f"{SECRET}\n")
    more = OIDC.format(issuer=provider.issuer, folder=folder)
    with OpenDesk(browser, folder, more) as stage:
        stage.others = (provider.issuer,)
        stage.add_everybody()
        provider.serve(f"{stage.origin}/sign-in/oidc/back", SECRET)
        yield stage


@pytest.fixture(scope="module")
def oidc_desk(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenDesk]:
    """One for all tests that leave its provider running."""
    with (
        ProviderProcess() as provider,
        desk_with(browser, provider, tmp_path_factory.mktemp("oidc")) as stage,
    ):
        yield stage


def leave(page: Page, account: str = "gunel") -> None:
    """From the sign-in page to the provider's form, filled in."""
    page.get_by_role("link", name="Sign in with state login").click()
    page.get_by_label("Account").fill(account)


def failed(page: Page, words: str) -> None:
    """The sign-in page says why, nobody is signed in, and everybody could read it."""
    expect(page.get_by_role("alert")).to_contain_text(words)
    expect(page.locator("input[name=password]")).to_be_visible()
    is_sound(page)


def test_somebody_of_the_provider_comes_in(oidc_desk: OpenDesk) -> None:
    """To where he wanted to go, with the roles of his groups, under the name that it told."""
    with oidc_desk.visitor() as page:
        page.goto("/me")
        leave(page)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{oidc_desk.origin}/me")
        expect(page.locator(".who")).to_contain_text("gunel.m")
        cookies = {cookie["name"]: cookie for cookie in page.context.cookies(oidc_desk.origin)}
        assert cookies["__Host-smsd"]["sameSite"] == "Strict"
        assert "__Host-attempt" not in cookies
    (known,) = [each for each in users.list_users(oidc_desk.url) if each.by_provider]
    assert (known.name, known.roles) == ("gunel.m", {Role.AGENT})


def test_who_has_no_role_here(oidc_desk: OpenDesk) -> None:
    """Known there, and told here that it is not enough; nobody is added."""
    with oidc_desk.visitor() as page:
        page.goto("/sign-in")
        leave(page, "nobody")
        page.get_by_role("button", name="Sign in").click()
        failed(page, "you have no role at this desk")
    assert not any(each.name == "nobody" for each in users.list_users(oidc_desk.url))


def test_who_changes_his_mind(oidc_desk: OpenDesk) -> None:
    """Cancelled at the provider: back at the sign-in page, with a word about it."""
    with oidc_desk.visitor() as page:
        page.goto("/sign-in?lang=az")
        page.get_by_role("link", name="state login").click()
        page.get_by_role("button", name="Cancel").click()
        failed(page, "Giriş ləğv edildi")
    assert "oidc_failed" in oidc_desk.daemon.log


def test_a_return_that_another_browser_began(oidc_desk: OpenDesk) -> None:
    """Who is led through somebody else's sign-in does not land in it (login CSRF)."""
    with oidc_desk.visitor() as page, oidc_desk.visitor() as other:
        page.goto("/sign-in")
        with page.expect_request("**/auth?**") as asked:
            leave(page)
        other.goto(asked.value.url)
        other.get_by_label("Account").fill("polad")
        other.get_by_role("button", name="Sign in").click()
        failed(other, "not begun in this browser")
        page.get_by_role("button", name="Sign in").click()  # nor is it lost to who began it
        expect(page.locator(".who")).to_contain_text("gunel.m")


def test_a_return_is_good_once(oidc_desk: OpenDesk) -> None:
    """Whoever finds the address in a history gets nothing for it, in the same browser even."""
    with oidc_desk.visitor() as page:
        page.goto("/sign-in")
        leave(page)
        with page.expect_request("**/sign-in/oidc/back?**") as back:
            page.get_by_role("button", name="Sign in").click()
        expect(page.locator(".who")).to_contain_text("gunel.m")
        page.get_by_role("button", name="Sign out").click()
        page.goto(back.value.url)
        failed(page, "not begun in this browser")


@pytest.mark.parametrize(
    "answer",
    ["?state=made-up&code=c", "?code=c", "", "?state=%ff&code=%00", "?error=access_denied"],
)
def test_a_return_without_a_beginning(oidc_desk: OpenDesk, answer: str) -> None:
    """Whatever stands in the address, the sign-in page says what to do."""
    with oidc_desk.visitor() as page:
        page.goto(f"/sign-in/oidc/back{answer}")
        failed(page, "not begun in this browser")


def test_clocks_that_differ(oidc_desk: OpenDesk) -> None:
    """A token that is over by our clock signs nobody in, and the words point at the clocks."""
    with oidc_desk.visitor() as page:
        page.goto("/sign-in")
        leave(page)
        oidc_desk.move_clock(7_200)
        try:
            page.get_by_role("button", name="Sign in").click()
            failed(page, "clocks")
        finally:
            oidc_desk.move_clock(0)


def test_a_provider_that_is_down(browser: Browser, tmp_path: Path) -> None:
    """Said at once, and the password still lets people in."""
    with ProviderProcess() as provider, desk_with(browser, provider, tmp_path) as desk:
        provider.stop()
        with desk.visitor() as page:
            page.goto("/sign-in")
            page.get_by_role("link", name="Sign in with state login").click()
            failed(page, "cannot be reached")
            assert page.url.startswith(f"{desk.origin}/sign-in?")
        with desk.visitor("agent") as page:
            page.goto("/me")
            expect(page.locator(".who")).to_contain_text("agent")


def test_the_log_names_nobody(oidc_desk: OpenDesk) -> None:
    """Who came and who did not is for the audit; the log has the protocol's words alone."""
    for account in ("gunel", "nobody"):
        with oidc_desk.visitor() as page:
            page.goto("/sign-in")
            leave(page, account)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"{oidc_desk.origin}/**")
            expect(page.locator("main h1")).not_to_have_text("One moment")
    log = oidc_desk.daemon.log
    assert '"failure": "no_role"' in log
    for personal in ("gunel", "desk-agents", SECRET, "code="):
        assert personal not in log
