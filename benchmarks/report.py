"""What a run found: as one JSON object, and as two tables for people."""

from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.goals import Goal
from benchmarks.measuring import Found
from benchmarks.overload import Overload
from benchmarks.rates import Rate
from benchmarks.sizes import Part, Sizes

_VERDICTS = {True: "[green]met", False: "[red]missed", None: "[yellow]no figure"}


class Report(NamedTuple):
    """A run. at: ISO, UTC. machine: as `machine.describe` tells it."""

    at: str
    machine: dict[str, str | int]
    sizes: Sizes
    runs: int
    goals: list[Goal]
    found: Found

    def rates(self, *parts: Part) -> list[Rate]:
        """Those of the parts; empty where there is no driver."""
        found = (self.found.get(part) for part in parts)
        return [rate for own in found if isinstance(own, list) for rate in own]


def plain(value: Any) -> Any:
    """Named tuples and what holds them as dictionaries, for JSON."""
    if hasattr(value, "_asdict"):
        return {name: plain(field) for name, field in value._asdict().items()}
    if isinstance(value, dict):
        return {str(name): plain(field) for name, field in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def show(report: Report, console: Console) -> None:
    """Print it."""
    if rates := report.rates(Part.RATES, Part.LATENCY):
        console.print(_rates_table(rates))
    console.print(_goals_table(report.goals))
    for words in put_off(report):
        console.print(words, style="yellow", highlight=False)
    for line in (
        f"machine: {machine.in_words(report.machine)}; {report.at}",
        f"workload: {report.sizes.in_words()}, runs {report.runs}",
    ):
        console.print(line, highlight=False, soft_wrap=True)
    if any(goal.size not in ("", "full") for goal in report.goals):
        console.print("Sizes under the full ones say so; all of them: make bench ARGS=--full")


def put_off(report: Report) -> list[str]:
    """A line for each gateway and status with which SMS were refused; its rate leaves them out."""
    counts = {rate.name: rate.put_off for rate in report.rates(Part.RATES, Part.LATENCY)}
    waited = []
    overload = report.found.get(Part.OVERLOAD)
    if isinstance(overload, Overload):
        result = overload.result
        counts["smsd, 2 × capacity"] = result.refused
        waited = [f"smsd, 2 × capacity: {result.offered - result.sent:,} SMS stayed with the SMSC"]
    return [
        *(
            f"{name}: {count:,} SMS put off with status {status}"
            for name, refused in counts.items()
            for status, count in refused.items()
        ),
        *waited,
    ]


def _rates_table(rates: Sequence[Rate]) -> Table:
    table = Table(title="deliver_sm → answered by submit_sm")
    for heading in ("gateway", "replies/s, median", "lowest–highest", "p50 ms", "p95 ms", "p99 ms"):
        table.add_column(heading, justify="left" if heading == "gateway" else "right")
    for rate in rates:
        if rate.absent:
            table.add_row(rate.name, rate.absent)
            continue
        times = (median(rate.times_ms(field)) for field in ("p50_s", "p95_s", "p99_s"))
        table.add_row(
            rate.name,
            f"{rate.median:,.0f}",
            f"{min(rate.rates):,.0f}–{max(rate.rates):,.0f}",
            *(f"{time_ms:.1f}" for time_ms in times),
        )
    return table


def _goals_table(goals: Sequence[Goal]) -> Table:
    table = Table(title="goals")
    for heading in ("figure", "wanted", "measured: median (lowest–highest)", "size", ""):
        table.add_column(heading)
    for goal in goals:
        table.add_row(goal.figure, goal.wanted, goal.measured, goal.size, _VERDICTS[goal.met])
    return table
