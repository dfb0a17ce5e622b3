"""Each state × each command × both ends, held to a table written out by hand from SMPP 3.4 §2.3."""

import pytest
from smpplib import consts
from two_ends import ends_in, pdus

from smsd.smpp import pdu
from smsd.smpp.codec import encode
from smsd.smpp.constants import RESPONSE_BIT
from smsd.smpp.events import BindRequested, Disconnect, Event, Notice, PeerFault, Request, Unbound
from smsd.smpp.pdu import Body, Command, Status
from smsd.smpp.session import NotBound, Role, Session, State
from smsd.smpp.states import PERMITTED, SUCCESSORS

COLUMNS = (State.OPEN, State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX, State.UNBINDING)

# What the session in that role does with a request of its peer.
#   hand notice bind   to the application         -      a fault to note; there is no response
#   unbind enquire     answered by the session    state  ESME_RINVBNDSTS
#   bound              ESME_RALYBND               later  ESME_RX_T_APPN
TABLE = {
    Role.ESME: """
        bind_transmitter    state   state   state   state   state
        bind_receiver       state   state   state   state   state
        bind_transceiver    state   state   state   state   state
        outbind             notice  -       -       -       -
        unbind              state   unbind  unbind  unbind  unbind
        submit_sm           state   state   state   state   state
        submit_multi        state   state   state   state   state
        data_sm             state   hand    hand    hand    later
        deliver_sm          state   state   hand    hand    later
        query_sm            state   state   state   state   state
        cancel_sm           state   state   state   state   state
        replace_sm          state   state   state   state   state
        enquire_link        enquire enquire enquire enquire enquire
        alert_notification  -       -       notice  notice  -
    """,
    Role.SMSC: """
        bind_transmitter    bind    bound   bound   bound   bound
        bind_receiver       bind    bound   bound   bound   bound
        bind_transceiver    bind    bound   bound   bound   bound
        outbind             -       -       -       -       -
        unbind              state   unbind  unbind  unbind  unbind
        submit_sm           state   hand    state   hand    state
        submit_multi        state   hand    state   hand    state
        data_sm             state   hand    hand    hand    state
        deliver_sm          state   state   state   state   state
        query_sm            state   hand    state   hand    state
        cancel_sm           state   hand    state   hand    state
        replace_sm          state   hand    state   hand    state
        enquire_link        enquire enquire enquire enquire enquire
        alert_notification  -       -       -       -       -
    """,
}

CELLS = [
    (role, state, Command[name.upper()], cell)
    for role, rows in TABLE.items()
    for name, *cells in map(str.split, rows.strip().splitlines())
    for state, cell in zip(COLUMNS, cells, strict=True)
]

REFUSALS = {
    "bound": Status.ESME_RALYBND,
    "state": Status.ESME_RINVBNDSTS,
    "later": Status.ESME_RX_T_APPN,
}

APPLICATION = {
    Command.SUBMIT_SM,
    Command.SUBMIT_MULTI,
    Command.DATA_SM,
    Command.DELIVER_SM,
    Command.QUERY_SM,
    Command.CANCEL_SM,
    Command.REPLACE_SM,
}


def body_of(command: Command) -> Body:
    """A valid body of this command, with its defaults."""
    if command is Command.SUBMIT_MULTI:
        return pdu.SubmitMulti(dest_addresses=(pdu.SmeAddress(1, 1, "994500000001"),))
    name = "".join(word.title() for word in command.name.split("_"))
    body: Body = getattr(pdu, name)()
    return body


def effect(
    session: Session, octets: bytes
) -> tuple[list[Event], list[tuple[int, int, int]], State]:
    """What ``octets`` cause: events, (command, status, sequence) written, and the state after."""
    events = session.receive(octets, 1.0)
    written = [
        (answer.command_id, answer.status, answer.sequence)
        for answer in pdus(session.take_output())
    ]
    return events, written, session.state


def test_the_table_has_every_request() -> None:
    """A command that the standard has and this table has not would go untested."""
    requests = {command for command in Command if not command & RESPONSE_BIT}
    for role in Role:
        assert {cell[2] for cell in CELLS if cell[0] is role} == requests


