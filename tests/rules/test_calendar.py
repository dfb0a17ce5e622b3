"""Civil days and clock times, held to the standard library at every kind of clock change."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rules.calendar import Calendar

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def us(text: str) -> int:
    """Return the instant of an ISO time in UTC."""
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


@pytest.fixture(scope="module")
def baku() -> Calendar:
    """The calendar of the service."""
    return Calendar("Asia/Baku")


def test_a_day_in_baku_begins_at_eight_in_the_evening_utc(baku: Calendar) -> None:
    """The last microsecond of a day and the first of the next are told apart."""
    start_us = us("2020-04-04T20:00:00")
    assert baku.date(start_us - 1) == date(2020, 4, 4)
    assert baku.clock(start_us - 1) == "23:59"
    assert baku.date(start_us) == date(2020, 4, 5)
    assert baku.clock(start_us) == "00:00"
    assert baku.day_start_us(date(2020, 4, 5).toordinal()) == start_us


def test_the_leap_day_is_a_day(baku: Calendar) -> None:
    """29 February 2020 lies between the 28th and 1 March, a day from each."""
    leap = date(2020, 2, 29).toordinal()
    starts = [baku.day_start_us(leap + offset) for offset in (-1, 0, 1, 2)]
    assert [b - a for a, b in pairwise(starts)] == [24 * HOUR_US] * 3
    assert baku.date(starts[1]) == date(2020, 2, 29)
    assert baku.date(starts[2]) == date(2020, 3, 1)


@pytest.mark.parametrize(
    ("zone", "day", "hours", "why"),
    [
        ("Asia/Baku", date(2015, 3, 29), 23, "the last spring change there"),
        ("Asia/Baku", date(2015, 10, 25), 25, "the last autumn change there"),
        ("Europe/Athens", date(2026, 3, 29), 23, "a spring change"),
        ("Asia/Beirut", date(2022, 3, 27), 23, "a day that begins at 01:00"),
        ("America/Havana", date(2022, 11, 6), 25, "a day whose first hour comes twice"),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5, "a change of half an hour"),
        ("Asia/Kathmandu", date(2026, 4, 5), 24, "an offset of three quarters"),
        ("Pacific/Apia", date(2011, 12, 30), 0, "a day that the zone skipped"),
    ],
)
def test_days_may_have_any_length(zone: str, day: date, hours: float, why: str) -> None:
    """A civil day is as long as its zone makes it."""
    calendar = Calendar(zone)
    start_us = calendar.day_start_us(day.toordinal())
    assert calendar.day_start_us(day.toordinal() + 1) - start_us == hours * HOUR_US, why
    assert calendar.day(start_us - 1) == day.toordinal() - 1
    if hours:
        assert calendar.date(start_us) == day


def test_a_midnight_that_comes_twice_begins_its_day_once() -> None:
    """St John's set its clocks back at 00:01: the day begins at the first of two midnights."""
    calendar = Calendar("America/St_Johns")
    start_us = us("2010-11-07T02:30:00")
    assert calendar.day_start_us(date(2010, 11, 7).toordinal()) == start_us
    assert calendar.date(start_us + 60 * SECOND_US) == date(2010, 11, 6)
    assert calendar.clock(start_us + 60 * SECOND_US) == "23:01"


ZONES = [
    "Asia/Baku",
    "America/St_Johns",
    "Asia/Beirut",
    "Pacific/Apia",
    "Australia/Lord_Howe",
    "Africa/Monrovia",
    "America/Toronto",
    "UTC",
]
CALENDARS = {zone: Calendar(zone) for zone in ZONES}


@given(
    st.sampled_from(ZONES),
    st.integers(us("1890-01-01T00:00:00"), us("2100-01-01T00:00:00")),
)
@example("Africa/Monrovia", us("1972-01-07T00:44:29"))
@example("Africa/Monrovia", us("1972-01-07T00:44:30"))
@example("America/St_Johns", us("2010-11-07T02:30:30"))
@example("America/St_Johns", us("2010-11-07T02:31:30"))
def test_days_and_clocks_agree_with_the_standard_library(zone: str, at_us: int) -> None:
    """Every instant has the date and the time of day that zoneinfo gives it."""
    calendar = CALENDARS[zone]
    expected = (EPOCH + timedelta(microseconds=at_us)).astimezone(ZoneInfo(zone))
    assert calendar.date(at_us) == expected.date()
    assert calendar.clock(at_us) == f"{expected:%H:%M}"


@given(
    st.sampled_from(ZONES),
    st.integers(date(1890, 1, 1).toordinal(), date(2100, 1, 1).toordinal()),
)
@example("Asia/Beirut", date(2022, 3, 27).toordinal())
@example("Pacific/Apia", date(2011, 12, 30).toordinal())
@example("America/Toronto", date(1919, 3, 31).toordinal())  # 23:30 became 00:30
def test_a_day_starts_at_its_first_instant(zone: str, ordinal: int) -> None:
    """At day_start_us the day has come, and a microsecond before it had not."""
    calendar = CALENDARS[zone]
    start_us = calendar.day_start_us(ordinal)
    assert calendar.day(start_us) >= ordinal
    assert calendar.day(start_us - 1) < ordinal


@pytest.mark.parametrize("zone", ["Asia/Nowhere", "Asia", "", "../etc/passwd", "/etc/passwd"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    """Whatever zoneinfo makes of a wrong name, the policy officer reads one message."""
    with pytest.raises(ValueError, match="is not the name of an IANA time zone"):
        Calendar(zone)
