"""Times as people type them."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from rules.instants import instant_us
from smsd.tools.output import ToolRefused

__all__ = ["moment_us", "now_us", "since_us", "told"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_SPAN = re.compile(r"([0-9]{1,5})(min|h|d)")
_UNITS = {"min": "minutes", "h": "hours", "d": "days"}


def now_us() -> int:
    """Microseconds since 1970, UTC."""
    return (datetime.now(tz=UTC) - _EPOCH) // _US


def moment_us(typed: str, zone: str) -> int:
    """The instant of ``2020-06-28T00:00`` on the clock of a zone, or with its own offset.

    Raises ToolRefused.
    """
    try:
        return instant_us(datetime.fromisoformat(typed), ZoneInfo(zone))
    except ValueError as fault:
        raise ToolRefused(
            f'"{typed}" is not a time ({fault}); write it like 2020-06-28T00:00,'
            f" on the clock of {zone}"
        ) from fault


def since_us(typed: str, zone: str) -> int:
    """An instant in the past: a moment, or a span back from now such as ``24h`` or ``7d``."""
    span = _SPAN.fullmatch(typed)
    if span is None:
        return moment_us(typed, zone)
    back = timedelta(**{_UNITS[span[2]]: int(span[1])})
    return now_us() - back // _US


def told(at_us: int, zone: str) -> str:
    """An instant on the clock of a zone, to the second."""
    return f"{(_EPOCH + at_us * _US).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"
