"""What a study found, arranged for people who look before they read."""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any, NamedTuple

from smsd.desk.rooms.policy_outcomes import Outcome, outcome_of
from smsd.desk.study.findings import TRANSLATED

__all__ = ["Became", "Direction", "Findings", "Piece", "Replayed", "Share", "findings_of"]

_TOKENS = re.compile(r"\s*\S+")


class Direction(StrEnum):
    """What a change means for whoever asks."""

    STRICTER = "stricter"  # had a permit, has none
    LOOSER = "looser"
    OTHER = "other"  # another length, another reply


class Share(NamedTuple):
    """One of several counts, and what part of the largest it is, in percent, for its bar."""

    name: str
    amount: int
    percent: int


class Piece(NamedTuple):
    """Some words of a text. changed: the other text has not got them."""

    words: str
    changed: bool


class Rewording(NamedTuple):
    """A reply before and after."""

    reply: str
    part: str
    language: str
    before: Sequence[Piece]
    after: Sequence[Piece]


class Became(NamedTuple):
    """SMS of one outcome that come to one other. percent: for the bar of their number."""

    old: Outcome
    new: Outcome
    amount: int
    percent: int
    examples: Sequence[Mapping[str, Any]]


class Handled(NamedTuple):
    """What becomes of replies otherwise. code: None: of those that are too late.

    before, after: parts of the key policy.handled_…; name: the reply that explains.
    """

    code: str | None
    before: str
    after: str
    name: str


# As rules.analysis.diff words them.
_HANDLED = {
    "first": "first",
    "in turn": "in_turn",
    "no such code": "no_code",
    "nothing follows": "nothing",
    "decided anew": "anew",
}
_EXPLAINED = re.compile(r"explained \((?P<name>.+)\)")


class Replayed(NamedTuple):
    """Recorded traffic under the proposed policy. data: as `findings.replay_data` tells it."""

    data: Mapping[str, Any]
    directions: Sequence[Share]
    changes: Sequence[Became]


class Findings(NamedTuple):
    """All of it. fault: why a study failed. changes_fault: why policies cannot be compared."""

    fault: str = ""
    problems: Sequence[Mapping[str, Any]] = ()
    problems_count: int = 0
    coverage: Mapping[str, Any] | None = None
    reached: Sequence[Share] = ()
    compared: bool = False
    changes_fault: str = ""
    decisions: Sequence[Mapping[str, Any]] = ()
    decisions_count: int = 0
    directions: Sequence[Share] = ()
    handling: Sequence[Handled] = ()
    rewordings: Sequence[Rewording] = ()
    rewordings_count: int = 0
    since_us: int = 0
    until_us: int = 0
    replays: Mapping[str, Replayed] = {}


def findings_of(data: Mapping[str, Any], language: str = "en") -> Findings:
    """What `smsd.desk.study.findings.studied` found; of a study that failed its fault.

    language: in which it is told who is meant.
    """
    if "fault" in data:
        return Findings(fault=data["fault"])
    found = Findings(problems=data["problems"], problems_count=data["problems_count"])
    if coverage := data.get("coverage"):
        reached = [(each["rule"], each["cells"]) for each in coverage["reached"]]
        found = found._replace(coverage=coverage, reached=_shares(reached))
    if "changes" not in data:
        return found
    return _with_replays(_with_changes(found, data["changes"], language), data["replay"])


def _with_changes(found: Findings, changes: Mapping[str, Any], language: str) -> Findings:
    if "fault" in changes:
        return found._replace(changes_fault=changes["fault"])
    decisions = [
        {
            **row,
            "direction": _direction(_has_permit(row["before"]), _has_permit(row["after"])),
            "who": ", ".join(_in(language, fact) for fact in row["facts"]),
        }
        for row in changes["decisions"]
    ]
    return found._replace(
        compared=True,
        decisions=decisions,
        decisions_count=changes["decisions_count"],
        directions=_directions((row["direction"], 1) for row in decisions),
        handling=[_handled(row) for row in changes["handling"]],
        rewordings=[_rewording(row) for row in changes["replies"]],
        rewordings_count=changes["replies_count"],
    )


def _handled(row: Mapping[str, Any]) -> Handled:
    names = [
        match["name"] for side in ("before", "after") if (match := _EXPLAINED.match(row[side]))
    ]
    before, after = (_HANDLED.get(row[side], "explained") for side in ("before", "after"))
    return Handled(row["code"], before, after, ", ".join(names))


def _in(language: str, fact: Mapping[str, Any]) -> str:
    """A fact in a language; English where it was not translated."""
    if language not in TRANSLATED:
        return str(fact["words"])
    return str(fact["translated"][TRANSLATED.index(language)])


def _with_replays(found: Findings, replay: Mapping[str, Any]) -> Findings:
    return found._replace(
        since_us=replay["since_us"],
        until_us=replay["until_us"],
        replays={mode: _replayed(replay[mode]) for mode in ("recorded", "cascading")},
    )


def _replayed(data: Mapping[str, Any]) -> Replayed:
    rows = data["changes"]
    largest = max((row["count"] for row in rows), default=1)
    changes = [
        Became(
            outcome_of(row["old"]),
            outcome_of(row["new"]),
            row["count"],
            _percent(row["count"], largest),
            row["examples"],
        )
        for row in rows
    ]
    counted = ((_direction(each.old.granted, each.new.granted), each.amount) for each in changes)
    return Replayed(data, _directions(counted), changes)


def _has_permit(outcome: Mapping[str, Any] | None) -> bool:
    return outcome is not None and outcome["verdict"] != "refuse"


def _direction(before: bool, after: bool) -> Direction:
    if before == after:
        return Direction.OTHER
    return Direction.LOOSER if after else Direction.STRICTER


def _directions(counted: Iterable[tuple[Direction, int]]) -> list[Share]:
    total = dict.fromkeys(Direction, 0)
    for direction, count in counted:
        total[direction] += count
    return _shares([(direction.value, count) for direction, count in total.items()])


def _shares(counted: list[tuple[str, int]]) -> list[Share]:
    largest = max((count for _, count in counted), default=1)
    return [Share(name, count, _percent(count, largest)) for name, count in counted]


def _percent(count: int, largest: int) -> int:
    """At least one where there is anything to be seen."""
    return max(1, round(100 * count / largest)) if count else 0


def _rewording(row: Mapping[str, Any]) -> Rewording:
    before, after = (_TOKENS.findall(row[side] or "") for side in ("before", "after"))
    old: list[Piece] = []
    new: list[Piece] = []
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        changed = kind != "equal"
        if a < b:
            old.append(Piece("".join(before[a:b]), changed))
        if c < d:
            new.append(Piece("".join(after[c:d]), changed))
    return Rewording(row["reply"], row["part"], row["language"], old, new)
