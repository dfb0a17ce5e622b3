"""Sign-in by an OpenID Connect provider at the desk: who is let in, who is not, and what is said.

The exchange itself: tests/oidc; in a browser: tests/browser/test_sign_in_oidc.py.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

sys.path.append(str(Path(__file__).parents[1] / "oidc"))

from desk_stage import HOST, DeskStage, Got, NewDesk
from hostile_provider import HostileProvider

from smsd.daemon import CannotStart
from smsd.desk.access.oidc_failures import Failure
from smsd.desk.web.knock import Knock
from storage import users
from storage.roles import Role

Claims = dict[str, object]
OIDC = """\
[desk.oidc]
issuer = "{issuer}"
client_id = "smsd"
roles = {{ agent = "desk-agents", police = "desk-police" }}
at_once_max = 1
"""


@pytest.fixture
def hostile() -> Iterator[HostileProvider]:
    """A provider that does as it is told, and reads the desk's own clock."""
    with HostileProvider() as provider:
        yield provider


@pytest.fixture
def desk(new_desk: NewDesk, hostile: HostileProvider) -> DeskStage:
    """A desk that sends people to it."""
    return new_desk(OIDC.format(issuer=hostile.issuer))


def sign_in(
    desk: DeskStage, hostile: HostileProvider, claims: Claims | None = None, onward: str = "/me"
) -> Got:
    """There and back again; the page that leads on."""
    now_s = desk.clock.utc_us() // 1_000_000
    told = {"iat": now_s, "exp": now_s + 300, **(claims or {})}
    hostile.claims = lambda sound: sound | told
    away = desk.ask("GET", f"/sign-in/oidc?next={onward}")
    assert away.status == 303
    asked = parse_qs(urlsplit(away.headers["location"]).query)
    (hostile.nonce,), (state,) = asked["nonce"], asked["state"]
    browser = away.cookies["__Host-attempt"]
    assert (browser["samesite"], browser["httponly"], browser["secure"]) == ("Lax", True, True)
    back = urlencode({"state": state, "code": "c"})
    carried = f"__Host-attempt={browser.value}"
    return desk.ask("GET", f"/sign-in/oidc/back?{back}", cookie=carried)


def led_to(page: Got) -> str:
    """Where the page goes on to by itself; that, and not a redirection."""
    assert page.status == 200
    (there,) = re.findall(r'http-equiv="refresh" content="0; url=([^"]*)"', page.text)
    assert f'href="{there}"' in page.text
    return str(there)


def test_he_is_added_and_goes_on(desk: DeskStage, hostile: HostileProvider) -> None:
    """With a session of his own, to where he wanted to go; the audit has both."""
    page = sign_in(desk, hostile)
    assert led_to(page) == "/me"
    session = page.cookies["__Host-smsd"]
    assert session["samesite"] == "Strict"
    assert page.cookies["__Host-attempt"]["max-age"] == "0"
    shown = desk.ask("GET", "/me", cookie=f"__Host-smsd={session.value}")
    assert "gunel" in shown.text
    (user,) = users.list_users(desk.config.store.url)
    assert (user.name, user.roles, user.by_provider) == ("gunel", {Role.AGENT}, True)


@pytest.mark.parametrize(
    "onward", ["//elsewhere.example/", "https://elsewhere.example", "/sign-in"]
)
def test_nobody_is_led_elsewhere(desk: DeskStage, hostile: HostileProvider, onward: str) -> None:
    """What is no path of this desk leads to its beginning."""
    assert led_to(sign_in(desk, hostile, onward=onward)) == "/"


def test_whoever_loses_his_groups_loses_his_roles(
    desk: DeskStage, hostile: HostileProvider
) -> None:
    """Told so; and the session that he still had elsewhere ends."""
    session = sign_in(desk, hostile).cookies["__Host-smsd"].value
    assert led_to(sign_in(desk, hostile, {"groups": []})) == "/sign-in?failed=no_role"
    assert desk.ask("GET", "/me", cookie=f"__Host-smsd={session}").status == 303
    assert users.list_users(desk.config.store.url)[0].roles == frozenset()


