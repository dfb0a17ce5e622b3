"""A copy of the audit's newest hash in the log, outside the reach of whoever has the store."""

from typing import Any

import structlog
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure

from storage import StoreError, audit

__all__ = ["AuditWitness"]

_log = structlog.get_logger("smsd.audit")


class AuditWitness:
    """Tells the log how far the audit has come: at the start, from time to time, at the end.

    A chain whose end was cut off is sound in itself; `smsd audit verify --head` proves by such a
    line of the log that nothing was.
    """

    def __init__(self, reactor: Any, url: str, every_s: float) -> None:
        self._reactor = reactor
        self._url = url
        self._every_s = every_s
        self._looping = LoopingCall(self._tell)
        self._looping.clock = reactor

    def start(self) -> None:
        """Tell now and from then on."""
        self._looping.start(self._every_s)

    def stop(self) -> "Deferred[None]":
        """Tell a last time; fires when that is done."""
        if self._looping.running:
            self._looping.stop()
        return self._tell()

    def _tell(self) -> "Deferred[None]":
        return ensureDeferred(self._say()).addErrback(_unforeseen)

    async def _say(self) -> None:
        pool = self._reactor.getThreadPool()
        try:
            head = await deferToThreadPool(self._reactor, pool, audit.head, self._url)
        except StoreError as fault:
            _log.error("audit_head_unknown", reason=str(fault))
            return
        if head is not None:
            _log.info("audit_head", line=head.id, hash=head.hash)


def _unforeseen(failure: Failure) -> None:
    """It is told, and asked again at the next time: a loop that has failed would stop for good."""
    fault = (failure.type, failure.value, failure.getTracebackObject())
    _log.error("audit_head_unknown", exc_info=fault)
