"""One batch inside one transaction: parse, look the facts up, decide, store, word the reply.

Runs in the writer thread. All it knows of time are the instants of receipt. Facts are read
for the whole batch at once; what the batch itself grants is added to them as it goes.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from rules import (
    CompiledPolicy,
    Decision,
    Facts,
    HeldPermit,
    PermitRequest,
    Unrecognised,
    Verdict,
    decide,
    render,
)
from smsd.smpp import text as sms_text
from storage import Citizen, DecisionRow, InboundMessage, Register, Reply, Transaction


class Settled(NamedTuple):
    """What a batch led to, for the outbox and the metrics."""

    replies: list[Reply]
    decisions: list[Decision]
    unrecognised: list[str]  # reasons
    repeated: int  # equal SMS whose reply was still on its way


class _Case(NamedTuple):
    """A stored message that is to be answered."""

    message_id: int
    message: InboundMessage
    request: PermitRequest | Unrecognised


def adjudicate(
    transaction: Transaction,
    policy: CompiledPolicy,
    register: Register | None,
    messages: Sequence[InboundMessage],
) -> Settled:
    """Decide every message of a batch, in the order of arrival.

    Raises:
        StoreUnavailable: the store or the register cannot be used; roll the batch back.
        StoreConflict: another gateway was quicker; roll the batch back and run it again.
    """
    if register is not None:
        register.refresh()
    settled = Settled([], [], [], 0)
    cases, repeated = _open_cases(transaction, policy, messages)
    decided = _decide(transaction, policy, register, cases)
    for case in cases:
        _answer(transaction, policy, case, decided.get(case.message_id, ()), settled)
    return settled._replace(repeated=repeated)


def _open_cases(
    transaction: Transaction, policy: CompiledPolicy, messages: Sequence[InboundMessage]
) -> tuple[list[_Case], int]:
    """Store the messages; those to be answered, and how many repeat one that is being answered."""
    whole = [found for message in messages if (found := _whole(transaction, message)) is not None]
    waiting = transaction.unsent_twins(whole) if whole else {}
    cases = []
    repeated = 0
    for message in whole:
        key = (message.phone, message.text)
        twin = waiting.get(key)
        if twin is not None:
            # The SMSC sent it again, or an impatient thumb did: one reply answers both.
            transaction.add_message(message, "repeated", twin)
            repeated += 1
            continue
        request = policy.grammar.parse(message.text)
        outcome = "decided" if isinstance(request, PermitRequest) else request.reason.value
        message_id = waiting[key] = transaction.add_message(message, outcome)
        cases.append(_Case(message_id, message, request))
    return cases, repeated


def _whole(transaction: Transaction, message: InboundMessage) -> InboundMessage | None:
    """The message itself, or the long SMS that its part completes; None while parts lack."""
    if message.part is None:
        return message
    octets = transaction.add_part(message)
    if octets is None:
        return None
    decoded = sms_text.decode(message.data_coding, octets)
    return message._replace(octets=octets, text=decoded.text, sound=decoded.sound, part=None)


def _decide(
    transaction: Transaction,
    policy: CompiledPolicy,
    register: Register | None,
    cases: Sequence[_Case],
) -> dict[int, list[Decision]]:
    """Decide and store the requests; the decisions by message id, in the order of documents."""
    requests = [
        (message_id, message.received_at_us, request)
        for message_id, message, request in cases
        if isinstance(request, PermitRequest)
    ]
    if not requests:
        return {}
    documents = {doc.text for _, _, request in requests for doc in request.documents}
    citizens = register.look_up(documents) if register is not None else {}
    holders = {document: _holder(document, citizens.get(document)) for document in documents}
    # A permit granted today cannot have ended before the day began.
    earliest_us = min(at_us for _, at_us, _ in requests)
    since_us = policy.calendar.day_start_us(policy.calendar.day(earliest_us))
    permits = transaction.permits(set(holders.values()), since_us)
    rows = []
    decided: dict[int, list[Decision]] = {}
    for message_id, at_us, request in requests:
        decisions = decided[message_id] = []
        for document in request.documents:
            holder = holders[document.text]
            citizen = citizens.get(document.text)
            facts = Facts(
                transaction.next_serial(),
                None if register is None else citizen is not None,
                date.fromordinal(citizen.birth_ordinal) if citizen else None,
                permits.get(holder, ()),
            )
            decision = decide(policy, request.code, document, facts, at_us)
            decisions.append(decision)
            rows.append(DecisionRow(message_id, holder, decision, facts))
            if decision.verdict is Verdict.GRANT:
                permits[holder] = (*facts.permits, _permit(decision))
    transaction.add_decisions(rows)
    return decided


def _holder(document: str, citizen: Citizen | None) -> str:
    """Who a permit belongs to: the person where the register knows one, else the document."""
    return f"p:{citizen.person}" if citizen else f"d:{document}"


def _permit(grant: Decision) -> HeldPermit:
    """A permit just granted, as a fact for what follows in the same batch."""
    valid_from_us, valid_until_us = grant.valid_from_us, grant.valid_until_us
    assert valid_from_us is not None
    assert valid_until_us is not None
    return HeldPermit(grant.serial, grant.code, valid_from_us, valid_until_us, grant.day)


def _answer(
    transaction: Transaction,
    policy: CompiledPolicy,
    case: _Case,
    decisions: Sequence[Decision],
    settled: Settled,
) -> None:
    """Word the reply, put it into the outbox, and note it."""
    message_id, message, request = case
    at_us = message.received_at_us
    if isinstance(request, PermitRequest):
        text = render(policy, decisions, request.language, at_us)
        settled.decisions.extend(decisions)
    else:
        text = render(policy, request, None, at_us)
        settled.unrecognised.append(request.reason.value)
    not_after_us = policy.reply_not_after_us(decisions, at_us)
    settled.replies.append(transaction.add_reply(message_id, message, text, not_after_us))
