"""Civil days and clock times of one time zone, for instants in microseconds since 1970 UTC."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["Calendar"]

_SECOND_US = 1_000_000
_MINUTE_US = 60 * _SECOND_US
_HOUR_US = 60 * _MINUTE_US
_DAY_US = 24 * _HOUR_US

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

_HOURS_CACHED_MAX = 4096  # half a year of consecutive hours
_DAYS_CACHED_MAX = 1024

_DAY_MINUTES = 24 * 60
_DAY_SECONDS = 60 * _DAY_MINUTES
_CLOCK = tuple(f"{minute // 60:02}:{minute % 60:02}" for minute in range(_DAY_MINUTES))


class _Span(NamedTuple):
    """A stretch of one UTC hour with one civil day and one UTC offset; end_us excluded."""

    start_us: int
    end_us: int
    day: int
    offset_us: int


class Calendar:
    """The civil calendar of an IANA time zone: what day and what time it is there.

    Days are ordinals (``date.toordinal``). Exact at every change of the clocks, also where
    one repeats or skips a midnight. An hour is worked out once and kept, so a question costs well
    under 1 µs; OverflowError or ValueError outside the years 2 to 9998.
    """

    __slots__ = ("_spans_of_hour", "_start_of_day_us", "_zone", "zone")

    def __init__(self, zone: str) -> None:
        """Read the zone's rules; ValueError when there is no such zone."""
        try:
            self._zone = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{zone!r} is not the name of an IANA time zone") from error
        self.zone = zone
        self._spans_of_hour = lru_cache(_HOURS_CACHED_MAX)(self._survey)
        self._start_of_day_us = lru_cache(_DAYS_CACHED_MAX)(self._find_day_start_us)

    def day(self, at_us: int) -> int:
        """Return the ordinal of the civil day at an instant."""
        for _, end_us, day, _ in self._spans_of_hour(at_us // _HOUR_US):
            if at_us < end_us:
                return day
        raise AssertionError("the spans of an hour end with it")

    def date(self, at_us: int) -> date:
        """Return the civil date at an instant."""
        return date.fromordinal(self.day(at_us))

    def clock(self, at_us: int) -> str:
        """Return the time of day at an instant, e.g. ``10:15``; seconds are cut off."""
        for _, end_us, _, offset_us in self._spans_of_hour(at_us // _HOUR_US):
            if at_us < end_us:
                return _CLOCK[(at_us + offset_us) // _MINUTE_US % _DAY_MINUTES]
        raise AssertionError("the spans of an hour end with it")

    def second_of_day(self, at_us: int) -> int:
        """Return what the clock shows at an instant, in seconds since its 00:00:00."""
        for _, end_us, _, offset_us in self._spans_of_hour(at_us // _HOUR_US):
            if at_us < end_us:
                return (at_us + offset_us) // _SECOND_US % _DAY_SECONDS
        raise AssertionError("the spans of an hour end with it")

    def day_start_us(self, ordinal: int) -> int:
        """Return the first instant of a civil day; of the next one if the zone skipped it."""
        return self._start_of_day_us(ordinal)

    def _find_day_start_us(self, ordinal: int) -> int:
        """Walk the hours around the nominal midnight until the day has come.

        Two hours before it are enough: clocks have jumped across a midnight by an hour at most,
        and jumps of whole days (Samoa 2011) were made at midnight.
        """
        midnight = datetime.fromordinal(ordinal).replace(tzinfo=self._zone)
        hour = _since_epoch_us(midnight) // _HOUR_US - 2
        while True:
            for span in self._spans_of_hour(hour):
                if span.day >= ordinal:
                    return span.start_us
            hour += 1

    def _survey(self, hour: int) -> tuple[_Span, ...]:
        """Cut one UTC hour where the offset or the civil day changes.

        No zone has ever changed its offset twice within an hour.
        """
        start_us, end_us = hour * _HOUR_US, (hour + 1) * _HOUR_US
        before, after = self._offset_us(start_us), self._offset_us(end_us - _SECOND_US)
        if before == after:
            return tuple(_days(start_us, end_us, before))
        change_us = self._find_change_us(start_us, end_us, before)
        return (*_days(start_us, change_us, before), *_days(change_us, end_us, after))

    def _find_change_us(self, low_us: int, high_us: int, before_us: int) -> int:
        """Return the first whole second with another offset than at low_us."""
        while high_us - low_us > _SECOND_US:
            middle_us = (low_us + high_us) // 2 // _SECOND_US * _SECOND_US
            if self._offset_us(middle_us) == before_us:
                low_us = middle_us
            else:
                high_us = middle_us
        return high_us

    def _offset_us(self, at_us: int) -> int:
        at = (_EPOCH + timedelta(microseconds=at_us)).astimezone(self._zone)
        return (at.utcoffset() or timedelta()) // timedelta(microseconds=1)


def _days(start_us: int, end_us: int, offset_us: int) -> list[_Span]:
    """Cut a stretch of at most an hour with one offset at its midnight, if it has one."""
    first = (start_us + offset_us) // _DAY_US
    midnight_us = (first + 1) * _DAY_US - offset_us
    day = first + _EPOCH_ORDINAL
    if midnight_us >= end_us:
        return [_Span(start_us, end_us, day, offset_us)]
    return [
        _Span(start_us, midnight_us, day, offset_us),
        _Span(midnight_us, end_us, day + 1, offset_us),
    ]


def _since_epoch_us(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)
