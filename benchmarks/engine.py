"""`make bench-engine`: decisions of a policy of 22 rules, ours beside three well-kept engines.

All must give the same verdict by the same rule before anything is timed: for a request that each
rule decides, for the edges of all bounds, and for the traffic that is timed. The others know no
dates, days, quotas or unknown facts, so they are fed what those come to (age in years, minutes of
the day, permits counted), prepared beforehand; ours starts from the stored facts and builds its
facts object within the time that is measured.
"""

import gc
import json
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click
from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.contenders import FLAT_RULES, OTHERS, Run, ours, outcome
from benchmarks.requests import CASES, MIX, Case, canonical_cases, every_rule, strange_cases
from rules import CompiledPolicy, load_policy

POLICY_FILE = Path(__file__).parent / "policies" / "twenty-two.toml"
GOAL_DECISION_US = 2.0
GOAL_PARSING_US = 5.0


class Figure(NamedTuple):
    """Microseconds a decision: the median of the runs, the fastest and the slowest."""

    engine: str
    median_us: float
    fastest_us: float
    slowest_us: float


def measured(run: Callable[[], object], per_run: int, runs: int) -> list[float]:
    """Microseconds a piece, of each run; the collector of cycles stays out of it."""
    run()
    found = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(runs):
            started = time.perf_counter_ns()
            run()
            found.append((time.perf_counter_ns() - started) / 1_000 / per_run)
    finally:
        gc.enable()
    return found


TEXTS = {
    "common form": "2 AZE 1234567",
    "unspaced": "2aze1234567",
    "household of three": "2 AZE 1234567, AA 7654321, AZE 2345678",
    "near miss": "2 AZE 123",
}


def _parse_often(policy: CompiledPolicy, text: str) -> None:
    parse = policy.grammar.parse
    for _ in range(CASES):
        parse(text)


def expected_outcomes(policy: CompiledPolicy, cases: Sequence[Case]) -> list[str]:
    """What our engine says of each request."""
    return [outcome(answer) for answer in ours(policy, cases)()]


def compared_cases(policy: CompiledPolicy) -> list[Case]:
    """Requests on which all engines must agree before one is timed.

    Raises:
        click.ClickException: a rule of the policy decides none of them.
    """
    by_rule = every_rule(policy)
    cases = list(by_rule.values())
    wanted = [told for told, _ in FLAT_RULES]
    said = expected_outcomes(policy, cases)
    if said != wanted or [told.split()[1] for told in said] != list(by_rule):
        raise click.ClickException(f"not each rule has its request: {said}")
    if len(wanted) != len(policy.policy.content.rules):
        raise click.ClickException("the policy has other rules than the engines were given")
    return cases + strange_cases(policy)


def refuse_other_outcomes(
    name: str, cases: Sequence[Case], expected: Sequence[str], said: Sequence[Any]
) -> None:
    """An engine that decides otherwise is not compared.

    Raises:
        click.ClickException: names the first request on which it differs.
    """
    for case, right, wrong in zip(cases, expected, said, strict=True):
        if right != wrong:
            raise click.ClickException(f"{name} says {wrong!r}, ours {right!r}, of {case.flat}")


@click.command()
@click.option("--runs", default=9, show_default=True, help="Runs of each engine.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def main(runs: int, as_json: bool) -> None:
    """Decide the canonical mix with a policy of 22 rules, four engines side by side."""
    policy = load_policy(POLICY_FILE)
    compared, cases = compared_cases(policy), canonical_cases(policy)
    expected = expected_outcomes(policy, compared + cases)
    console = Console(stderr=True)

    def figure(name: str, run: Run) -> Figure:
        with console.status(f"{name} …"):
            found = measured(run, len(cases), runs)
        return Figure(name, statistics.median(found), min(found), max(found))

    figures = [figure("smsd", ours(policy, cases))]
    missing = []
    for name, prepare in OTHERS.items():
        try:
            said = prepare(compared + cases)()
        except ImportError:
            missing.append(name)
            continue
        refuse_other_outcomes(name, compared + cases, expected, said)
        figures.append(figure(name, prepare(cases)))
    parsing = []
    for name, text in TEXTS.items():
        found = measured(partial(_parse_often, policy, text), CASES, runs)
        parsing.append(Figure(name, statistics.median(found), min(found), max(found)))
    report = {
        "at": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "workload": {"rules": len(FLAT_RULES), "requests": len(cases), "runs": runs, "mix": MIX},
        "compared": len(compared) + len(cases),
        "decisions": [figure._asdict() for figure in figures],
        "parsing": [figure._asdict() for figure in parsing],
        "missing": missing,
    }
    if as_json:
        click.echo(json.dumps(report, indent=2))
    else:
        _print(report, figures, parsing)


def _print(report: dict[str, Any], figures: Sequence[Figure], parsing: Sequence[Figure]) -> None:
    console = Console()
    about = report["machine"]
    for title, rows, goal in (
        (f"µs a decision, {len(FLAT_RULES)} rules", figures, GOAL_DECISION_US),
        ("µs a text", parsing, GOAL_PARSING_US),
    ):
        table = Table(title=f"{title} (goal for ours: {goal:g})", title_justify="left")
        for heading in ("", "median", "lowest–highest", "times ours"):
            table.add_column(heading, justify="left" if not heading else "right")
        for row in rows:
            table.add_row(
                row.engine,
                f"{row.median_us:.2f}",
                f"{row.fastest_us:.2f}–{row.slowest_us:.2f}",
                f"{row.median_us / rows[0].median_us:.1f}",
            )
        console.print(table)
    console.print(
        f"{about['cpu']}, {about['cores']} cores, Python {about['python']};"
        f" {report['workload']['requests']} requests a run, {report['workload']['runs']} runs.",
        "All engines gave the same verdict by the same rule for every request. The others start"
        " from flat facts that were prepared beforehand; ours builds its facts object within the"
        " time.",
    )
    for name in report["missing"]:
        console.print(f"{name} is not installed: make bench-engine installs it.")


if __name__ == "__main__":
    main()
