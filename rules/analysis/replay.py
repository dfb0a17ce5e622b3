"""Recorded traffic under another policy: what would become of whom.

Floods are not played again: an SMS that was left without a reply counts as what was decided
about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from rules.analysis.recorded import RecordedDecision, RecordedMessage
from rules.analysis.replay_history import History
from rules.decide import Decision, Verdict, decide
from rules.documents import Document
from rules.grammar.request import Command, PermitRequest, Unrecognised

if TYPE_CHECKING:
    from rules.compile import CompiledPolicy

__all__ = ["UNDECIDABLE", "Change", "Mode", "replay"]

Mode = Literal["recorded", "cascading"]
"""recorded: each request is decided on the facts that were recorded for it.
cascading: on those of them that no policy changes, and on the permits that the new policy would
have given before."""

UNDECIDABLE = "undecidable (no request then, so no facts were recorded)"
_MOVED = ", at another time"
_NO_FACTS = ", with nothing known of the person"
_US_PER_MINUTE = 60_000_000


class Change(NamedTuple):
    """An outcome that differs.

    serial: of the recorded decision; None: there was none.
    code: the one recorded, else the one read now; None: neither.
    old, new: e.g. ``grant 120 min``, ``refuse (senior)``, ``not understood (unknown_code)``.
    """

    message_id: int
    at_us: int
    serial: int | None
    code: str | None
    old: str
    new: str


def replay(
    messages: Iterable[RecordedMessage], policy: CompiledPolicy, mode: Mode
) -> Iterator[Change]:
    """Every outcome that the policy changes, in the order of the messages.

    messages: in the order of their ids. A repeated one is passed over: another has its answer;
    so is one whose lateness was explained, and one of which only parts came.
    In mode recorded nothing is kept; cascading remembers the holders of two civil days.
    """
    history = History(policy) if mode == "cascading" else None
    parse = policy.grammar.parse
    for message in messages:
        if history is not None:
            history.take_back(message)
        if message.outcome in ("repeated", "late", "incomplete"):
            continue
        if history is not None:
            history.begin(message)
        meant = parse(message.text)
        if isinstance(meant, PermitRequest):
            yield from _request(message, meant, policy, history)
            continue
        if history is not None and isinstance(meant, Command):
            history.obey(message, meant)
        yield from _no_request(message, meant)


def _request(
    message: RecordedMessage,
    meant: PermitRequest,
    policy: CompiledPolicy,
    history: History | None,
) -> Iterator[Change]:
    """What the policy reads as a request."""
    recorded = {decision.document: decision for decision in message.decisions}
    for document in meant.documents:
        earlier = recorded.pop(document.text, None)
        if earlier is None:
            yield _newly_understood(message, meant.code, document, policy, history)
            continue
        facts = earlier.facts if history is None else history.facts(earlier)
        decision = decide(policy, meant.code, document, facts, message.received_at_us)
        if history is not None:
            history.decided(message, decision, earlier)
        if _alike(earlier, decision):
            continue
        old, new = _then(message, earlier), _now(decision)
        if old == new and _moved(earlier, decision):
            new += _MOVED
        if old != new:
            yield _change(message, earlier, old, new)
    for earlier in recorded.values():
        yield _change(message, earlier, _then(message, earlier), "not understood (other document)")


def _newly_understood(
    message: RecordedMessage,
    code: str,
    document: Document,
    policy: CompiledPolicy,
    history: History | None,
) -> Change:
    """A document of which nothing was recorded."""
    new = UNDECIDABLE
    if history is not None:
        facts = history.unrecorded_facts(message, document)
        decision = decide(policy, code, document, facts, message.received_at_us)
        history.decided(message, decision, None)
        new = _now(decision) + _NO_FACTS
    return Change(message.id, message.received_at_us, None, code, _without_decision(message), new)


def _no_request(message: RecordedMessage, meant: Command | Unrecognised) -> Iterator[Change]:
    """What the policy reads as a command, or not at all."""
    new = "command" if isinstance(meant, Command) else f"not understood ({meant.reason.value})"
    if message.decisions:
        for decision in message.decisions:
            yield _change(message, decision, _then(message, decision), new)
        return
    old = _without_decision(message)
    if old not in (new, "silent"):
        yield Change(message.id, message.received_at_us, None, None, old, new)


def _without_decision(message: RecordedMessage) -> str:
    """The recorded outcome of an SMS, or of a document in it, of which nothing was decided.

    What a phone in a flood had meant is not on record.
    """
    if message.outcome in ("command", "silent"):
        return message.outcome
    if message.outcome == "decided":
        return "not understood (other document)"
    return f"not understood ({message.outcome})"


def _change(message: RecordedMessage, decision: RecordedDecision, old: str, new: str) -> Change:
    return Change(message.id, message.received_at_us, decision.serial, decision.code, old, new)


def _alike(earlier: RecordedDecision, decision: Decision) -> bool:
    """The same in every part, as most are; words need not be made for them."""
    return (
        earlier.rule == decision.rule
        and earlier.valid_until_us == decision.valid_until_us
        and earlier.valid_from_us == decision.valid_from_us
        and earlier.verdict == decision.verdict
        and earlier.begins_with_reply == decision.begins_with_reply
    )


def _moved(earlier: RecordedDecision, decision: Decision) -> bool:
    """The permit that is held already is as long as the recorded one, and another.

    That of a grant is told by length and delay; where it begins with its reply, no more is known.
    """
    return decision.verdict is Verdict.ALREADY_GRANTED and (
        earlier.valid_from_us != decision.valid_from_us
        or earlier.valid_until_us != decision.valid_until_us
    )


def _then(message: RecordedMessage, decision: RecordedDecision) -> str:
    return _told(
        decision.verdict,
        decision.rule,
        decision.valid_from_us,
        decision.valid_until_us,
        message.received_at_us,
        decision.begins_with_reply,
    )


def _now(decision: Decision) -> str:
    return _told(
        decision.verdict,
        decision.rule,
        decision.valid_from_us,
        decision.valid_until_us,
        decision.at_us,
        decision.begins_with_reply,
    )


def _told(
    verdict: str,
    rule: str,
    from_us: int | None,
    until_us: int | None,
    at_us: int,
    begins_with_reply: bool,
) -> str:
    """An outcome in words. Which rule granted is left out: it changes nothing for anybody."""
    if from_us is None or until_us is None:
        return f"{verdict} ({rule})"
    length_min = (until_us - from_us) // _US_PER_MINUTE
    if verdict == Verdict.ALREADY_GRANTED:
        return f"already granted {length_min} min"
    if begins_with_reply:
        return f"grant {length_min} min from the reply on"
    if from_us > at_us:
        return f"grant {length_min} min, in {(from_us - at_us) // _US_PER_MINUTE} min"
    return f"grant {length_min} min"
