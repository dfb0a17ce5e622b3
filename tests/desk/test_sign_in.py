"""Signing in as people do: the page, the password, a password of one's own, and how often."""

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from argon2 import PasswordHasher
from desk_people import HASH, PASSWORD, S_US, WHO, Person, add, guest, person, signed_in, url_of
from desk_stage import DeskStage, Got, NewDesk

from smsd.desk.access.onward import onward
from smsd.desk.web.knock import Knock
from storage import audit, users
from storage.roles import Role

OWN = "another quite long one"
WRONG = "This name and this password do not belong together."


def enter(visitor: Person, name: str, password: str, going: str = "", peer: str = "") -> Got:
    """Send the form of the sign-in page."""
    form = {"csrf": visitor.csrf, "name": name, "password": password, "next": going}
    peer = peer or "192.0.2.7"
    return visitor.desk.ask("POST", "/sign-in", form, cookie=visitor.cookie, peer=peer)


def choose(visitor: Person, password: str, chosen: str, again: str = "") -> Got:
    """Send the form in which one's own password is chosen."""
    form = {"name": "leyla", "password": password, "chosen": chosen, "again": again or chosen}
    return visitor.post("/sign-in/choose", **form, next="/people")


def cookie_of(got: Got) -> str:
    return f"__Host-smsd={got.cookies['__Host-smsd'].value}"


@pytest.fixture
def visitor(desk: DeskStage) -> Person:
    """Somebody at the sign-in page of a desk with one user, an admin."""
    add(desk, "leyla", Role.ADMIN)
    return guest(desk)


def test_name_and_password_let_somebody_in(visitor: Person) -> None:
    """To where he wanted to go, with a cookie that no script, no plain HTTP, no other site sees."""
    got = enter(visitor, " Leyla ", PASSWORD, "/people?a=b")
    assert (got.status, got.headers["location"]) == (303, "/people?a=b")
    (morsel,) = got.cookies.values()
    assert morsel.key == "__Host-smsd"
    assert len(morsel.value) >= 43
    assert (morsel["path"], morsel["secure"], morsel["httponly"]) == ("/", True, True)
    assert (morsel["samesite"], morsel["domain"], morsel["max-age"]) == ("Strict", "", "")
    page = visitor.desk.ask("GET", "/people", cookie=cookie_of(got))
    assert page.status == 200
    assert 'href="/people" aria-current="page"' in page.text
    [line] = audit.lines(url_of(visitor.desk), 1)
    assert line[2:5] == ("leyla", "sign_in", "password")


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("leyla", PASSWORD + "x"),
        ("leyla", ""),
        ("nobody", PASSWORD),
        ("", ""),
        ("l" * 65, PASSWORD),
        ("leyla", "x" * 60_000),
        ("disabled", PASSWORD),
        ("newcomer", PASSWORD),
        ("vouched", PASSWORD),
        ("vouched", ""),
    ],
)
def test_whatever_is_wrong_is_told_in_the_same_words(
    visitor: Person, name: str, password: str
) -> None:
    """Who guesses does not learn which names there are; the password is not sent back."""
    url = url_of(visitor.desk)
    add(visitor.desk, "disabled", Role.ADMIN)
    add(visitor.desk, "newcomer", Role.ADMIN, once=True)
    for kept_out in ("disabled", "newcomer"):
        users.set_disabled(url, kept_out, True, *WHO, 1)
    users.from_provider(url, "https://id.example", "7", "vouched", [Role.ADMIN], 1)
    before = len(audit.since(url, 0))
    got = enter(visitor, name, password)
    assert got.status == 400
    assert WRONG in got.text
    assert f'value="{name}"' in got.text
    assert not password or password not in got.text
    assert "__Host-smsd" not in got.cookies
    assert len(audit.since(url, 0)) == before


def test_the_form_needs_the_token_of_its_page(visitor: Person) -> None:
    """Nobody is signed in, to somebody else's account, by a page of somebody else's."""
    for csrf in ("", "x"):
        assert enter(visitor._replace(csrf=csrf), "leyla", PASSWORD).status == 403
    assert enter(visitor._replace(cookie=""), "leyla", PASSWORD).status == 403


def test_who_is_signed_in_need_not_do_so_again(desk: DeskStage) -> None:
    """The page sends him on."""
    admin = person(desk, "leyla", Role.ADMIN)
    got = admin.get("/sign-in?next=%2Fpeople")
    assert (got.status, got.headers["location"]) == (303, "/people")


