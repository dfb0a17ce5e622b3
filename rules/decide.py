"""One request and what is known of its holder → a decision. Pure: time is told, never asked."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from rules.documents import Document
from rules.instants import US_PER_SECOND
from rules.reference import encode

if TYPE_CHECKING:
    from rules.compile import CompiledPolicy

__all__ = ["OVERRIDE", "Block", "Decision", "Facts", "HeldPermit", "Quota", "Verdict", "decide"]

OVERRIDE = "override"
"""Stands in a decision where otherwise the id of its rule does; no rule may bear it."""


class Verdict(StrEnum):
    """What becomes of a request. Stable names: policies, records and metrics use them."""

    GRANT = "grant"
    REFUSE = "refuse"
    ALREADY_GRANTED = "already_granted"


class HeldPermit(NamedTuple):
    """A permit that a person was granted before.

    serial: of the decision that granted it; its reference encodes it.
    valid_from_us, valid_until_us: half-open, microseconds since the epoch, UTC.
    day: the civil day on which it was granted, as ``date.toordinal`` in the policy's zone.
    slot: its place in a daily limit; None: it has none.
    """

    serial: int
    code: str
    valid_from_us: int
    valid_until_us: int
    day: int
    slot: int | None = None


class Block(NamedTuple):
    """A person may not be granted permits.

    code: the one that is meant; empty: all.
    until_day: the first civil day on which the person is free again, as ``date.toordinal``.
    """

    code: str
    until_day: int


class Facts(NamedTuple):
    """All that a decision may know of the holder. ``None`` means unknown, never "no".

    serial: the number of this decision; unique, becomes its reference.
    registered: the document stands in the register; None: no register is used.
    permits: the person's permits, over all documents, granted today or still valid; none that
        was cancelled before it began.
    blocks: of the person; also some that have ended.
    quarantine_until_day: the first civil day after it, as ``date.toordinal``; 0: in none.
    region: of residence, as the register names it.
    messages_today, documents_today: SMS that this phone sent on the civil day before this one,
        and different documents that it asked for.
    channel: how the request came: sms, call_centre or web.
    override: an agent of the call centre answers for it that this once no refusal counts.
    """

    serial: int
    registered: bool | None = None
    birth_date: date | None = None
    permits: tuple[HeldPermit, ...] = ()
    blocks: tuple[Block, ...] = ()
    quarantine_until_day: int | None = None
    region: str | None = None
    messages_today: int | None = None
    documents_today: int | None = None
    channel: str = "sms"
    override: bool = False


class Quota(NamedTuple):
    """The place that a granted permit takes in a daily limit.

    The store's unique index (holder, name, day, slot) is the judge between two decisions
    that were made at the same time.
    """

    name: str
    day: int
    slot: int


class Decision(NamedTuple):
    """What was decided, by which rule of which policy file, and what the reply needs.

    source: the rule's legal reference.
    digest: SHA-256 of the policy file, in hex.
    day: the civil day of ``at_us``, as ``date.toordinal`` in the policy's zone.
    valid_from_us, valid_until_us: half-open validity of the permit; None: refused.
    serial: the number of this decision.
    permit: the serial of the permit: this one's own, or the one held already; None: refused.
    reply: the key of the reply in the policy.
    earlier: the permit that used the quota up, when that is why it was refused.
    quota: None when the permit counts towards no daily limit.
    ends_day: the first day after the block or quarantine that is why it was refused.
    begins_with_reply: the window is counted anew from the moment the reply leaves.
    """

    verdict: Verdict
    rule: str
    source: str
    digest: str
    code: str
    document: Document
    at_us: int
    day: int
    valid_from_us: int | None
    valid_until_us: int | None
    serial: int
    permit: int | None
    reply: str
    earlier: HeldPermit | None
    quota: Quota | None
    ends_day: int | None = None
    begins_with_reply: bool = False

    @property
    def reference(self) -> str:
        """Of the permit where there is one, else of this decision; six characters.

        Worked out when asked for: it costs as much as the decision.
        """
        return encode(self.serial if self.permit is None else self.permit)


def decide(
    policy: CompiledPolicy, code: str, document: Document, facts: Facts, at_us: int
) -> Decision:
    """The first rule that applies at ``at_us`` decides.

    The code is one of ``policy.grammar.codes``; another is the caller's bug and a KeyError.
    """
    if facts.override:
        return _overriding(policy, code, document, facts, at_us)
    day, usual, others = policy.moment(at_us // US_PER_SECOND)
    is_usual = facts.registered is True and not facts.permits and not facts.blocks
    passes, rules, otherwise = (usual if is_usual else others)[code]
    if passes is not None and otherwise is not None and passes(facts):
        return otherwise(document, facts, at_us, day)
    for applies, conclude in rules:
        if applies(document, facts, at_us, day):
            return conclude(document, facts, at_us, day)
    if otherwise is not None:
        return otherwise(document, facts, at_us, day)
    raise AssertionError("compilation left a request without a rule")


def _overriding(
    policy: CompiledPolicy, code: str, document: Document, facts: Facts, at_us: int
) -> Decision:
    """What is not refused is decided as ever; else the first rule that does not refuse decides.

    A permit of an override takes no place of a daily limit, since the place may be taken; to
    requests after it, it is a permit of that day like any other. Where the law gives nobody a
    permit with this code now, the refusal stands.
    """
    usual = decide(policy, code, document, facts._replace(override=False), at_us)
    if usual.verdict is not Verdict.REFUSE:
        return usual
    day, _, others = policy.moment(at_us // US_PER_SECOND)
    _, rules, otherwise = others[code]
    concluding = [conclude for applies, conclude in rules if applies(document, facts, at_us, day)]
    for conclude in (*concluding, *([] if otherwise is None else [otherwise])):
        decision = conclude(document, facts, at_us, day)
        if decision.verdict is not Verdict.REFUSE:
            return decision._replace(rule=OVERRIDE, quota=None, begins_with_reply=False)
    return usual
