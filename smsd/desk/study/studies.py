"""The studies of proposals, one at a time; what was cut off by the daemon's end is made again."""

import json
from functools import partial
from typing import Any

import structlog
from twisted.internet.defer import DeferredLock

from smsd.desk.premises import Premises
from smsd.desk.study.child import Child, Ended
from smsd.desk.study.job import ExamineJob, Job, Progress, StudyJob
from smsd.desk.unattended import unattended
from storage import studies
from storage.store import StoreError
from storage.studies import Outcome, Task

__all__ = ["Studies", "StudyFailed"]

_log = structlog.get_logger("smsd.study")

_EXAMINE_S = 60.0
"""For the faults of one file; the slowest that was found takes a quarter, if nobody else works."""

_LOOK_AGAIN_S = 10.0
"""After the store could not be read or written."""

_STOPPING = "the daemon stops"


class StudyFailed(Exception):
    """A policy could not be examined; the message says why."""


class Studies:
    """Makes what studies the store asks for. All of it runs in the reactor's thread."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises
        self._children: set[Child] = set()
        self._examining = DeferredLock()
        self._busy = self._stopped = False
        self._look_again = False
        self.under_way: tuple[int, Progress] | None = None
        """The study that is being made, and how far it is."""

    def look(self) -> None:
        """There may be a study to make: at the start, and after one was asked for."""
        self._look_again = True
        if not self._busy and not self._stopped:
            self._busy = True
            unattended(self._make_all())

    def stop(self) -> None:
        """Make no more; what is under way is left to the next daemon."""
        self._stopped = True
        for child in list(self._children):
            child.kill(_STOPPING)

    async def examine(self, name: str, text: str) -> dict[str, Any]:
        """Everything that is wrong with a policy, as `smsd.desk.study.findings.examined` tells it.

        Raises:
            StudyFailed: that could not be found out.
        """
        await self._examining.acquire()
        try:
            ended = await self._run(Child, ExamineJob(name, text), _EXAMINE_S)
        finally:
            self._examining.release()
        if ended.found is None:
            raise StudyFailed(ended.fault)
        found: dict[str, Any] = await self._premises.in_thread(json.loads, ended.found)
        return found

    async def _make_all(self) -> None:
        premises = self._premises
        try:
            while self._look_again and not self._stopped:
                self._look_again = False
                while task := await premises.in_thread(studies.begin_next, premises.url):
                    if self._stopped:
                        return
                    await self._make(task)
                    if self._stopped:
                        return
        except StoreError as fault:
            _log.error("study_put_off", reason=str(fault))
            premises.reactor.callLater(_LOOK_AGAIN_S, self.look)
        finally:
            self._busy = False
            self.under_way = None

    async def _make(self, task: Task) -> None:
        premises, clock = self._premises, self._premises.clock
        self._hear(task.study, Progress("wait", 0.0))
        job = StudyJob(premises.url, task.old, task.new, clock.utc_us())
        child = partial(Child, on_progress=partial(self._hear, task.study))
        ended = await self._run(child, job, premises.config.desk.study_s)
        if self._stopped:
            return
        if ended.found is None:
            _log.error("study_failed", proposal=task.proposal, reason=ended.fault)
        outcome, words = await premises.in_thread(_read, ended)
        at_us = clock.utc_us()
        await premises.in_thread(studies.end, premises.url, task.study, at_us, outcome, words)
        _log.info("studied", proposal=task.proposal, outcome=outcome.value)

    async def _run(self, begin: Any, job: Job, limit_s: float) -> Ended:
        if self._stopped:
            return Ended(None, _STOPPING)
        try:
            child: Child = begin(self._premises.reactor, job, limit_s)
        except OSError as fault:  # no memory, no processes
            return Ended(None, f"no process could be started ({fault.strerror})")
        self._children.add(child)
        try:
            return await child.ended
        finally:
            self._children.discard(child)

    def _hear(self, study: int, progress: Progress) -> None:
        self.under_way = study, progress


def _read(ended: Ended) -> tuple[Outcome, str]:
    """How a study ended, and what is kept of it."""
    if ended.found is None:
        return Outcome.FAILED, json.dumps({"fault": ended.fault})
    found = json.loads(ended.found)
    return Outcome.FAULTY if found["problems"] else Outcome.SOUND, ended.found.decode()