@pytest.mark.parametrize(
    ("role", "state", "command", "cell"),
    CELLS,
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_a_request_has_the_effect_of_its_cell(
    role: Role, state: State, command: Command, cell: str
) -> None:
    """The session hands over, answers or refuses a request as the table says, and nothing else."""
    session, _ = ends_in(state).of(role)
    body = body_of(command)
    events, written, after = effect(session, encode(body, 77))
    handed: dict[str, list[Event]] = {
        "hand": [Request(77, body)],
        "notice": [Notice(body)],
        "bind": [BindRequested(77, body)],
        "enquire": [],
        "unbind": [Unbound(by_peer=True), Disconnect("unbound by the peer")],
    }
    answers = {
        "unbind": [(Command.UNBIND_RESP, Status.ESME_ROK, 77)],
        "enquire": [(Command.ENQUIRE_LINK_RESP, Status.ESME_ROK, 77)],
    }
    if cell in REFUSALS:
        answers[cell] = [(Command(command | RESPONSE_BIT), REFUSALS[cell], 77)]
    if cell in handed:
        assert [type(event) for event in events] == [type(event) for event in handed[cell]]
        assert events == handed[cell]
    else:
        assert [type(event) for event in events] == [PeerFault]
    assert written == answers.get(cell, [])
    assert after is (State.CLOSED if cell == "unbind" else state)


@pytest.mark.parametrize("state", COLUMNS, ids=lambda state: state.name)
@pytest.mark.parametrize("role", Role, ids=lambda role: role.name)
@pytest.mark.parametrize(
    "command",
    [command for command in Command if command & RESPONSE_BIT],
    ids=lambda command: command.name,
)
def test_a_response_to_nothing_is_noted_and_ignored(
    role: Role, state: State, command: Command
) -> None:
    """In no state does an unasked response do anything, or get an answer (two ends would loop)."""
    session, _ = ends_in(state).of(role)
    events, written, after = effect(session, encode(body_of(command), 77))
    assert [type(event) for event in events] == [PeerFault]
    assert written == []
    assert after is state


@pytest.mark.parametrize("role", Role, ids=lambda role: role.name)
@pytest.mark.parametrize("command", Command, ids=lambda command: command.name)
def test_a_closed_session_is_deaf(role: Role, command: Command) -> None:
    """After the end nothing that still comes has any effect."""
    session, _ = ends_in(State.CLOSED).of(role)
    assert effect(session, encode(body_of(command), 77)) == ([], [], State.CLOSED)


@pytest.mark.parametrize(
    ("role", "state", "command", "cell"),
    [cell for cell in CELLS if cell[2] in APPLICATION],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_a_session_sends_just_what_its_peer_would_take(
    role: Role, state: State, command: Command, cell: str
) -> None:
    """``request`` lets a PDU out exactly where the receiving end has "hand" in its table."""
    _, sender = ends_in(state).of(role)
    if cell == "hand":
        sender.request(body_of(command), "context", 1.0)
        assert [sent.command_id for sent in pdus(sender.take_output())] == [command]
    else:
        with pytest.raises(NotBound):
            sender.request(body_of(command), "context", 1.0)
        assert sender.take_output() == b""


def test_no_state_is_a_dead_end() -> None:
    """From every state a session can come to its end, and only from CLOSED does it open."""
    for state, successors in SUCCESSORS.items():
        assert State.CLOSED in successors or state is State.CLOSED
        assert (State.OPEN in successors) == (state is State.CLOSED)


# smpplib names it otherwise.
_THEIR_NAMES = {Command.SUBMIT_MULTI: "submit_sm_multi"}
# Where its table is another. As receiver nothing has been submitted that could be asked for (§2.5
# gives both to the transmitter); the rest is what we take beyond table 2-1, see PERMITTED.
_THEIR_STATES = {
    Command.QUERY_SM: {State.BOUND_RX, State.BOUND_TRX},
    Command.CANCEL_SM: {State.BOUND_RX, State.BOUND_TRX},
    Command.REPLACE_SM: {State.BOUND_TX},
    Command.ENQUIRE_LINK: {State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX},
    Command.UNBIND: {State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX},
}


@pytest.mark.parametrize("command", PERMITTED, ids=lambda command: command.name)
def test_smpplib_permits_a_request_in_the_same_states(command: Command) -> None:
    """Another reading of table 2-1 differs from ours only where we know why."""
    name = _THEIR_NAMES.get(command, command.name.lower())
    numbers = consts.COMMAND_STATES[name]
    theirs = {State[_named(number).removeprefix("SMPP_CLIENT_STATE_")] for number in numbers}
    assert theirs == _THEIR_STATES.get(command, PERMITTED[command][0])


def _named(number: int) -> str:
    names = [name for name in vars(consts) if name.startswith("SMPP_CLIENT_STATE_")]
    return next(name for name in names if getattr(consts, name) == number)
