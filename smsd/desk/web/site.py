"""The desk on Twisted: connections and requests bounded, each handed to the door as a value."""

from functools import partial
from typing import Any

from twisted.internet.defer import ensureDeferred
from twisted.internet.interfaces import IAddress
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, HTTPFactory, Request, datetimeToString

from smsd.desk.unattended import tell_fault
from smsd.desk.web.door import Door
from smsd.desk.web.knock import Knock, Leaving
from smsd.desk.web.streams import Streams

__all__ = ["DeskSite"]

_IDLE_S = 60
# Somebody who sends more than this times the bound is not read to the end for a kind word.
_PATIENCE = 8


class DeskSite(HTTPFactory):
    """Speaks HTTP/1.1 with at most `connections_max` at once. Nothing is logged of a request."""

    noisy = False

    def __init__(
        self, reactor: Any, door: Door, streams: Streams, body_bytes_max: int, connections_max: int
    ) -> None:
        HTTPFactory.__init__(self, timeout=_IDLE_S, reactor=reactor)
        self.door = door
        self.streams = streams
        self.body_bytes_max = body_bytes_max
        self._connections_max = connections_max
        self._connections = 0

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: N802
        """A connection, unless there are too many."""
        if self._connections >= self._connections_max:
            return None
        self._connections += 1
        channel: Any = _Channel()  # type: ignore[no-untyped-call]
        channel.factory = self
        channel.timeOut = self.timeOut
        channel.callLater = self.reactor.callLater
        channel.requestFactory = partial(_Request, self)
        return channel

    def left(self) -> None:
        """A connection ended."""
        self._connections -= 1

    def log(self, request: Request) -> None:
        """Say nothing: an address may name somebody."""


class _Channel(HTTPChannel):
    """One connection."""

    factory: DeskSite

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override] # noqa: N802
        """It ended, whoever ended it."""
        HTTPChannel.connectionLost(self, reason)
        self.factory.left()


class _Request(Request):
    """One request. Its body is kept only as far as the bound reaches."""

    def __init__(self, site: DeskSite, channel: HTTPChannel, _queued: object) -> None:
        Request.__init__(self, channel, parsePOSTFormSubmission=False)
        self._site = site
        self._body_bytes = 0
        self._gone = False

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        """Take a piece of the body."""
        self._body_bytes += len(data)
        if self._body_bytes <= self._site.body_bytes_max:
            Request.handleContentChunk(self, data)
        elif self._body_bytes > self._site.body_bytes_max * _PATIENCE:
            self.channel.loseConnection()

    def process(self) -> None:
        """It is whole: ask the door."""
        self.notifyFinish().addErrback(self._note_gone)
        too_long = self._body_bytes > self._site.body_bytes_max
        answer = self._site.door.answer(_knock(self, too_long))
        ensureDeferred(answer).addCallback(self._leave).addErrback(self._fail)

    def _note_gone(self, _failure: Failure) -> None:
        self._gone = True

    def _leave(self, leaving: Leaving) -> None:
        if not self._gone:
            _send(self, leaving, self._site.streams)

    def _fail(self, failure: Failure) -> None:
        """A fault of ours on the way out: nobody is left to wait for the rest."""
        tell_fault(failure)
        if not self._gone:
            self.channel.loseConnection()


def _knock(request: Any, too_long: bool) -> Knock:
    headers = {
        name.decode("latin-1").lower(): values[-1].decode("latin-1")
        for name, values in request.requestHeaders.getAllRawHeaders()
    }
    return Knock(
        request.method.decode("latin-1"),
        request.path.decode("latin-1"),
        request.uri.partition(b"?")[2],
        headers,
        None if too_long else request.content.read(),
        str(getattr(request.client, "host", "")),
        bool(request.isSecure()),
    )


def _send(request: Any, leaving: Leaving, streams: Streams) -> None:
    begin = leaving.begin
    if begin is not None and streams.full:
        full = (*leaving.headers, ("Retry-After", "30"))
        leaving, begin = leaving._replace(status=503, headers=full), None
    elif request.method == b"HEAD":
        begin = None
    request.setResponseCode(leaving.status)
    request.setHeader("Date", datetimeToString())
    for name, value in leaving.headers:
        request.responseHeaders.addRawHeader(name, value)
    if begin is not None:
        streams.open(request, begin)
        return
    request.setHeader("Content-Length", str(len(leaving.octets)))
    request.write(leaving.octets)  # which Twisted leaves out where the method is HEAD
    request.finish()
