"""Waiting for something that nobody tells, without standing still."""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from smsd.gateway.clock import Clock

_LOOK_S = 0.02


async def within(
    reactor: IReactorTime, clock: Clock, limit_s: float, condition: Callable[[], bool]
) -> bool:
    """Wait until `condition` holds, but no longer than `limit_s`; whether it holds then."""
    deadline = clock.monotonic() + limit_s
    done: Deferred[None] = Deferred()

    def look() -> None:
        if not done.called and (condition() or clock.monotonic() >= deadline):
            done.callback(None)

    looking = LoopingCall(look)
    looking.clock = reactor
    looking.start(_LOOK_S)
    await done
    looking.stop()
    return condition()
