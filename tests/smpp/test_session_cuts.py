"""However the stream is cut, the same happens: whole, octet by octet, and anyhow."""

from collections.abc import Iterable
from itertools import pairwise
from struct import pack

from hypothesis import given
from hypothesis import strategies as st
from two_ends import BINDS, MO, MT, Ends, bound_ends, open_ends

from smsd.smpp.codec import encode, encode_bare
from smsd.smpp.events import BindRequested, Event, Request, Response
from smsd.smpp.pdu import (
    BindTransceiverResp,
    Command,
    DeliverSmResp,
    EnquireLink,
    GenericNack,
    Status,
    SubmitSm,
    SubmitSmResp,
    Unbind,
)
from smsd.smpp.session import Session, SessionLimits, State

LIMITS = SessionLimits(window=100)

# Everything that an SMSC may send to an ESME that has three submit_sm under way, 2 to 4.
PIECES = [
    encode(MO, 1),
    encode(MO._replace(short_message=b""), 2),
    encode(EnquireLink(), 3),
    encode(SubmitSmResp("7f"), 2),
    encode_bare(Command.SUBMIT_SM_RESP, 3, Status.ESME_RTHROTTLED),
    encode(GenericNack(), 4, Status.ESME_RSYSERR),
    encode(DeliverSmResp(), 99),
    encode(MT, 5),
    pack(">IIII", 16, 0x112, 0, 6),
    pack(">IIII", 19, Command.DELIVER_SM, 0, 7) + b"abc",
    encode(Unbind(), 8),
    pack(">IIII", 12, Command.DELIVER_SM, 0, 9),
]

streams = st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join)


def cut(octets: bytes, places: Iterable[int]) -> list[bytes]:
    """The octets in segments, cut at these places (taken modulo the length)."""
    bounds = sorted({place % (len(octets) + 1) for place in places} | {0, len(octets)})
    return [octets[start:end] for start, end in pairwise(bounds)]


def outcome(session: Session, segments: Iterable[bytes]) -> tuple[list[Event], bytes, State]:
    """All that the segments make the session do; the time stands still."""
    session.take_output()
    events: list[Event] = []
    for segment in segments:
        events += session.receive(segment, 1.0)
    output = session.take_output()
    return events + session.closed(1.0), output, session.state


def esme_with_three_under_way() -> Session:
    """A bound ESME that awaits the responses 2, 3 and 4."""
    esme = bound_ends().esme
    for context in ("a", "b", "c"):
        esme.request(MT, context, 0.0)
    return esme


@given(streams, st.lists(st.integers(0, 2_000), max_size=12), st.integers(0, 15))
def test_no_cut_changes_what_happens(stream: bytes, places: list[int], missing: int) -> None:
    """Events, answers and what is lost are those of the whole stream, its last PDU torn or not."""
    stream = stream[: len(stream) - missing]
    whole = outcome(esme_with_three_under_way(), [stream])
    single = [stream[at : at + 1] for at in range(len(stream))]
    assert outcome(esme_with_three_under_way(), single) == whole
    assert outcome(esme_with_three_under_way(), cut(stream, places)) == whole


@given(st.lists(st.integers(0, 500), max_size=8))
def test_no_cut_changes_how_a_session_begins(places: list[int]) -> None:
    """bind_resp with messages glued behind it binds and delivers, wherever it is cut."""
    stream = encode(BindTransceiverResp("centre"), 1) + b"".join(PIECES[:3])

    def begin(segments: list[bytes]) -> tuple[list[Event], bytes, State]:
        esme = open_ends().esme
        esme.bind(BINDS[State.BOUND_TRX], 0.0)
        return outcome(esme, segments)

    assert begin(cut(stream, places)) == begin([stream])


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=5))
def test_no_octets_raise(octets: bytes, places: list[int]) -> None:
    """Noise is refused as a whole stream and in pieces alike, and never as an exception."""
    whole = outcome(bound_ends().esme, [octets])
    assert outcome(bound_ends().esme, cut(octets, places)) == whole


def converse(ends: Ends, messages: int, pieces: Iterable[int]) -> list[object]:
    """A conversation over a wire that carries so many octets at a time; the ESME's outcomes."""
    sizes = iter(pieces)
    outcomes: list[object] = []
    for number in range(messages):
        ends.smsc.request(MO, number, 0.0)
    to_esme, to_smsc = ends.smsc.take_output(), ends.esme.take_output()
    while to_esme or to_smsc:
        size = next(sizes, 1_000)
        for event in ends.esme.receive(to_esme[:size], 0.0):
            if isinstance(event, Request):
                ends.esme.acknowledge([event.sequence])
                ends.esme.request(MT, event.sequence, 0.0)
            outcomes.append(event)
        for event in ends.smsc.receive(to_smsc[:size], 0.0):
            if isinstance(event, Request) and isinstance(event.body, SubmitSm):
                ends.smsc.answer(event.sequence, Command.SUBMIT_SM_RESP, message_id="7f")
            assert not isinstance(event, BindRequested)
            outcomes.append(event)
        to_esme = to_esme[size:] + ends.smsc.take_output()
        to_smsc = to_smsc[size:] + ends.esme.take_output()
    return outcomes


@given(st.integers(0, 20), st.lists(st.integers(1, 90), max_size=200))
def test_a_conversation_ends_with_every_message_settled(messages: int, pieces: list[int]) -> None:
    """Two real ends over a wire that cuts anyhow: each message is delivered and answered once."""
    ends = bound_ends(limits=LIMITS)
    outcomes = converse(ends, messages, pieces)
    responses = [event for event in outcomes if isinstance(event, Response)]
    assert len(outcomes) == 4 * messages
    assert len(responses) == 2 * messages
    assert ends.esme.room == ends.smsc.room == LIMITS.window
