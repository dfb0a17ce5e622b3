"""Server-sent events to those who watch: a bounded number, and nobody slow holds anything up."""

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IPushProducer
from twisted.web.http import Request
from zope.interface import implementer

__all__ = ["Streams"]


class Streams:
    """The open streams. lasts_s: then each is ended, and the browser asks anew who it is."""

    def __init__(self, reactor: Any, streams_max: int, lasts_s: float) -> None:
        self._reactor = reactor
        self._streams_max = streams_max
        self._lasts_s = lasts_s
        self._open: set[_Stream] = set()

    @property
    def full(self) -> bool:
        """Whether no more can be opened."""
        return len(self._open) >= self._streams_max

    def open(
        self, request: Request, begin: Callable[[Callable[[bytes], None]], Callable[[], None]]
    ) -> None:
        """Send events on an answer whose headers are set, until either side ends it."""
        stream = _Stream(request)
        end_source = begin(stream.send)
        self._open.add(stream)
        expiry = self._reactor.callLater(self._lasts_s, stream.finish)

        def gone(_result: object) -> None:
            self._open.discard(stream)
            stream.ended = True
            end_source()
            if expiry.active():
                expiry.cancel()

        request.notifyFinish().addBoth(gone)

    def close(self) -> None:
        """End all of them."""
        for stream in list(self._open):
            stream.finish()


@implementer(IPushProducer)
class _Stream:
    """One watcher. What it cannot take at once it does not get: the next event tells the same."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._paused = False
        self.ended = False
        request.registerProducer(self, True)
        request.write(b": begins\n\n")

    def send(self, event: bytes) -> None:
        """Send a whole event, unless those before are still on their way."""
        if not self._paused and not self.ended:
            self._request.write(event)

    def finish(self) -> None:
        """End the answer; the browser comes back by itself."""
        if not self.ended:
            self.ended = True
            self._request.unregisterProducer()
            self._request.finish()

    def pauseProducing(self) -> None:  # noqa: N802
        """See `IPushProducer`."""
        self._paused = True

    def resumeProducing(self) -> None:  # noqa: N802
        """See `IPushProducer`."""
        self._paused = False

    def stopProducing(self) -> None:  # noqa: N802
        """See `IPushProducer`."""
        self.ended = True
