"""What the simulator uses of Twisted's reactor, as types: mypy cannot read zope's interfaces."""

from collections.abc import Callable
from typing import Any, Protocol, cast

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.protocol import Protocol as TwistedProtocol


class DelayedCall(Protocol):
    """IDelayedCall."""

    def active(self) -> bool:
        """Whether it is still to come."""

    def cancel(self) -> None:
        """Let it not come."""


class Clock(Protocol):
    """IReactorTime. ``seconds`` is wall time, so it dates receipts and times nothing."""

    def seconds(self) -> float:
        """Seconds since the epoch."""

    def callLater(self, delay: float, call: Callable[[], object]) -> DelayedCall:  # noqa: N802
        """Call after so many seconds."""


class Reactor(Clock, Protocol):
    """IReactorTime and IReactorTCP: sockets and delayed calls."""

    def listenTCP(self, *args: Any, **named: Any) -> Any:  # noqa: N802
        """Used by the endpoints."""


class Transport(Protocol):
    """ITCPTransport, and of IConsumer what backpressure takes."""

    def write(self, data: bytes) -> None: ...
    def loseConnection(self) -> None: ...  # noqa: N802
    def abortConnection(self) -> None: ...  # noqa: N802
    def setTcpNoDelay(self, enabled: bool) -> None: ...  # noqa: N802
    def pauseProducing(self) -> None: ...  # noqa: N802
    def resumeProducing(self) -> None: ...  # noqa: N802
    def registerProducer(self, producer: object, streaming: bool) -> None: ...  # noqa: N802
    def unregisterProducer(self) -> None: ...  # noqa: N802


class HostAddress(Protocol):
    """IPv4Address, IPv6Address."""

    host: str
    port: int


class Port(Protocol):
    """IListeningPort."""

    def getHost(self) -> HostAddress:  # noqa: N802
        """Where it listens; the real port where 0 was asked for."""

    def stopListening(self) -> "Deferred[None] | None":  # noqa: N802
        """Accept no more connections."""


class _ConnectionFactory(Factory):
    noisy = False

    def __init__(self, connect: Callable[[], TwistedProtocol | None]) -> None:
        self._connect = connect

    def buildProtocol(self, addr: object) -> TwistedProtocol | None:  # noqa: N802
        return self._connect()


def listen(
    reactor: Reactor, host: str, port: int, connect: Callable[[], TwistedProtocol | None]
) -> "Deferred[Port]":
    """Accept TCP connections; ``connect`` gives each its protocol, or None to close it at once.

    Port 0 takes a free one. Fails with CannotListenError.
    """
    family = TCP6ServerEndpoint if ":" in host else TCP4ServerEndpoint
    endpoint: Any = family(reactor, port, interface=host)
    return cast("Deferred[Port]", endpoint.listen(_ConnectionFactory(connect)))
