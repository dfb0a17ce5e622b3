"""What a study finds out: faults, coverage, changes of the law and of yesterday's outcomes."""

from collections.abc import Callable, Iterator
from typing import Any

from rules import CompiledPolicy, PolicyError, compile_policy, parse_policy
from rules.analysis.cell_traits import TooManyCells
from rules.analysis.coverage import Coverage
from rules.analysis.findings import changes, changes_data, replay_data
from rules.analysis.recorded import RecordedMessage
from rules.analysis.replay import Mode, replay
from rules.analysis.replay_tally import Tally
from rules.analysis.soundness import Examined, examine
from smsd.desk.study.job import ExamineJob, Progress, StudyJob
from storage.recorded import Recording, recording

__all__ = ["ROWS_MAX", "TRANSLATED", "examined", "studied"]

ROWS_MAX = 200
"""Of each kind that are told; how many there are is told as well."""

TRANSLATED = ("az", "ru")
"""The languages of the desk, besides English, in which it is told who is meant."""

_TELL_EVERY_MESSAGES = 1_000
# The shares of a study's time, when there is any traffic at all.
_FIRST, _COMPARED = 0.02, 0.05
_SHARE: dict[Mode, float] = {"recorded": 0.40, "cascading": 0.55}

Tell = Callable[[Progress], None]


def examined(job: ExamineJob) -> dict[str, Any]:
    """Every problem of a file, the digest of one without any, and what its rules cover."""
    found, digest = _examine(job.text, job.name)
    data: dict[str, Any] = {"digest": digest, **_listed("problems", found.problems)}
    if found.coverage is not None:
        data["coverage"] = _coverage(found.coverage)
    return data


def studied(job: StudyJob, tell: Tell) -> dict[str, Any]:
    """All that whoever decides about a policy should know.

    Returns problems; and where something could be compiled, coverage, changes (or why there are
    none) and replay by mode, each cut to `ROWS_MAX` rows.
    """
    tell(Progress("examine", 0.0))
    found, _ = _examine(job.new, "proposal.toml")
    data: dict[str, Any] = _listed("problems", found.problems)
    if found.coverage is not None:
        data["coverage"] = _coverage(found.coverage)
    if found.compiled is None:
        return data
    tell(Progress("compare", _FIRST))
    # What is in force passed its tests when it was put in force.
    old = compile_policy(parse_policy(job.old, "in-force.toml"), trial=False)
    data["changes"] = _changes(old, found.compiled)
    data["replay"] = _replays(job, found.compiled, tell)
    tell(Progress("done", 1.0))
    return data


def _examine(text: str, name: str) -> tuple[Examined, str]:
    try:
        policy = parse_policy(text, name)
    except PolicyError as fault:
        return Examined(None, None, fault.problems), ""
    return examine(policy), policy.digest


def _listed(name: str, rows: Any) -> dict[str, Any]:
    """The first rows of a kind, and how many there are."""
    told = [row._asdict() if hasattr(row, "_asdict") else row for row in rows[:ROWS_MAX]]
    return {name: told, f"{name}_count": len(rows)}


def _coverage(found: Coverage) -> dict[str, Any]:
    gaps = [
        {"code": gap.code, "from_us": gap.from_us, "words": [said.words for said in gap.facts]}
        for gap in found.gaps
    ]
    return {
        "versions": found.versions,
        "cells": found.cells,
        "witnesses": found.witnesses,
        "reached": [
            {
                "rule": each.rule,
                "cells": sum(version.cells for version in each.versions),
                "versions": len(each.versions),
            }
            for each in found.reached
        ],
        "unreachable": found.unreachable,
        "shadowed": [{"rule": each.rule, "by": each.by} for each in found.shadowed],
        "untested": found.untested,
        **_listed("gaps", gaps),
    }


def _changes(old: CompiledPolicy, new: CompiledPolicy) -> dict[str, Any]:
    try:
        found = changes_data(changes(old, new, TRANSLATED), new)
    except (ValueError, TooManyCells) as fault:
        return {"fault": str(fault)}
    told: dict[str, Any] = {"zone": new.zone}
    for name, rows in found.items():
        told |= _listed(name, rows)
    for row in told["decisions"]:
        del row["witness"]  # a request made up, of which the words say enough
    return told


def _replays(job: StudyJob, policy: CompiledPolicy, tell: Tell) -> dict[str, Any]:
    calendar = policy.calendar
    since_us = calendar.day_start_us(calendar.day(job.now_us) - 1)
    taken = recording(job.url, since_us)
    done = _COMPARED
    told: dict[str, Any] = {"since_us": since_us, "until_us": job.now_us}
    for mode, share in _SHARE.items():
        tally = Tally()
        messages = _watched(taken, Tick(mode, done, share, tell))
        for change in replay(tally.watch(messages), policy, mode):
            tally.add(change)
        found = replay_data(tally, policy.zone)
        told[mode] = found | _listed("changes", found["changes"])
        done += share
    return told


class Tick:
    """Tells how far one replay is."""

    def __init__(self, step: str, begins: float, share: float, tell: Tell) -> None:
        self._step = step
        self._begins = begins
        self._share = share
        self._tell = tell

    def at(self, part: float) -> None:
        """So much of it is done, from 0 to 1."""
        self._tell(Progress(self._step, round(self._begins + self._share * part, 3)))


def _watched(taken: Recording, tick: Tick) -> Iterator[RecordedMessage]:
    """The messages; the ids tell how far they are."""
    tick.at(0.0)
    first = 0
    for count, message in enumerate(taken.messages()):
        first = first or message.id
        if count % _TELL_EVERY_MESSAGES == 0:
            tick.at((message.id - first) / (taken.last_id - first + 1))
        yield message
