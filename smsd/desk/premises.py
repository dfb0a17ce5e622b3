"""What the desk may know and do of the daemon that serves it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool

from smsd.config import Config
from smsd.desk.events import Events
from smsd.desk.metrics import Metrics
from smsd.desk.readiness import Readiness
from smsd.gateway.adjudicate import Law
from smsd.gateway.clock import Clock
from smsd.gateway.commit_lane import CommitLane
from smsd.gateway.switchboard import Switchboard

__all__ = ["Premises"]

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Premises:
    """The daemon as its desk sees it; every field is used in the reactor's thread.

    readiness: whether the daemon can do its work now. look_at_disks: so that /metrics tells how
    full they are; it waits for them, in any thread. look_on_disk: has every outbox read what was
    put back. reload_policy: has the daemon take the newest activation. events: what is told to
    whoever looks at the dashboard.
    """

    config: Config
    reactor: Any
    clock: Clock
    version: str
    metrics: Metrics
    lane: CommitLane
    switchboard: Switchboard
    readiness: Readiness
    look_at_disks: Callable[[], None]
    look_on_disk: Callable[[], None]
    reload_policy: Callable[[], Awaitable[None]]
    events: Events

    @property
    def url(self) -> str:
        """The store's."""
        return self.config.store.url

    @property
    def law(self) -> Law:
        """What the next batch is decided by."""
        return self.lane.law

    def in_thread(
        self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs
    ) -> "Deferred[_T]":
        """Do what waits for a disk, or takes milliseconds, beside the reactor."""
        pool = self.reactor.getThreadPool()
        return deferToThreadPool(self.reactor, pool, work, *args, **kwargs)
