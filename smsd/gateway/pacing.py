"""How many messages a second an SMSC is given: its limit, and less for a while after congestion.

Leaving evenly is the generic cell rate algorithm (ITU-T I.371, annex A): each message moves the
instant at which the next one is due. The rate itself halves at once and rises evenly, as TCP's
does: that is fair to the others whom the SMSC serves, and needs no knowledge of its limit. Without
one it falls from what was really sent. Times are monotonic seconds, and told.
"""

from math import inf
from sys import maxsize
from typing import Final, NamedTuple

EVERYTHING: Final = maxsize
# Limits are counted by the second, and answers to what was sent before a fall come after it.
_FALL_EVERY_S = 1.0
_FALLS_TO = 0.5
_RISES_WITHIN_S = 60.0
# What a timer, or the sum of a thousand intervals, may be early by.
_INSTANT_S = 1e-9


class PacingLimits(NamedTuple):
    """Bounds of the rate, in messages a second; see `smsd.config.SmscSection`.

    rate_per_s: 0 means none. recovery_per_s: how much is added each second; 0 means so much that
    the whole rate is back within a minute. burst_s: what is due within it may leave at once.
    """

    rate_per_s: float
    rate_min_per_s: float
    recovery_per_s: float
    burst_s: float


class Pacing:
    """The rate of one SMSC, over all its binds and for as long as the daemon lives."""

    __slots__ = ("_base", "_burst_s", "_ceiling", "_due", "_limits", "_rises", "_sent", "_since",
                 "limit_per_s", "unlimited")  # fmt: skip

    def __init__(self, limits: PacingLimits) -> None:
        self._limits = limits
        self._burst_s = limits.burst_s
        self.limit_per_s = limits.rate_per_s  # 0: none
        self.unlimited = not limits.rate_per_s
        self._ceiling = limits.rate_per_s or inf
        self._base = self._ceiling  # the rate at `_since`, from where it rises
        self._since = -inf
        self._rises = 0.0
        self._due = -inf  # when the next message would leave if all left evenly
        self._sent = _Busiest()

    def limit(self, rate_per_s: float, now: float) -> None:
        """From now on so many a second at most, whatever congestion had made of it; 0: no limit."""
        self.limit_per_s = rate_per_s
        self.unlimited = not rate_per_s
        self._base = self._ceiling = rate_per_s or inf
        if rate_per_s:
            # At a high rate nobody waits out the interval of the low one before.
            self._due = min(self._due, now + self._burst_s + 1 / rate_per_s)

    def rate_per_s(self, now: float) -> float:
        """Messages a second that may leave now; 0: as many as there are."""
        if self._base >= self._ceiling:
            return 0.0 if self.unlimited else self._ceiling
        return min(self._ceiling, self._base + self._rises * (now - self._since))

    def allowance(self, now: float) -> int:
        """How many messages may leave now."""
        if self.unlimited:
            return EVERYTHING
        early_s = max(self._due, now) - self._burst_s - now
        if early_s > _INSTANT_S:
            return 0
        rate = self.rate_per_s(now)
        if rate >= self._ceiling:
            self._base = self._ceiling
            if not self.limit_per_s:
                self.unlimited = True  # it takes again what it took before
                return EVERYTHING
        return int((_INSTANT_S - early_s) * rate) + 1

    def left(self, messages: int, now: float) -> None:
        """So many left."""
        self._sent.add(messages, now)
        if not self.unlimited:
            self._due = max(self._due, now) + messages / self.rate_per_s(now)

    def wait_s(self, now: float) -> float:
        """How long until the next may leave."""
        return max(0.0, self._due - self._burst_s - now)

    def congested(self, now: float) -> float | None:
        """The SMSC says that it is given too much; the rate that follows, None if no other one."""
        if now - self._since < _FALL_EVERY_S:
            return None
        if self.unlimited:
            before = float(self._sent.within_a_second(now))
            self.unlimited = False
            self._ceiling = max(before, self._limits.rate_min_per_s)
        else:
            before = self.rate_per_s(now)
        self._base = min(max(before * _FALLS_TO, self._limits.rate_min_per_s), self._ceiling)
        self._rises = self._limits.recovery_per_s or max(1.0, self._ceiling / _RISES_WITHIN_S)
        self._since = now
        self._due = now + self._burst_s + 1 / self._base  # nothing is left of the burst
        return self._base


class _Busiest:
    """How many messages left within a second, of the last two the busier one."""

    __slots__ = ("_before", "_count", "_since")

    def __init__(self) -> None:
        self._since = -inf
        self._count = 0
        self._before = 0

    def add(self, messages: int, now: float) -> None:
        passed_s = now - self._since
        if passed_s >= 1:
            self._before = self._count if passed_s < 2 else 0
            self._count = 0
            self._since = now
        self._count += messages

    def within_a_second(self, now: float) -> int:
        self.add(0, now)
        return max(self._count, self._before)
