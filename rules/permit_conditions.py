"""What a rule may ask of the permits that the person holds or was granted today."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from rules.decide import Facts, HeldPermit
from rules.documents import Document
from rules.policy import PermitCount

if TYPE_CHECKING:
    from rules.conditions import Condition, Scope

__all__ = ["counted", "free_slot", "granted_today", "held", "holds", "quota_spent"]


def counted(permits: Iterable[HeldPermit], codes: Collection[str], day: int) -> int:
    """How many of the permits were granted on this day, with one of these codes."""
    count = 0
    for permit in permits:
        if permit.day == day and permit.code in codes:
            count += 1
    return count


def free_slot(permits: Iterable[HeldPermit], codes: Collection[str], day: int) -> int:
    """The first place that is free in a daily limit of these codes.

    Not their number: a permit that was cancelled gave back a place in the middle.
    """
    counting = [permit for permit in permits if permit.day == day and permit.code in codes]
    taken = {
        position if permit.slot is None else permit.slot for position, permit in enumerate(counting)
    }
    return next(slot for slot in range(len(taken) + 1) if slot not in taken)


def held(permits: Iterable[HeldPermit], codes: Collection[str], at_us: int) -> HeldPermit | None:
    """The permit of one of these codes that is valid longest, if any is valid at ``at_us``.

    One whose validity has yet to begin counts: asking again must not grant a second.
    """
    found = None
    for permit in permits:
        if (
            at_us < permit.valid_until_us
            and permit.code in codes
            and (found is None or permit.valid_until_us > found.valid_until_us)
        ):
            found = permit
    return found


def holds(which: str, scope: "Scope") -> "Condition | bool":
    """The person holds a permit of this code, or of any, that has not ended."""
    if scope.usual:
        return False
    code = scope.code

    def any_valid(document: Document, facts: Facts, at_us: int, day: int) -> bool:
        return any(at_us < permit.valid_until_us for permit in facts.permits)

    def same_valid(document: Document, facts: Facts, at_us: int, day: int) -> bool:
        # Most people hold nothing, and building no generator for them is half the cost.
        return bool(facts.permits) and held(facts.permits, (code,), at_us) is not None

    return same_valid if which == "same_code" else any_valid


def quota_spent(name: str, scope: "Scope") -> "Condition | bool":
    """One more permit of this code would exceed the daily limit."""
    quota = scope.quotas[name]
    codes = tuple(quota.codes)
    limit = scope.parameter(quota.limit)
    if scope.code not in codes or scope.usual:
        return False

    def spent(document: Document, facts: Facts, at_us: int, day: int) -> bool:
        permits = facts.permits
        return bool(permits) and counted(permits, codes, day) >= limit

    return spent


def granted_today(asked: PermitCount, parameter: str, scope: "Scope") -> "Condition | bool":
    """The person was granted at least so many permits today, of these codes or of all."""
    limit = scope.parameter(parameter)
    if scope.usual:
        return False  # rules.checks: a limit of permits is at least 1
    if asked.codes is None:

        def of_all(document: Document, facts: Facts, at_us: int, day: int) -> bool:
            return sum(permit.day == day for permit in facts.permits) >= limit

        return of_all
    codes = tuple(asked.codes)
    return lambda document, facts, at_us, day: counted(facts.permits, codes, day) >= limit
