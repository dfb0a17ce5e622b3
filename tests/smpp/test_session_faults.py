"""What a peer may do wrong: each gets its documented answer, and nothing else is disturbed."""

from struct import pack

import pytest
from two_ends import LIMITS, MO, bound_ends, pdus

from smsd.smpp.codec import encode
from smsd.smpp.events import Disconnect, PeerFault, Request, Unbound
from smsd.smpp.pdu import Command, EnquireLink, Status, Unbind
from smsd.smpp.session import State


def frame(command_id: int, sequence: int, body: bytes = b"", length: int | None = None) -> bytes:
    """A PDU with any header and any octets behind it."""
    return pack(">IIII", length or 16 + len(body), command_id, 0, sequence) + body


@pytest.mark.parametrize("command_id", [0x00000000, 0x00000112, 0x0001_0200, 0x7FFF_FFFF])
def test_an_unknown_command_is_nacked(command_id: int) -> None:
    """A command that SMPP 3.4 does not have gets generic_nack with ESME_RINVCMDID (§4.3.1)."""
    esme = bound_ends().esme
    (fault,) = esme.receive(frame(command_id, 9, b"whatever"), 0.0)
    assert isinstance(fault, PeerFault)
    (nack,) = pdus(esme.take_output())
    assert nack[:3] == (Command.GENERIC_NACK, Status.ESME_RINVCMDID, 9)
    assert esme.state is State.BOUND_TRX


def test_an_unknown_response_is_not_answered() -> None:
    """Even a response with a command_id of its own gets nothing: two ends could go on for ever."""
    esme = bound_ends().esme
    (fault,) = esme.receive(frame(0x8000_0112, 9), 0.0)
    assert isinstance(fault, PeerFault)
    assert esme.take_output() == b""


def test_a_malformed_request_gets_the_response_it_would_have_had() -> None:
    """deliver_sm cut short is refused under its own number; its neighbours are handed over."""
    esme = bound_ends().esme
    broken = encode(MO, 2)
    broken = pack(">I", len(broken) - 3) + broken[4:-3]
    events = esme.receive(encode(MO, 1) + broken + encode(MO, 3), 0.0)
    assert [type(event) for event in events] == [Request, PeerFault, Request]
    (refusal,) = pdus(esme.take_output())
    assert refusal.command_id == Command.DELIVER_SM_RESP
    assert refusal.status == Status.ESME_RINVMSGLEN
    assert refusal.sequence == 2
    assert refusal.body is None


def test_a_malformed_pdu_without_response_is_nacked() -> None:
    """alert_notification has no response, so its refusal is a generic_nack (§4.3.1)."""
    esme = bound_ends().esme
    (fault,) = esme.receive(frame(Command.ALERT_NOTIFICATION, 9, b"\x01"), 0.0)
    assert isinstance(fault, PeerFault)
    (nack,) = pdus(esme.take_output())
    assert nack.command_id == Command.GENERIC_NACK
    assert nack.status != Status.ESME_ROK


@pytest.mark.parametrize("length", [1, 15, LIMITS.pdu_bytes_max + 1, 0xFFFF_FFFF])
def test_a_stream_that_cannot_be_framed_ends_the_session(length: int) -> None:
    """The good PDUs before it count, then generic_nack with ESME_RINVCMDLEN, then the end."""
    esme = bound_ends().esme
    events = esme.receive(encode(MO, 1) + frame(Command.DELIVER_SM, 2, b"x", length), 0.0)
    assert events[0] == Request(1, MO)
    assert [type(event) for event in events[1:]] == [PeerFault, Disconnect]
    (nack,) = pdus(esme.take_output())
    assert (nack.command_id, nack.status) == (Command.GENERIC_NACK, Status.ESME_RINVCMDLEN)
    assert esme.state is State.CLOSED
    assert esme.receive(encode(MO, 3), 0.0) == []
    assert esme.take_output() == b""


@pytest.mark.parametrize(
    ("octets", "after"),
    [(LIMITS.pdu_bytes_max, State.BOUND_TRX), (LIMITS.pdu_bytes_max + 1, State.CLOSED)],
)
def test_the_largest_pdu_is_taken_and_the_next_larger_not(octets: int, after: State) -> None:
    """pdu_bytes_max itself is allowed: both sides of the bound."""
    esme = bound_ends().esme
    esme.receive(frame(Command.ENQUIRE_LINK, 1, bytes(octets - 16)), 0.0)
    assert esme.state is after


@pytest.mark.parametrize(
    "behind",
    [encode(MO, 9), encode(Unbind(), 9), frame(0x112, 9), frame(5, 9, length=3), b"\x00\x00"],
    ids=["deliver_sm", "unbind", "unknown", "unframed", "half"],
)
def test_nothing_follows_the_end(behind: bytes) -> None:
    """Whatever stands behind an unbind in the same segment, good or bad, has no effect at all."""
    esme = bound_ends().esme
    events = esme.receive(encode(Unbind(), 8) + behind, 0.0)
    assert events == [Unbound(by_peer=True), Disconnect("unbound by the peer")]
    assert [pdu.sequence for pdu in pdus(esme.take_output())] == [8]
    assert esme.tick(1_000.0) == []


def test_a_fault_says_nothing_of_the_message() -> None:
    """Reasons go to the log, so neither text nor number of a citizen may stand in them."""
    esme = bound_ends(State.BOUND_TX).esme
    broken = encode(MO, 2)[:-1] + b"\x00\x01"
    events = esme.receive(encode(MO, 1) + pack(">I", len(broken)) + broken[4:], 0.0)
    assert len(events) == 2
    for event in events:
        assert isinstance(event, PeerFault)
        assert "994500000001" not in event.reason
        assert "1111111" not in event.reason


def test_a_fault_disturbs_no_answer_to_enquire_link() -> None:
    """Between two faults the peer still learns that we are there."""
    esme = bound_ends().esme
    esme.receive(frame(0x112, 1) + encode(EnquireLink(), 2) + frame(0x113, 3), 0.0)
    assert [pdu.sequence for pdu in pdus(esme.take_output())] == [1, 2, 3]
