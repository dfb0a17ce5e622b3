"""Browsers in which somebody is signed in, for so long as he visits and no longer than a day."""

from typing import NamedTuple

from storage import audit
from storage.beside import HURRY_S, reading, writing
from storage.fingerprints import fingerprint, fresh_secret
from storage.roles import Role
from storage.store import StoreError
from storage.users import NotLetIn, roles_in

__all__ = ["Lifetime", "Session", "close_session", "find_session", "open_session", "touch_session"]

# Of one user at once; the one that was seen longest ago ends. Nobody has so many browsers.
_OPEN_MAX = 20
_SEEN_STEP_US = 60_000_000  # a visit each second need not be a write each second
_SEEN_STEPS_MIN = 10  # in the idle time, however short

_FIND = (
    "SELECT user, roles, csrf, seen_at_us FROM session JOIN user ON user.name = session.user"
    " WHERE fingerprint = :fingerprint AND disabled = 0"
    " AND seen_at_us > :at_us - :idle_us AND session.created_at_us > :at_us - :longest_us"
)
_FORGET = (
    "DELETE FROM session"
    " WHERE seen_at_us <= :at_us - :idle_us OR created_at_us <= :at_us - :longest_us"
)


class Lifetime(NamedTuple):
    """How long a session lasts: without a visit, and at most."""

    idle_us: int
    longest_us: int


class Session(NamedTuple):
    """Somebody is signed in. csrf: what his forms must carry. stale: his visit is to be noted."""

    user: str
    roles: frozenset[Role]
    csrf: str
    stale: bool


def open_session(url: str, user: str, how: str, lifetime: Lifetime, at_us: int) -> str:
    """Sign somebody in who has proved who he is; returns what his cookie is to hold.

    how: by what he proved it: password, oidc. Sessions that are over are forgotten meanwhile.

    Raises:
        NotLetIn: he was disabled in between.
    """
    secret = fresh_secret()
    with writing(url) as connection:
        known = connection.execute(
            "SELECT 1 FROM user WHERE name = ? AND disabled = 0", (user,)
        ).fetchone()
        if known is None:
            raise NotLetIn(f"{user} is disabled")
        connection.execute(_FORGET, {"at_us": at_us, **lifetime._asdict()})
        connection.execute(
            "DELETE FROM session WHERE fingerprint IN (SELECT fingerprint FROM session"
            " WHERE user = ? ORDER BY seen_at_us DESC LIMIT -1 OFFSET ?)",
            (user, _OPEN_MAX - 1),
        )
        connection.execute(
            "INSERT INTO session (fingerprint, user, csrf, how, created_at_us, seen_at_us)"
            " VALUES (?,?,?,?,?,?)",
            (fingerprint(secret), user, fresh_secret(), how, at_us, at_us),
        )
        audit.write(connection, at_us, user, "sign_in", how, "")
    return secret


def find_session(url: str, secret: str, lifetime: Lifetime, at_us: int) -> Session | None:
    """Whose session this is, by what the cookie holds; None: it is over, or never was."""
    with reading(url) as connection:
        asked = {"fingerprint": fingerprint(secret), "at_us": at_us, **lifetime._asdict()}
        row = connection.execute(_FIND, asked).fetchone()
    if row is None:
        return None
    user, roles, csrf, seen_at_us = row
    step_us = min(_SEEN_STEP_US, lifetime.idle_us // _SEEN_STEPS_MIN)
    return Session(user, roles_in(roles), csrf, at_us - seen_at_us >= step_us)


def touch_session(url: str, secret: str, at_us: int) -> None:
    """Note a visit, which may be left out while others write."""
    with writing(url, HURRY_S) as connection:
        connection.execute(
            "UPDATE session SET seen_at_us = ? WHERE fingerprint = ? AND seen_at_us < ?",
            (at_us, fingerprint(secret), at_us),
        )


def close_session(url: str, user: str, csrf: str, at_us: int) -> None:
    """Sign somebody out of the one session whose forms carry this."""
    with writing(url) as connection:
        found = connection.execute("DELETE FROM session WHERE user = ? AND csrf = ?", (user, csrf))
        if not found.rowcount:
            raise StoreError("there is no such session")
        audit.write(connection, at_us, user, "sign_out", "", "")
