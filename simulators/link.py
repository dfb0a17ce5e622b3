"""One ESME's connection to the simulated SMSC: a transport and its timers around a Session."""

import re
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeAlias, cast

from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from simulators.mo_queue import Delivery
from simulators.reactor import Clock, DelayedCall, Transport
from smsd.smpp.events import (
    BindRequested,
    Disconnect,
    Event,
    Lost,
    PeerFault,
    Request,
    Response,
)
from smsd.smpp.limits import SessionLimits
from smsd.smpp.pdu import BindReceiver, BindTransceiver, BindTransmitter, Body, Command, Status
from smsd.smpp.session import Session
from smsd.smpp.states import BOUND, Role, State

BindBody: TypeAlias = BindReceiver | BindTransmitter | BindTransceiver

RECEIVING: Final = frozenset({State.BOUND_RX, State.BOUND_TRX})

SYSTEM_ID: Final = "smsd-sim"  # What the simulator calls itself in a bind response.

# §3.4: an ESME of an earlier version is sent no optional parameters.
_VERSION_WITH_TLVS: Final = 0x34

# A peer that does not read would keep a closing connection open for ever.
CLOSE_TIMEOUT_S: Final = 3.0


class Exchange(Protocol):
    """What a link asks of the SMSC behind it."""

    def bind_status(self, body: BindBody) -> int:
        """Whether this bind is let in: ESME_ROK, or the status that refuses it."""

    def requested(self, link: "SmppLink", sequence: int, body: Body) -> None:
        """Answer a valid request of the peer, now or later, by ``link.answer``."""

    def settle(self, delivery: Delivery, status: int) -> None:
        """The peer answered a deliver_sm."""

    def lost(self, delivery: Delivery, reason: str) -> None:
        """A deliver_sm will never be answered: ``timeout`` or ``closed``."""

    def link_opened(self, link: "SmppLink") -> None:
        """A connection was accepted; it is not bound yet."""

    def link_changed(self) -> None:
        """A link may have become ready to take deliveries."""

    def link_closed(self, link: "SmppLink") -> None:
        """The connection is gone; everything unanswered was handed over as lost before."""


