"""Our engine and three others, each called as well as its documentation allows.

What each is given is prepared beforehand; what a run returns is the outcome of every request,
the verdict and the rule in one word. Every engine is asked once for a request: one expression or
one table holds all the rules.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.requests import Case
from rules import CompiledPolicy, Decision, Facts, decide

Run = Callable[[], Sequence[Any]]
Cells = Sequence[tuple[str, str, Any]]

# The rules of twenty-two.toml on flat facts, for engines that know no more than expressions.
# Each cell: (field, operator, value); a rule applies where all of its cells hold.
FLAT_RULES: list[tuple[str, Cells]] = [
    ("refuse not-in-force", [("in_force", "==", False)]),
    ("already_granted repeat", [("holds_same", "==", True)]),
    ("refuse blocked", [("blocked_wholly", "==", True)]),
    ("refuse blocked-from-code", [("blocked_from_code", "==", True)]),
    ("refuse not-registered", [("registered", "==", False)]),
    ("refuse quarantined", [("quarantined", "==", True)]),
    ("refuse senior", [("age", ">=", 65), ("code", "in", ["2", "3"])]),
    ("refuse minor", [("age", "<", 14)]),
    ("refuse night", [("code", "in", ["2"]), ("minute", "outside", (360, 1260))]),
    ("refuse funeral-evening", [("code", "in", ["3"]), ("minute", "within", (1020, 1260))]),
    (
        "refuse sunday-morning",
        [("code", "in", ["2"]), ("weekday", "in", ["sun"]), ("minute", "within", (360, 720))],
    ),
    ("refuse closed-region", [("region", "in", ["sheki"]), ("code", "in", ["2", "3"])]),
    (
        "refuse mountain-doctor",
        [("region", "in", ["lankaran"]), ("code", "in", ["1"]), ("weekday", "in", ["sat", "sun"])],
    ),
    ("refuse resident-funeral", [("kind", "in", ["MYI", "DYI"]), ("code", "in", ["3"])]),
    ("refuse resident-weekend", [("kind", "in", ["DYI"]), ("weekday", "in", ["sat"])]),
    ("refuse many-messages", [("messages_today", ">=", 20)]),
    ("refuse many-documents", [("documents_today", ">=", 10)]),
    ("refuse no-web", [("channel", "in", ["web"]), ("code", "in", ["3"])]),
    ("refuse food-once", [("code", "in", ["2"]), ("food_today", ">=", 1)]),
    ("refuse three-a-day", [("permits_today", ">=", 3)]),
    ("grant doctor", [("code", "in", ["1"])]),
    ("grant granted", []),
]


def outcome(answer: Decision) -> str:
    """The verdict and the rule of one of our decisions, in the words of FLAT_RULES."""
    return f"{answer.verdict} {answer.rule}"


def ours(policy: CompiledPolicy, cases: Sequence[Case]) -> Run:
    """The engine of this project; the facts object is built as the gateway builds it."""
    new = tuple.__new__

    def run() -> list[Decision]:
        return [
            decide(policy, code, document, new(Facts, fields), at_us)
            for code, document, at_us, fields, _ in cases
        ]

    return run


def one_expression(both: str, either: str) -> str:
    """All rules as nested conditionals, in an engine's words for "and" and "or"."""
    whole = ""
    for told, cells in reversed(FLAT_RULES):
        word = json.dumps(told)
        whole = f"({_condition(cells, both, either)} ? {word} : {whole})" if cells else word
    return whole


def _condition(cells: Cells, both: str, either: str) -> str:
    parts = []
    for field, operator, value in cells:
        if operator == "within":
            parts.append(f"({field} >= {value[0]} {both} {field} < {value[1]})")
        elif operator == "outside":
            parts.append(f"({field} < {value[0]} {either} {field} >= {value[1]})")
        else:
            parts.append(f"{field} {operator} {json.dumps(value)}")
    return f"({f' {both} '.join(parts)})"


def cel_on_dicts(cases: Sequence[Case]) -> Run:
    """CEL: one program, executed on the dict of each request."""
    import cel

    execute = cel.compile(one_expression("&&", "||")).execute
    return lambda: [execute(case.flat) for case in cases]