def test_who_was_never_known_and_has_no_role(desk: DeskStage, hostile: HostileProvider) -> None:
    """He is told so, and is not added."""
    assert led_to(sign_in(desk, hostile, {"groups": ["others"]})) == "/sign-in?failed=no_role"
    assert users.list_users(desk.config.store.url) == []


def test_a_name_that_is_taken(desk: DeskStage, hostile: HostileProvider) -> None:
    """Not even by the same word does he become a user with a password, or somebody else there."""
    users.add_user(desk.config.store.url, "gunel", "hash", False, [Role.ADMIN], "t", "", 1)
    page = sign_in(desk, hostile)
    assert led_to(page) == "/sign-in?failed=taken"
    assert "__Host-smsd" not in page.cookies
    assert led_to(sign_in(desk, hostile, {"preferred_username": "leyla"})) == "/me"
    again = sign_in(desk, hostile, {"preferred_username": "leyla", "sub": "s-2"})
    assert led_to(again) == "/sign-in?failed=taken"


@pytest.mark.parametrize("name", ["", "  ", "gün el", "a" * 65, "../admin", "a\nb"])
def test_a_name_that_will_not_do(desk: DeskStage, hostile: HostileProvider, name: str) -> None:
    """The audit could not call him that."""
    page = sign_in(desk, hostile, {"preferred_username": name})
    assert led_to(page) == "/sign-in?failed=no_name"


def test_who_is_kept_out_here(desk: DeskStage, hostile: HostileProvider) -> None:
    """Disabled at the desk, whatever the provider says."""
    sign_in(desk, hostile)
    users.set_disabled(desk.config.store.url, "gunel", True, "admin", "left", desk.clock.utc_us())
    page = sign_in(desk, hostile)
    assert led_to(page) == "/sign-in?failed=denied"
    assert "__Host-smsd" not in page.cookies


def test_only_so_many_wait_at_once(desk: DeskStage, hostile: HostileProvider) -> None:
    """A slow provider takes one of the desk's threads, and no more; the others are told."""
    knock = Knock("GET", "/sign-in/oidc", b"", {"host": HOST}, None, "127.0.0.1", False)
    hostile.let_go.clear()  # until one of the two was told
    answers = desk.answer_all([knock, knock], hostile.let_go.set)
    went = [each.headers["location"] for each in answers]
    assert went.count("/sign-in?failed=busy") == 1
    assert sum(each.startswith(hostile.issuer) for each in went) == 1
    assert desk.answer(knock).headers["location"].startswith(hostile.issuer)


def test_two_windows_of_one_browser(desk: DeskStage, hostile: HostileProvider) -> None:
    """The second departure does not cost the first its return."""
    first = desk.ask("GET", "/sign-in/oidc")
    carried = first.cookies["__Host-attempt"].value
    second = desk.ask("GET", "/sign-in/oidc", cookie=f"__Host-attempt={carried}")
    assert second.cookies["__Host-attempt"].value == carried
    states = [
        parse_qs(urlsplit(each.headers["location"]).query)["state"] for each in (first, second)
    ]
    assert states[0] != states[1]


def test_every_failure_has_its_words(desk: DeskStage) -> None:
    """In each language, on the sign-in page, as an alert; what is made up says nothing."""

    def said(failure: str, language: str) -> list[str]:
        page = desk.ask("GET", f"/sign-in?failed={failure}&lang={language}")
        return re.findall(r'role="alert">([^<]*)<', page.text)

    words = [said(each, language) for each in Failure for language in ("az", "en", "ru")]
    assert all(len(each) == 1 for each in words)
    assert len({each[0] for each in words}) == len(words)
    assert said("made-up", "en") == said("<script>", "en") == []


@pytest.mark.parametrize(("text", "fault"), [(None, "cannot be read"), ("\n", "is empty")])
def test_the_secret_is_read_when_the_daemon_starts(
    new_desk: NewDesk, hostile: HostileProvider, tmp_path: Path, text: str | None, fault: str
) -> None:
    """A file that is not there or empty is a fault of the configuration, told as such."""
    if text is not None:
        (tmp_path / "secret").write_text(text)
    more = OIDC.format(issuer=hostile.issuer) + f'client_secret_file = "{tmp_path}/secret"\n'
    with pytest.raises(CannotStart, match=f"client_secret_file.*{fault}"):
        new_desk(more)
