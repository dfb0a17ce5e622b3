"""An SMSC in memory: a real session in the SMSC's role at the other end of a link's transport."""

from collections import deque
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocol
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from virtual_reactor import VirtualReactor

from smsd.smpp import segments, text
from smsd.smpp.events import BindRequested, Event, Request, Response
from smsd.smpp.limits import SessionLimits
from smsd.smpp.pdu import Body, Command, DeliverSm, Status, SubmitSm
from smsd.smpp.session import Role, Session


class Wire(StringTransport):
    """A TCP transport as far as a link asks for one; `writes` keeps each write apart."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Twisted says nothing here
        self.writes: deque[bytes] = deque()

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802 - Twisted's name
        """There is no Nagle in memory."""

    def write(self, data: bytes) -> None:
        """Keep the octets until the SMSC reads them."""
        self.writes.append(data)


class MemorySmsc:
    """Accepts one connection of an ESME; says nothing that the test does not say."""

    def __init__(self, protocol: IProtocol, reactor: VirtualReactor) -> None:
        self._protocol = protocol
        self._reactor = reactor
        self._session = Session(Role.SMSC, SessionLimits(enquire_link_s=1e9, bind_timeout_s=1e9))
        self._session.start(reactor.seconds())
        self.wire = Wire()
        self.open = True
        self.events: list[Event] = []
        self.requests: deque[Request] = deque()  # unanswered, oldest first
        self.submitted: list[SubmitSm] = []  # all that ever came here
        self.responses: dict[object, int] = {}  # what we asked → command_status
        protocol.makeConnection(self.wire)
        self.exchange()

    def exchange(self) -> bool:
        """Carry octets both ways until both ends are silent; whether there were any."""
        carried = False
        while self.open:
            output = self._session.take_output()
            writes, self.wire.writes = self.wire.writes, deque()
            if output:
                self._protocol.dataReceived(output)
            elif not writes:
                return carried
            carried = True
            self._note(self._session.receive(b"".join(writes), self._reactor.seconds()))
        return carried

    def _note(self, events: list[Event]) -> None:
        self.events += events
        for event in events:
            if isinstance(event, Request):
                self.requests.append(event)
                if isinstance(event.body, SubmitSm):
                    self.submitted.append(event.body)
            elif isinstance(event, Response):
                self.responses[event.context] = event.status

    def bind_body(self) -> Body:
        """What the ESME asked to be bound as."""
        [asked] = [event for event in self.events if isinstance(event, BindRequested)]
        return asked.body

    def accept(self) -> "MemorySmsc":
        """Let the ESME in."""
        [asked] = [event for event in self.events if isinstance(event, BindRequested)]
        self._session.accept_bind(asked.sequence, "memory", self._reactor.seconds())
        self.exchange()
        return self

    def refuse(self, status: int) -> None:
        """Refuse the bind."""
        [asked] = [event for event in self.events if isinstance(event, BindRequested)]
        self._session.refuse_bind(asked.sequence, status)
        self.exchange()

    def send(self, body: Body, context: object) -> None:
        """Send a request without carrying it yet; its status comes into `responses`."""
        self._session.request(body, context, self._reactor.seconds())

    def text(self, octets: bytes, phone: str, **fields: Any) -> None:
        """A phone's SMS; answered in `responses` under (phone, octets)."""
        body = DeliverSm(source_addr=phone, destination_addr="8103", short_message=octets, **fields)
        self.send(body, (phone, octets))
        self.exchange()

    def answer(self, status: int = Status.ESME_ROK, message_id: str = "") -> None:
        """Answer the oldest submit_sm."""
        request = self.requests.popleft()
        self._session.answer(request.sequence, Command.SUBMIT_SM_RESP, status, message_id)
        self.exchange()

    def answer_at_once(self, *statuses: int) -> None:
        """Answer the oldest submit_sm, one with each status, in one piece."""
        for status in statuses:
            request = self.requests.popleft()
            self._session.answer(request.sequence, Command.SUBMIT_SM_RESP, status)
        self.exchange()

    def say(self, octets: bytes) -> None:
        """Send octets as they are."""
        self._protocol.dataReceived(octets)
        self.exchange()

    def hang_up(self) -> None:
        """The connection ends; what both ends still had to say is lost."""
        self.open = False
        self.wire.connected = False
        self._protocol.connectionLost(Failure(ConnectionDone()))

    @property
    def phones(self) -> list[str]:
        """Where each submit_sm that came was to go."""
        return [body.destination_addr for body in self.submitted]

    @property
    def texts(self) -> list[str]:
        """The text of each submit_sm that came."""
        return [
            text.decode(body.data_coding, segments.unpack(body).octets).text
            for body in self.submitted
        ]
