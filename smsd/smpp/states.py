"""A session's states, and what each does with each command: SMPP 3.4 §2.2, table 2-1 as data."""

from enum import Enum, auto
from typing import TypeAlias

from smsd.smpp import pdu
from smsd.smpp.constants import RESPONSE_BIT
from smsd.smpp.pdu import Body, Command


class Role(Enum):
    """The two ends of a session: the gateway is the ESME, the operator's centre the SMSC."""

    ESME = auto()
    SMSC = auto()


class State(Enum):
    """§2.2, with UNBINDING (our unbind awaits its answer) made a state of its own."""

    CLOSED = auto()  # No transport, or one that is to be closed: input is ignored.
    OPEN = auto()
    BOUND_TX = auto()
    BOUND_RX = auto()
    BOUND_TRX = auto()
    UNBINDING = auto()

    __hash__ = object.__hash__  # by identity, as for Timer


class NotBound(Exception):
    """The session cannot send this request in its state or role: the caller did not look."""


class Step(Enum):
    """What a session does with a PDU that has come in."""

    IGNORE = auto()
    # Requests
    HAND_OVER = auto()  # to the application, which answers it
    NOTICE = auto()  # to the application; there is no response
    BIND = auto()
    UNBIND = auto()
    ENQUIRE = auto()
    REFUSE_BIND = auto()  # ESME_RALYBND
    REFUSE_STATE = auto()  # ESME_RINVBNDSTS
    REFUSE_FOR_NOW = auto()  # ESME_RX_T_APPN
    MISPLACED = auto()  # it has no response, so nothing but a fault can be noted
    # Responses; whether one was asked for is seen by its sequence number, not by the state.
    SETTLE = auto()  # a request of the application
    BIND_ANSWERED = auto()
    UNBIND_ANSWERED = auto()
    ENQUIRE_ANSWERED = auto()
    NACKED = auto()


BOUND = frozenset({State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX})
_TRANSMITTING = frozenset({State.BOUND_TX, State.BOUND_TRX})
_RECEIVING = frozenset({State.BOUND_RX, State.BOUND_TRX})
_OPEN = frozenset({State.OPEN})
_ESME = frozenset({Role.ESME})
_SMSC = frozenset({Role.SMSC})
_EITHER = _ESME | _SMSC

# §2.3, table 2-1: each request, the states in which it may be sent, who may send it, and what its
# receiver then does. Two rows are wider than the table, for peers that are: replace_sm also as
# transceiver (the table forgets it; SMPP 5.0 has it), enquire_link as soon as there is a transport.
PERMITTED: dict[Command, tuple[frozenset[State], frozenset[Role], Step]] = {
    Command.BIND_TRANSMITTER: (_OPEN, _ESME, Step.BIND),
    Command.BIND_RECEIVER: (_OPEN, _ESME, Step.BIND),
    Command.BIND_TRANSCEIVER: (_OPEN, _ESME, Step.BIND),
    Command.OUTBIND: (_OPEN, _SMSC, Step.NOTICE),
    Command.UNBIND: (BOUND | {State.UNBINDING}, _EITHER, Step.UNBIND),
    Command.SUBMIT_SM: (_TRANSMITTING, _ESME, Step.HAND_OVER),
    Command.SUBMIT_MULTI: (_TRANSMITTING, _ESME, Step.HAND_OVER),
    Command.DATA_SM: (BOUND, _EITHER, Step.HAND_OVER),
    Command.DELIVER_SM: (_RECEIVING, _SMSC, Step.HAND_OVER),
    Command.QUERY_SM: (_TRANSMITTING, _ESME, Step.HAND_OVER),
    Command.CANCEL_SM: (_TRANSMITTING, _ESME, Step.HAND_OVER),
    Command.REPLACE_SM: (_TRANSMITTING, _ESME, Step.HAND_OVER),
    Command.ENQUIRE_LINK: (BOUND | {State.OPEN, State.UNBINDING}, _EITHER, Step.ENQUIRE),
    Command.ALERT_NOTIFICATION: (_RECEIVING, _SMSC, Step.NOTICE),
}

_WITHOUT_RESPONSE = {Command.OUTBIND, Command.ALERT_NOTIFICATION}

