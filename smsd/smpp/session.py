"""One bind as a state machine (SMPP 3.4 §2), for both ends: bytes in, events out, and back.

A Session lives as long as its transport and is told everything: the bytes that came, the time in
monotonic seconds, that the transport is gone. It writes nothing itself: what is to be sent
gathers for ``take_output``, one write a batch. What each state does with each command is data, in
``states.TRANSITIONS``; the methods named there come last in the class, in the table's order.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from smsd.smpp import answers, pdu
from smsd.smpp.codec import decode, encode
from smsd.smpp.constants import RESPONSE_BIT
from smsd.smpp.events import (
    BindRefused,
    BindRequested,
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
from smsd.smpp.framing import Framer
from smsd.smpp.limits import SessionLimits
from smsd.smpp.pdu import Body, Command, Malformed, Pdu, Status, status_text
from smsd.smpp.states import (
    BIND_COMMANDS,
    BOUND,
    BOUND_AS,
    SENDABLE,
    SUCCESSORS,
    TRANSITIONS,
    BindBody,
    NotBound,
    Role,
    State,
    Step,
)
from smsd.smpp.timers import Timer, Timers
from smsd.smpp.window import Window, WindowFull

__all__ = ["NotBound", "Role", "Session", "SessionLimits", "State", "WindowFull"]

Handler: TypeAlias = "Callable[[Session, Pdu, float, list[Event]], None]"


class Session:
    """One end of one SMPP session. ``state`` is for reading; nothing a peer sends raises."""

    __slots__ = (
        "_binding",
        "_farewell",
        "_framer",
        "_handlers",
        "_limits",
        "_output",
        "_role",
        "_sendable",
        "_timers",
        "_window",
        "state",
    )

    def __init__(self, role: Role, limits: SessionLimits, first_sequence: int = 1) -> None:
        """A session without a transport yet; ``first_sequence`` numbers its first request."""
        self._role = role
        self._limits = limits
        self._framer = Framer(limits.pdu_bytes_max)
        self._window = Window(limits.window, limits.response_timeout_s, first_sequence)
        self._timers = Timers()
        self._output: list[bytes] = []
        self._farewell = b""  # an unbind_resp: the answers to what came before it go first
        self._binding: tuple[int, int] | None = None  # an unanswered bind: sequence, command_id
        self.state = State.CLOSED
        self._handlers = _HANDLERS[role, State.CLOSED]
        self._sendable = SENDABLE[role, State.CLOSED]

    @property
    def room(self) -> int:
        """How many more requests ``request`` takes before a response must come."""
        return self._window.room

    # The transport.

    def start(self, now: float) -> None:
        """The transport is up; from now on the session must be bound in time."""
        self._enter(State.OPEN)
        self._timers.start(Timer.SESSION_INIT, now + self._limits.bind_timeout_s)

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take bytes from the peer, cut anyhow; what they mean for the caller, in wire order."""
        if self.state is State.CLOSED:
            return []
        events: list[Event] = []
        frames = self._framer.feed(data)
        for frame in frames:
            parsed = decode(frame)
            if type(parsed) is Pdu:
                self._handlers[parsed.command_id](self, parsed, now, events)
            elif type(parsed) is Malformed:
                self._malformed(parsed, now, events)
        self._heard(bool(frames), now, events)
        return events

    def take_output(self) -> bytes:
        """Everything to be written since the last call, as one piece; empty if there is nothing."""
        output, self._farewell = b"".join(self._output) + self._farewell, b""
        self._output.clear()
        return output

    def closed(self, now: float) -> list[Event]:
        """The transport is gone: whatever awaited a response is Lost, and Closed comes last."""
        events: list[Event] = [Lost(context, "timeout") for _, context in self._window.expired(now)]
        if self.state is not State.CLOSED:
            self._enter(State.CLOSED)
            if self._framer.held_bytes:
                events.append(PeerFault("the connection ended within a PDU"))
        events += [Lost(context, "closed") for _, context in self._window.drain()]
        events.append(Closed())
        self.take_output()  # It goes nowhere any more.
        return events

    # Time.

    def next_tick(self) -> float:
        """When ``tick`` has something to do, unless something comes before; ``inf`` for never."""
        return min(self._window.deadline(), self._timers.deadline())

    def tick(self, now: float) -> list[Event]:
        """Let time pass: requests time out, silence is questioned, no answer to that ends it."""
        events: list[Event] = [Lost(context, "timeout") for _, context in self._window.expired(now)]
        late = self._timers.expired(now)
        ends = [timer for timer in late if timer is not Timer.ENQUIRE_LINK]
        if ends:
            self._disconnect(ends[0].value, events)
        elif late:
            self._enquire(now)
        return events

    # What the application sends.

    def bind(self, body: BindBody, now: float) -> None:
        """ESME: ask to bind, once; Bound or BindRefused follows. Raises NotBound, or FieldError."""
        if self._role is not Role.ESME or self.state is not State.OPEN or self._binding:
            raise NotBound(f"no bind as {self._role.name} in {self.state.name}")
        command_id = BIND_COMMANDS[type(body)]
        self._binding = (self._ask(command_id, body), command_id)
        self._timers.start(Timer.SESSION_INIT, now + self._limits.bind_timeout_s)

    def accept_bind(self, sequence: int, system_id: str, now: float) -> None:
        """SMSC: bind the ESME of this BindRequested. Without effect once the session has ended."""
        if self.state is State.CLOSED:
            return
        command_id = self._settle_bind(sequence)
        self._output.append(answers.accepted(command_id | RESPONSE_BIT, sequence, system_id))
        self._enter_bound(BOUND_AS[command_id], now)

    def refuse_bind(self, sequence: int, status: int) -> None:
        """SMSC: refuse this BindRequested; the ESME may try again until its time is up."""
        assert status != Status.ESME_ROK
        if self.state is not State.CLOSED:
            command_id = self._settle_bind(sequence)
            self._output.append(answers.refused(command_id, sequence, status))

    def request(self, body: Body, context: object, now: float) -> int:
        """Send a request that awaits a response; its outcome comes back with ``context``, once.

        Returns the sequence number. Raises NotBound when state or role does not permit it,
        WindowFull without ``room``, FieldError for values that do not fit; then nothing is sent.
        """
        response_id = self._sendable.get(type(body))
        if response_id is None:
            raise NotBound(f"no {type(body).__name__} as {self._role.name} in {self.state.name}")
        sequence = self._window.next_sequence()
        encoded = encode(body, sequence)
        self._window.put(sequence, response_id, context, now)
        self._output.append(encoded)
        return sequence

    def acknowledge(self, sequences: Iterable[int]) -> None:
        """Answer many deliver_sm with ESME_ROK. Without effect once the session has ended."""
        if self.state is not State.CLOSED or self._farewell:
            self._output.extend(answers.delivered(sequences))

    def answer(self, sequence: int, command_id: int, status: int = 0, message_id: str = "") -> None:
        """Answer a Request with the response ``command_id``; an error goes without a body (§4.4.2).

        Without effect once the session has ended: the peer, unanswered, sends again elsewhere.
        """
        if self.state is State.CLOSED and not self._farewell:
            return
        if status:
            self._output.append(answers.refused(command_id, sequence, status))
        else:
            self._output.append(answers.accepted(command_id, sequence, message_id))

    def answer_with(self, sequence: int, body: Body, status: int = 0) -> None:
        """Answer a Request with a response of one's own making, such as a query_sm_resp."""
        if self.state is not State.CLOSED or self._farewell:
            self._output.append(encode(body, sequence, status))

    def unbind(self, now: float) -> None:
        """End the session in good order; Unbound and Disconnect follow. Raises NotBound."""
        if self.state not in BOUND:
            raise NotBound(f"no unbind in {self.state.name}")
        self._ask(Command.UNBIND, pdu.Unbind())
        self._enter(State.UNBINDING)
        self._timers.stop_all()
        self._timers.start(Timer.UNBIND_RESP, now + self._limits.unbind_timeout_s)

    # The machine.

    def _enter(self, state: State) -> None:
        assert state in SUCCESSORS[self.state], (self.state, state)
        self.state = state
        self._handlers = _HANDLERS[self._role, state]
        self._sendable = SENDABLE[self._role, state]
        if state is State.CLOSED:
            self._timers.stop_all()

    def _enter_bound(self, mode: State, now: float) -> None:
        self._enter(mode)
        self._timers.stop(Timer.SESSION_INIT)
        self._timers.start(Timer.ENQUIRE_LINK, now + self._limits.enquire_link_s)

    def _disconnect(self, reason: str, events: list[Event]) -> None:
        self._enter(State.CLOSED)
        events.append(Disconnect(reason))

    def _heard(self, progress: bool, now: float, events: list[Event]) -> None:
        """Note that a segment came, and whether it completed a PDU."""
        if self.state is State.CLOSED:
            return
        fault = self._framer.fault
        if fault is not None:
            self._output.append(answers.nack(fault.sequence, fault.status))
            events.append(PeerFault(fault.reason))
            self._disconnect(fault.reason, events)
            return
        if self.state in BOUND:
            self._timers.start(Timer.ENQUIRE_LINK, now + self._limits.enquire_link_s)
            if events and self._limits.inactivity_s:
                self._timers.start(Timer.INACTIVITY, now + self._limits.inactivity_s)
        if not self._framer.held_bytes:
            self._timers.stop(Timer.PDU_REST)
        elif progress or Timer.PDU_REST not in self._timers:
            self._timers.start(Timer.PDU_REST, now + self._limits.pdu_rest_timeout_s)

    def _enquire(self, now: float) -> None:
        """Ask whether the peer is there, unless it already owes us that answer."""
        if Timer.ENQUIRE_LINK_RESP not in self._timers:
            self._ask(Command.ENQUIRE_LINK, pdu.EnquireLink())
            self._timers.start(Timer.ENQUIRE_LINK_RESP, now + self._limits.response_timeout_s)

    def _ask(self, command: Command, body: Body) -> int:
        """Send a request of the session's own; its sequence number."""
        sequence = self._window.next_sequence()
        self._output.append(encode(body, sequence))
        self._window.put_own(sequence, command | RESPONSE_BIT)
        return sequence

    def _answered(self, response: Pdu, events: list[Event]) -> bool:
        """Settle a request of the session's own; False, with a PeerFault, if there was none."""
        asked = self._window.take_own(response.sequence, response.command_id)
        if not asked:
            self._unmatched(response, events)
        return asked

    def _unmatched(self, response: Pdu, events: list[Event]) -> None:
        name = Command(response.command_id).name.lower()
        events.append(PeerFault(f"{name} {response.sequence} is late or answers no request"))

    def _settle_bind(self, sequence: int) -> int:
        assert self._binding is not None and self._binding[0] == sequence, sequence
        command_id = self._binding[1]
        self._binding = None
        return command_id

    def _malformed(self, parsed: Malformed, now: float, events: list[Event]) -> None:
        """Refuse a request; a response counts by its header, or its message would be sent twice."""
        if self.state is State.CLOSED:
            return
        events.append(PeerFault(parsed.reason))
        handler = self._handlers.get(parsed.command_id)
        if handler is not None and parsed.command_id & RESPONSE_BIT:
            handler(self, parsed.header, now, events)
        else:
            self._output.append(answers.to_malformed(parsed))

    # Steps of the table: requests.

    def _ignore(self, _pdu: Pdu, _now: float, _events: list[Event]) -> None:
        """Nothing follows a Disconnect, whatever stands behind it in the same segment."""

    def _hand_over(self, request: Pdu, _now: float, events: list[Event]) -> None:
        assert request.body is not None
        events.append(Request(request.sequence, request.body))

    def _notice(self, request: Pdu, _now: float, events: list[Event]) -> None:
        assert request.body is not None
        events.append(Notice(request.body))

    def _bind_requested(self, request: Pdu, _now: float, events: list[Event]) -> None:
        assert request.body is not None
        if self._binding is not None:
            self._refuse(Status.ESME_RALYBND, request, events)
            return
        self._binding = (request.sequence, request.command_id)
        events.append(BindRequested(request.sequence, request.body))

    def _unbound_by_peer(self, request: Pdu, _now: float, events: list[Event]) -> None:
        self._farewell = encode(pdu.UnbindResp(), request.sequence)
        events.append(Unbound(by_peer=True))
        self._disconnect("unbound by the peer", events)

    def _enquired(self, request: Pdu, _now: float, _events: list[Event]) -> None:
        self._output.append(encode(pdu.EnquireLinkResp(), request.sequence))

    def _refuse(self, status: Status, request: Pdu, events: list[Event]) -> None:
        self._output.append(answers.refused(request.command_id, request.sequence, status))
        self._misplaced(request, 0.0, events)

    def _misplaced(self, request: Pdu, _now: float, events: list[Event]) -> None:
        name = Command(request.command_id).name.lower()
        events.append(PeerFault(f"{name} to the {self._role.name} in state {self.state.name}"))

    # Steps of the table: responses.

    def _settle(self, response: Pdu, _now: float, events: list[Event]) -> None:
        waiting = self._window.take(response.sequence, response.command_id)
        if waiting is None:
            self._unmatched(response, events)
        else:
            events.append(Response(waiting[1], response.status, response.body))

    def _bind_answered(self, response: Pdu, now: float, events: list[Event]) -> None:
        if not self._answered(response, events):
            return
        if response.status != Status.ESME_ROK:
            events.append(BindRefused(response.status))
            self._disconnect(f"bind refused: {status_text(response.status)}", events)
            return
        mode = BOUND_AS[response.command_id & ~RESPONSE_BIT]
        self._enter_bound(mode, now)
        events.append(Bound(mode, getattr(response.body, "system_id", "")))

    def _unbind_answered(self, response: Pdu, _now: float, events: list[Event]) -> None:
        # Whatever its status: a peer that will not be unbound is left all the same.
        if self._answered(response, events):
            events.append(Unbound(by_peer=False))
            self._disconnect("unbound", events)

    def _enquire_answered(self, response: Pdu, _now: float, events: list[Event]) -> None:
        if self._answered(response, events):
            self._timers.stop(Timer.ENQUIRE_LINK_RESP)

    def _nacked(self, nack: Pdu, now: float, events: list[Event]) -> None:
        """Take a generic_nack for the response that it stands in for, with its status (§4.3.1)."""
        response_id = self._window.awaits(nack.sequence)
        if response_id is None:
            self._unmatched(nack, events)
            return
        # A nack is never a success, though a careless peer leaves its status at zero.
        status = nack.status or Status.ESME_RUNKNOWNERR
        response = Pdu(response_id, status, nack.sequence, None)
        self._handlers[response_id](self, response, now, events)


