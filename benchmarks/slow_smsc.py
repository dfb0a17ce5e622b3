"""An SMSC that takes 50 ms to answer each submit_sm, beside one that answers at once."""

from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import gateway
from benchmarks.driver import Load

RESPOND_AFTER_S = 0.05
WINDOW = 1_000
CEILING = WINDOW / RESPOND_AFTER_S
"""Replies/s that so many in the window can be at most, however fast the gateway (Little's law)."""


class SlowSmsc(NamedTuple):
    """Replies/s, each run in its order."""

    at_once: list[float]
    late: list[float]

    @property
    def wanted(self) -> float:
        """0.8 of the rate at 0 ms, or of the most that the window admits."""
        return 0.8 * min(median(self.at_once), CEILING)


def measure(driver: Path, register: Path, load: Load, runs: int) -> SlowSmsc:
    """Run in turns."""
    found = SlowSmsc([], [])
    for _ in range(runs):
        for rates, respond_after_s in ((found.at_once, 0.0), (found.late, RESPOND_AFTER_S)):
            own = load._replace(respond_after_s=respond_after_s)
            rates.append(gateway.measure(driver, own, register, window=WINDOW).result.rate)
    return found
