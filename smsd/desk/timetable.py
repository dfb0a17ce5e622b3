"""What is queued takes effect by itself: the instant is watched while the daemon runs.

Whatever fell due while it did not is in force before its first SMS: `smsd.lawbook` sees to that.
"""

from typing import Any

import structlog

from smsd.desk.premises import Premises
from smsd.desk.unattended import unattended
from storage import proposals
from storage.proposals import Proposal
from storage.store import StoreError

__all__ = ["Timetable"]

_log = structlog.get_logger("smsd.policy")

_TICK_S = 1.0
"""Clocks are set, and rehearsals shift them: no timer is trusted for longer."""

_US_PER_S = 1_000_000


class Timetable:
    """Watches the instant of the queued proposal."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises
        self._timer: Any = None
        self._stopped = False
        self._asked = 0
        self._unread = True  # something may be queued that is not known of
        self.next: Proposal | None = None
        """What is queued, as far as is known."""

    def start(self) -> None:
        """Find out what is queued, and watch."""
        unattended(self._tick())

    def stop(self) -> None:
        """Watch no more."""
        self._stopped = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    async def look(self) -> None:
        """Something was queued, or is no longer; what cannot be read now is read a tick later."""
        self._asked += 1
        self._unread = True
        asked, premises = self._asked, self._premises
        try:
            found = await premises.in_thread(proposals.queued, premises.url)
        except StoreError as fault:
            _log.error("timetable_unread", reason=str(fault))
            return
        if asked == self._asked:  # else somebody has asked since, and knows better
            self.next, self._unread = found, False

    async def _tick(self) -> None:
        try:
            if self._unread:
                await self.look()
            if self._remaining_s() <= 0:
                self._unread = True
                await self._premises.reload_policy()
                await self.look()
        finally:
            if not self._stopped:
                self._timer = self._premises.reactor.callLater(
                    self._delay_s(), lambda: unattended(self._tick())
                )

    def _delay_s(self) -> float:
        """Until the instant, if it is near; a tick where it is past: something keeps it back."""
        left_s = self._remaining_s()
        return left_s if 0 < left_s < _TICK_S else _TICK_S

    def _remaining_s(self) -> float:
        if self.next is None or self.next.due_us is None:
            return _TICK_S
        return (self.next.due_us - self._premises.clock.utc_us()) / _US_PER_S
