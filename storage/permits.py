"""Permits beside a running daemon: by their number, and those of a person that still matter."""

import json
from enum import StrEnum
from typing import NamedTuple

from rules.calendar import Calendar
from storage.beside import reading
from storage.sqlite_library import dbapi

__all__ = ["Permit", "Standing", "permit_numbered", "permits_of"]

_PERMIT = (
    "SELECT serial, message, document, code, rule, valid_from_us, valid_until_us,"
    " nullif(ended_us, 0), ended_us IS 0, facts ->> '$.region', decision.day"
)
_BY_SERIAL = f"{_PERMIT} FROM decision WHERE serial = ? AND verdict = 'grant'"
_NAMED_BY = (
    "SELECT permit FROM decision WHERE serial = ? AND verdict IN ('grant', 'already_granted')"
)
# The first day on which a permit may have been granted that is valid now.
_OF_HOLDER = (
    f"{_PERMIT} FROM json_each(?) AS days CROSS JOIN decision INDEXED BY decision_grant"
    " ON decision.day = days.value AND decision.holder = ?"
    " WHERE verdict = 'grant' ORDER BY serial DESC LIMIT ?"
)
_OF_HOLDER_MAX = 100


class Standing(StrEnum):
    """How a permit stands at an instant."""

    VALID = "valid"
    TO_COME = "to_come"  # it has not begun
    OVER = "over"  # its time has passed
    ENDED = "ended"  # its holder returned it, or cancelled it before it began
    TAKEN_BACK = "taken_back"  # its reply never left


class Permit(NamedTuple):
    """What was granted.

    message: the id of the SMS that asked. rule: the one that granted. ended_us: when its holder
    ended it early. region: of residence, as the register named it. day: the civil day on which it
    was granted, as ``date.toordinal``.
    """

    serial: int
    message: int
    document: str
    code: str
    rule: str
    valid_from_us: int
    valid_until_us: int
    ended_us: int | None
    taken_back: bool
    region: str | None
    day: int

    def standing(self, at_us: int) -> Standing:
        """How it stands; its time is half-open."""
        if self.taken_back:
            return Standing.TAKEN_BACK
        if self.ended_us is not None and self.ended_us <= at_us:
            return Standing.ENDED
        if at_us < self.valid_from_us:
            return Standing.TO_COME
        return Standing.VALID if at_us < self.valid_until_us else Standing.OVER


def permit_numbered(url: str, number: int, period: int) -> Permit | None:
    """The newest permit whose serial is `number` modulo `period`; None: there is none.

    The number of a repeat leads to the permit that it named.

    Raises:
        StoreError: the store cannot be read.
    """
    with reading(url) as connection:
        last = connection.execute("SELECT max(serial) FROM decision").fetchone()[0] or 0
        newest = last - (last - number) % period
        for serial in range(newest, 0, -period):
            named = connection.execute(_NAMED_BY, (serial,)).fetchone()
            row = named and connection.execute(_BY_SERIAL, named).fetchone()
            if row:
                return _permit(row)
    return None


def permits_of(url: str, holder: str, calendar: Calendar, at_us: int) -> list[Permit]:
    """A holder's permits granted on the civil day of an instant or valid after it, newest first.

    Raises:
        StoreError: the store cannot be read.
    """
    with reading(url) as connection:
        today = calendar.day(at_us)
        days = json.dumps(list(range(_first_day(connection, calendar, at_us), today + 1)))
        rows = connection.execute(_OF_HOLDER, (days, holder, _OF_HOLDER_MAX))
        permits = [_permit(row) for row in rows]
    return [permit for permit in permits if permit.day == today or at_us < permit.valid_until_us]


def _first_day(connection: "dbapi.Connection", calendar: Calendar, at_us: int) -> int:
    """The first civil day on which a permit may have been granted that is valid now."""
    (longest_us,) = connection.execute("SELECT longest_us FROM permit_reach").fetchone()
    return calendar.day(max(0, at_us - longest_us))


def _permit(row: tuple[object, ...]) -> Permit:
    permit = Permit._make(row)
    return permit._replace(taken_back=bool(permit.taken_back))
