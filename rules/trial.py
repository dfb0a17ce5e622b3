"""A policy's own tests: each SMS is read, decided and answered as the gateway would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rules.case_tables import Case
from rules.commands import CommandAnswer, PhonePermit, answer
from rules.decide import Block, Decision, Facts, HeldPermit, Verdict, decide
from rules.flood import Flow, PhoneState, take
from rules.grammar.request import Command, PermitRequest, Unrecognised
from rules.instants import instant_us
from rules.problems import Problem, problem_at
from rules.replies import flood_text, render, unrecognised_key

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
        self.at_us = self.us(case.at)

    def differences(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """(key below expect, what came instead)."""
        meant = self.policy.grammar.parse(self.case.text)
        outcome, junk = self.outcome(meant)
        expected = self.case.expect.model_dump(by_alias=True, exclude_none=True)
        flow = self.flow() if junk else Flow.ANSWER
        sms = self.sms(outcome, meant.language, flow)
        pattern = expected.pop("sms", None)
        if pattern is not None and (sms is None or not re.fullmatch(pattern, sms)):
            yield ("sms",), "there is no SMS" if sms is None else f'the SMS is "{sms}"'
        for came in self.all_told(outcome):
            came["language"] = self.policy.language_of(meant.language)
            if flow is Flow.SILENT:
                came |= {"verdict": "silent", "reply": None}
            elif flow is Flow.LAST:
                assert self.policy.policy.content.flood is not None
                came["reply"] = self.policy.policy.content.flood.reply
            for key, value in expected.items():
                if came.get(key) != (self.us(value) if isinstance(value, datetime) else value):
                    yield (key,), f"expected {value}; {self.shown(key, came.get(key))}"

    def outcome(
        self, meant: PermitRequest | Command | Unrecognised
    ) -> tuple[list[Decision] | CommandAnswer | Unrecognised, bool]:
        """What comes of the SMS, and whether it counts as junk."""
        if isinstance(meant, Unrecognised):
            return meant, True
        if isinstance(meant, Command):
            answered = answer(self.policy, meant, self.own_permits(meant), self.at_us)
            return answered, not answered.ended
        decisions = self.decisions(meant)
        granted = any(decision.verdict is Verdict.GRANT for decision in decisions)
        return decisions, self.case.facts.asked_before and not granted

    def flow(self) -> Flow:
        """What becomes of this junk SMS, after those that the test says came before."""
        bucket = self.policy.version_at(self.at_us).flood
        if bucket is None:
            return Flow.ANSWER
        state = PhoneState()
        for _ in range(self.case.facts.junk_before):
            _, state = take(bucket, state, self.at_us)
        return take(bucket, state, self.at_us)[0]

    def sms(
        self,
        outcome: list[Decision] | CommandAnswer | Unrecognised,
        language: str | None,
        flow: Flow,
    ) -> str | None:
        if flow is Flow.SILENT:
            return None
        if flow is Flow.LAST:
            return flood_text(self.policy, language, self.at_us)
        return render(self.policy, outcome, language, self.at_us)

    def permits(self) -> tuple[HeldPermit, ...]:
        return tuple(
            HeldPermit(serial, permit.code, from_us, self.us(permit.until), day)
            for serial, permit in enumerate(self.case.facts.permits, 1)
            for from_us in [self.us(permit.start or permit.granted)]
            for day in [self.policy.calendar.day(self.us(permit.granted))]
        )

    def own_permits(self, command: Command) -> list[PhonePermit]:
        """The permits of the test, as ones that its phone asked for."""
        example = self.policy.grammar.parse(self.policy.grammar.example)
        assert isinstance(example, PermitRequest), "the grammar checks its example"
        document = (command.documents or example.documents)[0]
        return [
            PhonePermit(document, p.code, p.valid_from_us, p.valid_until_us, p.day, p.serial)
            for p in self.permits()
        ]

    def decisions(self, request: PermitRequest) -> list[Decision]:
        """Every document of the SMS, each on the same facts."""
        given = self.case.facts
        facts = Facts(
            _SERIAL,
            given.registered,
            given.birth_date,
            self.permits(),
            tuple(Block(block.code or "", block.until.toordinal()) for block in given.blocks),
            self.quarantine_until_day(),
            given.region,
            given.messages_today,
            given.documents_today,
            given.channel,
        )
        return [
            decide(self.policy, request.code, document, facts, self.at_us)
            for document in request.documents
        ]

    def quarantine_until_day(self) -> int | None:
        until = self.case.facts.quarantine_until
        if until is None:
            return None
        return until.toordinal() if isinstance(until, date) else 0

    def all_told(
        self, outcome: list[Decision] | CommandAnswer | Unrecognised
    ) -> list[dict[str, object]]:
        """What each part of the outcome is, under the keys of expect."""
        if isinstance(outcome, Unrecognised):
            replies = self.policy.policy.content.unrecognised.model_dump()
            return [{"reason": outcome.reason.value, "reply": replies[unrecognised_key(outcome)]}]
        if isinstance(outcome, CommandAnswer):
            return [{"command": outcome.command, "reply": key} for key, _ in outcome.replies]
        return [self.told(decision) for decision in outcome]

    def told(self, decision: Decision) -> dict[str, object]:
        return {
            "rule": decision.rule,
            "verdict": decision.verdict.value,
            "reply": decision.reply,
            "from": decision.valid_from_us,
            "until": decision.valid_until_us,
        }

    def shown(self, key: str, value: object) -> str:
        if value is None:
            return f"there is no {key}"
        if isinstance(value, int):
            calendar = self.policy.calendar
            return f"it is {calendar.date(value)} {calendar.clock(value)}"
        return f"it is {value}"

    def us(self, written: datetime) -> int:
        return instant_us(written, self.zone)
