"""Sessions and tokens in a real store: good for so long, and of which only a hash is kept."""

from pathlib import Path

import pytest

from storage import SqliteStore, StoreError, audit, tokens, users
from storage.roles import Role, Scope
from storage.sessions import (
    Lifetime,
    Session,
    close_session,
    find_session,
    open_session,
    touch_session,
)
from storage.tokens import NoSuchToken, Token
from storage.users import NameTaken, NotLetIn

S_US = 1_000_000
MINUTE_US = 60 * S_US
LIFETIME = Lifetime(30 * MINUTE_US, 8 * 60 * MINUTE_US)
WHO = ("chief", "decree 7")


@pytest.fixture
def people(url: str, store: SqliteStore) -> str:
    """A store with two users."""
    users.add_user(url, "leyla", "hash", False, [Role.AGENT], *WHO, 0)
    users.add_user(url, "rashad", "hash", False, [Role.ADMIN, Role.VIEWER], *WHO, 0)
    return url


def opened(url: str, name: str = "leyla", at_us: int = 0) -> str:
    return open_session(url, name, "password", LIFETIME, at_us)


def found(url: str, secret: str, at_us: int) -> Session:
    session = find_session(url, secret, LIFETIME, at_us)
    assert session is not None
    return session


def content(tmp_path: Path) -> bytes:
    """All octets of the store."""
    return b"".join(file.read_bytes() for file in tmp_path.glob("smsd.db*"))


# Sessions.


def test_a_session_tells_whose_it_is(people: str) -> None:
    """What he may do, and what his forms carry; another's is another."""
    mine, his = opened(people), opened(people, "rashad")
    leyla, rashad = found(people, mine, 1), found(people, his, 1)
    assert (leyla.user, leyla.roles) == ("leyla", {Role.AGENT})
    assert (rashad.user, rashad.roles) == ("rashad", {Role.ADMIN, Role.VIEWER})
    assert len({mine, his, leyla.csrf, rashad.csrf}) == 4
    assert [line[2:5] for line in audit.lines(people, 2)] == [
        ("rashad", "sign_in", "password"),
        ("leyla", "sign_in", "password"),
    ]


@pytest.mark.parametrize("secret", ["", "x", "x" * 43, "\ud800", "ş'; DROP TABLE session; --"])
def test_what_is_no_session_is_nobodys(people: str, secret: str) -> None:
    """Whatever a cookie holds."""
    opened(people)
    assert find_session(people, secret, LIFETIME, 1) is None


def test_the_store_cannot_give_a_session_away(
    people: str, store: SqliteStore, tmp_path: Path
) -> None:
    """Neither the file nor its log holds what the cookie does; what is stored opens nothing."""
    secret = opened(people)
    assert secret.encode() not in content(tmp_path)
    (stored,) = store.connection.execute("SELECT fingerprint FROM session").fetchone()
    assert stored.encode() in content(tmp_path)
    assert find_session(people, stored, LIFETIME, 1) is None


def test_a_session_ends_when_it_is_not_used(people: str) -> None:
    """At the last microsecond of the idle time it is good, and then no longer."""
    secret = opened(people)
    assert find_session(people, secret, LIFETIME, 30 * MINUTE_US - 1)
    assert find_session(people, secret, LIFETIME, 30 * MINUTE_US) is None
    touch_session(people, secret, 20 * MINUTE_US)
    assert find_session(people, secret, LIFETIME, 50 * MINUTE_US - 1)
    assert find_session(people, secret, LIFETIME, 50 * MINUTE_US) is None


def test_a_session_ends_however_much_it_is_used(people: str) -> None:
    """After a working day one signs in again."""
    secret = opened(people)
    end_us = LIFETIME.longest_us
    touch_session(people, secret, end_us - 1)
    assert find_session(people, secret, LIFETIME, end_us - 1)
    assert find_session(people, secret, LIFETIME, end_us) is None


def test_a_visit_is_noted_at_most_once_a_minute(people: str) -> None:
    """And more often only where the idle time itself is short."""
    secret = opened(people)
    assert not found(people, secret, MINUTE_US - 1).stale
    assert found(people, secret, MINUTE_US).stale
    touch_session(people, secret, MINUTE_US)
    assert not found(people, secret, MINUTE_US + 1).stale
    short = Lifetime(10 * S_US, 60 * S_US)
    session = find_session(people, secret, short, MINUTE_US + S_US - 1)
    assert session is None  # it was opened a minute ago
    secret = opened(people, at_us=MINUTE_US)
    for at_us, stale in ((MINUTE_US + S_US - 1, False), (MINUTE_US + S_US, True)):
        session = find_session(people, secret, short, at_us)
        assert session is not None
        assert session.stale is stale


def test_a_late_note_does_not_set_the_clock_back(people: str) -> None:
    """Visits are noted beside their answers, in no order."""
    secret = opened(people)
    touch_session(people, secret, 20 * MINUTE_US)
    touch_session(people, secret, 10 * MINUTE_US)
    assert find_session(people, secret, LIFETIME, 45 * MINUTE_US)


