"""The process that studies, as the daemon sees it: started, listened to, ended in time."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from smsd.desk.study.job import FAILED, FOUND, PROGRESS, Job, Progress, job_line, progress_of

__all__ = ["COMMAND", "Child", "Ended"]

COMMAND = (sys.executable, "-m", "smsd.desk.study")

_SAID_BYTES_MAX = 16 * 1024 * 1024
"""What a study may find; a policy of the longest kind changes a tenth of it."""


class Ended(NamedTuple):
    """A process has ended. found: JSON; fault: why there is nothing."""

    found: bytes | None
    fault: str


class Child(ProcessProtocol):
    """One process with one job."""

    def __init__(
        self,
        reactor: Any,
        job: Job,
        limit_s: float,
        on_progress: Callable[[Progress], None] = lambda _progress: None,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self.ended: Deferred[Ended] = Deferred()
        self._job = job
        self._on_progress = on_progress
        self._line = bytearray()
        self._said_bytes = 0
        self._found: bytes | None = None
        self._fault = ""
        self._process = reactor.spawnProcess(
            self, command[0], [os.fsencode(part) for part in command], env=None
        )
        self._limit = reactor.callLater(limit_s, self.kill, f"it took longer than {limit_s:g} s")

    def kill(self, fault: str) -> None:
        """End it now; what it would have found is lost."""
        self._fault = self._fault or fault
        try:
            self._process.signalProcess("KILL")
        except ProcessExitedAlready:
            return

    # What Twisted calls.

    def connectionMade(self) -> None:  # noqa: N802
        """It runs."""
        # Standard input stays open: its end tells the process that this daemon is gone.
        assert self.transport is not None
        self.transport.write(job_line(self._job))

    def outReceived(self, data: bytes) -> None:  # noqa: N802
        """It says something."""
        self._said_bytes += len(data)
        if self._said_bytes > _SAID_BYTES_MAX:
            self.kill(f"it found more than {_SAID_BYTES_MAX} bytes")
            return
        self._line += data
        if b"\n" not in data:
            return
        *lines, rest = self._line.split(b"\n")
        self._line = bytearray(rest)
        for line in lines:
            self._hear(bytes(line))

    def _hear(self, line: bytes) -> None:
        word, _, octets = line.partition(b" ")
        if word == PROGRESS:
            self._on_progress(progress_of(octets))
        elif word == FOUND:
            self._found = octets
        elif word == FAILED:
            self._fault = self._fault or octets.decode().strip('"')

    def processEnded(self, reason: Failure) -> None:  # noqa: N802
        """It ended, by itself or not."""
        if self._limit.active():
            self._limit.cancel()
        if not self._fault and reason.check(ProcessDone) is None:
            self._fault = str(reason.value)
        found = None if self._fault else self._found
        self.ended.callback(Ended(found, self._fault or ("" if found else "it said nothing")))
