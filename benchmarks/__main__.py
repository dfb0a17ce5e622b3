"""`make bench`: smsd in full dress beside Kannel and the bare loop, on one machine in one run."""

import json
import statistics
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import bare_loop, gateway, kannel, machine
from benchmarks.driver import CannotDrive, Load, Result, compile_driver

_RESULTS = Path(__file__).parent / "results"


class Figure(NamedTuple):
    """One line of the table: milliseconds of the median run, rates of all, slowest first."""

    name: str
    rates: list[float]
    p50_ms: float
    p95_ms: float
    p99_ms: float
    refused: int

    @property
    def rate(self) -> float:
        """Replies per second of the median run."""
        return statistics.median(self.rates)


class Goal(NamedTuple):
    """What was wanted, and what came of it."""

    name: str
    wanted: str
    measured: str
    met: bool


@click.command()
@click.option("--messages", default=100_000, show_default=True, help="SMS of a closed-loop run.")
@click.option("--people", default=200_000, show_default=True, help="Documents in the register.")
@click.option("--full", is_flag=True, help="A register of ten million people.")
@click.option("--runs", default=3, show_default=True, help="Runs of each figure.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def main(messages: int, people: int, full: bool, runs: int, as_json: bool) -> None:
    """Flood the gateways through a real TCP link and report replies/s and latency.

    smsd wears full dress: shipped policy, register, synchronous=FULL, metrics and logs on; every
    SMS asks for a document of its own and is granted. Kannel and the bare loop answer each
    with one static text. The driver, in C, has a process of its own.
    """
    people = max(10_000_000 if full else people, messages)
    closed = Load(messages, messages // 10, people=people)
    wide = closed._replace(window=5_000)
    paced = Load(min(messages, 10_000), 1_000, rate=1_000, people=people)
    resident_mib: list[float] = []
    with tempfile.TemporaryDirectory(prefix="smsd-bench-") as name:
        folder = Path(name)
        try:
            driver = compile_driver(folder)
        except CannotDrive as reason:
            raise click.ClickException(str(reason)) from reason
        register, import_s = gateway.import_register(folder, people)

        def smsd(load: Load) -> Result:
            result, resident = gateway.measure(driver, load, register)
            resident_mib.append(resident)
            return result

        few = closed._replace(messages=max(messages // 5, 1), warm_up=messages // 50)
        runners: dict[str, Callable[[], Result]] = {
            "smsd, window 1000": lambda: smsd(closed),
            "smsd, window 5000": lambda: smsd(wide),
            "smsd, open loop 1000/s": lambda: smsd(paced),
            "bare loop, window 1000": lambda: bare_loop.measure(driver, closed),
            "bare loop, window 5000": lambda: bare_loop.measure(driver, wide),
        }
        if kannel.installed():
            runners["Kannel, no store"] = lambda: kannel.measure(driver, few, spool=False)
            runners["Kannel, spool"] = lambda: kannel.measure(driver, few, spool=True)
        figures = _figures(runners, runs)
    goals = _goals({figure.name: figure for figure in figures}, import_s, people, resident_mib)
    report = {
        "at": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "workload": {"messages": messages, "people": people, "runs": runs},
        "figures": [figure._asdict() for figure in figures],
        "goals": [goal._asdict() for goal in goals],
    }
    _RESULTS.mkdir(exist_ok=True)
    with (_RESULTS / "bench.jsonl").open("a", encoding="utf-8") as out:
        out.write(json.dumps(report) + "\n")
    if as_json:
        click.echo(json.dumps(report, indent=2))
    else:
        _print(report, figures, goals)


def _figures(runners: dict[str, Callable[[], Result]], runs: int) -> list[Figure]:
    """Round by round, so that a slow minute of the machine is shared by all."""
    results: dict[str, list[Result]] = {name: [] for name in runners}
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("measuring", total=runs * len(runners))
        for _ in range(runs):
            for name, run in runners.items():
                progress.update(task, description=name)
                results[name].append(run())
                progress.advance(task)
    return [_figure(name, own) for name, own in results.items()]


def _figure(name: str, results: list[Result]) -> Figure:
    ordered = sorted(results, key=lambda result: result.rate)
    median = ordered[len(ordered) // 2]
    times = (median.p50_s * 1_000, median.p95_s * 1_000, median.p99_s * 1_000)
    rates = [result.rate for result in ordered]
    return Figure(name, rates, *times, sum(result.refused for result in results))


def _goals(
    figures: dict[str, Figure], import_s: float, people: int, resident_mib: list[float]
) -> list[Goal]:
    best = max(figures["smsd, window 1000"].rate, figures["smsd, window 5000"].rate)
    bare = max(figures["bare loop, window 1000"].rate, figures["bare loop, window 5000"].rate)
    goals = []
    for name, factor in (("Kannel, spool", 10.0), ("Kannel, no store", 7.0)):
        if name in figures:
            goals.append(_ratio(name, best / figures[name].rate, factor))
        else:
            goals.append(Goal(name, f"≥ {factor:g} ×", "Kannel is not installed", met=False))
    goals.append(_ratio("the bare loop", best / bare, 0.5))
    paced = figures["smsd, open loop 1000/s"]
    latency = f"p50 {paced.p50_ms:.1f} ms, p99 {paced.p99_ms:.1f} ms"
    met = paced.p50_ms <= 5 and paced.p99_ms <= 50
    goals.append(Goal("latency at 1000/s", "p50 ≤ 5 ms, p99 ≤ 50 ms", latency, met))
    wanted_s = 180 * people / 10_000_000
    imported = f"{import_s:.0f} s for {people:,} people"
    goals.append(Goal("register import", f"≤ {wanted_s:.0f} s", imported, import_s <= wanted_s))
    peak_mib = max(resident_mib)
    goals.append(Goal("resident", "≤ 300 MB", f"{peak_mib:.0f} MiB", peak_mib * 1.048576 <= 300))
    return goals


def _ratio(name: str, ratio: float, wanted: float) -> Goal:
    return Goal(f"beside {name}", f"≥ {wanted:g} ×", f"{ratio:.2f} ×", ratio >= wanted)


def _print(report: dict[str, Any], figures: list[Figure], goals: list[Goal]) -> None:
    table = Table(title="deliver_sm → answered by submit_sm")
    for heading in (
        "gateway",
        "replies/s (median)",
        "lowest–highest",
        "p50 ms",
        "p95 ms",
        "p99 ms",
    ):
        table.add_column(heading, justify="left" if heading == "gateway" else "right")
    for figure in figures:
        table.add_row(
            figure.name,
            f"{figure.rate:,.0f}",
            f"{figure.rates[0]:,.0f}–{figure.rates[-1]:,.0f}",
            f"{figure.p50_ms:.1f}",
            f"{figure.p95_ms:.1f}",
            f"{figure.p99_ms:.1f}",
        )
    wanted = Table(title="goals")
    for heading in ("goal", "wanted", "measured", ""):
        wanted.add_column(heading)
    for goal in goals:
        wanted.add_row(*goal[:3], "met" if goal.met else "[red]missed")
    console = Console(width=110)
    console.print(table)
    console.print(wanted)
    console.print(f"machine: {report['machine']}", highlight=False, soft_wrap=True)
    console.print(f"workload: {report['workload']}", highlight=False, soft_wrap=True)
    if refused := sum(figure.refused for figure in figures):
        console.print(f"{refused} SMS were put off; the rates above leave them out", style="red")


if __name__ == "__main__":
    main()
