"""How many are above each [[abuse]] bound of the policy: counted now and then, while watched."""

import json
import subprocess
import sys
from typing import NamedTuple

import structlog
from twisted.internet.defer import Deferred, succeed

from smsd.desk.live.abuse_count import Question
from smsd.desk.premises import Premises
from smsd.desk.unattended import unattended

__all__ = ["AbuseCounts", "Counted"]

_log = structlog.get_logger("smsd.desk")

_US_PER_DAY = 86_400_000_000
_COMMAND = (sys.executable, "-m", "smsd.desk.live.abuse_count")


class Counted(NamedTuple):
    """How many of everybody reached a bound of the policy in so many days."""

    id: str
    title: str
    days: int
    at_least: int
    above: int
    everybody: int


class AbuseCounts:
    """Keeps the newest counts.

    at_us: when they were counted; None: not yet. counted: fires when a counting is done.
    """

    def __init__(self, premises: Premises) -> None:
        self._premises = premises
        self._settings = premises.config.desk.dashboard
        self._next_at = -1.0
        self._counting: _Counting | None = None
        self.counted: Deferred[None] = succeed(None)
        self.newest: list[Counted] = []
        self.at_us: int | None = None

    def glance(self) -> list[Counted]:
        """The newest counts; has them counted again where that was long ago."""
        now = self._premises.clock.monotonic()
        if self._counting is None and now >= self._next_at:
            self._next_at = now + self._settings.abuse_every_s
            self._begin()
        return self.newest

    def stop(self) -> None:
        """End a counting that is under way."""
        if self._counting is not None:
            self._counting.stop()

    def _begin(self) -> None:
        policy, now_us = self._premises.law.policy, self._premises.clock.utc_us()
        parameters = policy.version_at(now_us).parameters
        asked, questions = [], []
        for each in policy.policy.content.abuse:
            bound, since_us = parameters[each.at_least], now_us - each.days * _US_PER_DAY
            asked.append(Counted(each.id, each.title, each.days, bound, 0, 0))
            questions.append(Question(each.measure, list(each.codes or ()), since_us, bound))
        if not questions:
            self.newest, self.at_us = [], now_us
            return
        self._counting = _Counting(json.dumps([self._premises.url, questions]))
        self.counted = unattended(self._count(self._counting, asked, now_us))

    async def _count(self, counting: "_Counting", asked: list[Counted], now_us: int) -> None:
        try:
            answer = await self._premises.in_thread(counting.run, self._settings.abuse_s)
        finally:
            self._counting = None
        if answer is None:
            _log.warning("abuse_not_counted", retry_in_s=self._settings.abuse_every_s)
            return
        found = zip(asked, answer, strict=True)
        self.newest = [each._replace(above=above, everybody=all_) for each, (above, all_) in found]
        self.at_us = now_us


class _Counting:
    """The process that counts."""

    def __init__(self, asked: str) -> None:
        self._asked = asked
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False

    def run(self, lasts_s: float) -> list[list[int]] | None:
        """What it found, in a thread; None: it failed, or took too long."""
        self._process = process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if self._stopped:
            process.kill()
        try:
            answer, _ = process.communicate(self._asked, lasts_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return None
        return json.loads(answer) if not process.returncode else None

    def stop(self) -> None:
        """End it."""
        self._stopped = True
        if self._process is not None:
            self._process.kill()
