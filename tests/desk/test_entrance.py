"""Who somebody is by what he carries, asked at the door of a whole desk."""

import pytest
from desk_people import S_US, WHO, Person, add, person, signed_in, url_of
from desk_stage import DeskStage, Got, NewDesk

from storage import audit, sessions, tokens, users
from storage.beside import reading, writing
from storage.roles import Role, Scope

AWAY = "192.0.2.7"
MINUTE_US = 60 * S_US


def is_signed_in(got: Got) -> bool:
    """Whether an answer is for whom it was asked, or the way to the sign-in page."""
    if got.status == 303:
        assert got.headers["location"].startswith("/sign-in?next=")
        return False
    assert got.status == 200
    return True


def token(desk: DeskStage, *scopes: Scope, lasts_us: int = 60 * MINUTE_US) -> str:
    now_us = desk.clock.utc_us()
    return tokens.add_token(url_of(desk), "patrol", scopes, now_us + lasts_us, *WHO, now_us)


def with_token(desk: DeskStage, secret: str, path: str = "/metrics") -> Got:
    return desk.ask("GET", path, peer=AWAY, authorization=f"Bearer {secret}")


# Nothing.


def test_without_users_this_machine_is_shown_and_nobody_else(desk: DeskStage) -> None:
    """Read-only, until the first user is there; from then on it asks, too."""
    assert "No users exist yet" in desk.ask("GET", "/nothing").text
    assert "No users exist yet" not in desk.ask("GET", "/nothing", peer=AWAY).text
    assert desk.ask("GET", "/people").status == 403
    assert not is_signed_in(desk.ask("GET", "/people", peer=AWAY))
    add(desk, "leyla", Role.VIEWER)
    assert "No users exist yet" not in desk.ask("GET", "/nothing").text
    assert not is_signed_in(desk.ask("GET", "/people"))


@pytest.mark.parametrize("cookie", ["__Host-smsd=", "__Host-smsd=x", "smsd=x", "__Host-smsd=ş"])
def test_a_cookie_that_is_no_session_is_nothing(desk: DeskStage, cookie: str) -> None:
    """One without the prefix could come from a neighbour on the same host."""
    add(desk, "leyla", Role.ADMIN)
    assert not is_signed_in(desk.ask("GET", "/people", cookie=cookie))


def test_a_session_without_the_prefix_is_nothing(desk: DeskStage) -> None:
    """A browser has not refused to send that by plain HTTP."""
    admin = person(desk, "leyla", Role.ADMIN)
    bare = admin.cookie.removeprefix("__Host-")
    assert not is_signed_in(desk.ask("GET", "/people", cookie=bare))


# Sessions.


def test_a_session_is_its_users(desk: DeskStage) -> None:
    """By name and roles, from wherever."""
    admin = person(desk, "leyla", Role.ADMIN)
    got = desk.ask("GET", "/people", cookie=admin.cookie, peer=AWAY)
    assert is_signed_in(got)
    assert "Signed in as leyla" in got.text
    assert person(desk, "rashad", Role.AGENT).get("/people").status == 403


@pytest.fixture
def short(new_desk: NewDesk) -> Person:
    """At a desk whose sessions end after ten minutes without a visit, and after an hour."""
    desk = new_desk("session_idle_s = 600\nsession_s = 3600")
    return person(desk, "leyla", Role.ADMIN)


def pass_minutes(visitor: Person, minutes: float) -> None:
    visitor.desk.clock.now_us += round(minutes * MINUTE_US)


def test_who_does_not_come_for_long_signs_in_again(short: Person) -> None:
    """A microsecond before the end it holds, and each visit puts the end off."""
    pass_minutes(short, 9)
    assert is_signed_in(short.get("/people"))
    short.desk.settle()
    pass_minutes(short, 10)
    short.desk.clock.now_us -= 1
    assert is_signed_in(short.get("/people"))
    short.desk.settle()
    pass_minutes(short, 10)
    assert not is_signed_in(short.get("/people"))


def test_who_comes_always_signs_in_again_as_well(short: Person) -> None:
    """After an hour, whatever he did in it."""
    for _ in range(11):
        pass_minutes(short, 5)
        assert is_signed_in(short.get("/people"))
        short.desk.settle()
    pass_minutes(short, 5)
    short.desk.clock.now_us -= 1
    assert is_signed_in(short.get("/people"))
    short.desk.clock.now_us += 1
    assert not is_signed_in(short.get("/people"))


def test_visits_within_a_minute_are_not_written(short: Person) -> None:
    """The store is written once for them, not for each."""
    seen = []
    for _ in range(4):
        pass_minutes(short, 0.5)
        short.get("/people")
        short.desk.settle()
        with reading(url_of(short.desk)) as connection:
            (seen_at_us,) = connection.execute("SELECT seen_at_us FROM session").fetchone()
        seen.append((seen_at_us - short.desk.clock.now_us) / MINUTE_US)
    assert seen == [-0.5, 0, -0.5, 0]


