"""One transport and the session that speaks over it."""

from collections.abc import Callable, Sequence
from typing import Any
from typing import Protocol as Interface

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure
from zope.interface import implementer

from smsd.gateway.clock import Clock
from smsd.gateway.commit_lane import Inbound, InboundReport
from smsd.gateway.tls import in_words
from smsd.smpp.events import (
    BindRefused,
    Bound,
    Closed,
    Disconnect,
    Event,
    Lost,
    Notice,
    PeerFault,
    Request,
    Response,
    Unbound,
)
from smsd.smpp.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    Body,
    Command,
    Status,
)
from smsd.smpp.session import Session
from smsd.smpp.states import BOUND

_TICK_S = 0.5
# A peer that does not read would keep a closing connection, and a daemon that stops, for ever.
_CLOSE_TIMEOUT_S = 1.0

BindBody = BindReceiver | BindTransceiver | BindTransmitter


class LinkOwner(Interface):
    """Who is told what happens on a link."""

    def requests_came(self, link: "Link", requests: list[Request]) -> None:
        """The SMSC handed over these; each is to be answered."""

    def responses_came(self, link: "Link", responses: list[Response | Lost]) -> None:
        """What became of our requests."""

    def peer_erred(self, link: "Link", reason: str) -> None:
        """The SMSC broke the protocol and was dealt with."""

    def link_bound(self, link: "Link", bound: Bound) -> None:
        """The SMSC accepted our bind."""

    def link_closed(self, link: "Link", reason: str) -> None:
        """The transport is gone; everything unanswered was reported as lost before."""


