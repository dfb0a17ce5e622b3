"""One question instead of many: does any rule but the last stand in this person's way?

Most people are of an ordinary age, live where nothing is closed and have sent few SMS. For them a
screen asks in one pass what half a dozen rules would ask one after the other. It is made from the
conditions of those rules, and answers True only where none of them can hold; whoever it does not
let pass is asked rule by rule.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

from rules.birthdays import latest_birth_date
from rules.conditions import Scope
from rules.decide import Facts
from rules.policy import Comparison, Rule

__all__ = ["Screen", "screen_of"]

Screen = Callable[[Facts], bool]
"""Whether no rule but the last can apply."""

_NO_LIMIT = 1 << 62


class _Bounds(NamedTuple):
    """Within these, no rule can hold.

    after, until: dates of birth, the first excluded; None where no rule asks for an age.
    """

    after: date | None = None
    until: date | None = None
    regions: frozenset[str] = frozenset()
    messages: int | None = None
    documents: int | None = None
    quarantine: bool = False


def screen_of(rules: Sequence[Rule], scope: Scope) -> Screen | None:
    """A screen for rules that refuse; None where one of them asks what it cannot tell.

    scope: with its day; every rule must apply only where its conditions hold, so one of them that
    surely fails is enough.
    """
    bounds = _Bounds()
    for rule in rules:
        narrowed = None if rule.unknown == "apply" else _narrowed(bounds, rule, scope)
        if narrowed is None:
            return None
        bounds = narrowed
    return _screen(bounds)


def _narrowed(bounds: _Bounds, rule: Rule, scope: Scope) -> _Bounds | None:
    """The bounds outside of which this rule too can hold; by the first condition that can tell."""
    when = rule.when
    if when.quarantined:
        return bounds._replace(quarantine=True)
    if when.region is not None:
        return bounds._replace(regions=bounds.regions | frozenset(when.region))
    if when.messages_today is not None and (limit := _limit(when.messages_today, scope)):
        return bounds._replace(messages=min(limit, bounds.messages or _NO_LIMIT))
    if when.documents_today is not None and (limit := _limit(when.documents_today, scope)):
        return bounds._replace(documents=min(limit, bounds.documents or _NO_LIMIT))
    if when.age is not None:
        if when.age.at_least is not None:
            born = _latest_birth(when.age.at_least, scope)
            return bounds._replace(after=max(born, bounds.after or date.min))
        if when.age.below is not None:
            born = _latest_birth(when.age.below, scope)
            return bounds._replace(until=min(born, bounds.until or date.max))
    return None


def _limit(asked: Comparison, scope: Scope) -> int | None:
    return None if asked.at_least is None else scope.parameter(asked.at_least)


def _latest_birth(parameter: str, scope: Scope) -> date:
    assert scope.day is not None
    day = date.fromordinal(scope.day)
    return latest_birth_date(day, scope.parameter(parameter), scope.leap_day_birthday)


def _screen(bounds: _Bounds) -> Screen:
    after, until, regions, messages, documents, quarantine = bounds
    asks_age = after is not None or until is not None
    oldest, youngest = after or date.min, until or date.max

    def passes(facts: Facts) -> bool:
        _, _, born, _, _, quarantine_until_day, region, sent, asked, _, _ = facts
        if asks_age and (born is None or not oldest < born <= youngest):
            return False
        if regions and (region is None or region in regions):
            return False
        if messages is not None and (sent is None or sent >= messages):
            return False
        if documents is not None and (asked is None or asked >= documents):
            return False
        return not quarantine or quarantine_until_day == 0

    return passes
