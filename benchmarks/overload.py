"""Twice the capacity, offered without regard to the answers: what is kept of the rate, and at
what cost.

An SMSC re-offers what was put off; the driver counts it and offers other SMS instead. What the
daemon does not read waits with the driver, as it would wait in the SMSC.
"""

from pathlib import Path
from typing import NamedTuple

from benchmarks import gateway
from benchmarks.driver import Load, Result
from smsd.config import LimitsSection

_FACTOR = 2.0
_QUEUED_KIB = 1.0  # an SMS or a reply in a queue of the daemon, with all its Python objects
_LIMITS = LimitsSection()


class Overload(NamedTuple):
    """Replies/s: of the closed loop and under twice that. MiB: resident, daemon and writer.

    bound_mib: what the closed loop of equal length used at most, and full queues besides.
    """

    capacity: float
    result: Result
    closed_peak_mib: float
    bound_mib: float
    peak_mib: float
    growth_mib: float

    @property
    def seconds(self) -> float:
        """For how long it was offered: less than asked for where there are too few people."""
        return self.result.offered / (_FACTOR * self.capacity)

    @property
    def kept(self) -> float:
        """The share of the capacity that is left under overload."""
        return self.result.rate / self.capacity


def measure(
    driver: Path, register: Path, people: int, seconds: float, expected_rate: float
) -> Overload:
    """A closed loop of about `seconds`, then its doubled rate for exactly so long.

    `expected_rate` tells how many SMS the closed loop takes; never more than `people`.
    """
    messages = min(people, round(expected_rate * seconds))
    window = min(gateway.WINDOW, messages // 10)  # a few SMS would be one burst and no loop
    load = Load(messages, messages // 10, window=window, people=people)
    closed = gateway.measure(driver, load, register)
    rate = _FACTOR * closed.result.rate
    offered = load._replace(
        messages=min(people, round(rate * seconds)), rate=rate, seconds=seconds, enquire=True
    )
    open_ = gateway.measure(driver, offered, register)
    queued = _LIMITS.intake_messages_max + _LIMITS.outbox_memory_max
    return Overload(
        closed.result.rate,
        open_.result,
        closed.peak_mib,
        closed.peak_mib + queued * _QUEUED_KIB / 1024,
        open_.peak_mib,
        open_.growth_mib,
    )
