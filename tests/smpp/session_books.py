"""The books kept beside a session under test: what it owes its application, what it may write.

Each method asks the session for one thing and raises AssertionError when it breaks a promise.
"""

from itertools import count

from smsd.smpp.codec import decode
from smsd.smpp.constants import RESPONSE_BIT
from smsd.smpp.events import Closed, Disconnect, Event, Lost, Response
from smsd.smpp.framing import Framer
from smsd.smpp.layouts import BY_BODY
from smsd.smpp.pdu import Body, Command, Pdu
from smsd.smpp.session import NotBound, Role, Session, SessionLimits, State, WindowFull
from smsd.smpp.states import PERMITTED, SENDABLE
from smsd.smpp.window import SEQUENCE_MAX

_WHOLE = 1 << 20  # Above any PDU that a session under test writes.


class Books:
    """One session and the account of it; ``wire`` gathers what it wrote and nobody took yet."""

    def __init__(self, session: Session, role: Role, limits: SessionLimits) -> None:
        """Begin the account of a session that has asked nothing yet."""
        self.session = session
        self.role = role
        self.wire = bytearray()
        self.ended = False  # Disconnect was said
        self.closed = False  # Closed was said
        self._limits = limits
        self._contexts = count(1)
        self.waiting: dict[object, int] = {}  # context → sequence number
        self._answers: dict[object, int] = {}  # context → the command_id that answers it
        self._written(session.state)

    def request(self, body: Body, now: float) -> int | None:
        """Ask without looking first; the context if it went out, None if it was refused."""
        before = self.session.state
        sendable = type(body) in SENDABLE[self.role, before]
        full = len(self.waiting) == self._limits.window
        context = next(self._contexts)
        try:
            sequence = self.session.request(body, context, now)
        except NotBound:
            assert not sendable
            return None
        except WindowFull:
            assert sendable and full
            return None
        assert sendable and not full
        assert sequence not in self.waiting.values(), "a number in use was given again"
        self.waiting[context] = sequence
        self._answers[context] = SENDABLE[self.role, before][type(body)]
        assert [pdu.sequence for pdu in self._written(before)] == [sequence]
        return context

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Octets from the peer; what they meant."""
        before = self.session.state
        return self._note(self.session.receive(data, now), before)

    def tick(self, now: float) -> list[Event]:
        """Time has passed; afterwards nothing is due any more, or a caller would spin."""
        before = self.session.state
        events = self._note(self.session.tick(now), before)
        assert self.session.next_tick() > now
        return events

    def close(self, now: float) -> list[Event]:
        """The transport is gone: every request has had its outcome."""
        before = self.session.state
        events = self._note(self.session.closed(now), before)
        assert isinstance(events[-1], Closed)
        assert not self.waiting, "a request without an outcome"
        assert self.session.next_tick() == float("inf")
        return events

    def said(self) -> list[Pdu]:
        """After an answer or an unbind of the application's: check what the session wrote."""
        return self._written(self.session.state)

    def take(self, octets: int | None = None) -> bytes:
        """The next ``octets`` off the wire, or all."""
        taken = bytes(self.wire[:octets])
        del self.wire[:octets]
        return taken

    def _note(self, events: list[Event], before: State) -> list[Event]:
        for event in events:
            assert not self.closed, f"{event} after Closed"
            if isinstance(event, Response | Lost):
                assert isinstance(event, Lost) or not self.ended, "a response after Disconnect"
                assert event.context in self.waiting, "a second outcome, or one of nothing"
                del self.waiting[event.context]
                self._answered(event)
            elif isinstance(event, Closed):
                self.closed = True
            else:
                assert not self.ended, f"{event} after Disconnect"
                self.ended = isinstance(event, Disconnect)
        assert self.session.room == self._limits.window - len(self.waiting) >= 0
        self._written(before)
        return events

    def _answered(self, outcome: Response | Lost) -> None:
        """Only what answers the request settles it; an error may come without a body."""
        answer = self._answers.pop(outcome.context)
        if isinstance(outcome, Response) and outcome.body is not None:
            assert BY_BODY[type(outcome.body)].command == answer, "another kind of response"

    def _written(self, before: State) -> list[Pdu]:
        """What the session just wrote: whole PDUs that decode, and that its state permits."""
        octets = self.session.take_output()
        if not octets:
            return []
        assert before is not State.CLOSED, "written after the end"
        framer = Framer(_WHOLE)
        pdus = []
        for frame in framer.feed(octets):
            pdu = decode(frame)
            assert isinstance(pdu, Pdu)
            if not pdu.command_id & RESPONSE_BIT:
                self._permitted(pdu, before)
            pdus.append(pdu)
        assert framer.fault is None
        assert not framer.held_bytes
        self.wire += octets
        return pdus

    def _permitted(self, pdu: Pdu, before: State) -> None:
        """SMPP 3.4 §2.3, table 2-1, and §5.1.4."""
        states, senders, _ = PERMITTED[Command(pdu.command_id)]
        assert self.role in senders, pdu
        assert before in states or self.session.state in states, pdu
        assert 1 <= pdu.sequence <= SEQUENCE_MAX
