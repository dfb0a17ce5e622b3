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
            if message.channel == "sms":
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
        """SMS of this phone today before this one; None: not counted. An agent's count nowhere.

        Call once for each SMS, whatever it says, in their order: it then counts for the next.
        """
        if not self._counts_messages:
            return None
        if message.channel != "sms":
            return 0
        key = (message.phone, self._policy.calendar.day(message.received_at_us))
        before = self._messages.get(key, 0)
        if message.renews is not None:
            # An outage must not use up what a phone may send: the SMS counted when it came.
            return max(0, before - 1)
        self._messages[key] = before + 1
        return before

    def documents_before(self, message: InboundMessage, documents: Collection[str]) -> int | None:
        """Documents that this phone asked for today before this SMS; None: not counted.

        Call once for each request, in their order. One that is renewed does not count its own.
        """
        if not self._counts_documents:
            return None
        if message.channel != "sms":
            return 0
        key = (message.phone, self._policy.calendar.day(message.received_at_us))
        asked = self._documents.setdefault(key, set())
        known = len(asked if message.renews is None else asked.difference(documents))
        asked.update(documents)
        return known

    def language(self, message: InboundMessage, wanted: str | None) -> str | None:
        """The language to answer in: the one this SMS asks for, which is kept, or the one kept.

        What one that is renewed asks for was kept when it came; the phone may have chosen since.
        """
        state = self._states.get(message.phone, _NEW)
        if wanted is None or message.renews is not None:
            return state.language
        if not message.phone:
            return wanted
        if wanted != state.language:
            self._set(message.phone, state._replace(language=wanted))
        return wanted

    def junk(self, message: InboundMessage) -> Flow:
        """Count a junk SMS; whether it is answered. One that is renewed was counted before.

        What an agent asks is no junk of anybody's phone.
        """
        at_us = message.received_at_us
        bucket = self._policy.version_at(at_us).flood
        if bucket is None or message.renews is not None or message.channel != "sms":
            return Flow.ANSWER
        flow, state = take(bucket, self._states.get(message.phone, _NEW), at_us)
        self._set(message.phone, state)
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
