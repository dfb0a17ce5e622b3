"""Who may use the desk, in a real store: added, changed, kept out, each step in the audit."""

import pytest

from storage import SqliteStore, StoreError, audit, tokens, users
from storage.roles import Role, Scope
from storage.sessions import Lifetime, find_session, open_session
from storage.users import Account, NameTaken, NoSuchUser, NotLetIn, User

LIFETIME = Lifetime(1_000, 5_000)
WHO = ("chief", "new colleague")
ISSUER = "https://id.example"


def add(url: str, name: str = "leyla", *roles: Role, once: bool = False) -> None:
    users.add_user(url, name, f"hash of {name}", once, roles or (Role.AGENT,), *WHO, 10)


def account(url: str, name: str = "leyla") -> Account:
    found = users.find_account(url, name)
    assert found is not None
    return found


def audited(url: str) -> list[tuple[str, ...]]:
    return [(line.who, line.action, line.subject, line.reason) for line in audit.since(url, 0)]


def signed_in(url: str, name: str = "leyla", at_us: int = 20) -> str:
    return open_session(url, name, "password", LIFETIME, at_us)


def test_nobody_is_there_until_somebody_is_added(url: str, store: SqliteStore) -> None:
    """Disabled or not, from then on the desk asks who one is."""
    assert (users.any_user(url), users.list_users(url)) == (False, [])
    assert users.find_account(url, "leyla") is None
    add(url)
    users.set_disabled(url, "leyla", True, *WHO, 20)
    assert users.any_user(url)


def test_somebody_is_known_by_all_that_was_said(url: str, store: SqliteStore) -> None:
    """By name; the hash is told only where a password is tried."""
    add(url, "rashad", Role.ADMIN, Role.VIEWER, once=True)
    add(url)
    rashad = User("rashad", frozenset({Role.ADMIN, Role.VIEWER}), False, False, True, 10, 10)
    leyla = User("leyla", frozenset({Role.AGENT}), False, False, False, 10, 10)
    assert users.list_users(url) == [leyla, rashad]
    assert account(url) == Account(leyla, "hash of leyla")
    assert audited(url) == [
        ("chief", "user_add", "user rashad: admin, viewer", "new colleague"),
        ("chief", "user_add", "user leyla: agent", "new colleague"),
    ]


def test_a_name_is_given_once(url: str, store: SqliteStore) -> None:
    """The first keeps it, password and all."""
    add(url)
    with pytest.raises(NameTaken, match="there is a user leyla already"):
        users.add_user(url, "leyla", "other", False, [Role.ADMIN], *WHO, 11)
    assert account(url).password == "hash of leyla"
    assert len(audited(url)) == 1


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Leyla", "leyla"),
        (" a ", "a"),
        ("l.mammadova@police-7.az", "l.mammadova@police-7.az"),
        ("9", "9"),
        ("a" * 64, "a" * 64),
        ("a" * 65, None),
        ("", None),
        (".a", None),
        ("a-", None),
        ("leyla m", None),
        ("ləyla", None),
        ("a\n", "a"),
        ("a\nb", None),
        ("<b>", None),
    ],
)
def test_names_are_plain(typed: str, name: str | None) -> None:
    """In lower case, so that nobody is two; fit for logs, pages and the audit."""
    assert users.proper_name(typed) == name


def test_another_password_ends_what_is_open(url: str, store: SqliteStore) -> None:
    """Who stole a session loses it; others keep theirs."""
    add(url)
    add(url, "rashad")
    mine, others = signed_in(url), signed_in(url, "rashad")
    users.set_password(url, "leyla", "another", True, *WHO, 30)
    found = account(url)
    assert (found.password, found.user.once, found.user.changed_at_us) == ("another", True, 30)
    assert find_session(url, mine, LIFETIME, 31) is None
    assert find_session(url, others, LIFETIME, 31)
    assert audited(url)[-1] == ("chief", "user_password", "user leyla", "new colleague")


def test_other_roles_end_what_is_open(url: str, store: SqliteStore) -> None:
    """Nobody goes on as what he was; no role at all may be given."""
    add(url, "leyla", Role.ADMIN)
    mine = signed_in(url)
    users.set_roles(url, "leyla", [Role.POLICE, Role.AGENT], *WHO, 30)
    assert find_session(url, mine, LIFETIME, 31) is None
    assert account(url).user.roles == {Role.POLICE, Role.AGENT}
    assert audited(url)[-1][2] == "user leyla: agent, police"
    users.set_roles(url, "leyla", [], *WHO, 40)
    assert account(url).user.roles == frozenset()
    assert audited(url)[-1][2] == "user leyla: no role"


def test_who_is_kept_out_is_out_at_once_and_may_come_back(url: str, store: SqliteStore) -> None:
    """The session that was open stays ended."""
    add(url)
    mine = signed_in(url)
    users.set_disabled(url, "leyla", True, *WHO, 30)
    assert account(url).user.disabled
    assert find_session(url, mine, LIFETIME, 31) is None
    with pytest.raises(NotLetIn):
        signed_in(url, at_us=32)
    users.set_disabled(url, "leyla", False, *WHO, 40)
    assert find_session(url, mine, LIFETIME, 41) is None
    assert find_session(url, signed_in(url, at_us=41), LIFETIME, 42)
    assert [line[1] for line in audited(url)[2:]] == ["user_disable", "user_enable", "sign_in"]


