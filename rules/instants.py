"""Dates of the policy file → microseconds since the Unix epoch, UTC."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

__all__ = ["instant_us"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def instant_us(written: datetime, zone: ZoneInfo) -> int:
    """The instant of a date as written; without an offset it is the clock of the zone.

    Raises ValueError when that clock never shows the time, or shows it twice, because summer
    time begins or ends: the file must then give the offset.
    """
    if written.tzinfo is None:
        first, second = written.replace(tzinfo=zone), written.replace(tzinfo=zone, fold=1)
        if first.utcoffset() != second.utcoffset():
            raise ValueError(
                f"the clocks of {zone.key} change at {written}, so this time is missing or comes "
                "twice; add the offset that is meant, e.g. +04:00"
            )
        written = first
    return (written - _EPOCH) // _MICROSECOND
