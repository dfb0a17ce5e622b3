"""`make bench`: every figure side by side, on one machine in one run."""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from benchmarks import chart, goals, machine, measuring, report
from benchmarks.sizes import FULL, QUICK, Part, Sizes
from smsd.tools.output import print_json

_RESULTS = Path(__file__).parent / "results"
_WIDTH = 140  # where nobody's terminal sets one
_COUNT = click.IntRange(min=100)
_SECONDS = click.FloatRange(min=1)


@click.command()
@click.option("--full", is_flag=True, help="All sizes as the goals want them; 25 GB of disk.")
@click.option(
    "--only",
    "parts",
    multiple=True,
    type=click.Choice([str(part) for part in Part]),
    help="A part to measure; may be repeated. Default: all.",
)
@click.option("--runs", default=3, show_default=True, type=click.IntRange(min=1))
@click.option("--people", type=_COUNT, help=f"In the register. Default: {QUICK.people:,}.")
@click.option("--messages", type=_COUNT, help=f"SMS of a run. Default: {QUICK.messages:,}.")
@click.option("--paced", type=_COUNT, help=f"SMS at 1000/s. Default: {QUICK.paced:,}.")
@click.option("--overload-s", type=_SECONDS, help=f"Seconds. Default: {QUICK.overload_s:g}.")
@click.option("--stored", type=_COUNT, help=f"Messages stored. Default: {QUICK.stored:,}.")
@click.option("--permits", type=_COUNT, help=f"Granted today. Default: {QUICK.permits:,}.")
@click.option("--unsent", type=_COUNT, help=f"Replies that wait. Default: {QUICK.unsent:,}.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def main(full: bool, parts: tuple[str, ...], runs: int, as_json: bool, **sizes: Any) -> None:
    """Measure the gateway beside Kannel and a bare loop, and its stores, register and restarts.

    smsd wears full dress: shipped policy, register, synchronous=FULL, metrics and logs on; every
    SMS asks for a document of its own and is granted. Kannel and the bare loop answer each
    with one static text. The SMSC, in C, has a process of its own.

    Each run adds a line to benchmarks/results/bench.jsonl and draws bench.svg beside it.
    """
    given = {name: size for name, size in sizes.items() if size is not None}
    chosen = (FULL if full else QUICK)._replace(**given)
    _check(chosen)
    found = _measured([Part(part) for part in parts] or list(Part), chosen, runs)
    told = report.Report(
        datetime.now(tz=UTC).isoformat(timespec="seconds"),
        machine.describe(),
        chosen,
        runs,
        goals.judged(found, chosen),
        found,
    )
    _keep(told)
    if as_json:
        print_json(report.plain(told))
    else:
        console = Console()
        report.show(told, console if console.is_terminal else Console(width=_WIDTH))
        click.echo(f"results: {_RESULTS}")


def _check(sizes: Sizes) -> None:
    if sizes.people < max(sizes.messages, sizes.paced):
        raise click.UsageError("every SMS needs a person of its own: --people is too small")
    if sizes.unsent >= sizes.permits:
        raise click.UsageError("replies that wait are replies to permits: --unsent is too large")


def _measured(parts: list[Part], sizes: Sizes, runs: int) -> measuring.Found:
    with tempfile.TemporaryDirectory(prefix="smsd-bench-") as folder:
        return measuring.measure(parts, sizes, runs, Path(folder))


def _keep(told: report.Report) -> None:
    _RESULTS.mkdir(exist_ok=True)
    with (_RESULTS / "bench.jsonl").open("a", encoding="utf-8") as out:
        out.write(json.dumps(report.plain(told), ensure_ascii=False) + "\n")
    if bars := chart.bars(told.rates(Part.RATES)):
        caption = f"{machine.in_words(told.machine)}; {told.at[:10]}"
        drawn = chart.draw(bars, told.runs, caption)
        (_RESULTS / "bench.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
