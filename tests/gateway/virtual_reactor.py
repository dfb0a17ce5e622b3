"""Twisted's reactor and clock for tests, with one thing more: threads may call into it."""

import queue
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from twisted.internet.testing import MemoryReactorClock
from zope.interface import implementer

from smsd.gateway.writer_host import ThreadReactor

NOON_US = int(datetime(2020, 4, 6, 8, 0, tzinfo=UTC).timestamp() * 1_000_000)  # in Baku
S_US = 1_000_000
HOUR_US = 3_600 * S_US
DAY_US = 24 * HOUR_US

# Far above what any disk needs; a test that meets it is stuck.
_STUCK_S = 30.0


@implementer(ThreadReactor)
class VirtualReactor(MemoryReactorClock):
    """`MemoryReactorClock`; what threads ask for waits until the test lets it run."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted says nothing here
        self._from_threads: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()

    def callFromThread(  # noqa: N802 - Twisted's name
        self,
        callable: Callable[..., object],  # noqa: A002
        *args: object,
        **kwargs: object,
    ) -> None:
        """Called in any thread; runs in the test's, by `run_one`."""
        self._from_threads.put(partial(callable, *args, **kwargs))

    def run_one(self) -> None:
        """Wait for a thread's call and make it."""
        self._from_threads.get(timeout=_STUCK_S)()


class VirtualClock:
    """A `smsd.gateway.clock.Clock`: the reactor's seconds, and a UTC that the test sets."""

    def __init__(self, reactor: VirtualReactor) -> None:
        self._reactor = reactor
        self.now_us = NOON_US

    def monotonic(self) -> float:
        """The reactor's virtual seconds."""
        return float(self._reactor.seconds())

    def utc_us(self) -> int:
        """What the test says."""
        return self.now_us
