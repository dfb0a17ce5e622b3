"""A session at work, in virtual time: binding, requests and responses, numbers, silence."""

from dataclasses import replace
from math import inf

import pytest
from two_ends import BINDS, LIMITS, MO, MT, bound_ends, carry, faults, open_ends, sent

from smsd.smpp.codec import FieldError, encode, encode_bare
from smsd.smpp.events import (
    BindRefused,
    BindRequested,
    Disconnect,
    Lost,
    PeerFault,
    Request,
    Response,
)
from smsd.smpp.pdu import (
    BindReceiverResp,
    Command,
    DataSm,
    DataSmResp,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    QuerySm,
    QuerySmResp,
    Status,
    SubmitSmResp,
)
from smsd.smpp.session import NotBound, Role, State, WindowFull
from smsd.smpp.window import SEQUENCE_MAX

# Binding


@pytest.mark.parametrize("mode", BINDS, ids=lambda mode: mode.name)
def test_both_ends_come_to_the_same_bound_state(mode: State) -> None:
    """Each of the three binds leads both ends into its state."""
    ends = bound_ends(mode)
    assert (ends.esme.state, ends.smsc.state) == (mode, mode)


def test_a_bind_may_be_refused_and_tried_again() -> None:
    """A refused ESME is told why and gives up; the SMSC waits on until its time is up."""
    ends = open_ends()
    ends.esme.bind(BINDS[State.BOUND_TRX], 0.0)
    (requested,) = carry(ends.esme, ends.smsc)
    assert requested == BindRequested(1, BINDS[State.BOUND_TRX])
    ends.smsc.refuse_bind(1, Status.ESME_RINVPASWD)
    assert carry(ends.smsc, ends.esme) == [
        BindRefused(Status.ESME_RINVPASWD),
        Disconnect("bind refused: ESME_RINVPASWD (0xe)"),
    ]
    assert ends.esme.state is State.CLOSED
    assert ends.smsc.state is State.OPEN
    again = ends.smsc.receive(encode(BINDS[State.BOUND_TRX], 2), 1.0)
    assert again == [BindRequested(2, BINDS[State.BOUND_TRX])]


def test_a_bind_nacked_is_a_bind_refused() -> None:
    """An SMSC that does not know bind_transceiver says so with a generic_nack."""
    esme = open_ends().esme
    esme.bind(BINDS[State.BOUND_TRX], 0.0)
    events = esme.receive(encode(GenericNack(), 1, Status.ESME_RINVCMDID), 1.0)
    assert events[0] == BindRefused(Status.ESME_RINVCMDID)
    assert isinstance(events[1], Disconnect)


def test_a_second_bind_before_the_first_is_answered_is_refused() -> None:
    """While the SMSC still thinks about a bind, another one gets ESME_RALYBND."""
    ends = open_ends()
    for sequence in (5, 6):
        ends.smsc.receive(encode(BINDS[State.BOUND_RX], sequence), 0.0)
    assert sent(ends.smsc) == [("bind_receiver_resp", Status.ESME_RALYBND, 6)]
    ends.smsc.accept_bind(5, "centre", 0.0)
    assert ends.smsc.state is State.BOUND_RX


def test_an_esme_asks_once() -> None:
    """A second bind by our own side is a bug of the caller, bound or not; so is one by an SMSC."""
    ends = open_ends()
    ends.esme.bind(BINDS[State.BOUND_TRX], 0.0)
    with pytest.raises(NotBound):
        ends.esme.bind(BINDS[State.BOUND_TRX], 0.0)
    with pytest.raises(NotBound):
        ends.smsc.bind(BINDS[State.BOUND_TRX], 0.0)
    with pytest.raises(NotBound):
        bound_ends().esme.bind(BINDS[State.BOUND_TRX], 0.0)


def test_the_response_to_another_bind_does_not_bind() -> None:
    """bind_receiver_resp does not answer our bind_transceiver."""
    esme = open_ends().esme
    esme.bind(BINDS[State.BOUND_TRX], 0.0)
    assert faults(esme.receive(encode(BindReceiverResp("centre"), 1), 0.0)) == [PeerFault]
    assert esme.state is State.OPEN


