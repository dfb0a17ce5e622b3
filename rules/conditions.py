"""Conditions of a rule → closures that answer True, False or None (unknown).

What is constant for a code and a policy version is folded while compiling, so that deciding
asks only what varies from person to person.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rules import occasion_conditions as occasion
from rules import permit_conditions as permits
from rules import person_conditions as person
from rules.decide import Facts
from rules.documents import Document
from rules.policy import Comparison, Conditions, DailyQuota

__all__ = ["FACTS_THAT_MAY_BE_UNKNOWN", "Atom", "Condition", "Scope", "atoms", "rule_condition"]

Condition = Callable[[Document, Facts, int, int], bool | None]
"""(document, facts, at_us, day) → whether it holds; None: a fact it needs is unknown."""

FACTS_THAT_MAY_BE_UNKNOWN = (
    "registered",
    "age",
    "quarantined",
    "region",
    "messages_today",
    "documents_today",
)


class Scope(NamedTuple):
    """What is constant while compiling: one code in one version of the policy.

    parameter: a parameter's value; raises when it has none in this version.
    second_of_day: the local time of an instant (in whole seconds since the epoch), in seconds.
    usual: only for people who are as most are: registered, without permits and blocks.
    day, second: only for this civil day, and for the stretch of it around this second; None: any.
    """

    code: str
    in_force: bool
    parameter: Callable[[str], int]
    quotas: dict[str, DailyQuota]
    leap_day_birthday: str
    second_of_day: Callable[[int], int]
    usual: bool = False
    day: int | None = None
    second: int | None = None


class Atom(NamedTuple):
    """One condition by itself. key: e.g. ``registered`` or ``age.at_least``; bool: constant."""

    key: str
    holds: Condition | bool


def rule_condition(
    when: Conditions, exceptions: Conditions | None, unknown: str | None, scope: Scope
) -> Condition | bool:
    """``when`` holds and ``except`` does not; ``unknown`` says what an unknown answer means.

    A bool: the rule applies always, or never. None from the result still means: does not apply.
    """
    parts = [atom.holds for atom in atoms(when, scope)]
    if exceptions is not None:
        parts.append(_not(_all_of([atom.holds for atom in atoms(exceptions, scope)])))
    if unknown != "apply":
        return _all_true(parts)
    whole = _all_of(parts)
    return whole if isinstance(whole, bool) else _unless_false(whole)


def atoms(given: Conditions, scope: Scope) -> list[Atom]:
    """Each condition that is given, by itself; all of them must hold."""
    found: list[Atom] = []
    for key in _IN_ORDER_OF_PRICE:
        asked = getattr(given, key)
        if asked is None:
            continue
        if False in [atom.holds for atom in found]:
            # What can no longer matter may stand on a parameter that has no value yet.
            break
        found.extend(_ATOMS[key](key, asked, scope))
    return found


def _one(holds: Callable[[Any, Scope], Condition | bool]) -> Callable[..., list[Atom]]:
    return lambda key, asked, scope: [Atom(key, holds(asked, scope))]


def _bounds(
    reached: Callable[[Any, str, Scope], Condition | bool],
) -> Callable[[str, Comparison, Scope], list[Atom]]:
    """``at_least`` and ``below`` of a comparison; ``reached``: the fact is at least a parameter."""

    def compared(key: str, asked: Comparison, scope: Scope) -> list[Atom]:
        found = []
        if asked.at_least is not None:
            found.append(Atom(f"{key}.at_least", reached(asked, asked.at_least, scope)))
        if asked.below is not None:
            found.append(Atom(f"{key}.below", _not(reached(asked, asked.below, scope))))
        return found

    return compared


_ATOMS: dict[str, Callable[[str, Any, Scope], list[Atom]]] = {
    "in_force": _one(lambda asked, scope: asked == scope.in_force),
    "code": _one(lambda asked, scope: scope.code in asked),
    "channel": _one(lambda asked, scope: occasion.channel(asked)),
    "document_kind": _one(lambda asked, scope: person.document_kind(asked)),
    "registered": _one(person.registered),
    "holds_permit": _one(permits.holds),
    "quota_spent": _one(permits.quota_spent),
    "permits_today": _bounds(permits.granted_today),
    "blocked": _one(person.blocked),
    "quarantined": _one(lambda asked, scope: person.quarantined(asked)),
    "region": _one(lambda asked, scope: person.region(asked)),
    "weekday": _one(occasion.weekday),
    "local_time": _one(occasion.local_time),
    "messages_today": _bounds(occasion.messages_reach),
    "documents_today": _bounds(occasion.documents_reach),
    "age": _bounds(person.age_reaches),
}
_IN_ORDER_OF_PRICE = tuple(_ATOMS)
assert set(_ATOMS) == set(Conditions.model_fields)


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


def _all_true(parts: Sequence[Condition | bool]) -> Condition | bool:
    """AND where unknown and False come to the same, so that the first of them ends it."""
    open_parts = [part for part in parts if not isinstance(part, bool)]
    if False in parts or len(open_parts) != 2:
        return _all_of(parts)
    first, second = open_parts
    return lambda document, facts, at_us, day: (
        first(document, facts, at_us, day) and second(document, facts, at_us, day)
    )


def _not(part: Condition | bool) -> Condition | bool:
    if isinstance(part, bool):
        return not part

    def negated(document: Document, facts: Facts, at_us: int, day: int) -> bool | None:
        answer = part(document, facts, at_us, day)
        return None if answer is None else not answer

    return negated


def _unless_false(part: Condition) -> Condition:
    return lambda document, facts, at_us, day: part(document, facts, at_us, day) is not False
