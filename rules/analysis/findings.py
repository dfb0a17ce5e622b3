"""What is found out about a candidate, as data: for `--json`, and for the desk's studies."""

from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from rules.analysis.diff import (
    Difference,
    Handling,
    Rewording,
    diff,
    difference_words,
    handling_words,
    handlings,
    rewordings,
)
from rules.analysis.replay import Change
from rules.analysis.replay_tally import Tally
from rules.compile import CompiledPolicy
from rules.instants import local_datetime
from rules.reference import encode
from rules.telling.table_rows import as_data

__all__ = ["Changes", "changes", "changes_data", "reference_of", "replay_data"]


class Changes(NamedTuple):
    """All that two policies do differently."""

    decisions: list[Difference]
    handling: list[Handling]
    replies: list[Rewording]


def changes(old: CompiledPolicy, new: CompiledPolicy, languages: tuple[str, ...] = ()) -> Changes:
    """Compare two policies. Raises as `rules.analysis.diff.diff` does."""
    return Changes(diff(old, new, languages), handlings(old, new), rewordings(old, new))


def changes_data(found: Changes, new: CompiledPolicy) -> dict[str, Any]:
    """The changes as JSON, each decision and handling with its words."""
    return {
        "decisions": [
            {**as_data(row), "words": difference_words(row, new.calendar)}
            for row in found.decisions
        ],
        "handling": [{**as_data(row), "words": handling_words(row)} for row in found.handling],
        "replies": as_data(found.replies),
    }


def replay_data(tally: Tally, zone: str) -> dict[str, Any]:
    """What a replay counted, as JSON; times on the clock of a zone."""
    return {
        "messages": tally.messages,
        "repeated": tally.repeated,
        "decisions": tally.decisions,
        "changed": tally.changes,
        "changes": [
            {
                "old": kind.old,
                "new": kind.new,
                "count": kind.count,
                "examples": [_example(change, zone) for change in kind.examples],
            }
            for kind in tally.kinds()
        ],
    }


def _example(change: Change, zone: str) -> dict[str, Any]:
    at = local_datetime(change.at_us, ZoneInfo(zone))
    return {
        "reference": reference_of(change),
        "at": f"{at:%Y-%m-%d %H:%M:%S}",
        "code": change.code,
    }


def reference_of(change: Change) -> str | None:
    """What a reply names and `smsd explain` takes; an SMS without a decision has none."""
    return None if change.serial is None else encode(change.serial)
