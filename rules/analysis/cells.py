"""The space of facts of one code in one version of a policy, cut into cells.

The rules compare facts with finitely many constants, so there are finitely many things that a
fact can be like. A *cell* is one choice for each fact that any rule asks for; all requests in a
cell meet the same rule. Sets of cells are cubes (``cell_cubes``), so that what no rule
asks need not be multiplied out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Any, NamedTuple

from rules.analysis.cell_choices import any_document, choices_of, time_cuts
from rules.analysis.cell_cubes import Cube, intersect, joined, without
from rules.analysis.cell_features import Feature, Ground, GroundRule, dimension_of
from rules.analysis.cell_moments import Moment, moments_of
from rules.analysis.cell_traits import Choice, Patch, TooManyCells, Trait
from rules.conditions import Condition
from rules.decide import Facts
from rules.documents import Document
from rules.occasion_conditions import WEEKDAYS

__all__ = ["Class", "Dimension", "Share", "Space", "Witness", "gap"]

CUBES_MAX = 20_000
"""Sets of cells that are kept apart for one code in one version."""

_SERIAL = 1_000_000  # of the decision on a witness; the permits held have 1, 2, 3 …


class Witness(NamedTuple):
    """A request that lies in a cell: what is asked, what is known, and when."""

    code: str
    document: Document
    facts: Facts
    at_us: int


class Class(NamedTuple):
    """Values of a fact that no rule tells apart. truths: what they answer to each feature."""

    choices: tuple[Choice, ...]
    truths: tuple[bool | None, ...]


class Dimension(NamedTuple):
    """A fact that rules ask for; class n is bit n of a cube."""

    name: str
    features: tuple[Feature, ...]
    classes: tuple[Class, ...]

    @property
    def whole(self) -> int:
        return (1 << len(self.classes)) - 1

    def traits(self, mask: int) -> list[Trait]:
        """The values in some of the classes, in order."""
        return [choice.trait for choice in _choices(self, mask)]


class Share(NamedTuple):
    """What a rule gets of the cells. own: where its conditions hold; decided: where it is first."""

    rule: GroundRule
    own: list[Cube]
    decided: list[Cube]


class Space:
    """All the cells of one code in one version, for one policy or for two to be compared.

    Of two policies the grounds must have code, calendar and instants in common. Raises
    TooManyCells.
    """

    def __init__(self, grounds: Sequence[Ground]) -> None:
        self.grounds = tuple(grounds)
        self.code = grounds[0].scope.code
        self.tables = [ground.table() for ground in grounds]
        self.document = any_document(grounds)
        self._asked: dict[str, dict[Feature, Condition]] = {}
        for rule in (rule for table in self.tables for rule in table):
            for feature, holds in rule.asks.items():
                self._asked.setdefault(dimension_of(feature), {})[feature] = holds
        self.moments = moments_of(
            grounds[0].calendar,
            grounds[0].from_us,
            grounds[0].until_us,
            time_cuts(self._asked.get("local_time", ())),
            weekdays="weekday" in self._asked,
            birthdays="age" in self._asked,
        )
        self.dimensions = tuple(map(self._dimension, self._asked))
        self.whole: Cube = tuple(dimension.whole for dimension in self.dimensions)

    def shares(self, which: int = 0) -> tuple[list[Share], list[Cube]]:
        """What each rule of a ground gets, and the cells that are left for none."""
        left, shares = [self.whole], []
        for rule in self.tables[which]:
            own = self.where(rule)
            meets = (intersect(cube, part) for cube in left for part in own)
            decided = [both for both in meets if both is not None]
            left = joined(without(left, own))
            if len(left) > CUBES_MAX:
                raise TooManyCells(f"the rules cut more than {CUBES_MAX} sets of cells")
            shares.append(Share(rule, own, list(filter(self.witness, joined(decided)))))
        return shares, list(filter(self.witness, left))

    def where(self, rule: GroundRule) -> list[Cube]:
        """The cells where the conditions of a rule hold, asked of its compiled condition."""
        if isinstance(rule.applies, bool):
            return [self.whole] if rule.applies else []
        groups = [_told_apart(dimension, rule.asks) for dimension in self.dimensions]
        return joined(cube for cube in product(*groups) if self._applies(rule.applies, cube))

    def witness(self, cube: Cube) -> Witness | None:
        """A request in one of these cells; None: no instant of the version has them."""
        return next(self.witnesses(cube), None)

    def witnesses(self, cube: Cube, only: str | None = None) -> Iterator[Witness]:
        """Requests in these cells: at each instant kept, and once every edge of every fact.

        only: the edges of this fact.
        """
        edges = [n for n, each in enumerate(self.dimensions) if only in (None, each.name)]
        yield from self._at(self._instants(cube), cube, edges)

    def _at(
        self, moments: Iterable[Moment], cube: Cube, edges: Sequence[int] = ()
    ) -> Iterator[Witness]:
        values = [
            _choices(dimension, mask) for dimension, mask in zip(self.dimensions, cube, strict=True)
        ]
        for moment in moments:
            firsts = [next(_filled(choices, moment), None) for choices in values]
            usual = [patch for patch in firsts if patch is not None]
            if len(usual) < len(firsts):
                continue
            yield self._request(moment, usual)
            for n in edges:
                for patch in islice(_filled(values[n], moment), 1, None):
                    yield self._request(moment, [*usual[:n], patch, *usual[n + 1 :]])
            # Only the dates of birth depend on the day.
            edges = [n for n in edges if self.dimensions[n].name == "age"]

    def ends(self, cube: Cube) -> tuple[Witness, ...]:
        """Requests in these cells at the first and at the last instant that has them."""
        instants = list(self._instants(cube))
        found = (next(self._at(moments, cube), None) for moments in (instants, reversed(instants)))
        return tuple(dict.fromkeys(witness for witness in found if witness is not None))

    def check_edges(self) -> None:
        """Assert that all edges of a value answer alike, at every instant kept."""
        for dimension in self.dimensions:
            for n, each in enumerate(dimension.classes):
                cube = tuple(
                    1 << n if other is dimension else other.whole for other in self.dimensions
                )
                for at in self.witnesses(cube, dimension.name):
                    found = self._class_of(dimension, at.document, at.facts, at.at_us)
                    assert found == n, f"not {each.truths}: {at}"

    def cube_of(self, document: Document, facts: Facts, at_us: int) -> Cube:
        """The cell in which a request lies, by what it answers to each feature.

        Raises LookupError when it lies in none, which would be a fault of this module.
        """
        return tuple(
            1 << self._class_of(dimension, document, facts, at_us) for dimension in self.dimensions
        )

    def _class_of(self, dimension: Dimension, document: Document, facts: Facts, at_us: int) -> int:
        day = self.grounds[0].calendar.day(at_us)
        asked = self._asked[dimension.name].values()
        truths = tuple(holds(document, facts, at_us, day) for holds in asked)
        for n, each in enumerate(dimension.classes):
            if each.truths == truths:
                return n
        raise LookupError(f"{dimension.name} has no cell that answers {truths}")

    def _applies(self, applies: Condition, cube: Cube) -> bool:
        at = self.witness(cube)
        if at is None:
            return False
        day = self.grounds[0].calendar.day(at.at_us)
        return applies(at.document, at.facts, at.at_us, day) is True

    def _instants(self, cube: Cube) -> Iterator[Moment]:
        keys = {"weekday": [0], "local_time": [0]}
        for dimension, mask in zip(self.dimensions, cube, strict=True):
            if dimension.name in keys:
                keys[dimension.name] = [_key(trait) for trait in dimension.traits(mask)]
        for key in product(keys["weekday"], keys["local_time"]):
            yield from self.moments.get(key, ())

    def _request(self, moment: Moment, patches: Iterable[Patch]) -> Witness:
        given: dict[str, Any] = {"document": self.document}
        for patch in patches:
            given.update(patch)
        document = given.pop("document")
        return Witness(self.code, document, Facts(_SERIAL, **given), moment.at_us)

    def _dimension(self, name: str) -> Dimension:
        """The choices for a fact, those that no rule tells apart together."""
        asked = self._asked[name]
        classes: dict[tuple[bool | None, ...], list[Choice]] = {}
        for choice in choices_of(name, tuple(asked), self.grounds):
            request = self._alone(choice)
            if request is None:
                continue
            day = self.grounds[0].calendar.day(request.at_us)
            truths = tuple(
                holds(request.document, request.facts, request.at_us, day)
                for holds in asked.values()
            )
            classes.setdefault(truths, []).append(choice)
        return Dimension(
            name, tuple(asked), tuple(Class(tuple(c), truths) for truths, c in classes.items())
        )

    def _alone(self, choice: Choice) -> Witness | None:
        """A request of which only this one thing is known; None: no instant has it."""
        place = _PLACE_IN_KEY.get(choice.trait.dimension)
        for key, moments in self.moments.items():
            if place is not None and key[place] != _key(choice.trait):
                continue
            for moment in moments:
                for patch in choice.fill(moment):
                    return self._request(moment, [patch])
        return None


def gap(ground: Ground) -> Witness | None:
    """A request that meets no rule; None: every request meets one. Raises TooManyCells."""
    space = Space([ground])
    _, left = space.shares()
    return space.witness(left[0]) if left else None


_PLACE_IN_KEY = {"weekday": 0, "local_time": 1}


def _key(trait: Trait) -> int:
    """Of ``Moments``: the weekday's, or the first second of the span of the day."""
    return WEEKDAYS.index(trait.name) if trait.low is None else trait.low


def _choices(dimension: Dimension, mask: int) -> list[Choice]:
    return [c for n, each in enumerate(dimension.classes) if mask >> n & 1 for c in each.choices]


def _filled(choices: Iterable[Choice], moment: Moment) -> Iterator[Patch]:
    return (patch for choice in choices for patch in choice.fill(moment))


def _told_apart(dimension: Dimension, asks: Mapping[Feature, Condition]) -> list[int]:
    """The classes of a dimension, those together that answer a rule's features alike."""
    heard = [n for n, feature in enumerate(dimension.features) if feature in asks]
    masks: dict[tuple[bool | None, ...], int] = {}
    for n, each in enumerate(dimension.classes):
        answers = tuple(each.truths[at] for at in heard)
        masks[answers] = masks.get(answers, 0) | 1 << n
    return list(masks.values())
