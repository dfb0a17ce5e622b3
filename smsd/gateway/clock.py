"""The two clocks, never mixed: monotonic seconds for timers, UTC microseconds for records."""

import contextlib
import time
from pathlib import Path
from typing import Any, Protocol

_NS_PER_US = 1_000
_US_PER_S = 1_000_000


class Clock(Protocol):
    """What the shell asks for the time; the core is told."""

    def monotonic(self) -> float:
        """Seconds that never jump; the reactor's timers count on the same."""

    def utc_us(self) -> int:
        """Microseconds since 1970-01-01T00:00Z, for records and decisions."""


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()

    def utc_us(self) -> int:
        """See `Clock.utc_us`."""
        return time.time_ns() // _NS_PER_US


class RehearsalClock(SystemClock):
    """The machine's clocks with records shifted by the seconds that a file holds.

    For demos and rehearsals ("what will happen at midnight?"). The file is read anew each
    time, so whoever rehearses can move the hour while the daemon runs. A file that is
    missing or holds no number counts as no change.
    """

    def __init__(self, offset_file: Path) -> None:
        self._offset_file = offset_file
        self._offset_us = 0

    def utc_us(self) -> int:
        """See `Clock.utc_us`."""
        with contextlib.suppress(OSError, ValueError, OverflowError):
            self._offset_us = int(float(self._offset_file.read_text()) * _US_PER_S)
        return super().utc_us() + self._offset_us


def install_monotonic_reactor() -> Any:
    """Install and return Twisted's reactor with timers that a wall-clock jump cannot move.

    Stock reactors count `callLater` in wall time.
    """
    from twisted.internet.default import install

    install()
    from twisted.internet import reactor

    monotonic: Any = reactor
    monotonic.seconds = time.monotonic
    return monotonic
