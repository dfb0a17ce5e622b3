"""Tokens with which programs ask the desk: for what, until when, and whether they still may."""

from collections.abc import Collection
from typing import NamedTuple

from storage import audit
from storage.beside import HURRY_S, must_be_up_to_date, reading, writing
from storage.fingerprints import fingerprint, fresh_secret
from storage.roles import Scope
from storage.store import StoreError
from storage.users import must_be_free

__all__ = [
    "LONGEST_DAYS",
    "NoSuchToken",
    "Token",
    "add_token",
    "find_token",
    "list_tokens",
    "revoke_token",
    "use",
]

LONGEST_DAYS = 366
"""For which a token may be good; whoever makes one sees to it."""

# What a leaked one begins with, so that people and programs that look for leaks know it.
_PREFIX = "smsd_"
_USED_STEP_US = 60_000_000  # a check each second need not be a write each second

_SELECT = (
    "SELECT name, scopes, created_by, created_at_us, expires_at_us, revoked_at_us, used_at_us"
    " FROM token"
)


class NoSuchToken(StoreError):
    """There is none of that name that could be revoked."""


class Token(NamedTuple):
    """What is known of a token; never the token itself."""

    name: str
    scopes: frozenset[Scope]
    created_by: str
    created_at_us: int
    expires_at_us: int
    revoked_at_us: int | None
    used_at_us: int | None

    def is_stale(self, at_us: int) -> bool:
        """Whether its use at an instant is to be noted."""
        return self.used_at_us is None or at_us - self.used_at_us >= _USED_STEP_US


def add_token(
    url: str,
    name: str,
    scopes: Collection[Scope],
    expires_at_us: int,
    who: str,
    reason: str,
    at_us: int,
) -> str:
    """Make a token; it is returned, and cannot be had again.

    Raises:
        NameTaken: one was called so, perhaps long ago, or a user is.
    """
    secret = f"{_PREFIX}{fresh_secret()}"
    with writing(url) as connection:
        must_be_free(connection, name)
        connection.execute(
            "INSERT INTO token (name, fingerprint, scopes, created_by, created_at_us,"
            " expires_at_us) VALUES (?,?,?,?,?,?)",
            (name, fingerprint(secret), " ".join(sorted(scopes)), who, at_us, expires_at_us),
        )
        told = f"token {name}: {', '.join(sorted(scopes))}"
        audit.write(connection, at_us, who, "token_add", told, reason)
    return secret


def find_token(url: str, secret: str, at_us: int) -> Token | None:
    """Which token this is; None: none that is good."""
    with reading(url) as connection:
        row = connection.execute(
            f"{_SELECT} WHERE fingerprint = ? AND expires_at_us > ? AND revoked_at_us IS NULL",
            (fingerprint(secret), at_us),
        ).fetchone()
    return None if row is None else _token(row)


def use(url: str, name: str, at_us: int) -> None:
    """Note that a token was used, which may be left out while others write."""
    with writing(url, HURRY_S) as connection:
        connection.execute("UPDATE token SET used_at_us = ? WHERE name = ?", (at_us, name))


def revoke_token(url: str, name: str, who: str, reason: str, at_us: int) -> None:
    """Let a token be good no longer.

    Raises:
        NoSuchToken: there is none, or it was revoked before.
    """
    with writing(url) as connection:
        found = connection.execute(
            "UPDATE token SET revoked_at_us = ? WHERE name = ? AND revoked_at_us IS NULL",
            (at_us, name),
        )
        if not found.rowcount:
            raise NoSuchToken(f"there is no token {name} to revoke; see smsd token list")
        audit.write(connection, at_us, who, "token_revoke", f"token {name}", reason)


def list_tokens(url: str) -> list[Token]:
    """All there ever were, the newest first.

    Raises:
        StoreError: the store cannot be read, or its schema is not the newest.
    """
    with reading(url) as connection:
        must_be_up_to_date(connection)
        rows = connection.execute(f"{_SELECT} ORDER BY created_at_us DESC, name")
        return [_token(row) for row in rows]


def _token(row: tuple[str, str, str, int, int, int | None, int | None]) -> Token:
    name, scopes, *rest = row
    known = frozenset(scope for scope in Scope if scope in scopes.split())
    return Token(name, known, *rest)  # type: ignore[arg-type]
