"""What a rule may ask of the moment, the channel and the phone of a request."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rules.decide import Facts
from rules.documents import Document
from rules.instants import US_PER_SECOND
from rules.policy import Comparison, TimeSpan

if TYPE_CHECKING:
    from rules.conditions import Condition, Scope

__all__ = [
    "WEEKDAYS",
    "channel",
    "documents_reach",
    "local_time",
    "messages_reach",
    "weekday",
]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""In the order of ``date.weekday``."""


def channel(channels: Iterable[str]) -> "Condition":
    """The request came by one of these."""
    wanted = frozenset(channels)
    return lambda document, facts, at_us, day: facts.channel in wanted


def weekday(days: Iterable[str], scope: "Scope") -> "Condition | bool":
    """The civil day is one of these."""
    # date.fromordinal(1) was a Monday.
    wanted = frozenset((WEEKDAYS.index(day) + 1) % 7 for day in days)
    if scope.day is not None:
        return scope.day % 7 in wanted
    return lambda document, facts, at_us, day: day % 7 in wanted


def local_time(span: TimeSpan, scope: "Scope") -> "Condition | bool":
    """The clock in the policy's zone stands between two times of day."""
    start, until = scope.parameter(span.start), scope.parameter(span.until)
    if scope.second is not None:
        within = start <= scope.second < until
        return within if start <= until else not until <= scope.second < start
    second_of_day = scope.second_of_day

    def in_span(document: Document, facts: Facts, at_us: int, day: int) -> bool:
        return start <= second_of_day(at_us // US_PER_SECOND) < until

    def around_midnight(document: Document, facts: Facts, at_us: int, day: int) -> bool:
        return not until <= second_of_day(at_us // US_PER_SECOND) < start

    return in_span if start <= until else around_midnight


def messages_reach(_asked: Comparison, parameter: str, scope: "Scope") -> "Condition":
    """This phone sent at least so many SMS today; unknown where nobody counts."""
    limit = scope.parameter(parameter)

    def reached(document: Document, facts: Facts, at_us: int, day: int) -> bool | None:
        count = facts.messages_today
        return None if count is None else count >= limit

    return reached


def documents_reach(_asked: Comparison, parameter: str, scope: "Scope") -> "Condition":
    """This phone asked for at least so many documents today; unknown where nobody counts."""
    limit = scope.parameter(parameter)

    def reached(document: Document, facts: Facts, at_us: int, day: int) -> bool | None:
        count = facts.documents_today
        return None if count is None else count >= limit

    return reached
