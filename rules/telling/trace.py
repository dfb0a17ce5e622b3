"""Why a request was decided so: every rule of the version, condition by condition."""

import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rules.compile import CompiledPolicy
from rules.conclusions import conclusion
from rules.conditions import Condition, Scope, rule_condition
from rules.decide import Facts
from rules.documents import Document
from rules.instants import local_datetime
from rules.telling.statements import (
    Standing,
    StatedRule,
    StatedVerdict,
    Statement,
    scope_of,
    stated_rules,
    stated_verdict,
)
from rules.telling.words import Words, printable, words_for

__all__ = ["RuleTrace", "WhatIf", "trace", "trace_words", "what_if", "what_if_words"]

_LINE_COLUMNS_MAX = 100
_INDENT = " " * 4


class RuleTrace(NamedTuple):
    """One rule for one request at one instant. ``rules.telling.table.as_data`` makes JSON of it.

    number: its place in the file, from 1; source: the legal reference.
    exists: its dates cover the instant.
    when, exceptions: each condition, with ``holds`` answered: True, False, or None for unknown.
    unknown: the answer turned on a fact that is unknown; applies: what became of it.
    decides: it is the first that applies.
    valid_from, valid_until: of the permit that it gives, or would if it were asked; on the clock
        of the policy's zone, half-open.
    """

    number: int
    rule: str
    source: str
    exists: bool
    when: tuple[Statement, ...]
    exceptions: tuple[Statement, ...]
    unknown: bool
    applies: bool
    decides: bool
    verdict: StatedVerdict
    valid_from: datetime | None
    valid_until: datetime | None


class WhatIf(NamedTuple):
    """What a refusal stood in the way of.

    refusals: the rules that refuse: the one that decided, then those that would have after it.
    instead: the rule that gives a permit where none of them applies.
    """

    refusals: tuple[str, ...]
    instead: RuleTrace


def trace(
    policy: CompiledPolicy, code: str, document: Document, facts: Facts, at_us: int
) -> list[RuleTrace]:
    """Every rule of the file in order, asked about a request as ``rules.decide`` does.

    at_us: the instant of the decision, in microseconds since the epoch. The code is one of
    ``policy.grammar.codes``.
    """
    version = policy.version_at(at_us)
    tracer = _Tracer(policy, scope_of(policy, version, code), document, facts, at_us)
    traces: list[RuleTrace] = []
    decided = False
    for stated in stated_rules(policy, version, code):
        traced = tracer.rule(stated, stated_verdict(stated.rule, version.parameters))
        traces.append(traced._replace(decides=traced.applies and not decided))
        decided = decided or traced.applies
    return traces


def what_if(traces: Sequence[RuleTrace]) -> WhatIf | None:
    """What would have been granted but for the refusals; None: nothing, or it was not refused."""
    applying = [traced for traced in traces if traced.applies]
    refusals: list[str] = []
    for traced in applying:
        if traced.verdict.kind != "refuse":
            return WhatIf(tuple(refusals), traced) if refusals else None
        refusals.append(traced.rule)
    return None


def trace_words(traces: Sequence[RuleTrace], language: str, overridden: bool = False) -> list[str]:
    """The trace in lines of at most 100 columns; overridden: an agent passed over its refusals."""
    words = words_for(language)
    lines: list[str] = []
    for traced in traces:
        lines.extend(_rule_words(traced, words))
    if instead := what_if_words(traces, words, overridden):
        lines.extend(_wrapped(instead, ""))
    return lines


def what_if_words(traces: Sequence[RuleTrace], words: Words, overridden: bool = False) -> str:
    """What the refusals stood in the way of, or an agent granted past them; empty: nothing."""
    found = what_if(traces)
    if found is None:
        return ""
    return words(
        "trace.overridden" if overridden else "trace.instead",
        rules=words.both(found.refusals),
        other=found.instead.rule,
        verdict=words.verdict(found.instead.verdict),
        interval=words.interval(found.instead.valid_from, found.instead.valid_until),
    )