_RESPONSES = {
    Command.GENERIC_NACK: Step.NACKED,
    Command.BIND_TRANSMITTER_RESP: Step.BIND_ANSWERED,
    Command.BIND_RECEIVER_RESP: Step.BIND_ANSWERED,
    Command.BIND_TRANSCEIVER_RESP: Step.BIND_ANSWERED,
    Command.UNBIND_RESP: Step.UNBIND_ANSWERED,
    Command.ENQUIRE_LINK_RESP: Step.ENQUIRE_ANSWERED,
}

# A message that crossed our unbind was sent in good faith. RINVBNDSTS would be a final refusal to
# many an SMSC, which would drop the citizen's SMS; ESME_RX_T_APPN (§5.1.3) has it delivered again.
_CROSSED_UNBIND = {Command.DELIVER_SM, Command.DATA_SM}

# §2.2: where a session may go from where it is. A session ends in CLOSED and is not used again.
SUCCESSORS: dict[State, frozenset[State]] = {
    State.CLOSED: _OPEN,
    State.OPEN: BOUND | {State.CLOSED},
    State.BOUND_TX: frozenset({State.UNBINDING, State.CLOSED}),
    State.BOUND_RX: frozenset({State.UNBINDING, State.CLOSED}),
    State.BOUND_TRX: frozenset({State.UNBINDING, State.CLOSED}),
    State.UNBINDING: frozenset({State.CLOSED}),
}

BindBody: TypeAlias = pdu.BindTransmitter | pdu.BindReceiver | pdu.BindTransceiver

BIND_COMMANDS: dict[type[BindBody], Command] = {
    pdu.BindTransmitter: Command.BIND_TRANSMITTER,
    pdu.BindReceiver: Command.BIND_RECEIVER,
    pdu.BindTransceiver: Command.BIND_TRANSCEIVER,
}

# Each kind of bind and the state that it leads to.
BOUND_AS: dict[int, State] = {
    Command.BIND_TRANSMITTER: State.BOUND_TX,
    Command.BIND_RECEIVER: State.BOUND_RX,
    Command.BIND_TRANSCEIVER: State.BOUND_TRX,
}

_APPLICATION_BODIES: dict[Command, type[Body]] = {
    Command.SUBMIT_SM: pdu.SubmitSm,
    Command.SUBMIT_MULTI: pdu.SubmitMulti,
    Command.DATA_SM: pdu.DataSm,
    Command.DELIVER_SM: pdu.DeliverSm,
    Command.QUERY_SM: pdu.QuerySm,
    Command.CANCEL_SM: pdu.CancelSm,
    Command.REPLACE_SM: pdu.ReplaceSm,
}


def _step(receiver: Role, state: State, command: Command) -> Step:
    """What ``receiver`` does in ``state`` with ``command`` from its peer."""
    if state is State.CLOSED:
        return Step.IGNORE
    if command & RESPONSE_BIT:
        return _RESPONSES.get(command, Step.SETTLE)
    sender = Role.SMSC if receiver is Role.ESME else Role.ESME
    states, senders, step = PERMITTED[command]
    if state in states and sender in senders:
        return step
    if command in _WITHOUT_RESPONSE:
        return Step.MISPLACED
    if command in BOUND_AS and receiver is Role.SMSC:
        return Step.REFUSE_BIND
    if command in _CROSSED_UNBIND and receiver is Role.ESME and state is State.UNBINDING:
        return Step.REFUSE_FOR_NOW
    return Step.REFUSE_STATE


def _sendable(sender: Role, state: State) -> dict[type[Body], int]:
    """The application's requests that ``sender`` may send in ``state``, with what answers them."""
    return {
        body: int(command | RESPONSE_BIT)
        for command, body in _APPLICATION_BODIES.items()
        if sender in PERMITTED[command][1] and state in PERMITTED[command][0]
    }


TRANSITIONS: dict[tuple[Role, State], dict[int, Step]] = {
    (role, state): {int(command): _step(role, state, command) for command in Command}
    for role in Role
    for state in State
}

SENDABLE: dict[tuple[Role, State], dict[type[Body], int]] = {
    (role, state): _sendable(role, state) for role in Role for state in State
}
