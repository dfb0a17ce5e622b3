"""The newest snapshot, once a second, to all who watch; nothing is made while nobody does."""

import json
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall

from smsd.desk.live.snapshot import Snapshots

__all__ = ["Feed"]

_EVERY_S = 1.0
# HTML standard, §9.2.6: how long a browser waits before it asks again.
_RETRY_MS = 2_000

Send = Callable[[bytes], None]


class Feed:
    """Server-sent events: each one is the whole snapshot, encoded once for all."""

    def __init__(self, reactor: Any, snapshots: Snapshots) -> None:
        self._reactor = reactor
        self._snapshots = snapshots
        self._watching: list[Send] = []
        self._next: IDelayedCall | None = None

    def begin(self, send: Send) -> Callable[[], None]:
        """Somebody watches; call what is returned when he does not any more."""
        newest = self._event()
        self._watching.append(send)
        send(b"retry: %d\n\n" % _RETRY_MS)
        send(newest)
        if self._next is None:
            self._next = self._reactor.callLater(_EVERY_S, self._tell)
        return lambda: self._end(send)

    def _end(self, send: Send) -> None:
        if send in self._watching:
            self._watching.remove(send)
        if not self._watching and self._next is not None:
            self._next.cancel()
            self._next = None

    def _tell(self) -> None:
        self._next = self._reactor.callLater(_EVERY_S, self._tell)
        event = self._event()
        for send in list(self._watching):
            send(event)

    def _event(self) -> bytes:
        told = json.dumps(self._snapshots.now(), ensure_ascii=False, separators=(",", ":"))
        return b"data: " + told.encode() + b"\n\n"
