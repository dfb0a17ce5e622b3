"""Faults that users of other gateways report, by their symptom, against a session alone.

Those that need a whole gateway stand in tests/gateway/test_symptoms.py; that any cut of a stream
does the same, in test_session_cuts.py; that messages are parsed with TLVs of every kind, in
test_codec.py.
"""

from struct import pack

import pytest
from two_ends import BINDS, LIMITS, MO, MT, bound_ends, carry, ends_in, faults, open_ends, sent

from smsd.smpp.codec import encode, encode_bare
from smsd.smpp.events import (
    BindRefused,
    Bound,
    Disconnect,
    Lost,
    PeerFault,
    Request,
    Response,
)
from smsd.smpp.pdu import (
    BindTransceiverResp,
    Command,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Status,
    SubmitSmResp,
    Tlv,
    status_text,
)
from smsd.smpp.session import Role, State
from smsd.smpp.window import SEQUENCE_MAX

# The window


def test_a_lost_response_does_not_leave_the_window_stuck() -> None:
    """Responses that never come give their places back, again and again, and others still count."""
    esme = bound_ends(now=0.0).esme
    for round_ in range(5):
        now = 100.0 * round_
        sequences = [esme.request(MT, place, now) for place in range(LIMITS.window)]
        esme.receive(encode(SubmitSmResp("1"), sequences[1]), now + 29.0)
        assert esme.tick(now + 30.0) == [Lost(0, "timeout"), Lost(2, "timeout")]
        assert esme.room == LIMITS.window


def test_a_late_response_does_not_settle_a_younger_request() -> None:
    """The message goes again under a new number, so what answers the old one settles nothing."""
    esme = bound_ends(now=0.0).esme
    old = esme.request(MT, "mt", 0.0)
    esme.receive(encode(EnquireLink(), 1), 19.0)
    assert esme.tick(30.0) == [Lost("mt", "timeout")]
    new = esme.request(MT, "mt", 30.0)
    assert faults(esme.receive(encode(SubmitSmResp("1"), old), 31.0)) == [PeerFault]
    assert esme.room == LIMITS.window - 1
    assert esme.receive(encode(SubmitSmResp("2"), new), 32.0) == [
        Response("mt", Status.ESME_ROK, SubmitSmResp("2"))
    ]


@pytest.mark.parametrize("sequence", [0, 77, SEQUENCE_MAX, 0x80000000, 0xFFFFFFFF])
@pytest.mark.parametrize("body", [SubmitSmResp("1"), GenericNack(), EnquireLinkResp()])
def test_a_response_to_nothing_is_told_and_harms_nothing(
    body: SubmitSmResp | GenericNack | EnquireLinkResp, sequence: int
) -> None:
    """Not answered, lest two ends go on for ever; the window stays as it was."""
    esme = bound_ends().esme
    esme.request(MT, "mt", 0.0)
    esme.take_output()
    assert faults(esme.receive(encode(body, sequence), 1.0)) == [PeerFault]
    assert esme.take_output() == b""
    assert (esme.room, esme.state) == (LIMITS.window - 1, State.BOUND_TRX)


def test_the_same_response_twice_settles_once() -> None:
    """An SMSC that stammers does not make room for a message that was never taken."""
    esme = bound_ends().esme
    first, _ = esme.request(MT, "a", 0.0), esme.request(MT, "b", 0.0)
    events = esme.receive(encode(SubmitSmResp("1"), first) * 2, 0.0)
    assert faults(events) == [Response("a", Status.ESME_ROK, SubmitSmResp("1")), PeerFault]
    assert esme.room == LIMITS.window - 1


# Sequence numbers


def test_sequence_numbers_never_pass_through_zero() -> None:
    """0x7FFFFFFF, then 1 (§5.1.4); and numbers in use are skipped."""
    ends = bound_ends(first_sequence=SEQUENCE_MAX - 1)  # The bind took this one.
    assert ends.esme.request(MT, "last", 0.0) == SEQUENCE_MAX
    assert ends.esme.request(MT, "first", 0.0) == 1
    ends.esme.receive(encode(SubmitSmResp("1"), SEQUENCE_MAX), 0.0)
    assert ends.esme.request(MT, "second", 0.0) == 2


@pytest.mark.parametrize("sequence", [0, SEQUENCE_MAX, 0x80000000, 0xFFFFFFFF])
def test_a_peer_that_counts_otherwise_is_answered_under_its_number(sequence: int) -> None:
    """0 and what lies above 0x7FFFFFFF are not for us to refuse: the SMS behind them is real."""
    esme = bound_ends().esme
    segment = encode(MO, sequence) + encode(EnquireLink(), sequence)
    assert esme.receive(segment, 0.0) == [Request(sequence, MO)]
    esme.acknowledge([sequence])
    assert sent(esme) == [
        ("enquire_link_resp", Status.ESME_ROK, sequence),
        ("deliver_sm_resp", Status.ESME_ROK, sequence),
    ]


