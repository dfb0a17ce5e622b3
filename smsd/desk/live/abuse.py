"""How many are above each [[abuse]] bound of the policy: counted now and then, while watched."""

import json
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import structlog
from twisted.internet.error import ProcessDone
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from smsd.desk.live.abuse_count import Question
from smsd.desk.premises import Premises

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
    """Keeps the newest counts. at_us: when they were counted; None: not yet."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises
        self._settings = premises.config.desk.dashboard
        self._next_at = -1.0
        self._process: Any = None
        self.newest: list[Counted] = []
        self.at_us: int | None = None

    def glance(self) -> list[Counted]:
        """The newest counts; has them counted again where that was long ago."""
        now = self._premises.clock.monotonic()
        if self._process is None and now >= self._next_at:
            self._next_at = now + self._settings.abuse_every_s
            self._begin()
        return self.newest

    def stop(self) -> None:
        """End a counting that is under way."""
        if self._process is not None:
            self._process.signalProcess("KILL")

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
        child = _Child(
            json.dumps([self._premises.url, questions]),
            lambda answer: self._ended(asked, answer, now_us),
        )
        reactor = self._premises.reactor
        self._process = reactor.spawnProcess(child, _COMMAND[0], _COMMAND, env=None)
        child.limit = reactor.callLater(self._settings.abuse_s, self.stop)

    def _ended(self, asked: list[Counted], answer: bytes | None, now_us: int) -> None:
        self._process = None
        if answer is None:
            _log.warning("abuse_not_counted", retry_in_s=self._settings.abuse_every_s)
            return
        found = zip(asked, json.loads(answer), strict=True)
        self.newest = [each._replace(above=above, everybody=all_) for each, (above, all_) in found]
        self.at_us = now_us


class _Child(ProcessProtocol):
    """Tells it what to count, and collects what it found."""

    transport: Any = None
    limit: IDelayedCall | None = None

    def __init__(self, asked: str, ended: Callable[[bytes | None], None]) -> None:
        self._asked = asked
        self._ended = ended
        self._found: list[bytes] = []

    def connectionMade(self) -> None:  # noqa: N802
        """It runs."""
        self.transport.write(self._asked.encode())
        self.transport.closeStdin()

    def outReceived(self, data: bytes) -> None:  # noqa: N802
        """A piece of the answer."""
        self._found.append(data)

    def processEnded(self, reason: Failure) -> None:  # noqa: N802
        """It is done, or was ended."""
        if self.limit is not None and self.limit.active():
            self.limit.cancel()
        self._ended(b"".join(self._found) if reason.check(ProcessDone) else None)