def test_what_is_said_of_nobody_is_refused(url: str, store: SqliteStore) -> None:
    """And leaves nothing in the audit."""
    add(url)
    for act in (
        lambda: users.set_password(url, "lyla", "x", False, *WHO, 30),
        lambda: users.set_roles(url, "lyla", [Role.ADMIN], *WHO, 30),
        lambda: users.set_disabled(url, "lyla", True, *WHO, 30),
    ):
        with pytest.raises(NoSuchUser, match="there is no user lyla; see smsd user list"):
            act()
    assert len(audited(url)) == 1


def test_a_hash_is_renewed_only_of_the_password_that_was_tried(
    url: str, store: SqliteStore
) -> None:
    """Somebody else may have changed it in between; open sessions stay."""
    add(url)
    mine = signed_in(url)
    users.renew_hash(url, "leyla", "hash of leyla", "hashed anew")
    assert account(url).password == "hashed anew"
    users.renew_hash(url, "leyla", "hash of leyla", "late")
    assert account(url).password == "hashed anew"
    assert find_session(url, mine, LIFETIME, 31)


# By OpenID Connect.


def vouched(url: str, sub: str = "7", name: str = "leyla", *roles: Role, at_us: int = 10) -> User:
    return users.from_provider(url, ISSUER, sub, name, roles or (Role.AGENT,), at_us)


def test_whom_a_provider_vouches_for_is_added_without_a_password(
    url: str, store: SqliteStore
) -> None:
    """None is ever given here, so that nobody can guess it."""
    user = vouched(url)
    assert user == User("leyla", frozenset({Role.AGENT}), False, True, False, 10, 10)
    assert account(url).password is None
    with pytest.raises(NoSuchUser, match="signs in by OpenID Connect"):
        users.set_password(url, "leyla", "x", False, *WHO, 20)
    told = "told by the OpenID provider"
    assert audited(url) == [("smsd", "user_add", "user leyla: agent", told)]


def test_somebody_stays_himself_whatever_he_is_called_later(url: str, store: SqliteStore) -> None:
    """Known by issuer and sub; the audit keeps the name that it began with."""
    vouched(url)
    assert vouched(url, "7", "leyla-married", at_us=20).name == "leyla"
    assert [user.name for user in users.list_users(url)] == ["leyla"]


def test_a_name_at_the_provider_gives_nobody_an_account_here(url: str, store: SqliteStore) -> None:
    """Neither that of a user with a password, nor one that changed hands there."""
    add(url, "rashad", Role.ADMIN)
    vouched(url)
    for sub, name in (("8", "rashad"), ("9", "leyla")):
        with pytest.raises(NameTaken):
            vouched(url, sub, name)
    with pytest.raises(NameTaken):
        users.from_provider(url, "https://other.example", "7", "leyla", [Role.ADMIN], 20)


def test_the_provider_says_what_somebody_is(url: str, store: SqliteStore) -> None:
    """At each sign-in; the same roles change nothing, others end what is open."""
    vouched(url)
    mine = signed_in(url)
    vouched(url, at_us=30)
    assert find_session(url, mine, LIFETIME, 31)
    assert vouched(url, "7", "leyla", Role.POLICE, at_us=40).roles == {Role.POLICE}
    assert find_session(url, mine, LIFETIME, 41) is None
    assert audited(url)[-1][1:3] == ("user_roles", "user leyla: police")


def test_the_provider_cannot_let_in_whom_we_keep_out(url: str, store: SqliteStore) -> None:
    """Disabled here is disabled."""
    vouched(url)
    users.set_disabled(url, "leyla", True, *WHO, 20)
    with pytest.raises(NotLetIn):
        vouched(url, at_us=30)


def test_whom_the_provider_gives_no_role_is_nobody_here(url: str, store: SqliteStore) -> None:
    """He is told of, and not added; who was somebody is so no longer."""
    assert users.from_provider(url, ISSUER, "7", "leyla", [], 10).roles == frozenset()
    assert not users.any_user(url)
    vouched(url)
    mine = signed_in(url)
    assert users.from_provider(url, ISSUER, "7", "leyla", [], 30).roles == frozenset()
    assert find_session(url, mine, LIFETIME, 31) is None
    assert account(url).user.roles == frozenset()


def test_an_older_schema_has_no_users(url: str, store: SqliteStore) -> None:
    """It is said what to do."""
    store.connection.execute("DELETE FROM _sqlite_migrations WHERE name LIKE 'm0009%'")
    for ask in (lambda: users.list_users(url), lambda: add(url)):
        with pytest.raises(StoreError, match="lacks m0009_users; start the daemon once"):
            ask()


def test_no_user_is_called_as_a_token_or_the_daemon(url: str, store: SqliteStore) -> None:
    """The audit names all three by their name alone."""
    tokens.add_token(url, "patrol", [Scope.CHECK], 90, *WHO, 10)
    with pytest.raises(NameTaken, match="a token patrol"):
        add(url, "patrol")
    with pytest.raises(NameTaken, match="a token patrol"):
        users.from_provider(url, ISSUER, "7", "patrol", [Role.AGENT], 11)
    add(url)
    with pytest.raises(NameTaken, match="a user leyla"):
        tokens.add_token(url, "leyla", [Scope.CHECK], 90, *WHO, 12)
    assert users.proper_name(" SMSD ") is None
    assert users.proper_name("smsd-2") == "smsd-2"