def test_a_peer_that_uses_our_sequence_numbers_confuses_nobody() -> None:
    """Each side counts for itself: our request and the peer's share a number and a fate apart."""
    ends = bound_ends()
    ours = ends.esme.request(MT, "mt", 0.0)
    ends.esme.take_output()
    assert ends.esme.receive(encode(MO, ours) * 2, 0.0) == [Request(ours, MO)] * 2
    ends.esme.acknowledge([ours, ours])
    assert sent(ends.esme) == [("deliver_sm_resp", Status.ESME_ROK, ours)] * 2
    assert ends.esme.room == LIMITS.window - 1
    assert ends.esme.receive(encode(SubmitSmResp("1"), ours), 0.0) == [
        Response("mt", Status.ESME_ROK, SubmitSmResp("1"))
    ]


# How the stream comes


def test_pdus_glued_behind_the_bind_response_are_not_lost() -> None:
    """An SMSC may send what it kept for us in the very segment that binds us."""
    esme = open_ends().esme
    esme.bind(BINDS[State.BOUND_TRX], 0.0)
    segment = encode(BindTransceiverResp("centre"), 1) + encode(MO, 1) + encode(EnquireLink(), 2)
    assert esme.receive(segment, 0.0) == [Bound(State.BOUND_TRX, "centre"), Request(1, MO)]
    assert sent(esme)[1:] == [("enquire_link_resp", Status.ESME_ROK, 2)]


def test_a_command_length_of_50_mb_is_not_waited_for() -> None:
    """Refused with its first 16 octets, under its own number, and nothing more is kept."""
    esme = bound_ends().esme
    header = pack(">IIII", 50_000_000, Command.DELIVER_SM, 0, 7)
    assert esme.receive(header[:15], 0.0) == []
    events = esme.receive(header[15:], 0.0)
    assert faults(events)[0] is PeerFault
    assert isinstance(events[1], Disconnect)
    assert sent(esme) == [("generic_nack", Status.ESME_RINVCMDLEN, 7)]
    assert esme.receive(bytes(1_000), 0.0) == []


# What PDUs carry


@pytest.mark.parametrize("tag", [0x0000, 0x1400, 0x1403, 0x3FFF, 0x4000, 0xFFFF])
def test_an_unknown_tlv_costs_nobody_their_sms(tag: int) -> None:
    """Reserved and vendor tags, on requests and responses, are handed on and disturb nothing."""
    esme = bound_ends().esme
    sequence = esme.request(MT, "mt", 0.0)
    tlvs = (Tlv(tag, b"any"), Tlv(tag, b""))
    message, response = MO._replace(tlvs=tlvs), SubmitSmResp("1", tlvs)
    assert esme.receive(encode(message, 1) + encode(response, sequence), 0.0) == [
        Request(1, message),
        Response("mt", Status.ESME_ROK, response),
    ]


def test_an_unknown_tlv_does_not_keep_us_from_binding() -> None:
    """bind_resp often carries sc_interface_version, and sometimes what only the vendor knows."""
    esme = open_ends().esme
    esme.bind(BINDS[State.BOUND_TRX], 0.0)
    answer = BindTransceiverResp("centre", (Tlv(0x0210, b"\x34"), Tlv(0x1501, bytes(40))))
    assert esme.receive(encode(answer, 1), 0.0) == [Bound(State.BOUND_TRX, "centre")]


@pytest.mark.parametrize("body", [SubmitSmResp(), SubmitSmResp("7f"), None])
def test_an_error_response_comes_with_or_without_a_body(body: SubmitSmResp | None) -> None:
    """§4.4.2 leaves the body out of an error response; peers that leave it in are understood."""
    esme = bound_ends().esme
    sequence = esme.request(MT, "mt", 0.0)
    status = Status.ESME_RTHROTTLED
    octets = (
        encode_bare(Command.SUBMIT_SM_RESP, sequence, status)
        if body is None
        else encode(body, sequence, status)
    )
    assert esme.receive(octets, 0.0) == [Response("mt", status, body)]


@pytest.mark.parametrize("status", [Status.ESME_ROK, Status.ESME_RTHROTTLED, 0x400])
@pytest.mark.parametrize(
    "body",
    [b"", b"no end", b"7f\0\0", b"7f\0\0\0\0", b"9" * 65 + b"\0", b"7f\0\0\x1e\0\4\0"],
    ids=["none", "no NUL", "stray NUL", "three stray NULs", "too long", "half a TLV"],
)
def test_a_response_with_a_broken_body_costs_no_duplicate(status: int, body: bytes) -> None:
    """Its header is sound and says what became of the message; a time-out would send it again."""
    esme = bound_ends().esme
    sequence = esme.request(MT, "mt", 0.0)
    esme.take_output()
    header = pack(">IIII", 16 + len(body), Command.SUBMIT_SM_RESP, status, sequence)
    events = esme.receive(header + body, 0.0)
    assert [event[:2] for event in events if isinstance(event, Response)] == [("mt", status)]
    assert esme.take_output() == b""
    assert esme.room == LIMITS.window


