"""A candidate policy beside the one in force: where would it decide otherwise?"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rules.decide import Decision, Facts, decide
from rules.documents import Document

if TYPE_CHECKING:
    from rules.compile import CompiledPolicy

__all__ = ["Disagreement", "compare"]


class Disagreement(NamedTuple):
    """What the policy in force decided, and what the candidate would have."""

    at_us: int
    live_verdict: str
    live_rule: str
    candidate_verdict: str
    candidate_rule: str


def compare(
    live: Decision,
    candidate: CompiledPolicy,
    code: str,
    document: Document,
    facts: Facts,
    at_us: int,
) -> Disagreement | None:
    """None where both give the same verdict and reply, for the same time.

    The name of a rule may differ: an officer who splits a rule in two changes nothing for
    anybody. A code that the candidate lacks counts as not understood.
    """
    if code not in candidate.grammar.codes:
        return Disagreement(at_us, live.verdict.value, live.rule, "not_understood", "")
    other = decide(candidate, code, document, facts, at_us)
    if (
        other.verdict is live.verdict
        and other.reply == live.reply
        and other.begins_with_reply == live.begins_with_reply
        and other.valid_from_us == live.valid_from_us
        and other.valid_until_us == live.valid_until_us
    ):
        return None
    return Disagreement(at_us, live.verdict.value, live.rule, other.verdict.value, other.rule)
