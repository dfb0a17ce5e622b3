"""One batch inside one transaction: parse, look the facts up, decide, store, word the reply.

Runs in the writer thread. All it knows of time are the instants of receipt.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from rules import CompiledPolicy, Decision, Document, Facts, PermitRequest, decide, render
from smsd.smpp import text as sms_text
from storage import InboundMessage, Register, Reply, Transaction

_US_PER_DAY = 86_400_000_000
# More than one other writer would have to take the same slot in between, again and again.
_ATTEMPTS_MAX = 5


class Settled(NamedTuple):
    """What a batch led to, for the outbox and the metrics."""

    replies: list[Reply]
    decisions: list[Decision]
    unrecognised: list[str]  # reasons
    repeated: int  # equal SMS whose reply was still on its way


def adjudicate(
    transaction: Transaction,
    policy: CompiledPolicy,
    register: Register | None,
    messages: Sequence[InboundMessage],
) -> Settled:
    """Decide every message of a batch, in the order of arrival.

    Raises:
        StoreUnavailable: the store or the register cannot be used; roll the batch back.
    """
    settled = Settled([], [], [], 0)
    repeated = 0
    if register is not None:
        register.refresh()
    clerk = _Clerk(transaction, policy, register, settled)
    for message in messages:
        whole = _whole(transaction, message)
        if whole is None:
            continue
        twin = transaction.unsent_twin(whole)
        if twin is not None:
            # The SMSC sent it again, or an impatient thumb did: one reply answers both.
            transaction.add_message(whole, "repeated", twin)
            repeated += 1
        else:
            clerk.answer(whole)
    return settled._replace(repeated=repeated)


def _whole(transaction: Transaction, message: InboundMessage) -> InboundMessage | None:
    """The message itself, or the long SMS that its part completes; None while parts lack."""
    if message.part is None:
        return message
    octets = transaction.add_part(message)
    if octets is None:
        return None
    decoded = sms_text.decode(message.data_coding, octets)
    return message._replace(octets=octets, text=decoded.text, sound=decoded.sound, part=None)


class _Clerk:
    """Answers messages one by one within a transaction."""

    def __init__(
        self,
        transaction: Transaction,
        policy: CompiledPolicy,
        register: Register | None,
        settled: Settled,
    ) -> None:
        self._transaction = transaction
        self._policy = policy
        self._register = register
        self._settled = settled

    def answer(self, message: InboundMessage) -> None:
        """Store a message, what is decided about it, and the reply."""
        policy, at_us = self._policy, message.received_at_us
        request = policy.grammar.parse(message.text)
        if isinstance(request, PermitRequest):
            message_id = self._transaction.add_message(message, "decided")
            decisions = [
                self._decide(message_id, request.code, document, at_us)
                for document in request.documents
            ]
            self._settled.decisions.extend(decisions)
            text = render(policy, decisions, request.language, at_us)
            not_after_us = policy.reply_not_after_us(decisions, at_us)
        else:
            message_id = self._transaction.add_message(message, request.reason.value)
            self._settled.unrecognised.append(request.reason.value)
            text = render(policy, request, None, at_us)
            not_after_us = policy.reply_not_after_us((), at_us)
        reply = self._transaction.add_reply(message_id, message, text, not_after_us)
        self._settled.replies.append(reply)

    def _decide(self, message_id: int, code: str, document: Document, at_us: int) -> Decision:
        """Decide and store; decide again where another gateway was quicker."""
        for _ in range(_ATTEMPTS_MAX):
            holder, facts = self._facts(document, at_us)
            decision = decide(self._policy, code, document, facts, at_us)
            if self._transaction.add_decision(message_id, holder, decision, facts):
                return decision
        raise AssertionError("the daily limit's index and the facts disagree")

    def _facts(self, document: Document, at_us: int) -> tuple[str, Facts]:
        """Who the holder is, and what is known of them at `at_us`."""
        registered: bool | None = None
        birth_date = None
        holder = f"d:{document.text}"
        if self._register is not None:
            citizen = self._register.look_up(document.text)
            registered = citizen is not None
            if citizen is not None:
                holder = f"p:{citizen.person}"
                birth_date = date.fromordinal(citizen.birth_ordinal)
        # A permit granted today cannot have ended before the day began.
        since_us = self._policy.calendar.day_start_us(self._policy.calendar.day(at_us))
        permits = self._transaction.permits(holder, since_us)
        return holder, Facts(self._transaction.next_serial(), registered, birth_date, permits)
