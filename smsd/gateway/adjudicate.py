"""One batch inside one transaction: parse, look the facts up, decide, store, word the reply.

Runs in the writer thread. All it knows of time are the instants of receipt. Facts are read
for many SMS at once; what the batch itself grants is added to them as it goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from rules import (
    Command,
    CompiledPolicy,
    Decision,
    PermitRequest,
    Unrecognised,
    Verdict,
    decide,
    flood_text,
    late_text,
    render,
)
from rules.analysis.shadow import Disagreement, compare
from rules.commands import CommandAnswer, answer
from rules.flood import Flow
from rules.grammar.request import Reason
from smsd.gateway.fact_finding import Asked, FactFinder
from smsd.gateway.phones import Phones
from smsd.smpp import text as sms_text
from storage import DecisionRow, InboundMessage, Register, Reply, ShadowRow, Transaction


class Law(NamedTuple):
    """The policy that decides, and perhaps one that decides beside it without effect."""

    policy: CompiledPolicy
    candidate: CompiledPolicy | None = None


@dataclass(slots=True)
class Settled:
    """What a batch led to, for the outbox and the metrics.

    unrecognised: reasons; commands: names; repeated: equal SMS whose reply was still on its way;
    silent: SMS of phones that had sent too much; disagreements: where the candidate decides
    otherwise; renewed: SMS in whose place another was decided or explained; arrived, unmatched:
    what receipts told, see `storage.store.ReceiptBook`.
    """

    replies: list[Reply] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    unrecognised: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    repeated: int = 0
    silent: int = 0
    disagreements: list[Disagreement] = field(default_factory=list)
    renewed: int = 0
    arrived: list[tuple[str, int]] = field(default_factory=list)
    unmatched: dict[str, int] = field(default_factory=dict)

    def absorb(self, other: "Settled") -> None:
        """Add what another transaction led to."""
        self.replies += other.replies
        self.decisions += other.decisions
        self.unrecognised += other.unrecognised
        self.commands += other.commands
        self.repeated += other.repeated
        self.silent += other.silent
        self.disagreements += other.disagreements
        self.renewed += other.renewed
        self.arrived += other.arrived


class _Case(NamedTuple):
    """A stored message that is to be answered."""

    message_id: int
    message: InboundMessage
    meant: PermitRequest | Command | Unrecognised
    sent_before: int | None


def adjudicate(
    transaction: Transaction,
    law: Law,
    register: Register | None,
    messages: Sequence[InboundMessage],
    incomplete: Sequence[InboundMessage] = (),
) -> Settled:
    """Decide every message of a batch, in the order of arrival.

    incomplete: what came of SMS that will never be whole; each is told so before the others.

    Raises:
        StoreUnavailable: the store or the register cannot be used; roll the batch back.
        StoreConflict: another gateway was quicker; roll the batch back and run it again.
    """
    if register is not None:
        register.refresh()
    whole = [found for message in messages if (found := _whole(transaction, message)) is not None]
    if not whole and not incomplete:
        return Settled()
    return _Court(transaction, law, register, [*incomplete, *whole]).sit()


def _whole(transaction: Transaction, message: InboundMessage) -> InboundMessage | None:
    """The message itself, or the long SMS that its part completes; None while parts lack."""
    if message.part is None:
        return message
    octets = transaction.add_part(message)
    if octets is None:
        return None
    decoded = sms_text.decode(message.data_coding, octets)
    return message._replace(octets=octets, text=decoded.text, sound=decoded.sound, part=None)


# A third of what a NamedTuple's own constructor takes, several times for every SMS.
_new = tuple.__new__


def _is_command(case: _Case) -> bool:
    return isinstance(case.meant, Command)


class _Court:
    """One batch of whole messages."""

    def __init__(
        self,
        transaction: Transaction,
        law: Law,
        register: Register | None,
        messages: Sequence[InboundMessage],
    ) -> None:
        self._transaction = transaction
        self._policy, self._candidate = law
        self._register = register
        self._messages = messages
        self._phones = Phones(transaction, law.policy, messages)
        self._settled = Settled()
        rules = law.policy.policy.content.rules
        self._may_begin_later = any(rule.window_from is not None for rule in rules)
        content = law.policy.policy.content
        self._urgent = {code for code, purpose in content.codes.items() if purpose.urgent}
        self._explains = content.late is not None and content.late.action == "explain"

    def sit(self) -> Settled:
        """Decide and answer all; what a command ends is ended for the requests behind it."""
        for commands, run in groupby(self._open_cases(), key=_is_command):
            if commands:
                self._obey(list(run))
            else:
                self._decide(list(run))
        self._phones.save()
        return self._settled

    def _open_cases(self) -> list[_Case]:
        """Store the messages; those to be answered."""
        transaction, parse = self._transaction, self._policy.grammar.parse
        waiting = transaction.unsent_twins(self._messages)
        cases = []
        for message in self._messages:
            sent_before = self._phones.messages_before(message)
            if message.part is not None:  # of one that is whole there is none any more
                cases.append(self._incomplete(message))
                continue
            key = (message.phone, message.text)
            twin = waiting.get(key)
            if twin is not None and message.channel == "sms":
                # The SMSC sent it again, or an impatient thumb did: one reply answers both.
                transaction.add_message(message, "repeated", twin)
                self._settled.repeated += 1
                continue
            if message.renews is not None:
                self._settled.renewed += 1
                if self._explains:
                    self._explain(message)
                    continue
            meant = parse(message.text)
            message_id = waiting[key] = transaction.add_message(message, _outcome(meant))
            cases.append(_new(_Case, (message_id, message, meant, sent_before)))
        return cases

    def _incomplete(self, message: InboundMessage) -> _Case:
        """Store what came of an SMS; its words choose a language and nothing else."""
        language = self._policy.grammar.parse(message.text).language
        meant = Unrecognised(Reason.INCOMPLETE, None, language)
        message_id = self._transaction.add_message(message, _outcome(meant))
        return _Case(message_id, message, meant, None)

    def _explain(self, message: InboundMessage) -> None:
        """Say that the reply to an SMS would have come too late."""
        at_us = message.received_at_us
        text = late_text(self._policy, self._phones.language(message, None), at_us)
        message_id = self._transaction.add_message(message, "late")
        not_after_us = self._policy.reply_not_after_us((), at_us)
        reply = self._transaction.add_reply(message_id, message, text, not_after_us)
        self._settled.replies.append(reply)

    def _decide(self, cases: list[_Case]) -> None:
        """Decide and store the requests, then answer all of these cases."""
        asked = [
            _new(Asked, (message_id, message, meant, sent_before))
            for message_id, message, meant, sent_before in cases
            if isinstance(meant, PermitRequest)
        ]
        decided = self._decisions(asked) if asked else {}
        known = self._asked_before(asked, decided)
        for case in cases:
            meant, message = case.meant, case.message
            decisions = decided.get(case.message_id, ())
            if isinstance(meant, Unrecognised):
                self._settled.unrecognised.append(meant.reason.value)
                self._answer(case, meant, junk=True)
                continue
            assert isinstance(meant, PermitRequest)
            self._settled.decisions.extend(decisions)
            # Phones whose SMS all granted something were not asked about.
            earlier = known.get(message.phone)
            junk = (
                earlier is not None
                and not _grants(decisions)
                and all(
                    earlier.get((meant.code, document.text), case.message_id) < case.message_id
                    for document in meant.documents
                )
            )
            self._answer(case, decisions, junk)

    def _decisions(self, asked: Sequence[Asked]) -> dict[int, list[Decision]]:
        """By message id, the decisions in the order of documents."""
        finder = FactFinder(self._transaction, self._policy, self._register, self._phones, asked)
        rows = []
        shadows = []
        decided: dict[int, list[Decision]] = {}
        for request in asked:
            message_id, message, meant, _ = request
            at_us = message.received_at_us
            decisions = decided[message_id] = []
            for document, facts in finder.facts(request):
                decision = decide(self._policy, meant.code, document, facts, at_us)
                decisions.append(decision)
                holder = finder.holder[document.text]
                rows.append(_new(DecisionRow, (message_id, holder, decision, facts)))
                if decision.verdict is Verdict.GRANT:
                    finder.granted(document, decision)
                if self._candidate is not None:
                    found = compare(decision, self._candidate, meant.code, document, facts, at_us)
                    if found is not None:
                        shadows.append(ShadowRow(decision.serial, self._candidate, found))
        self._transaction.add_decisions(rows)
        if shadows:
            self._transaction.add_shadow_differences(shadows)
            self._settled.disagreements.extend(row.disagreement for row in shadows)
        return decided

    def _asked_before(
        self, asked: Sequence[Asked], decided: dict[int, list[Decision]]
    ) -> dict[str, dict[tuple[str, str], int]]:
        """What the phones whose SMS grants nothing asked for today, and in which SMS first."""
        if self._policy.policy.content.flood is None:
            return {}
        phones = {each.message.phone for each in asked if not _grants(decided[each.message_id])}
        phones.discard("")  # callers without one: all of the day's would be read
        if not phones:
            return {}
        earliest_us = min(each.message.received_at_us for each in asked)
        calendar = self._policy.calendar
        since_us = calendar.day_start_us(calendar.day(earliest_us))
        return self._transaction.asked_since(phones, since_us)

    def _obey(self, cases: list[_Case]) -> None:
        """Answer commands; a permit that one ends is gone for the next."""
        earliest_us = min(case.message.received_at_us for case in cases)
        phones = {case.message.phone for case in cases}
        permits = self._transaction.phone_permits(phones, earliest_us)
        for case in cases:
            message, command = case.message, case.meant
            assert isinstance(command, Command)
            own = permits.get(message.phone, ())
            answered = answer(self._policy, command, own, message.received_at_us)
            if answered.ended:
                self._transaction.end_permits(answered.ended)
                ended = {end.serial for end in answered.ended}
                permits[message.phone] = tuple(p for p in own if p.serial not in ended)
            self._settled.commands.append(command.name)
            self._answer(case, answered, junk=not answered.ended)

    def _answer(
        self,
        case: _Case,
        outcome: Sequence[Decision] | CommandAnswer | Unrecognised,
        junk: bool,
    ) -> None:
        """Word the reply and put it into the outbox, unless the phone has sent too much."""
        message_id, message, meant, _ = case
        at_us = message.received_at_us
        language = self._phones.language(message, meant.language)
        flow = self._phones.junk(message) if junk else Flow.ANSWER
        if flow is Flow.SILENT:
            self._transaction.silence(message_id)
            self._settled.silent += 1
            return
        if flow is Flow.LAST:
            text = flood_text(self._policy, language, at_us)
        else:
            text = render(self._policy, outcome, language, at_us)
        decisions = () if isinstance(outcome, CommandAnswer | Unrecognised) else outcome
        not_after_us = self._policy.reply_not_after_us(decisions, at_us)
        if not message.phone:
            self._transaction.tell(message_id, message, text, not_after_us)
            return
        reply = self._transaction.add_reply(
            message_id,
            message,
            text,
            not_after_us,
            starts_permit=self._may_begin_later and any(d.begins_with_reply for d in decisions),
            urgent=isinstance(meant, PermitRequest) and meant.code in self._urgent,
        )
        self._settled.replies.append(reply)


def _outcome(meant: PermitRequest | Command | Unrecognised) -> str:
    """What the store says of an SMS."""
    if isinstance(meant, PermitRequest):
        return "decided"
    return "command" if isinstance(meant, Command) else meant.reason.value


def _grants(decisions: Sequence[Decision]) -> bool:
    return any(decision.verdict is Verdict.GRANT for decision in decisions)
