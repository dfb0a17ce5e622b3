"""Instants as the policy file writes them, and as the calendar is asked about them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

__all__ = ["US_PER_SECOND", "by_second", "instant_us", "local_datetime"]

T = TypeVar("T")

US_PER_SECOND = 1_000_000
_SECONDS_CACHED_MAX = 4096  # under load the same second is asked about hundreds of times

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


def local_datetime(at_us: int, zone: ZoneInfo) -> datetime:
    """What the clock and calendar of a zone show at an instant."""
    return (_EPOCH + at_us * _MICROSECOND).astimezone(zone)


def by_second(ask: Callable[[int], T]) -> Callable[[int], T]:
    """A question about an instant, put once for each second; the result takes whole seconds.

    Exact for days and clocks, which no zone changes within a second; a third of the price.
    """

    @lru_cache(_SECONDS_CACHED_MAX)
    def remembered(second: int) -> T:
        return ask(second * US_PER_SECOND)

    return remembered