def _refusing(status: Status) -> Handler:
    return lambda session, request, _now, events: session._refuse(status, request, events)


_STEPS: dict[Step, Handler] = {
    Step.IGNORE: Session._ignore,
    Step.HAND_OVER: Session._hand_over,
    Step.NOTICE: Session._notice,
    Step.BIND: Session._bind_requested,
    Step.UNBIND: Session._unbound_by_peer,
    Step.ENQUIRE: Session._enquired,
    Step.REFUSE_BIND: _refusing(Status.ESME_RALYBND),
    Step.REFUSE_STATE: _refusing(Status.ESME_RINVBNDSTS),
    Step.REFUSE_FOR_NOW: _refusing(Status.ESME_RX_T_APPN),
    Step.MISPLACED: Session._misplaced,
    Step.SETTLE: Session._settle,
    Step.BIND_ANSWERED: Session._bind_answered,
    Step.UNBIND_ANSWERED: Session._unbind_answered,
    Step.ENQUIRE_ANSWERED: Session._enquire_answered,
    Step.NACKED: Session._nacked,
}

_HANDLERS: dict[tuple[Role, State], dict[int, Handler]] = {
    key: {command_id: _STEPS[step] for command_id, step in row.items()}
    for key, row in TRANSITIONS.items()
}
