"""What a store keeps of an SMS and its decisions, and whether a decision can be made again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rules.decide import Decision, Facts, decide
from rules.grammar.request import PermitRequest

if TYPE_CHECKING:
    from rules.compile import CompiledPolicy

__all__ = ["RecordedDecision", "RecordedMessage", "reproduces"]


class RecordedDecision(NamedTuple):
    """A decision as it was stored.

    document: in canonical form, e.g. ``AZE1111111``.
    holder: the person or the document that a permit belongs to.
    permit: the serial of the permit that the reply named.
    valid_from_us, valid_until_us: half-open; where the permit begins with its reply, moved when
        that had left.
    digest: of the policy that decided.
    """

    serial: int
    document: str
    code: str
    holder: str
    facts: Facts
    verdict: str
    rule: str
    permit: int | None
    valid_from_us: int | None
    valid_until_us: int | None
    begins_with_reply: bool
    digest: str


class RecordedMessage(NamedTuple):
    """An SMS as it was stored, with its decisions in the order of documents.

    outcome: decided, command, repeated, silent, late, or the reason why it was not understood.
    phone: the one that sent it; it can return the permits that it asked for.
    takes_back: serials of permits that ended unused when this SMS was decided anew, because the
        reply to them came too late.
    """

    id: int
    received_at_us: int
    text: str
    outcome: str
    decisions: tuple[RecordedDecision, ...] = ()
    phone: str = ""
    channel: str = "sms"
    takes_back: tuple[int, ...] = ()


def reproduces(
    decision: RecordedDecision, message: RecordedMessage, policy: CompiledPolicy
) -> list[str]:
    """The fields of a decision that its facts and its policy do not give again; none is right.

    policy: the one whose digest the decision bears. An early return is kept apart in the store
    and changes none of these fields.
    """
    if decision.digest != policy.digest:
        return ["digest"]
    meant = policy.grammar.parse(message.text)
    if not isinstance(meant, PermitRequest):
        return ["text"]
    document = next((each for each in meant.documents if each.text == decision.document), None)
    wrong = ["document"] * (document is None) + ["code"] * (meant.code != decision.code)
    if wrong or document is None:
        return wrong
    again = decide(policy, meant.code, document, decision.facts, message.received_at_us)
    pairs: list[tuple[str, object, object]] = [
        ("verdict", decision.verdict, again.verdict.value),
        ("rule", decision.rule, again.rule),
        ("permit", decision.permit, again.permit),
        ("begins_with_reply", decision.begins_with_reply, again.begins_with_reply),
    ]
    if again.begins_with_reply and decision.begins_with_reply:
        # The row's times were moved to the moment at which the reply left.
        pairs.append(("valid_until_us", _length_us(decision), _length_us(again)))
    else:
        pairs.append(("valid_from_us", decision.valid_from_us, again.valid_from_us))
        pairs.append(("valid_until_us", decision.valid_until_us, again.valid_until_us))
    return [name for name, recorded, made in pairs if recorded != made]


def _length_us(decision: RecordedDecision | Decision) -> int | None:
    from_us, until_us = decision.valid_from_us, decision.valid_until_us
    return None if from_us is None or until_us is None else until_us - from_us