@pytest.mark.parametrize("role", Role, ids=lambda role: role.name)
def test_a_session_that_is_not_bound_in_time_ends(role: Role) -> None:
    """Ten seconds without a bind end it for both sides, not an instant earlier."""
    session, _ = open_ends(now=100.0).of(role)
    assert session.next_tick() == 110.0
    assert session.tick(109.9) == []
    assert session.tick(110.0) == [Disconnect("not bound in time")]
    assert session.next_tick() == inf


def test_the_bind_has_its_own_ten_seconds() -> None:
    """The ESME's patience counts from its bind; an answer of the SMSC's application counts too."""
    ends = open_ends()
    ends.esme.bind(BINDS[State.BOUND_TRX], 4.0)
    carry(ends.esme, ends.smsc, 4.0)
    assert ends.esme.tick(13.9) == []
    assert ends.esme.tick(14.0) == [Disconnect("not bound in time")]
    assert ends.smsc.tick(10.0) == [Disconnect("not bound in time")]
    ends.smsc.accept_bind(1, "centre", 10.1)  # The application did not know yet.
    assert ends.smsc.take_output() == b""


# Requests and responses


def test_a_message_goes_both_ways() -> None:
    """deliver_sm is handed over and acknowledged, submit_sm answered with its message_id."""
    ends = bound_ends()
    sequence = ends.smsc.request(MO, "mo", 1.0)
    assert carry(ends.smsc, ends.esme, 1.0) == [Request(sequence, MO)]
    ends.esme.acknowledge([sequence])
    reply = ends.esme.request(MT, "mt", 1.0)
    assert carry(ends.esme, ends.smsc, 1.0) == [
        Response("mo", Status.ESME_ROK, DeliverSmResp()),
        Request(reply, MT),
    ]
    ends.smsc.answer(reply, Command.SUBMIT_SM_RESP, message_id="7f")
    assert carry(ends.smsc, ends.esme, 1.0) == [
        Response("mt", Status.ESME_ROK, SubmitSmResp("7f")),
    ]


def test_responses_may_come_in_any_order() -> None:
    """Each finds its request by its number, whichever was asked first."""
    ends = bound_ends()
    numbers = [ends.esme.request(MT, context, 1.0) for context in ("a", "b", "c")]
    carry(ends.esme, ends.smsc, 1.0)
    for number in reversed(numbers):
        ends.smsc.answer(number, Command.SUBMIT_SM_RESP, message_id=str(number))
    events = carry(ends.smsc, ends.esme, 1.0)
    assert [event.context for event in events if isinstance(event, Response)] == ["c", "b", "a"]


def test_a_request_counts_whatever_its_status() -> None:
    """command_status means nothing in a request (§5.1.3); one that is not 0 is passed over."""
    esme = bound_ends().esme
    assert esme.receive(encode(MO, 7, Status.ESME_RSYSERR), 1.0) == [Request(7, MO)]


def test_acknowledging_many_writes_what_the_codec_writes() -> None:
    """The short cut for deliver_sm_resp has the codec's bytes, from first number to last."""
    esme = bound_ends().esme
    sequences = [1, 2, 0x01020304, SEQUENCE_MAX]
    esme.acknowledge(iter(sequences))
    assert esme.take_output() == b"".join(encode(DeliverSmResp(), one) for one in sequences)


def test_our_error_responses_have_no_body() -> None:
    """An error goes out as a header alone (§4.4.2)."""
    ends = bound_ends()
    ends.smsc.answer(9, Command.SUBMIT_SM_RESP, Status.ESME_RMSGQFUL, "7f")
    assert ends.smsc.take_output() == encode_bare(Command.SUBMIT_SM_RESP, 9, Status.ESME_RMSGQFUL)