def test_signing_out_ends_this_session_and_no_other(people: str) -> None:
    """One may be signed in elsewhere; nobody can end what is not his."""
    here, elsewhere, his = opened(people), opened(people), opened(people, "rashad")
    csrf = found(people, here, 1).csrf
    with pytest.raises(StoreError, match="no such session"):
        close_session(people, "rashad", csrf, 2)
    close_session(people, "leyla", csrf, 2)
    assert find_session(people, here, LIFETIME, 3) is None
    assert find_session(people, elsewhere, LIFETIME, 3)
    assert find_session(people, his, LIFETIME, 3)
    assert audit.lines(people, 1)[0][2:4] == ("leyla", "sign_out")
    with pytest.raises(StoreError, match="no such session"):
        close_session(people, "leyla", csrf, 4)


def test_sessions_do_not_pile_up(people: str, store: SqliteStore) -> None:
    """Those that are over are forgotten, and of one user twenty are open at most."""
    first, second = opened(people, at_us=0), opened(people, at_us=1)
    his = opened(people, "rashad", at_us=2)
    for at_us in range(3, 22):
        opened(people, at_us=at_us)
    assert find_session(people, first, LIFETIME, 30) is None
    assert find_session(people, second, LIFETIME, 30)
    assert find_session(people, his, LIFETIME, 30)
    count = "SELECT count(*) FROM session"
    assert store.connection.execute(count).fetchone() == (21,)
    opened(people, at_us=30 * MINUTE_US + 19)
    assert store.connection.execute(count).fetchone() == (3,)


def test_nobody_is_signed_in_who_is_not_there(people: str) -> None:
    """He was added and disabled in another window, or never was."""
    users.set_disabled(people, "leyla", True, *WHO, 1)
    for name in ("leyla", "nobody"):
        with pytest.raises(NotLetIn):
            opened(people, name)


def test_a_session_that_was_left_over_opens_nothing(people: str, store: SqliteStore) -> None:
    """Whoever is disabled by hand in the file is out as well."""
    secret = opened(people)
    store.connection.execute("UPDATE user SET disabled = 1 WHERE name = 'leyla'")
    assert find_session(people, secret, LIFETIME, 1) is None


# Tokens.


def made(url: str, name: str = "patrol", *scopes: Scope, until_us: int = 100 * S_US) -> str:
    return tokens.add_token(url, name, scopes or (Scope.CHECK,), until_us, *WHO, 10)


def test_a_token_tells_what_it_is_good_for(people: str) -> None:
    """Two scopes or one; the list tells all but the token."""
    secret = made(people, "patrol", Scope.METRICS, Scope.CHECK)
    token = Token(
        "patrol", frozenset({Scope.CHECK, Scope.METRICS}), "chief", 10, 100 * S_US, None, None
    )
    assert tokens.find_token(people, secret, 11) == token
    assert tokens.list_tokens(people) == [token]
    assert secret.startswith("smsd_")
    assert audit.lines(people, 1)[0][2:6] == (
        "chief",
        "token_add",
        "token patrol: check, metrics",
        "decree 7",
    )


def test_the_store_cannot_give_a_token_away(people: str, tmp_path: Path) -> None:
    """Only its hash is there."""
    secret = made(people)
    assert secret.removeprefix("smsd_").encode() not in content(tmp_path)


def test_a_token_ends_by_itself(people: str) -> None:
    """Good to the last microsecond before."""
    secret = made(people)
    assert tokens.find_token(people, secret, 100 * S_US - 1)
    assert tokens.find_token(people, secret, 100 * S_US) is None


def test_a_token_that_is_revoked_is_good_for_nothing(people: str) -> None:
    """Once; others stay, and the list remembers it."""
    secret, other = made(people), made(people, "gate")
    tokens.revoke_token(people, "patrol", *WHO, 20)
    assert tokens.find_token(people, secret, 21) is None
    assert tokens.find_token(people, other, 21)
    assert {token.name: token.revoked_at_us for token in tokens.list_tokens(people)} == {
        "patrol": 20,
        "gate": None,
    }
    for name in ("patrol", "nothing"):
        with pytest.raises(NoSuchToken, match=f"no token {name} to revoke; see smsd token list"):
            tokens.revoke_token(people, name, *WHO, 30)
    with pytest.raises(NameTaken, match="there is, or was, a token patrol"):
        made(people)


def test_the_use_of_a_token_is_noted_at_most_once_a_minute(people: str) -> None:
    """The first at once."""
    secret = made(people, until_us=1_000 * S_US)
    token = tokens.find_token(people, secret, 20)
    assert token is not None
    assert token.is_stale(20)
    tokens.use(people, "patrol", 20)
    token = tokens.find_token(people, secret, 21)
    assert token is not None
    assert token.used_at_us == 20
    assert not token.is_stale(20 + MINUTE_US - 1)
    assert token.is_stale(20 + MINUTE_US)
