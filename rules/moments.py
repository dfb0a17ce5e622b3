"""The rules as they stand at a moment: version, day and hour folded into them.

A request is decided by two tables a code, one for people who are as most are (registered, without
permits and blocks) and one for the others. They are compiled for one civil day and one stretch of
it between two times of day that rules name, and kept; within it nothing but the facts is open.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from rules.calendar import Calendar
from rules.conclusions import Conclusion, conclusion
from rules.conditions import Condition, Scope, rule_condition
from rules.instants import US_PER_SECOND
from rules.policy import Rule
from rules.screen import Screen, screen_of

__all__ = ["Moment", "RulesOfVersion", "ShortTable", "moments"]

_SECONDS_KEPT_MAX = 4096  # under load the same second is asked about thousands of times
_TABLES_KEPT_MAX = 64  # a few days with a few stretches each


class ShortTable(NamedTuple):
    """Rules that may apply, in order, and what is concluded where none of them does.

    passes: tells people in whose way none of them stands; None: ask the rules.
    otherwise: None where the compiler knows that one of them always applies, exactly or because
    the policy has a fault that was told.
    """

    passes: Screen | None
    rules: tuple[tuple[Condition, Conclusion], ...]
    otherwise: Conclusion | None


class Moment(NamedTuple):
    """What is the same for every request received within one second.

    day: the civil day, as ``date.toordinal``; usual, others: by code.
    """

    day: int
    usual: dict[str, ShortTable]
    others: dict[str, ShortTable]


class RulesOfVersion(NamedTuple):
    """The rules that exist in a version, and its scope by code."""

    rules: tuple[Rule, ...]
    scopes: dict[str, Scope]


def moments(
    calendar: Calendar,
    boundaries_us: tuple[int, ...],
    versions: tuple[RulesOfVersion, ...],
    digest: str,
) -> Callable[[int], Moment]:
    """By whole second since the epoch. rules.checks: no date of a policy splits a second."""
    edges = [sorted(set(_edges(version))) for version in versions]

    @lru_cache(_TABLES_KEPT_MAX)
    def tables(version: int, day: int, stretch: int) -> tuple[dict[str, ShortTable], ...]:
        second = edges[version][stretch - 1] if stretch else 0
        rules, scopes = versions[version]
        return tuple(
            {
                code: _table(rules, scope._replace(usual=usual, day=day, second=second), digest)
                for code, scope in scopes.items()
            }
            for usual in (True, False)
        )

    @lru_cache(_SECONDS_KEPT_MAX)
    def moment(second: int) -> Moment:
        at_us = second * US_PER_SECOND
        version = bisect_right(boundaries_us, at_us)
        day = calendar.day(at_us)
        stretch = bisect_right(edges[version], calendar.second_of_day(at_us))
        return Moment(day, *tables(version, day, stretch))

    return moment


def _edges(version: RulesOfVersion) -> Iterator[int]:
    """The times of day, in seconds, at which a condition of the version may change."""
    parameter = next(iter(version.scopes.values())).parameter
    for rule in version.rules:
        for given in (rule.when, rule.exceptions):
            if given is not None and given.local_time is not None:
                for name in (given.local_time.start, given.local_time.until):
                    try:
                        yield parameter(name)
                    except LookupError:  # told where the version is compiled
                        continue


def _table(rules: tuple[Rule, ...], scope: Scope, digest: str) -> ShortTable:
    table: list[tuple[Condition, Conclusion]] = []
    asked: list[Rule] = []
    for rule in rules:
        try:
            applies = rule_condition(rule.when, rule.exceptions, rule.unknown, scope)
            if applies is False:
                continue
            conclude = conclusion(rule, scope, digest)
        except LookupError:  # told where the version is compiled
            continue
        if applies is True:
            passes = screen_of(asked, scope) if scope.usual and len(asked) > 1 else None
            return ShortTable(passes, tuple(table), conclude)
        table.append((applies, conclude))
        asked.append(rule)
    return ShortTable(None, tuple(table), None)
