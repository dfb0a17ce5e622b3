"""`make bench-engine`: decisions of a policy of 22 rules, ours beside three well-kept engines.

All four must give the same rule for every request before anything is timed. The others know no
dates, days, quotas or unknown facts, so they are fed what those come to (age in years, minutes of
the day, permits counted), prepared beforehand; ours starts from the stored facts and builds its
facts object within the time that is measured.
"""

import gc
import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.table import Table

from benchmarks import machine
from rules import Block, CompiledPolicy, Document, Facts, HeldPermit, decide, load_policy

POLICY_FILE = Path(__file__).parent / "policies" / "twenty-two.toml"
GOAL_DECISION_US = 2.0
GOAL_PARSING_US = 5.0
SEED = 8103
CASES = 2_000
_SECOND_US = 1_000_000
_MINUTE_US = 60 * _SECOND_US
_DAY_US = 1440 * _MINUTE_US
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# What a day of traffic is made of, in percent; domain sheet: 17 to 25 % of SMS are refused.
MIX = {
    "new": 70,
    "repeat": 8,
    "spent": 8,
    "senior": 5,
    "unregistered": 4,
    "night": 2,
    "blocked": 1,
    "closed_region": 1,
    "quarantined": 1,
}


class Case(NamedTuple):
    """One request: what decide() takes, the fields of its facts, and the same laid flat."""

    code: str
    document: Document
    at_us: int
    fields: tuple[Any, ...]
    flat: dict[str, Any]


class Figure(NamedTuple):
    """Microseconds a decision: the median of the runs, the fastest and the slowest."""

    engine: str
    median_us: float
    fastest_us: float
    slowest_us: float