class SmppLink(TwistedProtocol):
    """The transport of one Session in the SMSC's role.

    ``clock`` schedules, ``now`` gives monotonic seconds: the reactor's own seconds are wall time.
    """

    _log = Logger()
    transport: Transport  # type: ignore[assignment]  # ITransport says too little

    def __init__(
        self,
        exchange: Exchange,
        clock: Clock,
        now: Callable[[], float],
        limits: SessionLimits,
    ) -> None:
        self._exchange = exchange
        self._clock = clock
        self._now = now
        self._session = Session(Role.SMSC, limits)
        self._timer: DelayedCall | None = None
        self._timer_due = 0.0
        self._closing: DelayedCall | None = None
        self._writable = True
        self._hears = True
        self._bind: BindBody | None = None
        self._takes_tlvs = True
        self._serves: Callable[[str], bool] = lambda address: True

    # What the SMSC asks

    @property
    def was_bound(self) -> bool:
        """Whether a bind was ever let in on this connection."""
        return self._bind is not None

    def describe(self) -> dict[str, Any]:
        """State, system_id, address_range and free window of the bind, ready for JSON."""
        return {
            "state": self._session.state.name.lower(),
            "system_id": self._bind.system_id if self._bind else None,
            "address_range": self._bind.address_range if self._bind else None,
            "room": self._session.room,
        }

    def receives(self, address: str) -> bool:
        """Whether this ESME is bound to receive what is sent to ``address``."""
        return self._session.state in RECEIVING and self._serves(address)

    def has_room(self) -> bool:
        """Whether a deliver_sm can go out now: a place in the window, and a peer that reads."""
        return self._writable and self._session.room > 0 and self._closing is None

    def deliver(self, delivery: Delivery) -> None:
        """Put a deliver_sm into the output; ``flush`` sends it."""
        body = delivery.body if self._takes_tlvs else delivery.body._replace(tlvs=())
        self._session.request(body, delivery, self._now())

    def answer(self, sequence: int, command: Command, status: int, message_id: str = "") -> None:
        """Put the response to a request into the output; ``flush`` sends it."""
        self._session.answer(sequence, command, status, message_id)

    def flush(self) -> None:
        """Write what the session has to say, in one piece, and keep its timer right."""
        output = self._session.take_output()
        if output:
            self.transport.write(output)
        self._arm()

    def unbind(self) -> None:
        """Leave politely: unbind, and close when the peer has answered."""
        if self._session.state in BOUND:
            self._session.unbind(self._now())
            self.flush()
        else:
            self._close()

    def drop(self) -> None:
        """Cut the connection, as when a line breaks."""
        self.transport.abortConnection()

    def read(self, on: bool) -> None:
        """Stop or start to read from the peer."""
        self._hears = on
        if on and self._writable:
            self.transport.resumeProducing()
        elif not on:
            self.transport.pauseProducing()

    # What the transport tells

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Start the session; the peer has to bind within its time limit."""
        self.transport.setTcpNoDelay(True)
        # As its producer we hear when the peer reads more slowly than we write.
        self.transport.registerProducer(self, True)
        self._session.start(self._now())
        self._arm()
        self._exchange.link_opened(self)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Any bytes whatever; the session turns them into events."""
        self._handle(self._session.receive(data, self._now()))

    def connectionLost(self, reason: Failure | None = None) -> None:  # noqa: N802 - Twisted's name
        """Hand back what was never answered."""
        for call in (self._timer, self._closing):
            if call is not None and call.active():
                call.cancel()
        self._timer = None
        for event in self._session.closed(self._now()):
            self._dispatch(event)
        self._exchange.link_closed(self)

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The peer does not read: send it nothing more, and take nothing that needs an answer."""
        self._writable = False
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The peer reads again."""
        self._writable = True
        if self._hears:
            self.transport.resumeProducing()
        self._exchange.link_changed()

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """The transport is closing."""
        self._writable = False

    # Between the two

    def _handle(self, events: list[Event]) -> None:
        for event in events:
            self._dispatch(event)
        self.flush()
        self._exchange.link_changed()

    def _dispatch(self, event: Event) -> None:
        match event:
            case Request(sequence, body):
                self._exchange.requested(self, sequence, body)
            case Response(context, status, _):
                assert isinstance(context, Delivery)
                self._exchange.settle(context, status)
            case Lost(context, reason):
                assert isinstance(context, Delivery)
                self._exchange.lost(context, reason)
            case BindRequested(sequence, bind):
                self._admit(sequence, cast(BindBody, bind))
            case PeerFault(reason):
                self._log.warn("peer fault: {reason}", reason=reason)
            case Disconnect(reason):
                self._log.info("closing: {reason}", reason=reason)
                self._close()
            case _:
                pass  # Unbound, Closed: the SMSC acts on the state, not on how it came about.

    def _admit(self, sequence: int, body: BindBody) -> None:
        status = self._exchange.bind_status(body)
        if status != Status.ESME_ROK:
            self._session.refuse_bind(sequence, status)
            return
        serves = address_filter(body.address_range)
        assert serves is not None, "bind_status lets in only what address_filter reads"
        self._serves = serves
        self._bind = body
        self._takes_tlvs = body.interface_version >= _VERSION_WITH_TLVS
        self._session.accept_bind(sequence, SYSTEM_ID, self._now())

    def _arm(self) -> None:
        due = self._session.next_tick()
        if self._timer is not None and self._timer.active():
            if due >= self._timer_due:
                return  # It will wake up early once, see that nothing is due, and sleep again.
            self._timer.cancel()
        if due == float("inf"):
            return
        self._timer_due = due
        self._timer = self._clock.callLater(max(0.0, due - self._now()), self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._handle(self._session.tick(self._now()))

    def _close(self) -> None:
        if self._closing is not None:
            return
        self._closing = self._clock.callLater(CLOSE_TIMEOUT_S, self.drop)
        output = self._session.take_output()
        if output:
            self.transport.write(output)
        self.transport.unregisterProducer()
        self.transport.loseConnection()


def address_filter(address_range: str) -> Callable[[str], bool] | None:
    """Read a bind's address_range (§5.2.7); None when it is no regular expression.

    Empty: every number. Digits alone: that number. Else a regular expression found anywhere, as
    the standard's examples have it (``^1234``, ``5678$``).
    """
    if not address_range:
        return lambda address: True
    if address_range.isdigit():
        return address_range.__eq__
    try:
        pattern = re.compile(address_range)
    except re.error:
        return None
    return lambda address: pattern.search(address) is not None
