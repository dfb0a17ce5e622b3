"""The rate with three open dashboards beside that with none: `python -m benchmarks.dashboards`.

Runs come in pairs, one of each kind, and every second pair the other way round: what drifts
meanwhile – a disk, a processor's heat – weighs on both alike.
"""

import json
import subprocess
import sys
import tempfile
from operator import add
from pathlib import Path
from statistics import median
from typing import NamedTuple

import click

from benchmarks import gateway
from benchmarks.driver import CannotMeasure, Load, compile_driver
from benchmarks.machine import describe, free_ports, in_words
from benchmarks.rates import closed_load
from benchmarks.register import import_people

DASHBOARDS = 3
WANTED = 0.98
"""Of the rate without them."""

PAIRS = 4
_END_S = 30.0


class Watched(NamedTuple):
    """Replies/s, each run in its order. snapshots: that each dashboard saw, over all runs."""

    alone: list[float]
    watched: list[float]
    snapshots: list[int]

    @property
    def ratios(self) -> list[float]:
        """Of each pair, the rate with dashboards over that without."""
        return [after / before for before, after in zip(self.alone, self.watched, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the pairs."""
        return median(self.ratios)


def measure(driver: Path, register: Path, load: Load, pairs: int = PAIRS) -> Watched:
    """Run pair by pair."""
    found = Watched([], [], [0] * DASHBOARDS)
    for number in range(pairs):
        kinds = (False, True) if number % 2 == 0 else (True, False)
        for is_watched in kinds:
            (port,) = free_ports(1)
            if is_watched:
                rate, snapshots = _while_watched(driver, register, load, port)
                found.watched.append(rate)
                found.snapshots[:] = map(add, found.snapshots, snapshots)
            else:
                found.alone.append(_rate(driver, register, load, port))
    return found


def _rate(driver: Path, register: Path, load: Load, port: int) -> float:
    return gateway.measure(driver, load, register, desk_port=port).result.rate


def _while_watched(driver: Path, register: Path, load: Load, port: int) -> tuple[float, list[int]]:
    """The rate, and what each dashboard saw: it opens as soon as the daemon listens."""
    command = [sys.executable, "-m", "benchmarks.onlookers", str(port), str(DASHBOARDS)]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(command, stdout=pipe, stderr=nothing, text=True) as onlookers:
        try:
            rate = _rate(driver, register, load, port)
            told, _ = onlookers.communicate(timeout=_END_S)
        finally:
            onlookers.kill()
    snapshots: list[int] = json.loads(told) if told else []
    if len(snapshots) < DASHBOARDS or not all(snapshots):
        raise CannotMeasure(f"of {DASHBOARDS} dashboards not each saw anything: {snapshots}")
    return rate, snapshots


@click.command()
@click.option("--messages", default=200_000, show_default=True, type=click.IntRange(min=1_000))
@click.option("--pairs", default=PAIRS, show_default=True, type=click.IntRange(min=1))
@click.option("--people", default=1_000_000, show_default=True, type=click.IntRange(min=1_000))
def main(messages: int, pairs: int, people: int) -> None:
    """Flood the daemon in turns with and without three open dashboards."""
    with tempfile.TemporaryDirectory(prefix="smsd-bench-") as name:
        folder = Path(name)
        register, _ = import_people(folder, people)
        load = closed_load(messages, gateway.WINDOW, people)
        found = measure(compile_driver(folder), register, load, pairs)
    for words, rates in (("no dashboard", found.alone), ("three dashboards", found.watched)):
        told = ", ".join(f"{rate:,.0f}" for rate in rates)
        click.echo(f"{words:<17} {median(rates):>7,.0f}/s  ({told})")
    told = ", ".join(f"{ratio:.3f}" for ratio in found.ratios)
    click.echo(f"ratio             {found.ratio:.3f}    ({told}); wanted: {WANTED}")
    click.echo(f"snapshots seen by each: {found.snapshots}; {in_words(describe())}")
    raise SystemExit(0 if found.ratio >= WANTED else 1)


if __name__ == "__main__":
    main()