@pytest.mark.parametrize(
    ("asked", "goes"),
    [
        ("/people", "/people"),
        ("/look-up?lang=az&x=1", "/look-up?lang=az&x=1"),
        ("/ə", "/%C9%99"),
        ("", "/"),
        ("people", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("/sign-in", "/"),
        ("/" + "a" * 2_000, "/"),
    ],
)
def test_only_this_desk_is_gone_on_to(asked: str, goes: str) -> None:
    """A link that somebody was sent cannot lead him elsewhere once he has signed in."""
    assert onward(asked) == goes


def test_the_page_offers_the_provider_that_is_configured(new_desk: NewDesk) -> None:
    """And none where there is none."""
    assert "/sign-in/oidc" not in new_desk("").ask("GET", "/sign-in").text


# How often.


def test_a_name_can_be_tried_so_often_and_then_one_waits(new_desk: NewDesk) -> None:
    """From wherever, with whatever; it is told how long; after that the right one is right."""
    desk = new_desk("sign_in_failures_max = 2\nsign_in_window_s = 150")
    add(desk, "leyla", Role.ADMIN)
    visitor = guest(desk)
    for number in range(2):
        assert enter(visitor, "leyla", "wrong", peer=f"192.0.2.{number}").status == 400
    got = enter(visitor, "LEYLA", PASSWORD, peer="192.0.2.9")
    assert got.status == 429
    assert "Wait 3 min" in got.text
    desk.reactor.advance(149)
    assert "Wait 1 min" in enter(visitor, "leyla", PASSWORD).text
    desk.reactor.advance(1)
    assert enter(visitor, "leyla", PASSWORD).status == 303


def test_an_address_can_try_so_often_and_then_it_waits(new_desk: NewDesk) -> None:
    """Whomever it tries; others, and the same name from elsewhere, are let in."""
    desk = new_desk("sign_in_address_failures_max = 2")
    add(desk, "leyla", Role.ADMIN)
    visitor = guest(desk)
    for number in range(2):
        assert enter(visitor, f"user{number}", "wrong").status == 400
    assert enter(visitor, "leyla", PASSWORD).status == 429
    assert enter(visitor, "leyla", PASSWORD, peer="192.0.2.8").status == 303


def test_a_store_that_cannot_be_read_makes_nobody_wait(new_desk: NewDesk) -> None:
    """Nothing was tried: when it can, the right password is right."""
    desk = new_desk("sign_in_failures_max = 1\nsign_in_address_failures_max = 1")
    add(desk, "leyla", Role.ADMIN)
    visitor = guest(desk)
    store = Path(url_of(desk).removeprefix("sqlite:///"))
    away = store.rename(store.with_suffix(".away"))
    assert enter(visitor, "leyla", PASSWORD).status == 503
    away.rename(store)
    assert enter(visitor, "leyla", PASSWORD).status == 303


def test_slips_are_forgotten_once_somebody_is_in(new_desk: NewDesk) -> None:
    """Two, then the right one, and two again: nobody waits for yesterday's slips."""
    desk = new_desk("sign_in_failures_max = 3")
    add(desk, "leyla", Role.ADMIN)
    visitor = guest(desk)
    found = [
        enter(visitor, "leyla", password, peer=f"192.0.2.{number}").status
        for number, password in enumerate(["x", "x", PASSWORD, "x", "x", PASSWORD])
    ]
    assert found == [400, 400, 303, 400, 400, 303]


def test_a_proxy_that_is_not_trusted_cannot_name_addresses(new_desk: NewDesk) -> None:
    """A new X-Forwarded-For with each guess is no way around."""
    desk = new_desk("sign_in_address_failures_max = 2")
    visitor = guest(desk)
    form = {"csrf": visitor.csrf, "password": "wrong"}
    found = [
        desk.ask(
            "POST",
            "/sign-in",
            {**form, "name": f"user{number}"},
            cookie=visitor.cookie,
            peer="192.0.2.7",
            x_forwarded_for=f"198.51.100.{number}",
        ).status
        for number in range(3)
    ]
    assert found == [400, 400, 429]


def test_many_who_sign_in_at_once_wait_in_a_line_that_ends(
    visitor: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each hash takes a core from the daemon: one at a time, a few that wait, no more."""
    monkeypatch.setattr("smsd.desk.access.sign_in._WAITING_MAX", 2)
    form = urlencode({"csrf": visitor.csrf, "name": "leyla", "password": PASSWORD}).encode()
    told = {
        "host": "localhost",
        "cookie": visitor.cookie,
        "content-type": "application/x-www-form-urlencoded",
    }
    knocks = [
        Knock("POST", "/sign-in", b"", told, form, f"192.0.2.{number}", False)
        for number in range(5)
    ]
    statuses = sorted(got.status for got in visitor.desk.answer_all(knocks))
    assert statuses == [303, 303, 303, 503, 503]


# A password of one's own.


@pytest.fixture
def newcomer(desk: DeskStage) -> Person:
    """Somebody with a password that somebody else chose."""
    add(desk, "leyla", Role.ADMIN, once=True)
    return guest(desk)


def test_a_password_from_somebody_else_is_good_for_choosing_one(newcomer: Person) -> None:
    """It opens no session; the one that is chosen does, and from then on it alone."""
    asked = enter(newcomer, "leyla", PASSWORD, "/people")
    assert asked.status == 200
    assert "Choose your own password" in asked.text
    assert "__Host-smsd" not in asked.cookies
    assert PASSWORD not in asked.text
    got = choose(newcomer, PASSWORD, OWN)
    assert (got.status, got.headers["location"]) == (303, "/people")
    assert newcomer.desk.ask("GET", "/people", cookie=cookie_of(got)).status == 200
    assert enter(newcomer, "leyla", PASSWORD).status == 400
    assert enter(newcomer, "leyla", OWN).status == 303
    told = [line.action for line in audit.lines(url_of(newcomer.desk), 3)]
    assert told == ["sign_in", "sign_in", "user_password"]


@pytest.mark.parametrize(
    ("password", "chosen", "again", "words"),
    [
        (PASSWORD, "short", "", "At least 12 characters are needed."),
        (PASSWORD, "x" * 257, "", "At most 256 characters are possible."),
        (PASSWORD, PASSWORD, "", "The new password must differ from the one until now."),
        (PASSWORD, OWN, "another quite long two", "The two are not the same."),
        ("wrong one", OWN, "", WRONG),
    ],
)
def test_what_will_not_do_is_said_and_nothing_is_changed(
    newcomer: Person, password: str, chosen: str, again: str, words: str
) -> None:
    """The given password stays good for another try."""
    got = choose(newcomer, password, chosen, again)
    assert got.status == 400
    assert words in got.text
    assert choose(newcomer, PASSWORD, OWN).status == 303


def test_choosing_is_no_way_around_the_throttle(new_desk: NewDesk) -> None:
    """It tries a password as well."""
    desk = new_desk("sign_in_failures_max = 2")
    add(desk, "leyla", Role.ADMIN, once=True)
    visitor = guest(desk)
    for _ in range(2):
        assert choose(visitor, "wrong", OWN).status == 400
    assert choose(visitor, PASSWORD, OWN).status == 429
    assert enter(visitor, "leyla", PASSWORD).status == 429


def test_a_hash_with_old_parameters_is_made_anew_at_the_sign_in(visitor: Person) -> None:
    """Nobody notices; his sessions elsewhere stay."""
    url = url_of(visitor.desk)
    old = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(PASSWORD)
    users.set_password(url, "leyla", old, False, *WHO, 1)
    assert enter(visitor, "leyla", PASSWORD).status == 303
    account = users.find_account(url, "leyla")
    assert account is not None
    assert account.password is not None
    assert account.password != old
    assert account.password.split("$")[3] == HASH.split("$")[3]
    assert enter(visitor, "leyla", PASSWORD).status == 303


# One's own account.


def test_one_sees_what_one_may_and_changes_one_s_password(desk: DeskStage) -> None:
    """Signed in here with the new one, and signed out wherever else one was."""
    here = person(desk, "leyla", Role.AGENT, Role.VIEWER)
    page = here.get("/me")
    assert page.status == 200
    assert re.search(r"Call-centre agent.*Viewer", page.text, re.DOTALL)
    form = {"password": PASSWORD, "chosen": OWN, "again": OWN}
    got = here.post("/me/password", **form)
    assert (got.status, got.headers["location"]) == (303, "/me?said=me.changed")
    assert here.get("/me").status == 303
    assert desk.ask("GET", "/me", cookie=cookie_of(got)).status == 200
    assert enter(guest(desk), "leyla", OWN).status == 303


@pytest.mark.parametrize(
    ("password", "chosen", "again", "words"),
    [
        ("wrong", OWN, OWN, "This is not your password."),
        (PASSWORD, "short", "short", "At least 12 characters are needed."),
        (PASSWORD, OWN, "other", "The two are not the same."),
    ],
)
def test_one_s_password_stays_where_something_is_wrong(
    desk: DeskStage, password: str, chosen: str, again: str, words: str
) -> None:
    """Whoever finds a browser open does not get the account with it."""
    here = person(desk, "leyla", Role.AGENT)
    got = here.post("/me/password", password=password, chosen=chosen, again=again)
    assert got.status == 400
    assert words in got.text
    assert here.get("/me").status == 200


def test_an_open_browser_is_no_place_to_guess_the_password(new_desk: NewDesk) -> None:
    """The throttle counts there, too."""
    desk = new_desk("sign_in_failures_max = 1")
    here = person(desk, "leyla", Role.AGENT)
    form = {"chosen": OWN, "again": OWN}
    assert here.post("/me/password", password="wrong", **form).status == 400
    assert here.post("/me/password", password=PASSWORD, **form).status == 429


def test_who_comes_from_the_provider_has_no_password_to_change(desk: DeskStage) -> None:
    """It is said where it is changed."""
    users.from_provider(url_of(desk), "https://id.example", "7", "leyla", [Role.AGENT], S_US)
    here = signed_in(desk, "leyla")
    assert "Your password is kept and changed there." in here.get("/me").text
    got = here.post("/me/password", password="", chosen=OWN, again=OWN)
    assert got.status == 400


def test_without_users_there_is_no_account(desk: DeskStage) -> None:
    """Whoever sits at this machine has none."""
    got = desk.ask("GET", "/me")
    assert (got.status, got.headers["location"]) == (303, "/sign-in")