class _Tracer:
    """One request, to be asked about rule by rule."""

    def __init__(
        self,
        policy: CompiledPolicy,
        scope: Scope,
        document: Document,
        facts: Facts,
        at_us: int,
    ) -> None:
        self.policy = policy
        self.scope = scope
        self.request = (document, facts, at_us, policy.calendar.day(at_us))

    def rule(self, stated: StatedRule, verdict: StatedVerdict) -> RuleTrace:
        rule = stated.rule
        exists = stated.standing is not Standing.DATES
        applies = exists and self.answer(stated.applies) is True
        valid_from, valid_until = self.validity(stated) if applies else (None, None)
        return RuleTrace(
            number=stated.number,
            rule=rule.id,
            source=rule.source,
            exists=exists,
            when=tuple(map(self.answered, stated.when)),
            exceptions=tuple(map(self.answered, stated.exceptions)),
            unknown=exists and self.turns_on_unknown(stated),
            applies=applies,
            decides=False,
            verdict=verdict,
            valid_from=valid_from,
            valid_until=valid_until,
        )

    def answered(self, statement: Statement) -> Statement:
        return statement._replace(holds=self.answer(statement.holds))

    def answer(self, holds: Condition | bool | None) -> bool | None:
        return holds(*self.request) if callable(holds) else holds

    def turns_on_unknown(self, stated: StatedRule) -> bool:
        """Whether the rule is neither so nor not so; ``unknown`` of the rule is left out."""
        if stated.applies is None:
            return False  # a number without a value is no unknown fact
        rule = stated.rule
        return self.answer(rule_condition(rule.when, rule.exceptions, None, self.scope)) is None

    def validity(self, stated: StatedRule) -> tuple[datetime | None, datetime | None]:
        decision = conclusion(stated.rule, self.scope, self.policy.digest)(*self.request)
        zone = ZoneInfo(self.policy.zone)
        start, until = (
            None if at_us is None else local_datetime(at_us, zone)
            for at_us in (decision.valid_from_us, decision.valid_until_us)
        )
        return start, until


def _rule_words(traced: RuleTrace, words: Words) -> Iterator[str]:
    head = words(
        f"trace.{_outcome(traced)}",
        rule=f"{traced.number} {traced.rule}",
        verdict=words.verdict(traced.verdict),
    )
    yield from _wrapped(head, "")
    if not traced.exists:
        return
    if not traced.when and not traced.exceptions:
        yield from _wrapped(words("trace.unconditional"), _INDENT)
    yield from _conditions(traced.when, words, _INDENT)
    if traced.exceptions:
        yield from _wrapped(words("trace.except"), _INDENT)
        yield from _conditions(traced.exceptions, words, _INDENT * 2)
    if traced.applies and traced.valid_from is not None:
        interval = words.interval(traced.valid_from, traced.valid_until)
        yield from _wrapped(words("trace.window", interval=interval), _INDENT)
    yield from _wrapped(words("trace.source", source=traced.source), _INDENT)


def _outcome(traced: RuleTrace) -> str:
    """The key of the sentence that tells what became of a rule."""
    if not traced.exists:
        return "dates"
    if not traced.applies:
        return "unknown" if traced.unknown else "not"
    if not traced.decides:
        return "would"
    return "apply_unknown" if traced.unknown else "decides"


def _conditions(statements: Sequence[Statement], words: Words, indent: str) -> Iterator[str]:
    states = {True: words("trace.yes"), False: words("trace.no"), None: words("trace.open")}
    columns = max(map(len, states.values())) + 2
    for statement in statements:
        assert not callable(statement.holds), "answered by trace"
        state = states[statement.holds].ljust(columns)
        text = indent + state + words.condition(statement)
        yield from _wrapped(text, "", " " * (len(indent) + columns))


def _wrapped(text: str, indent: str, hanging: str | None = None) -> list[str]:
    return textwrap.wrap(
        printable(text),
        _LINE_COLUMNS_MAX,
        initial_indent=indent,
        subsequent_indent=indent + _INDENT if hanging is None else hanging,
    )
