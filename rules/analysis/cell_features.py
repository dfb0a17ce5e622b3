"""What the rules of a policy ask, for one code in one version: the constants that cut the cells."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from rules.calendar import Calendar
from rules.conditions import Condition, Scope, atoms, rule_condition
from rules.policy import Comparison, Conditions, PolicyFile, Rule

__all__ = ["PERMITS", "Feature", "Ground", "GroundRule", "dimension_of"]

PERMITS = "permits"
_OF_PERMITS = ("holds_permit", "quota_spent", "permits_today")


class Feature(NamedTuple):
    """One thing that rules ask, which every cell answers in one way.

    key: of the condition, e.g. ``age.at_least``; names: the kinds, codes, regions … it names;
    bounds: the values of its parameters; leap_day_birthday: where it matters.
    """

    key: str
    names: tuple[str, ...] = ()
    bounds: tuple[int, ...] = ()
    leap_day_birthday: str = ""


class GroundRule(NamedTuple):
    """A rule that may apply here: where it stands in the file, and when it applies."""

    position: int
    rule: Rule
    applies: Condition | bool
    asks: dict[Feature, Condition]


class Ground(NamedTuple):
    """One policy for one code between two instants at which nothing changes.

    from_us, until_us: half-open, microseconds since the epoch; None: without bound.
    rules: those that exist in this time, in order.
    """

    content: PolicyFile
    calendar: Calendar
    scope: Scope
    from_us: int | None
    until_us: int | None
    rules: tuple[tuple[int, Rule], ...]

    def table(self) -> list[GroundRule]:
        """The rules that may apply; one whose parameter has no value yet is left out."""
        found = []
        for index, rule in self.rules:
            try:
                applies = rule_condition(rule.when, rule.exceptions, rule.unknown, self.scope)
                asks = {} if isinstance(applies, bool) else dict(self._asked_by(rule))
            except LookupError:  # compilation says so
                continue
            found.append(GroundRule(index, rule, applies, asks))
        return found

    def _asked_by(self, rule: Rule) -> Iterator[tuple[Feature, Condition]]:
        for given in (rule.when, rule.exceptions):
            if given is None or False in [atom.holds for atom in atoms(given, self.scope)]:
                continue
            for key in Conditions.model_fields:
                if getattr(given, key) is not None:
                    yield from self._features(key, getattr(given, key))

    def _features(self, key: str, asked: Any) -> Iterator[tuple[Feature, Condition]]:
        values: dict[str, Any] = {key: asked}
        alone = Conditions.model_construct(**values)
        for atom in atoms(alone, self.scope):
            if not isinstance(atom.holds, bool):
                yield self._feature(atom.key, alone), atom.holds

    def _feature(self, atom: str, given: Conditions) -> Feature:
        key, _, side = atom.partition(".")
        asked, number = getattr(given, key), self.scope.parameter
        if isinstance(asked, Comparison):
            bounds = (number(getattr(asked, side)),)
            codes = tuple(getattr(asked, "codes", None) or ())
            return Feature(atom, codes, bounds, self.scope.leap_day_birthday * (key == "age"))
        if given.local_time is not None:
            span = given.local_time
            return Feature(atom, (), (number(span.start), number(span.until)))
        if given.quota_spent is not None:
            quota = self.scope.quotas[given.quota_spent]
            return Feature(atom, tuple(quota.codes), (number(quota.limit),))
        names = (asked,) if isinstance(asked, (str, bool)) else asked
        return Feature(atom, tuple(map(str, names)))


def dimension_of(feature: Feature) -> str:
    """The fact that a feature is about; those of permits hang together."""
    key = feature.key.partition(".")[0]
    return PERMITS if key in _OF_PERMITS else key
