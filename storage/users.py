"""People who may use the desk: who they are, what they may, how they prove it."""

import re
from collections.abc import Collection
from typing import NamedTuple

from storage import audit
from storage.beside import must_be_up_to_date, reading, writing
from storage.roles import Role
from storage.sqlite_library import dbapi
from storage.store import StoreError

__all__ = [
    "NAME_RULE",
    "Account",
    "NameTaken",
    "NoSuchUser",
    "NotLetIn",
    "User",
    "add_user",
    "any_user",
    "find_account",
    "from_provider",
    "list_users",
    "must_be_free",
    "proper_name",
    "renew_hash",
    "roles_in",
    "set_disabled",
    "set_password",
    "set_roles",
]

NAME_RULE = (
    "1 to 64 letters a-z, digits and . _ - @, first and last a letter or digit; not smsd, by which"
    " the audit means the daemon"
)
_DAEMON = "smsd"
_NAME = re.compile(r"[a-z0-9]([a-z0-9._@-]{0,62}[a-z0-9])?")
_BY_PROVIDER = "told by the OpenID provider"

_SELECT = "SELECT name, password, once, subject, roles, disabled, created_at_us, changed_at_us"


class NameTaken(StoreError):
    """There is somebody, or a token, of that name already."""


class NoSuchUser(StoreError):
    """There is nobody of that name, or not of the kind that is meant."""


class NotLetIn(StoreError):
    """Somebody is known, and may not come in."""


class User(NamedTuple):
    """Somebody. by_provider: signs in by OpenID Connect, and has no password here.

    once: the password was chosen by somebody else, and is good for choosing one's own.
    """

    name: str
    roles: frozenset[Role]
    disabled: bool
    by_provider: bool
    once: bool
    created_at_us: int
    changed_at_us: int


class Account(NamedTuple):
    """A user, and the hash that the password must fit; None: has none."""

    user: User
    password: str | None


def proper_name(typed: str) -> str | None:
    """A name as it is stored; None: nobody can be called that. See `NAME_RULE`."""
    name = typed.strip().lower()
    return name if _NAME.fullmatch(name) and name != _DAEMON else None


def roles_in(stored: str) -> frozenset[Role]:
    """Roles as they are stored; those that this version does not know count for nothing."""
    return frozenset(role for role in Role if role in stored.split())


def any_user(url: str) -> bool:
    """Whether anybody was ever added. Until then the desk is open, to look at, at this machine."""
    with reading(url) as connection:
        return connection.execute("SELECT 1 FROM user LIMIT 1").fetchone() is not None


def list_users(url: str) -> list[User]:
    """Everybody, by name.

    Raises:
        StoreError: the store cannot be read, or its schema is not the newest.
    """
    with reading(url) as connection:
        must_be_up_to_date(connection)
        return [_account(row).user for row in connection.execute(f"{_SELECT} FROM user ORDER BY 1")]


def find_account(url: str, name: str) -> Account | None:
    """Who is called so."""
    with reading(url) as connection:
        return _find(connection, name)


def add_user(
    url: str,
    name: str,
    password: str,
    once: bool,
    roles: Collection[Role],
    who: str,
    reason: str,
    at_us: int,
) -> None:
    """Add somebody who signs in by password, of which a hash is given.

    Raises:
        NameTaken: there is one already.
    """
    with writing(url) as connection:
        must_be_free(connection, name)
        _insert(connection, name, password, once, None, roles, at_us)
        told = f"user {name}: {_told(roles)}"
        audit.write(connection, at_us, who, "user_add", told, reason)


def set_password(
    url: str, name: str, password: str, once: bool, who: str, reason: str, at_us: int
) -> None:
    """Give somebody another password, of which a hash is given; his sessions end.

    Raises:
        NoSuchUser: there is none, or he signs in by OpenID Connect.
    """
    with writing(url) as connection:
        if _must_find(connection, name).by_provider:
            raise NoSuchUser(f"{name} signs in by OpenID Connect and has no password here")
        connection.execute(
            "UPDATE user SET password = ?, once = ?, changed_at_us = ? WHERE name = ?",
            (password, once, at_us, name),
        )
        _end_sessions(connection, name)
        audit.write(connection, at_us, who, "user_password", f"user {name}", reason)


def renew_hash(url: str, name: str, old: str, new: str) -> None:
    """Store the same password hashed anew, unless it was changed in between."""
    with writing(url) as connection:
        connection.execute(
            "UPDATE user SET password = ? WHERE name = ? AND password = ?", (new, name, old)
        )


