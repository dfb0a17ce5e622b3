"""Replies per second and latency: every gateway once a round, so that a slow minute is shared."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from subprocess import SubprocessError
from typing import NamedTuple

from benchmarks import bare_loop, gateway, kannel
from benchmarks.driver import CannotMeasure, Load, Result

SMSD, BARE_LOOP = "smsd", "bare loop"
KANNEL, KANNEL_SPOOL = "Kannel without store", "Kannel with spool"
PACE = 1_000
_WINDOWS = (1_000, 5_000)
_KANNEL_SHARE = 5  # Kannel is given a fifth of the SMS: it needs as long for them


class Contender(NamedTuple):
    """A gateway under a load, each in words, and how to run it once. absent: why it cannot be."""

    gateway: str
    load: str
    run: Callable[[], Result]
    absent: str = ""


class Rate(NamedTuple):
    """Its runs, in their order. absent: why there are none, or not all."""

    gateway: str
    load: str
    runs: list[Result]
    absent: str = ""

    @property
    def name(self) -> str:
        """Gateway and load."""
        return f"{self.gateway}, {self.load}"

    @property
    def rates(self) -> list[float]:
        """Replies per second of every run."""
        return [run.rate for run in self.runs]

    @property
    def median(self) -> float:
        """Replies per second, in the median of the runs."""
        return median(self.rates)

    def times_ms(self, field: str) -> list[float]:
        """Milliseconds of every run: `p50_s`, `p95_s` or `p99_s`."""
        return [getattr(run, field) * 1_000 for run in self.runs]

    @property
    def put_off(self) -> dict[str, int]:
        """How many deliver_sm were refused in all runs, by command_status."""
        counts: dict[str, int] = {}
        for run in self.runs:
            for status, count in run.refused.items():
                counts[status] = counts.get(status, 0) + count
        return counts


def closed_load(messages: int, window: int, people: int) -> Load:
    """A closed loop; a few SMS get a small window, since one burst of them would be no loop."""
    warm_up = messages // 10
    return Load(messages, warm_up, window=max(min(window, warm_up), 1), people=people)


def closed_loops(driver: Path, register: Path, messages: int, people: int) -> list[Contender]:
    """smsd and the bare loop with each window, and Kannel with and without its spool."""
    loads = {closed_load(messages, window, people): None for window in _WINDOWS}
    few = closed_load(messages // _KANNEL_SHARE, _WINDOWS[0], people)
    absent = "" if kannel.installed() else "Kannel is not installed (Debian: kannel)"
    without, spool = (partial(kannel.measure, driver, few, spool=spool) for spool in (False, True))
    return [
        *(_closed(SMSD, load, partial(_smsd, driver, load, register)) for load in loads),
        _closed(KANNEL, few, without)._replace(absent=absent),
        _closed(KANNEL_SPOOL, few, spool)._replace(absent=absent),
        *(_closed(BARE_LOOP, load, partial(bare_loop.measure, driver, load)) for load in loads),
    ]


def _closed(name: str, load: Load, run: Callable[[], Result]) -> Contender:
    return Contender(name, f"window {load.window:,}", run)


def paced(driver: Path, register: Path, messages: int, people: int) -> Contender:
    """smsd in an open loop, far below its limit."""
    load = Load(messages, messages // 10, rate=PACE, people=people)
    return Contender(SMSD, f"open loop, {PACE:,} SMS/s", partial(_smsd, driver, load, register))


def _smsd(driver: Path, load: Load, register: Path) -> Result:
    return gateway.measure(driver, load, register).result


def measure(
    contenders: Sequence[Contender], rounds: int, progress: Callable[[str], None]
) -> list[Rate]:
    """Round by round; who fails in one sits out the rest. `progress` is told who is next."""
    rates = [Rate(each.gateway, each.load, [], each.absent) for each in contenders]
    for _ in range(rounds):
        for at, contender in enumerate(contenders):
            progress(rates[at].name)
            if rates[at].absent:
                continue
            try:
                rates[at].runs.append(contender.run())
            except (CannotMeasure, SubprocessError, OSError) as fault:
                rates[at] = rates[at]._replace(absent=str(fault))
    return rates


def best(rates: Sequence[Rate], name: str) -> Rate:
    """The fastest of a gateway's rates, by their medians; else one that says why there is none."""
    own = [rate for rate in rates if rate.gateway == name]
    return max(own, key=lambda rate: 0.0 if rate.absent else rate.median)