@implementer(IPushProducer)
class Link(Protocol):
    """Bytes to session, events to owner. The session decides; this class only carries."""

    # ITCPTransport, IPushProducer and IConsumer in one, for which zope has no type.
    transport: Any = None

    def __init__(
        self,
        reactor: IReactorTime,
        clock: Clock,
        session: Session,
        bind_body: BindBody,
        owner: LinkOwner,
    ) -> None:
        self._reactor = reactor
        self._clock = clock
        self._session = session
        self._window = session.room
        self._bind_body = bind_body
        self._owner = owner
        self._reason = "the connection was closed"
        self.refused: int | None = None  # with what status the SMSC refused our bind
        self._ticking = LoopingCall(self._tick)
        self._ticking.clock = reactor
        self._cutting: IDelayedCall | None = None  # once we have begun to close
        self.gone: Deferred[None] = Deferred()

    @property
    def room(self) -> int:
        """How many more requests the window takes; none unless bound."""
        return self._session.room if self._session.state in BOUND else 0

    @property
    def in_flight(self) -> bool:
        """Whether requests of ours await their response."""
        return self._session.room < self._window

    @property
    def window_used(self) -> int:
        """How many requests of ours await their response."""
        return self._window - self._session.room

    def request(self, body: Body, context: object) -> None:
        """Send a request; its outcome comes to the owner. Call `flush` after the last one."""
        self._session.request(body, context, self._clock.monotonic())

    def acknowledge(self, inbound: Sequence[Inbound | InboundReport]) -> None:
        """Answer what is durable now with ESME_ROK."""
        quick = [item.sequence for item in inbound if item.response == Command.DELIVER_SM_RESP]
        self._session.acknowledge(quick)
        if len(quick) < len(inbound):
            for item in inbound:
                if item.response != Command.DELIVER_SM_RESP:
                    self._session.answer(item.sequence, item.response)
        self.flush()

    def put_off(self, inbound: Sequence[Inbound | InboundReport]) -> None:
        """Answer with a temporary error: the SMSC keeps the message."""
        for item in inbound:
            self._session.answer(item.sequence, item.response, Status.ESME_RX_T_APPN)
        self.flush()

    def answer(self, sequence: int, command: int, status: int = Status.ESME_ROK) -> None:
        """Answer one request."""
        self._session.answer(sequence, command, status)

    def flush(self) -> None:
        """Write what the session has to say, in one piece."""
        output = self._session.take_output()
        if output and self.transport is not None:
            self.transport.write(output)

    def unbind(self) -> None:
        """Say goodbye, or just leave when not bound; `gone` fires when the link is down."""
        if self._session.state in BOUND:
            self._session.unbind(self._clock.monotonic())
            self.flush()
        else:
            self._leave()

    # Twisted's side.

    def connectionMade(self) -> None:  # noqa: N802
        """The transport is up: bind."""
        now = self._clock.monotonic()
        self.transport.setTcpNoDelay(True)
        self.transport.registerProducer(self, True)
        self._session.start(now)
        self._session.bind(self._bind_body, now)
        self.flush()
        self._ticking.start(_TICK_S, now=False)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """Octets from the SMSC."""
        self._handle(self._session.receive(data, self._clock.monotonic()))
        self.flush()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override] # noqa: N802
        """The transport is gone."""
        if self._ticking.running:
            self._ticking.stop()
        if self._cutting is not None and self._cutting.active():
            self._cutting.cancel()
        if self._reason == "the connection was closed":
            self._reason = in_words(reason)
        self._handle(self._session.closed(self._clock.monotonic()))

    def pauseProducing(self) -> None:  # noqa: N802
        """The peer does not read what we answer, so we take nothing more from it.

        Before we are bound there is nothing to read but bind_resp, and what TLS needs to greet:
        its writes wait for that.
        """
        if self._session.state in BOUND:
            self.transport.pauseProducing()

    def resumeProducing(self) -> None:  # noqa: N802
        """The peer reads again."""
        if self.transport.connected:
            self.transport.resumeProducing()

    def stopProducing(self) -> None:  # noqa: N802
        """The transport is going; nothing to do."""

    def _tick(self) -> None:
        self._handle(self._session.tick(self._clock.monotonic()))
        self.flush()

    def _handle(self, events: list[Event]) -> None:
        """Hand requests and responses over in one piece each, the rare events one by one."""
        requests: list[Request] = []
        responses: list[Response | Lost] = []
        rest: list[Event] = []
        for event in events:
            kind = type(event)
            if kind is Request:
                requests.append(event)  # type: ignore[arg-type]
            elif kind is Response or kind is Lost:
                responses.append(event)  # type: ignore[arg-type]
            else:
                rest.append(event)
        for event in rest:
            if isinstance(event, Bound):
                self._owner.link_bound(self, event)
        if responses:
            self._owner.responses_came(self, responses)
        if requests:
            self._owner.requests_came(self, requests)
        for event in rest:
            _RARE.get(type(event), _ignore)(self, event)

    def _note_fault(self, event: PeerFault) -> None:
        self._owner.peer_erred(self, event.reason)

    def _note_refused(self, event: BindRefused) -> None:
        self.refused = event.status

    def _note_disconnect(self, event: Disconnect) -> None:
        self._reason = event.reason
        self.flush()
        self._leave()

    def _leave(self) -> None:
        """Close when all is written; cut the connection where the peer does not read it."""
        if self.transport is None or self._cutting is not None:
            return
        # Twisted does not close while a producer that it has paused may still write.
        self.transport.unregisterProducer()
        self.transport.loseConnection()
        self._cutting = self._reactor.callLater(_CLOSE_TIMEOUT_S, self.transport.abortConnection)

    def _note_closed(self, _event: Closed) -> None:
        self._owner.link_closed(self, self._reason)
        self.gone.callback(None)


def _ignore(_link: Link, _event: Event) -> None:
    """Bound was handled before the requests glued to it; Unbound is followed by Disconnect, with
    the reason in words.
    """


_RARE: dict[type, Callable[..., None]] = {
    BindRefused: Link._note_refused,
    PeerFault: Link._note_fault,
    Disconnect: Link._note_disconnect,
    Closed: Link._note_closed,
    Unbound: _ignore,
    Notice: _ignore,
}