def set_roles(
    url: str, name: str, roles: Collection[Role], who: str, reason: str, at_us: int
) -> None:
    """Let somebody be something else; his sessions end.

    Raises:
        NoSuchUser: there is none.
    """
    with writing(url) as connection:
        _must_find(connection, name)
        _change_roles(connection, name, roles, who, reason, at_us)


def set_disabled(url: str, name: str, disabled: bool, who: str, reason: str, at_us: int) -> None:
    """Keep somebody out, with his sessions ended, or let him in again.

    Raises:
        NoSuchUser: there is none.
    """
    with writing(url) as connection:
        _must_find(connection, name)
        connection.execute(
            "UPDATE user SET disabled = ?, changed_at_us = ? WHERE name = ?",
            (disabled, at_us, name),
        )
        _end_sessions(connection, name)
        action = "user_disable" if disabled else "user_enable"
        audit.write(connection, at_us, who, action, f"user {name}", reason)


def from_provider(
    url: str, issuer: str, sub: str, name: str, roles: Collection[Role], at_us: int
) -> User:
    """Whom an OpenID provider vouches for; added at his first sign-in.

    He is known by issuer and sub, which last, while names may change hands. His roles are those
    that the provider tells now; where they changed, his sessions end. Who is new and has no role
    is told of, and not added.

    Raises:
        NameTaken: somebody else has the name here, who may even have a password.
        NotLetIn: he is disabled here.
    """
    subject = f"{issuer} {sub}"
    with writing(url) as connection:
        row = connection.execute(f"{_SELECT} FROM user WHERE subject = ?", (subject,)).fetchone()
        if row is None:
            must_be_free(connection, name)
            if not roles:
                return User(name, frozenset(), False, True, False, at_us, at_us)
            _insert(connection, name, None, False, subject, roles, at_us)
            told = f"user {name}: {_told(roles)}"
            audit.write(connection, at_us, _DAEMON, "user_add", told, _BY_PROVIDER)
            return _must_find(connection, name)
        user = _account(row).user
        if user.disabled:
            raise NotLetIn(f"{user.name} is disabled")
        if user.roles != frozenset(roles):
            _change_roles(connection, user.name, roles, _DAEMON, _BY_PROVIDER, at_us)
        return _must_find(connection, user.name)


def must_be_free(connection: "dbapi.Connection", name: str) -> None:
    """Raises NameTaken: the audit could not tell a user and a token of one name apart."""
    if _find(connection, name) is not None:
        raise NameTaken(f"there is a user {name} already; see smsd user list")
    if connection.execute("SELECT 1 FROM token WHERE name = ?", (name,)).fetchone():
        raise NameTaken(f"there is, or was, a token {name}; choose another name")


def _find(connection: "dbapi.Connection", name: str) -> Account | None:
    row = connection.execute(f"{_SELECT} FROM user WHERE name = ?", (name,)).fetchone()
    return None if row is None else _account(row)


def _must_find(connection: "dbapi.Connection", name: str) -> User:
    account = _find(connection, name)
    if account is None:
        raise NoSuchUser(f"there is no user {name}; see smsd user list")
    return account.user


def _account(row: tuple[str, str | None, int, str | None, str, int, int, int]) -> Account:
    name, password, once, subject, roles, disabled, created_us, changed_us = row
    by_provider = subject is not None
    user = User(
        name, roles_in(roles), bool(disabled), by_provider, bool(once), created_us, changed_us
    )
    return Account(user, password)


def _insert(
    connection: "dbapi.Connection",
    name: str,
    password: str | None,
    once: bool,
    subject: str | None,
    roles: Collection[Role],
    at_us: int,
) -> None:
    connection.execute(
        "INSERT INTO user (name, password, once, subject, roles, disabled, created_at_us,"
        " changed_at_us) VALUES (?,?,?,?,?,0,?,?)",
        (name, password, once, subject, " ".join(sorted(roles)), at_us, at_us),
    )


def _change_roles(
    connection: "dbapi.Connection",
    name: str,
    roles: Collection[Role],
    who: str,
    reason: str,
    at_us: int,
) -> None:
    connection.execute(
        "UPDATE user SET roles = ?, changed_at_us = ? WHERE name = ?",
        (" ".join(sorted(roles)), at_us, name),
    )
    _end_sessions(connection, name)
    audit.write(connection, at_us, who, "user_roles", f"user {name}: {_told(roles)}", reason)


def _end_sessions(connection: "dbapi.Connection", name: str) -> None:
    connection.execute("DELETE FROM session WHERE user = ?", (name,))


def _told(roles: Collection[Role]) -> str:
    return ", ".join(sorted(roles)) or "no role"
