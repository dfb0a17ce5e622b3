"""Ages in whole years, by the calendar."""

from datetime import date

__all__ = ["latest_birth_date"]


def latest_birth_date(day: date, years: int, leap_day_birthday: str) -> date:
    """Whoever was born up to the result is at least ``years`` old on ``day``.

    leap_day_birthday: ``"02-28"`` or ``"03-01"``, the day on which somebody born on
        29 February grows older in a year that has no such day.
    """
    year = day.year - years
    if year < 1:
        return date.min
    if (day.month, day.day) == (2, 29):
        return date(year, 2, 29 if _is_leap(year) else 28)
    last_of_february = (day.month, day.day) == (2, 28) and not _is_leap(day.year)
    if last_of_february and leap_day_birthday == "02-28" and _is_leap(year):
        return date(year, 2, 29)
    return day.replace(year=year)


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
