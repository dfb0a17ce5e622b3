"""The policy in words for pages: tables are made beside the reactor, and kept."""

from collections import OrderedDict
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rules import CompiledPolicy
from rules.instants import instant_us
from rules.telling.table import Table, decision_table
from rules.telling.table_sections import Section, identity, notes, sections
from smsd.desk.premises import Premises

__all__ = ["BadMoment", "ToldPolicies", "ToldPolicy", "moment_us", "next_change_us"]

_KEPT_MAX = 24
"""Tables: a handful of policies and dates, in each language."""

_YEARS = range(2000, 2200)


class BadMoment(ValueError):
    """What was typed is no time."""


class ToldPolicy(NamedTuple):
    """A policy at an instant, in the words of a language."""

    table: Table
    identity: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    sections: tuple[Section, ...]


class ToldPolicies:
    """Makes them once for each policy, language and version."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises
        self._kept: OrderedDict[tuple[str, str, int | None], ToldPolicy] = OrderedDict()

    async def at(self, policy: CompiledPolicy, language: str, at_us: int) -> ToldPolicy:
        """The policy as it stands at an instant."""
        key = policy.digest, language, policy.version_at(at_us).from_us
        told = self._kept.get(key)
        if told is None:
            told = await self._premises.in_thread(_tell, policy, language, at_us)
            self._kept[key] = told
            while len(self._kept) > _KEPT_MAX:
                self._kept.popitem(last=False)
        return told


def _tell(policy: CompiledPolicy, language: str, at_us: int) -> ToldPolicy:
    table = decision_table(policy, language, at_us)
    return ToldPolicy(table, identity(table), notes(table), tuple(sections(table)))


def next_change_us(policy: CompiledPolicy, at_us: int) -> int | None:
    """The next instant at which the policy changes by a date of its own; None: never."""
    return next((edge for edge in policy.boundaries_us if edge > at_us), None)


def moment_us(typed: str, zone: str) -> int:
    """The instant of ``2030-05-01T00:00`` on the clock of a zone, as browsers send it.

    Raises:
        BadMoment: it is none, or that clock shows it twice or never.
    """
    try:
        written = datetime.fromisoformat(typed)
        if written.year not in _YEARS:
            raise BadMoment(typed)
        return instant_us(written, ZoneInfo(zone))
    except ValueError as fault:
        raise BadMoment(str(fault)) from fault
