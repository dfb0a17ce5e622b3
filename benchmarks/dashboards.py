"""The rate with three open dashboards beside that with none: `python -m benchmarks.dashboards`.

Within one flood dashboards are open for a turn and away for one, again and again, and each turn is
set beside the two around it: what drifts meanwhile – a growing store, a disk, a neighbour on the
same processor – weighs on both alike. When each reply left is read from the store afterwards, which
costs the flood nothing.
"""

import json
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
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

FLOODS = 25  # as many messages as other closed loops have
TURN_S = 6.0
_SETTLING_US = 1_500_000  # opening the pages, and closing them, is no part of a turn
_TURNS_MIN = 5
_END_S = 30.0

_REPLIES = "SELECT count(*) FROM reply WHERE settled_at_us >= ? AND settled_at_us < ?"


class Watched(NamedTuple):
    """Replies/s of each turn that was watched, and of the mean of the turns around it.

    snapshots: that each dashboard saw, over all turns.
    """

    alone: list[float]
    watched: list[float]
    snapshots: list[int]

    @property
    def ratios(self) -> list[float]:
        """Of each turn, the rate with dashboards over that without."""
        return [after / before for before, after in zip(self.alone, self.watched, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the turns."""
        return median(self.ratios)


def measure(driver: Path, register: Path, load: Load, turn_s: float = TURN_S) -> Watched:
    """One flood, watched in turns."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "benchmarks.onlookers", str(port), str(DASHBOARDS)]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with (
        tempfile.TemporaryDirectory(prefix="smsd-bench-") as folder,
        subprocess.Popen([*command, str(turn_s)], stdout=pipe, stderr=nothing, text=True) as eyes,
    ):
        store = Path(folder) / "smsd.db"
        try:
            gateway.measure(driver, load, register, store, desk_port=port)
            told, _ = eyes.communicate(timeout=_END_S)
        finally:
            eyes.kill()
        turns = [json.loads(line) for line in told.splitlines()]
        with closing(sqlite3.connect(store)) as connection:
            return compared(connection, turns)


def compared(connection: sqlite3.Connection, turns: list[list[int]]) -> Watched:
    """Each turn but the outermost beside the two between which it lies.

    The first began while processes started, and the last ended with the flood.
    """
    found = Watched([], [], [0] * DASHBOARDS)
    for before, (from_us, until_us, *seen), after in zip(turns, turns[1:], turns[2:], strict=False):
        around = (
            _rate(connection, before[1], from_us),
            _rate(connection, until_us, after[0]),
        )
        found.alone.append(sum(around) / 2)
        found.watched.append(_rate(connection, from_us, until_us))
        found.snapshots[:] = map(add, found.snapshots, seen)
    if len(found.watched) < _TURNS_MIN or not all(found.snapshots):
        raise CannotMeasure(f"{len(found.watched)} turns were watched; more messages are needed")
    return found


def _rate(connection: sqlite3.Connection, from_us: int, until_us: int) -> float:
    """Replies a second that left between two instants, without what the change itself costs."""
    start_us, end_us = from_us + _SETTLING_US, until_us - _SETTLING_US
    (replies,) = connection.execute(_REPLIES, (start_us, end_us)).fetchone()
    return float(replies) * 1_000_000 / (end_us - start_us)


@click.command()
@click.option(
    "--messages", default=FLOODS * 100_000, show_default=True, type=click.IntRange(min=1_000)
)
@click.option("--turn-s", default=TURN_S, show_default=True, type=click.FloatRange(min=1.0))
@click.option("--people", default=1_000_000, show_default=True, type=click.IntRange(min=1_000))
def main(messages: int, turn_s: float, people: int) -> None:
    """Flood the daemon, three open dashboards in every second turn."""
    with tempfile.TemporaryDirectory(prefix="smsd-bench-") as name:
        folder = Path(name)
        register, _ = import_people(folder, people)
        load = closed_load(messages, gateway.WINDOW, people)
        found = measure(compile_driver(folder), register, load, turn_s)
    for words, rates in (("no dashboard", found.alone), ("three dashboards", found.watched)):
        told = ", ".join(f"{rate:,.0f}" for rate in rates)
        click.echo(f"{words:<17} {median(rates):>7,.0f}/s  ({told})")
    told = ", ".join(f"{ratio:.3f}" for ratio in found.ratios)
    click.echo(f"ratio             {found.ratio:.3f}    ({told}); wanted: {WANTED}")
    click.echo(f"snapshots seen by each: {found.snapshots}; {in_words(describe())}")
    raise SystemExit(0 if found.ratio >= WANTED else 1)


if __name__ == "__main__":
    main()