@pytest.mark.parametrize("change", ["disabled", "roles", "password"])
def test_what_changes_about_somebody_holds_at_once(desk: DeskStage, change: str) -> None:
    """His session ends, by whichever process it was changed."""
    admin = person(desk, "leyla", Role.ADMIN)
    url = url_of(desk)
    if change == "disabled":
        users.set_disabled(url, "leyla", True, *WHO, 1)
    elif change == "roles":
        users.set_roles(url, "leyla", [Role.AGENT], *WHO, 1)
    else:
        users.set_password(url, "leyla", "hash", False, *WHO, 1)
    assert not is_signed_in(admin.get("/people"))
    if change == "roles":
        assert signed_in(desk, "leyla").get("/people").status == 403


def test_signing_out_ends_the_session_and_its_cookie(desk: DeskStage) -> None:
    """Not only in the browser: who copied the cookie has nothing."""
    admin = person(desk, "leyla", Role.ADMIN)
    got = admin.post("/sign-out")
    assert (got.status, got.headers["location"]) == (303, "/sign-in?said=sign_in.out")
    morsel = got.cookies["__Host-smsd"]
    assert (morsel.value, morsel["max-age"]) == ("", "0")
    assert not is_signed_in(admin.get("/people"))
    assert [line.action for line in audit.lines(url_of(desk), 1)] == ["sign_out"]


def test_nobody_is_signed_out_by_another_page(desk: DeskStage) -> None:
    """Nor does anything happen in somebody's name without his session's own token."""
    admin, other = person(desk, "leyla", Role.ADMIN), person(desk, "rashad", Role.ADMIN)
    for csrf in ("", "x", other.csrf):
        assert admin._replace(csrf=csrf).post("/sign-out").status == 403
    got = desk.ask("POST", "/sign-out", {"csrf": "x"}, cookie=f"{admin.cookie}; __Host-form=x")
    assert got.status == 403
    assert is_signed_in(admin.get("/people"))


# Tokens.


def test_a_token_is_good_for_its_scope(desk: DeskStage) -> None:
    """For nothing else, and for no page."""
    add(desk, "leyla", Role.ADMIN)
    secret = token(desk, Scope.METRICS)
    assert with_token(desk, secret).status == 200
    assert with_token(desk, secret, "/people").status == 403
    desk.settle()
    [found] = tokens.list_tokens(url_of(desk))
    assert found.used_at_us == desk.clock.utc_us()


def test_a_token_of_another_scope_is_refused(desk: DeskStage) -> None:
    """Known, and not for this."""
    add(desk, "leyla", Role.ADMIN)
    assert with_token(desk, token(desk, Scope.CHECK)).status == 403


@pytest.mark.parametrize("secret", ["", "x", "smsd_", "ş"])
def test_a_token_that_is_none_is_refused(desk: DeskStage, secret: str) -> None:
    """Also when a good session comes with it: who brings a token is judged by it."""
    admin = person(desk, "leyla", Role.ADMIN)
    assert with_token(desk, secret).status == 401
    got = desk.ask("GET", "/people", cookie=admin.cookie, authorization=f"Bearer {secret}")
    assert not is_signed_in(got)


def test_a_token_ends_at_its_time_or_before(desk: DeskStage) -> None:
    """Expired or revoked, it is as if it had never been."""
    add(desk, "leyla", Role.ADMIN)
    secret = token(desk, Scope.METRICS, lasts_us=MINUTE_US)
    desk.clock.now_us += MINUTE_US - 1
    assert with_token(desk, secret).status == 200
    desk.settle()
    desk.clock.now_us += 1
    assert with_token(desk, secret).status == 401
    desk.clock.now_us -= MINUTE_US
    assert with_token(desk, secret).status == 200
    tokens.revoke_token(url_of(desk), "patrol", *WHO, 1)
    assert with_token(desk, secret).status == 401


# A store in trouble.


def test_a_busy_store_holds_up_no_visit(short: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else writes for long: the visit is answered, and told of as not noted."""
    monkeypatch.setattr("storage.beside._BUSY_TIMEOUT_MS", 20)
    pass_minutes(short, 2)
    with writing(url_of(short.desk)):
        assert is_signed_in(short.get("/people"))
        short.desk.settle()
    secret = short.cookie.partition("=")[2]
    idle = sessions.Lifetime(8 * MINUTE_US, 60 * MINUTE_US)
    at_us = short.desk.clock.now_us + 6 * MINUTE_US
    assert sessions.find_session(url_of(short.desk), secret, idle, at_us) is None
