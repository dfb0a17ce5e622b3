"""Instants inside one version of a policy, at the edges of its times of day and of its days."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from rules.calendar import Calendar

__all__ = ["DAY_SECONDS", "Moment", "Moments", "moments_of", "spans_of"]

DAY_SECONDS = 86_400
_SECOND_US = 1_000_000
_DAY_US = DAY_SECONDS * _SECOND_US

_DAYS_AT_EACH_END = 15
"""Every weekday twice: summer time takes an hour from one of them at most."""
_LEAP_YEARS = 4
"""So many years around a version have a leap day, but at three centuries of four."""


class Moment(NamedTuple):
    """An instant, in microseconds since the epoch; its civil day; and the day's first instant."""

    at_us: int
    day: int
    day_start_us: int


Moments = dict[tuple[int, int], tuple[Moment, ...]]
"""By weekday (0: Monday) and first second of the span of the day; 0 for what is not told apart."""


def spans_of(cuts: Sequence[int]) -> list[tuple[int, int]]:
    """The half-open spans, in seconds of the day, that some times of day cut a day into."""
    edges = sorted({0, *cuts, DAY_SECONDS})
    return list(pairwise(edges))


def moments_of(
    calendar: Calendar,
    from_us: int | None,
    until_us: int | None,
    cuts: Sequence[int],
    weekdays: bool,
    birthdays: bool,
) -> Moments:
    """Instants of ``[from_us, until_us)`` for each weekday and time of day that it has.

    The first and the last instant are among them, and the first and last of each span of the day.
    cuts: times of day, in seconds; weekdays: tell them apart; birthdays: take the days around
    29 February too.
    """
    first_us, last_us = _bounds(from_us, until_us)
    edges = [span[0] for span in spans_of(cuts)]
    found: dict[tuple[int, int], list[Moment]] = {}
    leap_days = set(_leap_days(calendar, first_us, last_us)) if birthdays else set()
    near = _days(calendar.day(first_us), calendar.day(last_us - 1))
    for day in sorted(leap_days.union(near)):
        start_us = calendar.day_start_us(day)
        for at_us in _edges_of_day(calendar, day, cuts, first_us, last_us):
            span = edges[bisect_right(edges, calendar.second_of_day(at_us)) - 1]
            kept = found.setdefault(((day - 1) % 7 if weekdays else 0, span), [])
            # Of the ordinary ones, the first and the last are enough.
            if len(kept) > 1 and kept[-1].day not in leap_days:
                kept.pop()
            kept.append(Moment(at_us, day, start_us))
    return {key: tuple(kept) for key, kept in found.items()}


def _bounds(from_us: int | None, until_us: int | None) -> tuple[int, int]:
    """Without a bound, some years are enough: nothing changes any more."""
    years_us = _LEAP_YEARS * 366 * _DAY_US
    if from_us is None:
        from_us = 0 if until_us is None else until_us - years_us
    return from_us, from_us + years_us if until_us is None else until_us


def _days(first: int, last: int) -> set[int]:
    ends = {*range(first, first + _DAYS_AT_EACH_END), *range(last, last - _DAYS_AT_EACH_END, -1)}
    return {day for day in ends if first <= day <= last}


def _leap_days(calendar: Calendar, first_us: int, last_us: int) -> Iterator[int]:
    """28 and 29 February and 1 March of some years."""
    first, last = calendar.day(first_us), calendar.day(last_us - 1)
    year = date.fromordinal(first).year
    for march in (date(year + later, 3, 1).toordinal() for later in range(_LEAP_YEARS + 1)):
        yield from (day for day in (march - 2, march - 1, march) if first <= day <= last)


def _edges_of_day(
    calendar: Calendar, day: int, cuts: Sequence[int], first_us: int, last_us: int
) -> list[int]:
    """The first and last instants of a day's spans, within ``[first_us, last_us)``."""
    start_us, end_us = calendar.day_start_us(day), calendar.day_start_us(day + 1)
    low_us, high_us = max(start_us, first_us), min(end_us, last_us)
    if low_us >= high_us:
        return []
    found = {low_us, high_us - 1}
    skew = calendar.second_of_day(start_us)  # a zone may skip the first seconds of a day
    for begin, end in spans_of(cuts) if cuts else ():
        for second, rest_us in ((begin, 0), (end - 1, _SECOND_US - 1)):
            # The clocks change once a day at most: count from its start, and back from its end.
            for base_us in (start_us - skew * _SECOND_US, end_us - _DAY_US):
                at_us = base_us + second * _SECOND_US + rest_us
                shown = low_us <= at_us < high_us and calendar.second_of_day(at_us) == second
                if shown:
                    found.add(at_us)
    return sorted(found)
