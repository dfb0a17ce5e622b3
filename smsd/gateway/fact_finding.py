"""The facts of some requests: read for all of them at once, and kept up as permits are granted."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from rules import CompiledPolicy, Decision, Document, Facts, HeldPermit, PermitRequest
from smsd.gateway.phones import Phones
from storage import InboundMessage, Register, Transaction
from storage.holders import holder_of

# As in rules.conclusions: a third of what a NamedTuple's own constructor takes, for every SMS.
_new = tuple.__new__


class Asked(NamedTuple):
    """A stored SMS that is a request. sent_before: SMS of its phone on the same day."""

    message_id: int
    message: InboundMessage
    request: PermitRequest
    sent_before: int | None


class FactFinder:
    """What is known of the holders and phones of some requests."""

    def __init__(
        self,
        transaction: Transaction,
        policy: CompiledPolicy,
        register: Register | None,
        phones: Phones,
        asked: Sequence[Asked],
    ) -> None:
        self._transaction = transaction
        self._phones = phones
        self._registered = register is not None
        documents = {doc.text for each in asked for doc in each.request.documents}
        self._citizens = register.look_up(documents) if register is not None else {}
        self.holder = {doc: holder_of(doc, self._citizens.get(doc)) for doc in documents}
        holders = set(self.holder.values())
        # A permit granted today cannot have ended before the day began.
        earliest_us = min(each.message.received_at_us for each in asked)
        since_us = policy.calendar.day_start_us(policy.calendar.day(earliest_us))
        self._permits = transaction.permits(holders, since_us)
        self._blocks = transaction.blocks(holders) if "blocked" in policy.facts_asked else {}

    def facts(self, asked: Asked) -> Iterator[tuple[Document, Facts]]:
        """The facts of each document of one SMS, in the order of arrival.

        Worked out one by one: what the first is granted is a fact for the second, since both
        may belong to one person.
        """
        _, message, request, messages_today = asked
        texts = [document.text for document in request.documents]
        documents_today = self._phones.documents_before(message, texts)
        for document in request.documents:
            yield document, self._facts(document.text, message, messages_today, documents_today)

    def _facts(
        self,
        document: str,
        message: InboundMessage,
        messages_today: int | None,
        documents_today: int | None,
    ) -> Facts:
        holder = self.holder[document]
        citizen = self._citizens.get(document)
        fields = (
            self._transaction.next_serial(),
            citizen is not None if self._registered else None,
            date.fromordinal(citizen.birth_ordinal) if citizen else None,
            self._permits.get(holder, ()),
            self._blocks.get(holder, ()),
            citizen.quarantine_until_day if citizen else None,
            citizen.region if citizen else None,
            messages_today,
            documents_today,
            message.channel,
            message.override,
        )
        return _new(Facts, fields)

    def granted(self, document: Document, grant: Decision) -> None:
        """Let a permit just granted be a fact for what follows."""
        valid_from_us, valid_until_us = grant.valid_from_us, grant.valid_until_us
        assert valid_from_us is not None
        assert valid_until_us is not None
        slot = grant.quota.slot if grant.quota else None
        fields = (grant.serial, grant.code, valid_from_us, valid_until_us, grant.day, slot)
        permit = _new(HeldPermit, fields)
        holder = self.holder[document.text]
        self._permits[holder] = (*self._permits.get(holder, ()), permit)
