"""What the gateway keeps of the phones of one batch: their language, their junk, their counts."""

from collections.abc import Collection, Sequence

from rules import CompiledPolicy
from rules.flood import Flow, PhoneState, take
from storage import InboundMessage, Transaction

_NEW = PhoneState()


class Phones:
    """The phones of one batch; read once, written once."""

    def __init__(
        self, transaction: Transaction, policy: CompiledPolicy, messages: Sequence[InboundMessage]
    ) -> None:
        """Read before the batch's own SMS are stored, which would count themselves."""
        self._transaction = transaction
        self._policy = policy
        self._states = transaction.phone_states({message.phone for message in messages})
        self._changed: set[str] = set()
        self._counts_messages = "messages_today" in policy.facts_asked
        self._counts_documents = "documents_today" in policy.facts_asked
        self._messages: dict[tuple[str, int], int] = {}
        self._documents: dict[tuple[str, int], set[str]] = {}
        if self._counts_messages or self._counts_documents:
            self._count(messages)

    def _count(self, messages: Sequence[InboundMessage]) -> None:
        """What each phone sent before on the civil day of its SMS; two days around midnight."""
        calendar = self._policy.calendar
        phones_of_day: dict[int, set[str]] = {}
        for message in messages:
            day = calendar.day(message.received_at_us)
            phones_of_day.setdefault(day, set()).add(message.phone)
        for day, phones in phones_of_day.items():
            since_us = calendar.day_start_us(day)
            if self._counts_messages:
                counts = self._transaction.messages_since(phones, since_us)
                self._messages |= {(phone, day): count for phone, count in counts.items()}
            if self._counts_documents:
                for phone, asked in self._transaction.asked_since(phones, since_us).items():
                    self._documents[phone, day] = {document for _, document in asked}

    def messages_before(self, message: InboundMessage) -> int | None:
        """SMS of this phone today before this one; None: not counted.

        Call once for each SMS, whatever it says, in their order: it then counts for the next.
        """
        if not self._counts_messages:
            return None
        key = (message.phone, self._policy.calendar.day(message.received_at_us))
        before = self._messages.get(key, 0)
        self._messages[key] = before + 1
        return before

    def documents_before(self, message: InboundMessage, documents: Collection[str]) -> int | None:
        """Documents that this phone asked for today before this SMS; None: not counted.

        Call once for each request, in their order.
        """
        if not self._counts_documents:
            return None
        key = (message.phone, self._policy.calendar.day(message.received_at_us))
        asked = self._documents.setdefault(key, set())
        known = len(asked)
        asked.update(documents)
        return known

    def language(self, phone: str, wanted: str | None) -> str | None:
        """The language to answer in: the one this SMS asks for, which is kept, or the one kept."""
        state = self._states.get(phone, _NEW)
        if wanted is None:
            return state.language
        if wanted != state.language:
            self._set(phone, state._replace(language=wanted))
        return wanted

    def junk(self, phone: str, at_us: int) -> Flow:
        """Count a junk SMS; whether it is answered."""
        bucket = self._policy.version_at(at_us).flood
        if bucket is None:
            return Flow.ANSWER
        flow, state = take(bucket, self._states.get(phone, _NEW), at_us)
        self._set(phone, state)
        return flow

    def _set(self, phone: str, state: PhoneState) -> None:
        if state != self._states.get(phone):
            self._states[phone] = state
            self._changed.add(phone)

    def save(self) -> None:
        """Write what changed."""
        if self._changed:
            self._transaction.set_phone_states(
                {phone: self._states[phone] for phone in self._changed}
            )
