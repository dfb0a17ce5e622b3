"""`make bench`: replies per second and latency of the daemon in full dress, with the spread."""

import json
import statistics
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.gateway import Load, measure
from benchmarks.smsc_driver import Result

_RESULTS = Path(__file__).parent / "results"


class Figure(NamedTuple):
    """One line of the table; milliseconds of the median run, rates of all."""

    name: str
    rates: list[float]
    p50_ms: float
    p95_ms: float
    p99_ms: float
    refused: int


@click.command()
@click.option("--messages", default=100_000, show_default=True, help="SMS of a closed-loop run.")
@click.option("--people", default=200_000, show_default=True, help="Documents in the register.")
@click.option("--runs", default=3, show_default=True, help="Runs of each figure.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def main(messages: int, people: int, runs: int, as_json: bool) -> None:
    """Flood the daemon through a real TCP link and report replies/s and latency.

    Full dress: shipped policy, register, synchronous=FULL, metrics and logs on; every SMS
    asks for a document of its own and is granted. The driver has a process of its own.
    """
    warm_up = messages // 10
    loads = {
        "closed loop, window 1000": Load(messages, warm_up, window=1_000),
        "closed loop, window 5000": Load(messages, warm_up, window=5_000),
        "open loop, 1000/s": Load(min(messages, 10_000), 1_000, rate=1_000),
    }
    people = max(people, messages)
    console = Console(stderr=True)
    figures = []
    for name, load in loads.items():
        with console.status(f"{name}: {runs} runs …"):
            figures.append(_figure(name, [measure(load, people) for _ in range(runs)]))
    report = {
        "at": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "workload": {"messages": messages, "warm_up": warm_up, "people": people, "runs": runs},
        "figures": [figure._asdict() for figure in figures],
    }
    _RESULTS.mkdir(exist_ok=True)
    with (_RESULTS / "bench.jsonl").open("a", encoding="utf-8") as out:
        out.write(json.dumps(report) + "\n")
    if as_json:
        click.echo(json.dumps(report, indent=2))
    else:
        _print(report, figures)


def _figure(name: str, results: list[Result]) -> Figure:
    ordered = sorted(results, key=lambda result: result.replies / result.elapsed_s)
    median = ordered[len(ordered) // 2]
    p50, p95, p99 = (_percentile_ms(median.latencies_s, share) for share in (0.50, 0.95, 0.99))
    rates = [result.replies / result.elapsed_s for result in ordered]
    return Figure(name, rates, p50, p95, p99, sum(result.refused for result in results))


def _percentile_ms(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1_000


def _print(report: Mapping[str, object], figures: list[Figure]) -> None:
    table = Table(title="smsd: deliver_sm → decided, durable → submit_sm")
    for heading in ("load", "replies/s (median)", "lowest–highest", "p50 ms", "p95 ms", "p99 ms"):
        table.add_column(heading, justify="left" if heading == "load" else "right")
    for figure in figures:
        table.add_row(
            figure.name,
            f"{statistics.median(figure.rates):,.0f}",
            f"{figure.rates[0]:,.0f}–{figure.rates[-1]:,.0f}",
            f"{figure.p50_ms:.1f}",
            f"{figure.p95_ms:.1f}",
            f"{figure.p99_ms:.1f}",
        )
    console = Console(width=110)
    console.print(table)
    console.print(f"machine: {report['machine']}", highlight=False, soft_wrap=True)
    console.print(f"workload: {report['workload']}", highlight=False, soft_wrap=True)
    if refused := sum(figure.refused for figure in figures):
        console.print(f"{refused} SMS were put off; the rates above leave them out", style="red")


if __name__ == "__main__":
    main()