def test_other_requests_are_answered_in_full() -> None:
    """data_sm by name, query_sm with a body of the application's own making."""
    ends = bound_ends()
    ends.esme.request(DataSm(), "data", 0.0)
    ends.esme.request(QuerySm("7f"), "query", 0.0)
    data, query = carry(ends.esme, ends.smsc)
    assert isinstance(data, Request)
    assert isinstance(query, Request)
    ends.smsc.answer(data.sequence, Command.DATA_SM_RESP, message_id="80")
    state = QuerySmResp("7f", message_state=2)
    ends.smsc.answer_with(query.sequence, state)
    assert carry(ends.smsc, ends.esme) == [
        Response("data", Status.ESME_ROK, DataSmResp("80")),
        Response("query", Status.ESME_ROK, state),
    ]


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (Status.ESME_RINVCMDID, Status.ESME_RINVCMDID),
        (Status.ESME_ROK, Status.ESME_RUNKNOWNERR),
    ],
)
def test_a_nacked_request_failed(status: Status, told: Status) -> None:
    """generic_nack for our submit_sm is its error response, even where the peer left status 0."""
    esme = bound_ends().esme
    sequence = esme.request(MT, "mt", 0.0)
    nack = encode(GenericNack(), sequence, status)
    assert esme.receive(nack, 0.0) == [Response("mt", told, None)]
    assert esme.room == LIMITS.window


def test_a_response_of_the_wrong_kind_settles_nothing() -> None:
    """data_sm_resp under the number of our submit_sm is a fault; the true response still counts."""
    esme = bound_ends().esme
    sequence = esme.request(MT, "mt", 0.0)
    assert faults(esme.receive(encode(DataSmResp("1"), sequence), 0.0)) == [PeerFault]
    assert esme.receive(encode(SubmitSmResp("2"), sequence), 0.0) == [
        Response("mt", Status.ESME_ROK, SubmitSmResp("2"))
    ]


def test_a_full_window_takes_nothing_more() -> None:
    """The request beyond the last place raises, writes nothing and costs no sequence number."""
    esme = bound_ends().esme
    sequences = [esme.request(MT, place, 0.0) for place in range(LIMITS.window)]
    esme.take_output()
    assert esme.room == 0
    with pytest.raises(WindowFull):
        esme.request(MT, "too many", 0.0)
    assert esme.take_output() == b""
    esme.receive(encode(SubmitSmResp("1"), sequences[1]), 0.0)
    assert esme.room == 1
    assert esme.request(MT, "fits again", 0.0) == sequences[-1] + 1


def test_a_request_that_does_not_encode_is_as_if_never_made() -> None:
    """FieldError leaves no bytes, takes no place and times nothing out."""
    esme = bound_ends().esme
    with pytest.raises(FieldError):
        esme.request(MT._replace(destination_addr="9" * 21), "mt", 0.0)
    assert esme.take_output() == b""
    assert esme.room == LIMITS.window


# Time


@pytest.mark.parametrize("role", Role, ids=lambda role: role.name)
def test_an_unanswered_request_is_lost_after_its_time(role: Role) -> None:
    """After 30 s the application hears that the outcome is unknown, and a late response is void."""
    ends = bound_ends()
    session, peer = ends.of(role)
    body, answer = (MT, SubmitSmResp("1")) if role is Role.ESME else (MO, DeliverSmResp())
    sequence = session.request(body, "mine", 5.0)
    session.receive(encode(EnquireLink(), 9), 19.0)  # The peer is well, only this is missing.
    assert session.tick(34.9) == []
    assert session.next_tick() == 35.0
    assert session.tick(35.0) == [Lost("mine", "timeout")]
    assert session.room == LIMITS.window
    peer.answer_with(sequence, answer)
    assert faults(carry(peer, session, 35.1)) == [PeerFault]


@pytest.mark.parametrize("role", Role, ids=lambda role: role.name)
def test_silence_is_questioned_and_the_answer_contents(role: Role) -> None:
    """20 s without a byte bring an enquire_link; its answer starts the 20 s anew."""
    session, peer = bound_ends(now=0.0).of(role)
    assert session.next_tick() == 20.0
    assert session.tick(19.9) == []
    assert session.take_output() == b""
    assert session.tick(20.0) == []
    assert carry(session, peer, 21.0) == []
    assert carry(peer, session, 22.0) == []
    assert session.next_tick() == 42.0
    assert session.tick(42.0) == []
    assert [command for command, *_ in sent(session)] == ["enquire_link"]


@pytest.mark.parametrize("answer", [EnquireLinkResp(), GenericNack()], ids=["resp", "nack"])
def test_a_peer_that_answers_is_there(answer: EnquireLinkResp | GenericNack) -> None:
    """A peer that does not know enquire_link is alive too: its generic_nack will do."""
    esme = bound_ends(now=0.0).esme
    esme.tick(20.0)
    ((_, _, sequence),) = sent(esme)
    assert esme.receive(encode(answer, sequence), 49.0) == []
    assert esme.tick(50.0) == []
    assert esme.state is State.BOUND_TRX


