"""A compiled policy → the grounds that its cells stand on."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rules.analysis.cell_features import Ground
from rules.conditions import Scope
from rules.instants import by_second, instant_us

if TYPE_CHECKING:
    from rules.compile import CompiledPolicy, Version

__all__ = ["ground_of"]


def ground_of(policy: CompiledPolicy, version: Version, code: str) -> Ground:
    """A code in a version of a policy. The version may have been cut shorter than it was."""
    content, zone = policy.policy.content, ZoneInfo(policy.zone)
    scope = Scope(
        code,
        version.in_force,
        version.parameters.__getitem__,
        content.quotas,
        content.policy.leap_day_birthday,
        by_second(policy.calendar.second_of_day),
    )

    def exists(start: datetime | None, until: datetime | None) -> bool:
        """Whether a rule does, at the first instant of the version."""
        if version.from_us is None:
            return start is None
        begun = start is None or instant_us(start, zone) <= version.from_us
        return begun and (until is None or version.from_us < instant_us(until, zone))

    rules = tuple(
        (position, rule)
        for position, rule in enumerate(content.rules)
        if exists(rule.start, rule.until)
    )
    return Ground(content, policy.calendar, scope, version.from_us, version.until_us, rules)
