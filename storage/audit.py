"""The audit: who saw or did what, about whom, when and why; each line bound to the one before."""

from typing import NamedTuple

from storage.audit_chain import BEGINNING, about_digest, link, new_salt
from storage.beside import must_be_up_to_date, reading, writing
from storage.sqlite_library import dbapi

__all__ = [
    "EVERYTHING",
    "AuditLine",
    "Head",
    "Wanted",
    "head",
    "lines",
    "note",
    "since",
    "write",
]

_SELECT = (
    "SELECT audit.id, at_us, who, action, subject, reason,"
    " CASE about_digest WHEN '' THEN '' ELSE about END, hash, about_digest"
    " FROM audit LEFT JOIN audit_about ON audit_about.audit = audit.id"
)
_SELECT_HEAD = "SELECT id, at_us, hash FROM audit ORDER BY id DESC LIMIT 1"


class AuditLine(NamedTuple):
    """Somebody saw or did something.

    about: a phone or document; empty: nobody in particular; None: it has been erased.
    """

    id: int
    at_us: int
    who: str
    action: str
    subject: str
    reason: str
    about: str | None
    hash: str
    about_digest: str


class Wanted(NamedTuple):
    """Which lines are asked for; what is None does not matter. from_us: included; to_us: not."""

    who: str | None = None
    action: str | None = None
    about: str | None = None
    from_us: int | None = None
    to_us: int | None = None


EVERYTHING = Wanted()


class Head(NamedTuple):
    """The newest line. Who keeps its hash elsewhere can prove later that nothing was cut off."""

    id: int
    at_us: int
    hash: str


def write(
    connection: "dbapi.Connection",
    at_us: int,
    who: str,
    action: str,
    subject: str,
    reason: str,
    about: str = "",
) -> int:
    """Add a line in the transaction of what it tells of; returns its number.

    subject: never a phone or a document; those are named by `about`, which can be erased.
    """
    assert connection.in_transaction, "or two writers would go on from the same line"
    newest = connection.execute(_SELECT_HEAD).fetchone()
    number, before = (newest[0] + 1, newest[2]) if newest else (1, BEGINNING)
    salt = new_salt()
    digest = about_digest(salt, about) if about else ""
    told = (number, at_us, who, action, subject, reason, digest)
    connection.execute(
        "INSERT INTO audit (id, at_us, who, action, subject, reason, about_digest, hash)"
        " VALUES (?,?,?,?,?,?,?,?)",
        (*told, link(before, *told)),
    )
    if about:
        connection.execute(
            "INSERT INTO audit_about (audit, salt, about) VALUES (?,?,?)", (number, salt, about)
        )
    return int(number)


def note(
    url: str, at_us: int, who: str, action: str, subject: str, reason: str, about: str = ""
) -> int:
    """Add a line on its own; returns its number.

    Raises:
        StoreError: the store cannot be used; the line is not there.
    """
    with writing(url) as connection:
        return write(connection, at_us, who, action, subject, reason, about)


def since(url: str, number: int) -> list[AuditLine]:
    """The lines behind a number, oldest first."""
    with reading(url) as connection:
        rows = connection.execute(f"{_SELECT} WHERE audit.id > ? ORDER BY audit.id", (number,))
        return [AuditLine(*row) for row in rows]


def lines(
    url: str, limit: int, wanted: Wanted = EVERYTHING, before: int | None = None
) -> list[AuditLine]:
    """So many lines at most, newest first.

    before: only lines with a lower number than this: the last one of the page before.

    Raises:
        StoreError: the store cannot be read, or its schema is not the newest.
    """
    # Of a name or a time there are fewer lines than of an action or of somebody busy; without the
    # "+" SQLite would walk back through all of theirs.
    rare = wanted.about is not None or wanted.from_us is not None
    conditions = {
        f"{'+' if rare else ''}who = ?": wanted.who,
        f"{'+' if rare else ''}action = ?": wanted.action,
        "about = ?": wanted.about,
        "at_us >= ?": wanted.from_us,
        "at_us < ?": wanted.to_us,
        "audit.id < ?": before,
    }
    asked = {words: value for words, value in conditions.items() if value is not None}
    where = " AND ".join(asked) or "true"
    with reading(url) as connection:
        must_be_up_to_date(connection)
        rows = connection.execute(
            f"{_SELECT} WHERE {where} ORDER BY audit.id DESC LIMIT ?", (*asked.values(), limit)
        )
        return [AuditLine(*row) for row in rows]


def head(url: str) -> Head | None:
    """The newest line; None: there is none yet."""
    with reading(url) as connection:
        must_be_up_to_date(connection)
        row = connection.execute(_SELECT_HEAD).fetchone()
    return Head(*row) if row else None