def canonical_cases(policy: CompiledPolicy, count: int = CASES, seed: int = SEED) -> list[Case]:
    """The mix, as it would arrive in five days; the same for the same seed."""
    dice = random.Random(seed)
    kinds = [kind for kind, share in MIX.items() for _ in range(count * share // 100)]
    dice.shuffle(kinds)
    cases = [_case(policy, dice, kind, serial) for serial, kind in enumerate(kinds, 1)]
    return sorted(cases, key=lambda case: case.at_us)


def _case(policy: CompiledPolicy, dice: random.Random, kind: str, serial: int) -> Case:
    zone = ZoneInfo(policy.zone)
    day = date(2020, 7, 6) + timedelta(days=dice.randrange(5))  # Monday to Friday
    hour = dice.choice((22, 23, 2)) if kind == "night" else dice.randrange(8, 17)
    local = datetime(day.year, day.month, day.day, hour, dice.randrange(60), tzinfo=zone)
    at_us = int(local.astimezone(UTC).timestamp()) * _SECOND_US
    today = day.toordinal()
    code = "2" if kind in ("spent", "senior", "night", "closed_region") else dice.choice("1222223")
    age = dice.randrange(66, 95) if kind == "senior" else dice.randrange(18, 64)
    permits: tuple[HeldPermit, ...] = ()
    if kind == "repeat":
        permits = (HeldPermit(1, code, at_us - _MINUTE_US, at_us + 60 * _MINUTE_US, today, 0),)
    elif kind == "spent":
        permits = (HeldPermit(1, "2", at_us - 300 * _MINUTE_US, at_us - 60 * _MINUTE_US, today, 0),)
    fields = (
        serial,
        kind != "unregistered",
        date(day.year - age, 1, 1),
        permits,
        (Block("", today + 30),) if kind == "blocked" else (),
        today + 5 if kind == "quarantined" else 0,
        "sheki" if kind == "closed_region" else dice.choice(("baku", "baku", "ganja")),
        dice.randrange(3),
        dice.randrange(3),
        "sms",
    )
    document = Document(dice.choice(("AZE", "AZE", "AA")), f"{dice.randrange(10**7):07}")
    flat = {
        "in_force": True,
        "code": code,
        "kind": document.kind,
        "registered": fields[1],
        "age": age,
        "holds_same": any(p.code == code and p.valid_until_us > at_us for p in permits),
        "food_today": sum(p.code == "2" and p.day == today for p in permits),
        "permits_today": sum(p.day == today for p in permits),
        "blocked_wholly": kind == "blocked",
        "blocked_from_code": False,
        "quarantined": kind == "quarantined",
        "region": fields[6],
        "minute": local.hour * 60 + local.minute,
        "weekday": _WEEKDAYS[day.weekday()],
        "messages_today": fields[7],
        "documents_today": fields[8],
        "channel": "sms",
    }
    return Case(code, document, at_us, fields, flat)


def ours(policy: CompiledPolicy, cases: Sequence[Case]) -> Callable[[], list[str]]:
    """The engine of this project; the facts object is built as the gateway builds it."""
    new = tuple.__new__

    def run() -> list[str]:
        return [
            decide(policy, code, document, new(Facts, fields), at_us).rule
            for code, document, at_us, fields, _ in cases
        ]

    return run


# The rules of twenty-two.toml on flat facts, for engines that know no more than expressions.
# Each cell: (field, operator, value). A list of fields in CELLS makes the columns of a table.
FLAT_RULES: list[tuple[str, list[tuple[str, str, Any]]]] = [
    ("not-in-force", [("in_force", "==", False)]),
    ("repeat", [("holds_same", "==", True)]),
    ("blocked", [("blocked_wholly", "==", True)]),
    ("blocked-from-code", [("blocked_from_code", "==", True)]),
    ("not-registered", [("registered", "==", False)]),
    ("quarantined", [("quarantined", "==", True)]),
    ("senior", [("age", ">=", 65), ("code", "in", ["2", "3"])]),
    ("minor", [("age", "<", 14)]),
    ("night", [("code", "in", ["2"]), ("minute", "outside", (360, 1260))]),
    ("funeral-evening", [("code", "in", ["3"]), ("minute", "within", (1020, 1260))]),
    (
        "sunday-morning",
        [("code", "in", ["2"]), ("weekday", "in", ["sun"]), ("minute", "within", (360, 720))],
    ),
    ("closed-region", [("region", "in", ["sheki"]), ("code", "in", ["2", "3"])]),
    (
        "mountain-doctor",
        [("region", "in", ["lankaran"]), ("code", "in", ["1"]), ("weekday", "in", ["sat", "sun"])],
    ),
    ("resident-funeral", [("kind", "in", ["MYI", "DYI"]), ("code", "in", ["3"])]),
    ("resident-weekend", [("kind", "in", ["DYI"]), ("weekday", "in", ["sat"])]),
    ("many-messages", [("messages_today", ">=", 20)]),
    ("many-documents", [("documents_today", ">=", 10)]),
    ("no-web", [("channel", "in", ["web"]), ("code", "in", ["3"])]),
    ("food-once", [("code", "in", ["2"]), ("food_today", ">=", 1)]),
    ("three-a-day", [("permits_today", ">=", 3)]),
    ("doctor", [("code", "in", ["1"])]),
    ("granted", []),
]


def _expression(cells: list[tuple[str, str, Any]], both: str, either: str, true: str) -> str:
    """Cells as one expression, in the words of an engine for and, or, true."""
    parts = []
    for field, operator, value in cells:
        if operator == "within":
            parts.append(f"({field} >= {value[0]} {both} {field} < {value[1]})")
        elif operator == "outside":
            parts.append(f"({field} < {value[0]} {either} {field} >= {value[1]})")
        else:
            parts.append(f"{field} {operator} {json.dumps(value)}")
    return f" {both} ".join(parts) or true


def common_expression_language(cases: Sequence[Case]) -> Callable[[], list[str]]:
    """CEL: one compiled program a rule, the first true one decides."""
    import cel

    programs = [
        (rule, cel.compile(_expression(cells, "&&", "||", "true")).execute)
        for rule, cells in FLAT_RULES
    ]

    def run() -> list[str]:
        return [next(rule for rule, ask in programs if ask(case.flat)) for case in cases]

    return run


def rule_engine(cases: Sequence[Case]) -> Callable[[], list[str]]:
    """rule-engine: one compiled rule a rule, the first that matches decides."""
    import rule_engine as engine

    compiled = [
        (
            rule,
            engine.Rule(_expression(cells, "and", "or", "true").replace("False", "false")).matches,
        )
        for rule, cells in FLAT_RULES
    ]

    def run() -> list[str]:
        return [next(rule for rule, ask in compiled if ask(case.flat)) for case in cases]

    return run


def zen_engine(cases: Sequence[Case]) -> Callable[[], list[str]]:
    """ZEN: one decision table, hit policy first."""
    import zen

    columns = list(dict.fromkeys(field for _, cells in FLAT_RULES for field, _, _ in cells))
    rows = []
    for number, (rule, cells) in enumerate(FLAT_RULES):
        row = {"_id": str(number), "rule": json.dumps(rule), **dict.fromkeys(columns, "")}
        for field, operator, value in cells:
            row[field] = _unary(field, operator, value)
        rows.append(row)
    content = {
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode"},
            {
                "id": "table",
                "name": "table",
                "type": "decisionTableNode",
                "content": {
                    "hitPolicy": "first",
                    "inputs": [{"id": c, "name": c, "field": c} for c in columns],
                    "outputs": [{"id": "rule", "name": "rule", "field": "rule"}],
                    "rules": rows,
                },
            },
            {"id": "out", "name": "out", "type": "outputNode"},
        ],
        "edges": [
            {"id": "a", "sourceId": "in", "targetId": "table", "type": "edge"},
            {"id": "b", "sourceId": "table", "targetId": "out", "type": "edge"},
        ],
    }
    decision = zen.ZenEngine().create_decision(json.dumps(content))

    def run() -> list[str]:
        return [decision.evaluate(case.flat)["result"]["rule"] for case in cases]

    return run


def _unary(field: str, operator: str, value: Any) -> str:
    """A cell of a ZEN table."""
    if operator == "within":
        return f"[{value[0]}..{value[1]})"
    if operator == "outside":
        return f"< {value[0]} or >= {value[1]}"
    if operator == "in":
        return ", ".join(json.dumps(each) for each in value)
    return json.dumps(value) if operator == "==" else f"{operator} {value}"


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


@click.command()
@click.option("--runs", default=9, show_default=True, help="Runs of each engine.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def main(runs: int, as_json: bool) -> None:
    """Decide the canonical mix with a policy of 22 rules, four engines side by side."""
    policy = load_policy(POLICY_FILE)
    cases = canonical_cases(policy)
    expected = ours(policy, cases)()
    console = Console(stderr=True)
    figures = []
    missing = []
    for name, prepare in (
        ("smsd", partial(ours, policy)),
        ("zen-engine", zen_engine),
        ("common-expression-language", common_expression_language),
        ("rule-engine", rule_engine),
    ):
        # Each is prepared when its turn has come: an engine with threads of its own would
        # disturb those before it.
        try:
            run = prepare(cases)
        except ImportError:
            missing.append(name)
            continue
        assert run() == expected, f"{name} decides otherwise"
        with console.status(f"{name} …"):
            found = measured(run, len(cases), runs)
        figures.append(Figure(name, statistics.median(found), min(found), max(found)))
    parsing = []
    for name, text in TEXTS.items():
        found = measured(partial(_parse_often, policy, text), CASES, runs)
        parsing.append(Figure(name, statistics.median(found), min(found), max(found)))
    report = {
        "at": datetime.now(tz=UTC).isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "workload": {"rules": len(FLAT_RULES), "requests": len(cases), "runs": runs, "mix": MIX},
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
        "All engines gave the same rule for every request. The others start from flat facts that"
        " were prepared beforehand; ours builds its facts object within the time.",
    )
    for name in report["missing"]:
        console.print(f"{name} is not installed: make bench-engine installs it.")


if __name__ == "__main__":
    main()
