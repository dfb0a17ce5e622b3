"""What a fact is like in a cell, and how to make it so."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from rules.analysis.cell_moments import Moment

__all__ = ["Choice", "Patch", "TooManyCells", "Trait"]

Patch = Mapping[str, Any]
"""Fields of ``Facts``, or ``document``, to be set."""


class Trait(NamedTuple):
    """One value of one dimension.

    name: e.g. ``yes``, ``unknown``, a region; empty for numbers.
    low, high: half-open, years, messages or seconds of the day; None: without bound.
    """

    dimension: str
    name: str
    low: int | None = None
    high: int | None = None


class Choice(NamedTuple):
    """A value and the facts that have it at an instant, the edge cases of it; none: impossible."""

    trait: Trait
    fill: Callable[[Moment], Sequence[Patch]]


class TooManyCells(ValueError):
    """The constants of a policy cut more cells than can be looked through."""
