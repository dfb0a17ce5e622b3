"""What a rule may ask of the holder of a document."""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from rules.birthdays import latest_birth_date
from rules.decide import Facts
from rules.documents import Document
from rules.policy import Comparison

if TYPE_CHECKING:
    from rules.conditions import Condition, Scope

__all__ = ["age_reaches", "blocked", "document_kind", "quarantined", "region", "registered"]


def document_kind(kinds: Iterable[str]) -> "Condition":
    """The document is of one of these kinds."""
    wanted = frozenset(kinds)
    return lambda document, facts, at_us, day: document.kind in wanted


def registered(wanted: bool, scope: "Scope") -> "Condition | bool":
    """The document stands in the register, or does not; unknown without a register."""
    if scope.usual:
        return wanted
    if wanted:
        return lambda document, facts, at_us, day: facts.registered

    def unregistered(document: Document, facts: Facts, at_us: int, day: int) -> bool | None:
        known = facts.registered
        return None if known is None else not known

    return unregistered


def age_reaches(_asked: Comparison, parameter: str, scope: "Scope") -> "Condition":
    """The person has turned so many years; unknown without a date of birth."""
    years, leap_day_birthday = scope.parameter(parameter), scope.leap_day_birthday
    if scope.day is not None:
        youngest = latest_birth_date(date.fromordinal(scope.day), years, leap_day_birthday)

        def aged_today(document: Document, facts: Facts, at_us: int, day: int) -> bool | None:
            born = facts.birth_date
            return None if born is None else born <= youngest

        return aged_today
    # One tuple read and one written: two threads can never see a mixture.
    memo = (0, date.min)

    def aged(document: Document, facts: Facts, at_us: int, day: int) -> bool | None:
        nonlocal memo
        born = facts.birth_date
        if born is None:
            return None
        known, latest = memo
        if known != day:
            latest = latest_birth_date(date.fromordinal(day), years, leap_day_birthday)
            memo = (day, latest)
        return born <= latest

    return aged


def blocked(how: str, scope: "Scope") -> "Condition | bool":
    """A block that has not ended names this code, or all codes (``wholly``)."""
    if scope.usual:
        return False
    meant = "" if how == "wholly" else scope.code

    def is_blocked(document: Document, facts: Facts, at_us: int, day: int) -> bool:
        blocks = facts.blocks
        return bool(blocks) and any(b.code == meant and day < b.until_day for b in blocks)

    return is_blocked


def quarantined(wanted: bool) -> "Condition":
    """The person is in quarantine on this day; unknown where the register does not say."""

    def in_quarantine(document: Document, facts: Facts, at_us: int, day: int) -> bool | None:
        until_day = facts.quarantine_until_day
        return None if until_day is None else (day < until_day) is wanted

    return in_quarantine


def region(regions: Iterable[str]) -> "Condition":
    """The person lives in one of these; unknown where the register does not say."""
    wanted = frozenset(regions)

    def lives_there(document: Document, facts: Facts, at_us: int, day: int) -> bool | None:
        home = facts.region
        return None if home is None else home in wanted

    return lives_there
