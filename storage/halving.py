"""Where an instant lies among rows that are numbered in the order of time.

There is no index on time: every SMS would pay for what somebody asks once a day.
"""

from storage.sqlite_library import dbapi

__all__ = ["first_audit_line", "first_serial"]

_LAST = "SELECT max({number}) FROM {table}"
_NEXT = "SELECT {number}, at_us FROM {table} WHERE {number} >= ? ORDER BY {number} LIMIT 1"


def first_serial(connection: "dbapi.Connection", since_us: int) -> int:
    """The first decision from an instant on; where there is none, the number the next will have."""
    return _first(connection, since_us, table="decision", number="serial")


def first_audit_line(connection: "dbapi.Connection", since_us: int) -> int:
    """The first line of the audit from an instant on, likewise."""
    return _first(connection, since_us, table="audit", number="id")


def _first(connection: "dbapi.Connection", since_us: int, **names: str) -> int:
    last = connection.execute(_LAST.format(**names)).fetchone()[0] or 0
    low, high = 0, int(last) + 1
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(_NEXT.format(**names), (middle,)).fetchone()
        if row is None or row[1] >= since_us:
            high = middle
        else:
            low = row[0] + 1
    return low
