"""Which days a batch must look at, so that it need not look at all of them.

The large indexes begin with the day: what was stored in earlier weeks lies on pages that no
batch touches, and a store of a year takes SMS as fast as an empty one.
"""

import json

from rules.calendar import Calendar
from storage.sqlite_library import dbapi

DAY_US = 86_400_000_000  # a UTC day; what the index of messages begins with

_ENDS = (
    "SELECT {day} FROM {table} ORDER BY {day} LIMIT 1",
    ("SELECT {day} FROM {table} ORDER BY {day} DESC LIMIT 1"),
)
_MESSAGE_DAY = {"day": f"received_at_us / {DAY_US}", "table": "message"}
_PERMIT_DAY = {"day": "day", "table": "decision WHERE verdict = 'grant'"}


class Reach:
    """The days that a store spans, and how long its permits last. Only ever grows."""

    def __init__(self, connection: "dbapi.Connection") -> None:
        self._connection = connection
        self._message_days = self._span(_MESSAGE_DAY)
        self._permit_days = self._span(_PERMIT_DAY)
        self._longest_known_us: int | None = None

    def _span(self, what: dict[str, str]) -> tuple[int, int] | None:
        rows = [self._connection.execute(end.format(**what)).fetchone() for end in _ENDS]
        first, last = rows
        return (int(first[0]), int(last[0])) if first and last else None

    def forget(self) -> None:
        """After a transaction was rolled back: what is on disk about the longest permit counts.

        Read when it is asked for: what undid the transaction may be a disk that cannot be read.
        """
        self._longest_known_us = None

    @property
    def _longest_us(self) -> int:
        if self._longest_known_us is None:
            row = self._connection.execute("SELECT longest_us FROM permit_reach").fetchone()
            self._longest_known_us = int(row[0])
        return self._longest_known_us

    def message_came(self, at_us: int) -> None:
        """A message of this instant is stored."""
        self._message_days = _widened(self._message_days, at_us // DAY_US)

    def permit_granted(self, day: int, lasts_us: int) -> None:
        """A permit of this civil day is stored; it can end `lasts_us` after its decision."""
        self._permit_days = _widened(self._permit_days, day)
        if lasts_us > self._longest_us:
            self._longest_known_us = lasts_us
            self._connection.execute("UPDATE permit_reach SET longest_us = ?", (lasts_us,))

    def message_days(self, since_us: int) -> str:
        """The UTC days of messages from an instant on, as a JSON array."""
        return _json(self._message_days, since_us // DAY_US)

    def days_of_valid(self, at_us: int) -> str:
        """The UTC days of messages whose permits may end after an instant, as a JSON array."""
        return self.message_days(at_us - self._longest_us)

    def permit_days(self, calendar: Calendar, since_us: int) -> str:
        """The civil days on which permits were granted that may end after an instant, as JSON."""
        if self._permit_days is None:
            return "[]"
        # Before all that is stored: no calendar need know the day.
        if since_us - self._longest_us <= 0:
            return _json(self._permit_days, 0)
        return _json(self._permit_days, calendar.day(since_us - self._longest_us))


def _widened(days: tuple[int, int] | None, day: int) -> tuple[int, int]:
    if days is None:
        return day, day
    first, last = days
    if first <= day <= last:
        return days
    return min(first, day), max(last, day)


def _json(days: tuple[int, int] | None, first: int) -> str:
    return json.dumps(list(range(max(first, days[0]), days[1] + 1))) if days else "[]"
