"""An ESME in memory: a session joined to a link of the simulator, under a clock of the test."""

from collections import deque
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from simulators.limits import SmscLimits
from simulators.link import SmppLink
from simulators.smsc import Smsc
from smsd.smpp.events import Event, Request, Response
from smsd.smpp.limits import SessionLimits
from smsd.smpp.pdu import BindTransceiver, Body, Command
from smsd.smpp.session import Role, Session


def smsc_under(clock: Clock, **limits: Any) -> Smsc:
    """A simulator whose every time is the clock's."""
    return Smsc(clock, limits=SmscLimits(**limits), now=clock.seconds)


class Wire(StringTransport):
    """A TCP transport as far as the link asks for one."""

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: N802 - Twisted's name
        """There is no Nagle in memory."""


class MemoryEsme:
    """Bound as transceiver; ``requests`` are the deliver_sm that came, oldest first."""

    def __init__(self, smsc: Smsc, clock: Clock, bind: BindTransceiver | None = None) -> None:
        self._clock = clock
        self._session = Session(Role.ESME, SessionLimits(enquire_link_s=1e9))
        self.wire = Wire()
        self.requests: deque[Request] = deque()
        self.responses: list[Response] = []
        self.events: list[Event] = []
        link = smsc.connect()
        assert link is not None
        self.link: SmppLink = link
        link.makeConnection(self.wire)
        self._session.start(clock.seconds())
        self._session.bind(bind or BindTransceiver("smsd", "secret"), clock.seconds())
        self.exchange()

    def exchange(self) -> None:
        """Carry bytes both ways until both ends are silent."""
        while True:
            output = self._session.take_output()
            if output:
                self.link.dataReceived(output)
            data = self.wire.value()
            self.wire.clear()
            if not output and not data:
                return
            for event in self._session.receive(data, self._clock.seconds()):
                self.events.append(event)
                if isinstance(event, Request):
                    self.requests.append(event)
                elif isinstance(event, Response):
                    self.responses.append(event)

    def texts(self) -> list[bytes]:
        """The texts of ``requests``."""
        self.exchange()
        return [request.body.short_message for request in self.requests]

    def answer(self, status: int = 0) -> None:
        """Answer the oldest deliver_sm."""
        request = self.requests.popleft()
        self._session.answer(request.sequence, Command.DELIVER_SM_RESP, status)
        self.exchange()

    def request(self, body: Body) -> None:
        """Send a request; its response joins ``responses``."""
        self._session.request(body, None, self._clock.seconds())
        self.exchange()

    def hang_up(self) -> None:
        """The connection ends."""
        self.link.connectionLost(Failure(ConnectionDone()))
