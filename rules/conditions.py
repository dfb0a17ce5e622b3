"""Conditions of a rule → closures that answer True, False or None (unknown).

What is constant for a code and a policy version is folded while compiling, so that deciding
asks only what varies from person to person.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rules.birthdays import latest_birth_dates
from rules.decide import Facts, HeldPermit
from rules.documents import Document
from rules.policy import Comparison, Conditions, DailyQuota

__all__ = [
    "FACTS_THAT_MAY_BE_UNKNOWN",
    "Condition",
    "Scope",
    "counted",
    "held",
    "rule_condition",
]

Condition = Callable[[Document, Facts, int, int], bool | None]
"""(document, facts, at_us, day) → whether it holds; None: a fact it needs is unknown."""

FACTS_THAT_MAY_BE_UNKNOWN = ("registered", "age")


class Scope(NamedTuple):
    """What is constant while compiling: one code in one version of the policy."""

    code: str
    in_force: bool
    parameter: Callable[[str], int]
    quotas: dict[str, DailyQuota]
    leap_day_birthday: str


def rule_condition(
    when: Conditions, exceptions: Conditions | None, unknown: str | None, scope: Scope
) -> Condition | bool:
    """``when`` holds and ``except`` does not; ``unknown`` says what an unknown answer means.

    A bool: the rule applies always, or never. None from the result still means: does not apply.
    """
    parts = [_all_of(_compiled(when, scope))]
    if exceptions is not None:
        parts.append(_not(_all_of(_compiled(exceptions, scope))))
    whole = _all_of(parts)
    if unknown == "apply" and not isinstance(whole, bool):
        return _unless_false(whole)
    return whole


def counted(permits: Iterable[HeldPermit], codes: Sequence[str], day: int) -> int:
    """How many of the permits count towards a limit of these codes on this day."""
    count = 0
    for permit in permits:
        if permit.day == day and permit.code in codes:
            count += 1
    return count


def held(permits: Iterable[HeldPermit], codes: Sequence[str], at_us: int) -> HeldPermit | None:
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


def _compiled(conditions: Conditions, scope: Scope) -> list[Condition | bool]:
    parts: list[Condition | bool] = []
    if conditions.in_force is not None:
        parts.append(conditions.in_force == scope.in_force)
    if conditions.code is not None:
        parts.append(scope.code in conditions.code)
    if conditions.document_kind is not None:
        parts.append(_kind(frozenset(conditions.document_kind)))
    if conditions.registered is not None:
        parts.append(_registered(conditions.registered))
    if conditions.holds_permit is not None:
        parts.append(_holds(conditions.holds_permit, scope.code))
    if conditions.quota_spent is not None:
        parts.append(_spent(scope.quotas[conditions.quota_spent], scope))
    if conditions.age is not None and False not in parts:
        parts.extend(_age(conditions.age, scope))
    return parts


def _kind(kinds: frozenset[str]) -> Condition:
    return lambda document, facts, at_us, day: document.kind in kinds


def _registered(wanted: bool) -> Condition:
    if wanted:
        return lambda document, facts, at_us, day: facts.registered

    def unregistered(document: Document, facts: Facts, at_us: int, day: int) -> bool | None:
        registered = facts.registered
        return None if registered is None else not registered

    return unregistered


def _age(comparison: Comparison, scope: Scope) -> list[Condition | bool]:
    parts: list[Condition | bool] = []
    if comparison.at_least is not None:
        parts.append(_aged(scope.parameter(comparison.at_least), scope.leap_day_birthday))
    if comparison.below is not None:
        parts.append(_not(_aged(scope.parameter(comparison.below), scope.leap_day_birthday)))
    return parts


def _aged(years: int, leap_day_birthday: str) -> Condition:
    latest = latest_birth_dates(years, leap_day_birthday)

    def aged(document: Document, facts: Facts, at_us: int, day: int) -> bool | None:
        born = facts.birth_date
        return None if born is None else born <= latest(day)

    return aged


def _holds(which: str, code: str) -> Condition:
    def any_valid(document: Document, facts: Facts, at_us: int, day: int) -> bool:
        return any(at_us < permit.valid_until_us for permit in facts.permits)

    def same_valid(document: Document, facts: Facts, at_us: int, day: int) -> bool:
        # Most people hold nothing, and building no generator for them is half the cost.
        return bool(facts.permits) and held(facts.permits, (code,), at_us) is not None

    return same_valid if which == "same_code" else any_valid


def _spent(quota: DailyQuota, scope: Scope) -> Condition | bool:
    """True when a permit of this code would exceed the limit."""
    codes = tuple(quota.codes)
    if scope.code not in codes:
        return False
    limit = scope.parameter(quota.limit)

    def spent(document: Document, facts: Facts, at_us: int, day: int) -> bool:
        permits = facts.permits
        return bool(permits) and counted(permits, codes, day) >= limit

    return spent


def _all_of(parts: Sequence[Condition | bool]) -> Condition | bool:
    """Kleene's AND: one False is False whatever is unknown."""
    if False in parts:
        return False
    open_parts = tuple(part for part in parts if not isinstance(part, bool))
    if len(open_parts) < 2:
        return open_parts[0] if open_parts else True

    def all_of(document: Document, facts: Facts, at_us: int, day: int) -> bool | None:
        result: bool | None = True
        for part in open_parts:
            answer = part(document, facts, at_us, day)
            if answer is False:
                return False
            if answer is None:
                result = None
        return result

    return all_of


def _not(part: Condition | bool) -> Condition | bool:
    if isinstance(part, bool):
        return not part

    def negated(document: Document, facts: Facts, at_us: int, day: int) -> bool | None:
        answer = part(document, facts, at_us, day)
        return None if answer is None else not answer

    return negated


def _unless_false(part: Condition) -> Condition:
    return lambda document, facts, at_us, day: part(document, facts, at_us, day) is not False
