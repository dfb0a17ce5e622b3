"""Who saw or did what at the desk: noted before it is shown, and never in the way of an answer."""

import structlog
from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure

from smsd.desk.premises import Premises
from smsd.desk.unattended import tell_fault
from smsd.desk.web.visit import Visit
from storage.audit_waiting import AuditNote, Kept, WaitingAudit

__all__ = ["Notes"]

_log = structlog.get_logger("smsd.audit")

_AGAIN_S = 2.0
"""After which lines that wait are tried again."""
_NEXT_S = 0.05
"""After which the next of them follow those that the store took."""


class Notes:
    """Writes the audit for rooms that answer even while the store cannot be written."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises
        self._waiting = WaitingAudit(premises.url, premises.config.desk.audit_waiting_max)
        self._again: IDelayedCall | None = None
        self._stopped = False

    def start(self) -> None:
        """Bring in what an earlier daemon left."""
        if self._waiting.waiting:
            self._try_later()

    def stop(self) -> None:
        """Leave what waits to the next daemon."""
        self._stopped = True
        if self._again is not None:
            self._again.cancel()
            self._again = None

    async def note(
        self, visit: Visit, action: str, subject: str, reason: str = "", about: str = ""
    ) -> None:
        """Note what somebody is about to see or do.

        subject: never a phone or document; those are named by `about`, which can be erased.

        Raises:
            StoreUnavailable: too many lines wait; it must not be seen or done.
        """
        line = AuditNote(visit.at_us, visit.who, action, subject, reason, about)
        kept = await self._premises.in_thread(self._waiting.note, line)
        if kept is Kept.MEMORY:
            _log.error("audit_line_in_memory", action=action, waiting=self._waiting.waiting)
        if kept is not Kept.STORE:
            self._try_later()

    def _try_later(self, wait_s: float = _AGAIN_S) -> None:
        if self._again is None and not self._stopped:
            self._again = self._premises.reactor.callLater(wait_s, self._try)

    def _try(self) -> None:
        self._again = None
        self._premises.in_thread(self._waiting.drain).addCallbacks(self._drained, self._failed)

    def _drained(self, lines: int) -> None:
        if lines:
            _log.info("audit_lines_brought_in", lines=lines, waiting=self._waiting.waiting)
        if self._waiting.waiting:
            self._try_later(_NEXT_S if lines else _AGAIN_S)

    def _failed(self, failure: Failure) -> None:
        tell_fault(failure)
        self._try_later()