def cel_on_contexts(cases: Sequence[Case]) -> Run:
    """CEL: one program, executed on a Context that was made of each dict beforehand."""
    import cel

    execute = cel.compile(one_expression("&&", "||")).execute
    contexts = [cel.Context(variables=case.flat) for case in cases]
    return lambda: [execute(context) for context in contexts]


def rule_engine(cases: Sequence[Case]) -> Run:
    """rule-engine: one rule, whose value is the outcome; facts are read as items of the dict."""
    import rule_engine as engine

    context = engine.Context(resolver=engine.resolve_item)
    evaluate = engine.Rule(one_expression("and", "or"), context=context).evaluate
    return lambda: [evaluate(case.flat) for case in cases]


def zen_expression_on_dicts(cases: Sequence[Case]) -> Run:
    """ZEN: one compiled expression, evaluated on the dict of each request."""
    import zen

    evaluate = zen.compile_expression(one_expression("and", "or")).evaluate
    return lambda: [evaluate(case.flat) for case in cases]


def zen_expression_on_json(cases: Sequence[Case]) -> Run:
    """ZEN: one compiled expression, evaluated on facts that were written as JSON beforehand."""
    import zen

    evaluate = zen.compile_expression(one_expression("and", "or")).evaluate
    contexts = [json.dumps(case.flat) for case in cases]
    return lambda: [evaluate(context) for context in contexts]


def zen_table(cases: Sequence[Case]) -> Run:
    """ZEN: one decision table, compiled when the engine is made.

    Through the static loader, since what create_decision() and get_decision() return takes more
    than ten times as long for each request, from a ZenDecisionContent too.
    """
    import zen

    engine = zen.ZenEngine({"loader": {"type": "static", "content": {"law": _table()}}})
    evaluate = engine.evaluate
    return lambda: [evaluate("law", case.flat)["result"]["outcome"] for case in cases]


def zen_table_in_one_batch(cases: Sequence[Case]) -> Run:
    """ZEN: the same table; all requests are handed over in one call."""
    import zen

    engine = zen.ZenEngine({"loader": {"type": "static", "content": {"law": _table()}}})
    asked = [{"key": "law", "context": case.flat} for case in cases]
    return lambda: [answer["data"]["result"]["outcome"] for answer in engine.evaluate_batch(asked)]


def _table() -> dict[str, Any]:
    """FLAT_RULES as a graph of one decision table; the first row that matches decides."""
    columns = list(dict.fromkeys(field for _, cells in FLAT_RULES for field, _, _ in cells))
    rows = []
    for number, (told, cells) in enumerate(FLAT_RULES):
        row = {"_id": str(number), "outcome": json.dumps(told), **dict.fromkeys(columns, "")}
        for field, operator, value in cells:
            row[field] = _unary(operator, value)
        rows.append(row)
    table = {
        "hitPolicy": "first",
        "inputs": [{"id": column, "name": column, "field": column} for column in columns],
        "outputs": [{"id": "outcome", "name": "outcome", "field": "outcome"}],
        "rules": rows,
    }
    return {
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode"},
            {"id": "table", "name": "table", "type": "decisionTableNode", "content": table},
            {"id": "out", "name": "out", "type": "outputNode"},
        ],
        "edges": [
            {"id": "a", "sourceId": "in", "targetId": "table", "type": "edge"},
            {"id": "b", "sourceId": "table", "targetId": "out", "type": "edge"},
        ],
    }


def _unary(operator: str, value: Any) -> str:
    """A cell of a ZEN table."""
    if operator == "within":
        return f"[{value[0]}..{value[1]})"
    if operator == "outside":
        return f"< {value[0]} or >= {value[1]}"
    if operator == "in":
        return ", ".join(json.dumps(each) for each in value)
    return json.dumps(value) if operator == "==" else f"{operator} {value}"


# Each is prepared when its turn has come: an engine with threads of its own would disturb those
# before it, so what runs within one call comes first.
OTHERS: dict[str, Callable[[Sequence[Case]], Run]] = {
    "common-expression-language, one expression on a Context": cel_on_contexts,
    "common-expression-language, one expression on a dict": cel_on_dicts,
    "zen-engine, one expression on JSON": zen_expression_on_json,
    "zen-engine, one expression on a dict": zen_expression_on_dicts,
    "zen-engine, decision table": zen_table,
    "zen-engine, decision table, one batch": zen_table_in_one_batch,
    "rule-engine, one expression on a dict": rule_engine,
}
