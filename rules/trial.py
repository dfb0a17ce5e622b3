"""A policy's own tests: each SMS is read, decided and answered as the gateway would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rules.case_tables import Case
from rules.decide import Decision, Facts, HeldPermit, decide
from rules.instants import instant_us
from rules.problems import Problem, problem_at
from rules.replies import render
from rules.request import PermitRequest, Unrecognised

if TYPE_CHECKING:
    from rules.compile import CompiledPolicy

__all__ = ["failures"]

_SERIAL = 1_000_000  # of the decision in a test; the permits held have 1, 2, 3 …


def failures(policy: CompiledPolicy) -> list[Problem]:
    """What the tests of the file expect and the policy does otherwise."""
    name, lines = policy.policy.name, policy.policy.lines
    return [
        problem_at(name, lines, ("tests", index, "expect", *key), f'"{case.title}": {message}')
        for index, case in enumerate(policy.policy.content.tests)
        for key, message in _Trial(policy, case).differences()
    ]


class _Trial:
    """One test of a policy."""

    def __init__(self, policy: CompiledPolicy, case: Case) -> None:
        self.policy = policy
        self.case = case
        self.zone = ZoneInfo(policy.zone)

    def differences(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """(key below expect, what came instead)."""
        at_us = self.us(self.case.at)
        request = self.policy.grammar.parse(self.case.text)
        decisions = self.decisions(request, at_us) if isinstance(request, PermitRequest) else []
        outcome = request if isinstance(request, Unrecognised) else decisions
        expected = self.case.expect.model_dump(by_alias=True, exclude_none=True)
        sms = render(self.policy, outcome, request.language, at_us)
        pattern = expected.pop("sms", None)
        if pattern is not None and not re.fullmatch(pattern, sms):
            yield ("sms",), f'the SMS is "{sms}"'
        for came in [self.told(decision) for decision in decisions] or [self.reason(request)]:
            came["language"] = self.policy.language_of(request.language)
            for key, value in expected.items():
                if came.get(key) != (self.us(value) if isinstance(value, datetime) else value):
                    yield (key,), f"expected {value}; {self.shown(key, came.get(key))}"

    def decisions(self, request: PermitRequest, at_us: int) -> list[Decision]:
        """Every document of the SMS, each on the same facts."""
        given = self.case.facts
        permits = tuple(
            HeldPermit(serial, permit.code, granted_us, self.us(permit.until), day)
            for serial, permit in enumerate(given.permits, 1)
            for granted_us in [self.us(permit.granted)]
            for day in [self.policy.calendar.day(granted_us)]
        )
        facts = Facts(_SERIAL, given.registered, given.birth_date, permits)
        return [
            decide(self.policy, request.code, document, facts, at_us)
            for document in request.documents
        ]

    def told(self, decision: Decision) -> dict[str, object]:
        return {
            "rule": decision.rule,
            "verdict": decision.verdict.value,
            "reply": decision.reply,
            "from": decision.valid_from_us,
            "until": decision.valid_until_us,
        }

    def reason(self, request: object) -> dict[str, object]:
        return {"reason": request.reason.value} if isinstance(request, Unrecognised) else {}

    def shown(self, key: str, value: object) -> str:
        if value is None:
            return f"there is no {key}"
        if isinstance(value, int):
            calendar = self.policy.calendar
            return f"it is {calendar.date(value)} {calendar.clock(value)}"
        return f"it is {value}"

    def us(self, written: datetime) -> int:
        return instant_us(written, self.zone)