def test_an_enquire_link_resp_with_a_stray_octet_keeps_the_link() -> None:
    """The peer is there; to drop the link over an octet would punish everybody bound by it."""
    esme = bound_ends(now=0.0).esme
    esme.tick(20.0)
    ((_, _, sequence),) = sent(esme)
    answer = pack(">IIII", 17, Command.ENQUIRE_LINK_RESP, 0, sequence) + b"\0"
    esme.receive(answer, 21.0)
    assert esme.tick(40.9) == []
    assert esme.tick(50.0) == []
    assert esme.state is State.BOUND_TRX


def test_a_bind_response_without_a_body_binds() -> None:
    """ESME_ROK in a bare header: we are in, though the SMSC does not say its name."""
    esme = open_ends().esme
    esme.bind(BINDS[State.BOUND_TRX], 0.0)
    events = esme.receive(encode_bare(Command.BIND_TRANSCEIVER_RESP, 1, 0), 0.0)
    assert faults(events) == [PeerFault, Bound(State.BOUND_TRX, "")]


@pytest.mark.parametrize("message_id", ["", "7f", "9" * 64])
def test_a_deliver_sm_resp_with_a_message_id_is_a_response(message_id: str) -> None:
    """§4.6.2 has it unused, yet peers fill it: the message is delivered all the same."""
    smsc = bound_ends().smsc
    sequence = smsc.request(MO, "mo", 0.0)
    answer = DeliverSmResp(message_id)
    assert smsc.receive(encode(answer, sequence), 0.0) == [Response("mo", 0, answer)]


@pytest.mark.parametrize("status", [0x400, 0x4FF, 0x41D, 0x500, 0x0009, 0xFFFFFFFF])
def test_a_status_of_the_vendors_own_is_handed_on(status: int) -> None:
    """§5.1.3 gives 0x400-0x4FF away; what nobody defined comes through as well, in words too."""
    esme = bound_ends().esme
    sequence = esme.request(MT, "mt", 0.0)
    octets = encode_bare(Command.SUBMIT_SM_RESP, sequence, status)
    assert esme.receive(octets, 0.0) == [Response("mt", status, None)]
    assert f"0x{status:x}" in status_text(status)


def test_a_bind_that_is_already_bound_is_told_as_such() -> None:
    """The SMSC still believes in our last session: this one ends with its status in words."""
    esme = open_ends().esme
    esme.bind(BINDS[State.BOUND_TRX], 0.0)
    refusal = encode_bare(Command.BIND_TRANSCEIVER_RESP, 1, Status.ESME_RALYBND)
    assert esme.receive(refusal, 0.0) == [
        BindRefused(Status.ESME_RALYBND),
        Disconnect("bind refused: ESME_RALYBND (0x5)"),
    ]


# Silence and time


@pytest.mark.parametrize("role", Role, ids=lambda role: role.name)
@pytest.mark.parametrize(
    "state", [state for state in State if state is not State.CLOSED], ids=lambda state: state.name
)
def test_enquire_link_is_answered_in_every_state(role: Role, state: State) -> None:
    """Before the bind and while we unbind too: some SMSCs ask at once, and hang up when unheard."""
    session, _ = ends_in(state).of(role)
    assert session.receive(encode(EnquireLink(), 9), 0.0) == []
    assert sent(session) == [("enquire_link_resp", Status.ESME_ROK, 9)]
    assert session.state is state


def test_enquire_link_is_answered_while_our_bind_is_not() -> None:
    """A centre that takes its time to look the account up may ask meanwhile."""
    esme = open_ends().esme
    esme.bind(BINDS[State.BOUND_TRX], 0.0)
    esme.take_output()
    esme.receive(encode(EnquireLink(), 9), 1.0)
    assert sent(esme) == [("enquire_link_resp", Status.ESME_ROK, 9)]
    assert faults(esme.receive(encode(BindTransceiverResp("x"), 1), 2.0)) == [
        Bound(State.BOUND_TRX, "x")
    ]


def test_a_machine_that_stood_still_for_an_hour_asks_before_it_gives_up() -> None:
    """Its peer may well be there: one enquire_link, and the usual time to answer it."""
    ends = bound_ends(now=0.0)
    assert ends.esme.tick(3_600.0) == []
    assert carry(ends.esme, ends.smsc, 3_600.0) == []
    assert carry(ends.smsc, ends.esme, 3_629.0) == []
    assert ends.esme.tick(3_630.0) == []
    assert ends.esme.state is State.BOUND_TRX


def test_a_machine_that_stood_still_while_it_waited_asks_nothing_more() -> None:
    """Its enquire_link was unanswered before: the session ends, without another one on the wire."""
    esme = bound_ends(now=0.0).esme
    esme.tick(20.0)
    assert [command for command, *_ in sent(esme)] == ["enquire_link"]
    esme.receive(encode(MO, 1), 25.0)
    assert esme.tick(3_600.0) == [Disconnect("enquire_link was not answered")]
    assert esme.take_output() == b""
