"""Two real sessions, ESME and SMSC, with only bytes between them: what session tests share."""

from typing import NamedTuple

from smsd.smpp.codec import decode
from smsd.smpp.events import BindRequested, Bound, Event, PeerFault
from smsd.smpp.framing import Framer
from smsd.smpp.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    Command,
    DeliverSm,
    Malformed,
    Pdu,
    SubmitSm,
)
from smsd.smpp.session import Role, Session, SessionLimits, State

LIMITS = SessionLimits(
    pdu_bytes_max=1_024,
    window=3,
    bind_timeout_s=10,
    response_timeout_s=30,
    enquire_link_s=20,
    unbind_timeout_s=3,
    pdu_rest_timeout_s=5,
)

BINDS: dict[State, BindTransmitter | BindReceiver | BindTransceiver] = {
    State.BOUND_TX: BindTransmitter("gateway", "secret"),
    State.BOUND_RX: BindReceiver("gateway", "secret"),
    State.BOUND_TRX: BindTransceiver("gateway", "secret"),
}

MO = DeliverSm(source_addr="994500000001", destination_addr="8103", short_message=b"2 AZE 1111111")
MT = SubmitSm(source_addr="8103", destination_addr="994500000001", short_message=b"permitted")


class Ends(NamedTuple):
    """The two sides of one connection."""

    esme: Session
    smsc: Session

    def of(self, role: Role) -> tuple[Session, Session]:
        """The session in ``role``, and its peer."""
        return (self.esme, self.smsc) if role is Role.ESME else (self.smsc, self.esme)


def open_ends(now: float = 0.0, limits: SessionLimits = LIMITS, first_sequence: int = 1) -> Ends:
    """Both ends with their transport up and nothing said yet."""
    ends = Ends(
        Session(Role.ESME, limits, first_sequence), Session(Role.SMSC, limits, first_sequence)
    )
    for session in ends:
        session.start(now)
    return ends


def carry(sender: Session, receiver: Session, now: float = 0.0) -> list[Event]:
    """Let the receiver take all that the sender has to write."""
    return receiver.receive(sender.take_output(), now)


def bound_ends(
    mode: State = State.BOUND_TRX,
    now: float = 0.0,
    limits: SessionLimits = LIMITS,
    first_sequence: int = 1,
) -> Ends:
    """Both ends bound in ``mode``; each has sent one request or none."""
    ends = open_ends(now, limits, first_sequence)
    ends.esme.bind(BINDS[mode], now)
    (requested,) = carry(ends.esme, ends.smsc, now)
    assert isinstance(requested, BindRequested)
    ends.smsc.accept_bind(requested.sequence, "centre", now)
    assert carry(ends.smsc, ends.esme, now) == [Bound(mode, "centre")]
    return ends


def ends_in(state: State) -> Ends:
    """Both ends, each in ``state`` by itself (both UNBINDING: their unbinds are on their way)."""
    if state is State.OPEN:
        return open_ends()
    if state is State.UNBINDING or state is State.CLOSED:
        ends = bound_ends()
        for session in ends:
            session.unbind(0.0)
            session.take_output()
            if state is State.CLOSED:
                session.closed(0.0)
        return ends
    return bound_ends(state)


def sent(session: Session) -> list[tuple[str, int, int]]:
    """What a session wrote: command, status and sequence number of each PDU."""
    return [
        (Command(pdu.command_id).name.lower(), pdu.status, pdu.sequence)
        for pdu in pdus(session.take_output())
    ]


def faults(events: list[Event]) -> list[object]:
    """The events, with PeerFault itself for each fault, since its wording is no one's business."""
    return [PeerFault if isinstance(event, PeerFault) else event for event in events]


def pdus(octets: bytes) -> list[Pdu]:
    """What a session wrote, decoded; a session never writes what does not decode."""
    decoded = [decode(frame) for frame in Framer(65_536).feed(octets)]
    assert not [pdu for pdu in decoded if isinstance(pdu, Malformed)]
    return [pdu for pdu in decoded if isinstance(pdu, Pdu)]
