"""The permits that a policy would have given, remembered while recorded traffic passes by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from rules.analysis.recorded import RecordedDecision, RecordedMessage
from rules.commands import PhonePermit, answer
from rules.decide import Decision, Facts, HeldPermit, Verdict
from rules.documents import Document
from rules.grammar.request import Command

if TYPE_CHECKING:
    from rules.compile import CompiledPolicy

__all__ = ["History"]


class _Given(NamedTuple):
    """A permit, with the phone that asked for it.

    length_us: of one that begins when its reply leaves; None: another, or one that was ended.
    """

    permit: HeldPermit
    document: Document
    phone: str
    length_us: int | None


class History:
    """Who would hold what under a policy, since the first message that was shown.

    Permits given before it are taken from the recorded facts as they are. Remembers the holders
    of today and yesterday, and whose permit is valid for longer.
    """

    def __init__(self, policy: CompiledPolicy) -> None:
        self._policy = policy
        self._day = 0
        self._first_serial: int | None = None
        self._invented = 0
        self._given: dict[str, tuple[_Given, ...]] = {}  # by holder
        self._askers: dict[str, set[str]] = {}  # by phone, the holders that it asked for
        self._holders: dict[str, tuple[str, int]] = {}  # by document, with the day last seen

    def __len__(self) -> int:
        """How many holders are remembered."""
        return len(self._given)

    def begin(self, message: RecordedMessage) -> None:
        """The next message; before its day everything but the eve is forgotten."""
        if self._first_serial is None and message.decisions:
            self._first_serial = message.decisions[0].serial
        day = self._policy.calendar.day(message.received_at_us)
        if day > self._day:
            self._day = day
            self._forget(day - 1, message.received_at_us)

    def _forget(self, before_day: int, at_us: int) -> None:
        kept = {}
        askers: dict[str, set[str]] = {}
        for holder, given in self._given.items():
            rest = tuple(
                one
                for one in given
                if one.permit.day >= before_day or at_us < one.permit.valid_until_us
            )
            if rest:
                kept[holder] = rest
                for one in rest:
                    askers.setdefault(one.phone, set()).add(holder)
        self._given, self._askers = kept, askers
        self._holders = {
            document: known for document, known in self._holders.items() if known[1] >= before_day
        }

    def facts(self, decision: RecordedDecision) -> Facts:
        """The recorded facts, with the permits that the holder would have had."""
        self._holders[decision.document] = (decision.holder, self._day)
        facts = decision.facts
        first = self._first_serial
        assert first is not None, "begin() comes first"
        given = self._given.get(decision.holder)
        if not given and not facts.permits:
            return facts
        older = tuple(permit for permit in facts.permits if permit.serial < first)
        newer = tuple(_as_seen(one, facts.permits) for one in given) if given else ()
        return facts._replace(permits=older + newer)

    def unrecorded_facts(self, message: RecordedMessage, document: Document) -> Facts:
        """Of a request that was not understood then: the permits since; all else is unknown.

        Its serial is negative, so that it is none that was ever given.
        """
        self._invented -= 1
        given = self._given.get(self._holder(document), ())
        permits = tuple(one.permit for one in given)
        return Facts(self._invented, permits=permits, channel=message.channel)

    def _holder(self, document: Document) -> str:
        """Who holds a document, where that was recorded since yesterday."""
        known = self._holders.get(document.text)
        return known[0] if known else f"d:{document.text}"

    def decided(
        self, message: RecordedMessage, decision: Decision, recorded: RecordedDecision | None
    ) -> None:
        """Keep what was granted."""
        if decision.verdict is not Verdict.GRANT:
            return
        from_us, until_us = decision.valid_from_us, decision.valid_until_us
        assert from_us is not None
        assert until_us is not None
        length_us = until_us - from_us if decision.begins_with_reply else None
        left_us = recorded.valid_from_us if recorded and recorded.begins_with_reply else None
        if length_us is not None and left_us is not None:
            from_us, until_us = left_us, left_us + length_us
        slot = decision.quota.slot if decision.quota else None
        permit = HeldPermit(decision.serial, decision.code, from_us, until_us, decision.day, slot)
        holder = recorded.holder if recorded else self._holder(decision.document)
        given = _Given(permit, decision.document, message.phone, length_us)
        self._given[holder] = (*self._given.get(holder, ()), given)
        self._askers.setdefault(message.phone, set()).add(holder)

    def take_back(self, message: RecordedMessage) -> None:
        """Drop the permits whose reply came too late, before their SMS is decided anew."""
        for holder in self._askers.get(message.phone, ()) if message.takes_back else ():
            self._given[holder] = tuple(
                one for one in self._given[holder] if one.permit.serial not in message.takes_back
            )

    def obey(self, message: RecordedMessage, command: Command) -> None:
        """End the permits that a phone returns or cancels."""
        if command.name != "end":
            return
        holders = self._askers.get(message.phone, ())
        own = [
            PhonePermit(
                document,
                permit.code,
                permit.valid_from_us,
                permit.valid_until_us,
                permit.day,
                permit.serial,
            )
            for holder in holders
            for permit, document, phone, _ in self._given[holder]
            if phone == message.phone
        ]
        ended = {
            end.serial: end
            for end in answer(self._policy, command, own, message.received_at_us).ended
        }
        for holder in holders if ended else ():
            self._given[holder] = tuple(
                _ended(one, end.at_us) if end else one
                for one in self._given[holder]
                if (end := ended.get(one.permit.serial)) is None or not end.given_back
            )


def _as_seen(given: _Given, recorded: Iterable[HeldPermit]) -> HeldPermit:
    """A permit as a later request saw it: a reply that had not left had not begun it."""
    permit, length_us = given.permit, given.length_us
    if length_us is None:
        return permit
    for then in recorded:
        if then.serial == permit.serial:
            from_us = then.valid_from_us
            return permit._replace(valid_from_us=from_us, valid_until_us=from_us + length_us)
    return permit


def _ended(given: _Given, at_us: int) -> _Given:
    return given._replace(permit=given.permit._replace(valid_until_us=at_us), length_us=None)