def test_an_unanswered_enquire_link_ends_the_session() -> None:
    """30 s after the question the link is given up, even though other traffic came."""
    esme = bound_ends(now=0.0).esme
    esme.tick(20.0)
    assert [command for command, *_ in sent(esme)] == ["enquire_link"]
    esme.receive(encode(MO, 1), 25.0)
    assert esme.tick(45.0) == []  # Silence again, but one question at a time.
    assert esme.take_output() == b""
    assert esme.tick(49.9) == []
    assert esme.tick(50.0) == [Disconnect("enquire_link was not answered")]


def test_only_a_bound_session_asks() -> None:
    """Before the bind and after our unbind the timers of these states suffice: no enquire_link."""
    limits = replace(LIMITS, enquire_link_s=1, unbind_timeout_s=5)
    esme = open_ends(now=0.0, limits=limits).esme
    esme.receive(encode(EnquireLink(), 1), 0.0)
    esme.take_output()
    assert esme.tick(9.0) == []
    assert esme.take_output() == b""
    esme = bound_ends(now=0.0, limits=limits).esme
    esme.unbind(0.0)
    esme.receive(encode(EnquireLink(), 1), 0.0)
    esme.take_output()
    assert esme.tick(4.0) == []
    assert esme.take_output() == b""


def test_a_late_tick_ends_the_session_once() -> None:
    """A caller that was held up finds many timers run out: the first to do so is the reason."""
    esme = bound_ends(now=0.0).esme
    esme.receive(encode(MO, 1)[:-1], 1.0)
    assert esme.tick(1_000.0) == [Disconnect("the rest of a PDU did not come")]
    assert esme.take_output() == b""
    assert esme.next_tick() == inf


def test_a_full_window_does_not_silence_the_question() -> None:
    """enquire_link needs no place in the window."""
    esme = bound_ends(now=0.0).esme
    for place in range(LIMITS.window):
        esme.request(MT, place, 0.0)
    esme.take_output()
    esme.tick(20.0)
    assert [command for command, *_ in sent(esme)] == ["enquire_link"]


def test_half_a_pdu_is_waited_for_in_vain_for_so_long() -> None:
    """The rest of a PDU may take 5 s; octets that trickle in do not prolong it."""
    esme = bound_ends(now=0.0).esme
    half = encode(MO, 1)[:-1]
    esme.receive(half[:20], 1.0)
    assert esme.next_tick() == 6.0
    esme.receive(half[20:], 5.9)
    assert esme.tick(5.9) == []
    assert esme.tick(6.0) == [Disconnect("the rest of a PDU did not come")]


def test_a_steady_stream_of_half_pdus_is_no_fault() -> None:
    """Segments that each end within a PDU are normal: a completed PDU starts the time anew."""
    esme = bound_ends(now=0.0).esme
    octets = encode(MO, 1)
    half = len(octets) // 2
    esme.receive(octets[:half], 1.0)
    for now in (4.0, 8.0, 12.0):
        assert esme.receive(octets[half:] + octets[:half], now) == [Request(1, MO)]
        assert esme.tick(now + 4.9) == []
    esme.receive(octets[half:], 13.0)
    assert esme.next_tick() == 33.0


@pytest.mark.parametrize("answer", [EnquireLinkResp(), GenericNack()], ids=["resp", "nack"])
def test_a_link_with_nothing_but_enquire_link_may_be_given_up(
    answer: EnquireLinkResp | GenericNack,
) -> None:
    """60 s from the last request or response; a peer that answers enquire_link is not enough."""
    esme = bound_ends(now=0.0, limits=replace(LIMITS, inactivity_s=60)).esme
    esme.receive(encode(MO, 1), 5.0)
    esme.take_output()
    for now in (25.0, 45.0):
        assert esme.tick(now) == []
        ((_, _, sequence),) = sent(esme)
        assert esme.receive(encode(answer, sequence), now) == []
    assert esme.tick(64.9) == []
    assert esme.tick(65.0) == [Disconnect("nothing but enquire_link came")]
