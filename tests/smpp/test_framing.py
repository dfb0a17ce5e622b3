"""The stream is cut by command_length alone, however the network cut it before."""

import sys
from itertools import pairwise
from struct import pack
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.smpp.framing import Framer, PeerProtocolError
from smsd.smpp.pdu import Status

MAX = 64


def frame(length: int, sequence: int = 1) -> bytes:
    """An octet-counted PDU of ``length`` octets whose body is 0xAA."""
    return pack(">IIII", length, 0x15, 0, sequence).ljust(length, b"\xaa")


def feed_all(framer: Framer, pieces: list[bytes]) -> list[bytes]:
    """The frames of ``pieces``, fed in turn until a fault."""
    frames = []
    for piece in pieces:
        frames += framer.feed(piece)
        if framer.fault is not None:
            break
    return frames


@st.composite
def cuttings(draw: st.DrawFn, stream: bytes) -> list[bytes]:
    """``stream`` cut at any places, empty pieces included."""
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    ends = [0, *cuts, len(stream)]
    return [stream[a:b] for a, b in pairwise(ends)]


@given(st.data(), st.lists(st.integers(16, MAX), max_size=6))
def test_any_cutting_gives_the_same_frames(data: st.DataObject, lengths: list[int]) -> None:
    """TCP promises octets, not segments, so the frames may depend only on the octets."""
    frames = [frame(length, number) for number, length in enumerate(lengths, 1)]
    framer = Framer(MAX)
    assert feed_all(framer, data.draw(cuttings(b"".join(frames)))) == frames
    assert framer.held_bytes == 0
    assert framer.fault is None


def test_octet_by_octet_each_frame_comes_with_its_last_octet() -> None:
    """A frame is neither early nor late."""
    framer = Framer(MAX)
    stream = frame(16, 1) + frame(17, 2)
    came = [number for number in range(len(stream)) if framer.feed(stream[number : number + 1])]
    assert came == [15, 32]


def test_what_is_held_is_known() -> None:
    """The session times out a PDU that stays half-received, so it must see one."""
    framer = Framer(MAX)
    assert framer.feed(frame(16) + b"\0\0\0") == [frame(16)]
    assert framer.held_bytes == 3
    assert framer.feed(frame(16)[3:]) == [frame(16)]
    assert framer.held_bytes == 0


@pytest.mark.parametrize("length", [16, 17, MAX - 1, MAX])
def test_a_length_within_its_bounds_is_a_frame(length: int) -> None:
    """Both bounds belong to what is allowed."""
    framer = Framer(MAX)
    assert framer.feed(frame(length)) == [frame(length)]
    assert framer.fault is None


@pytest.mark.parametrize(
    ("length", "sequence"),
    [(0, 0), (4, 0), (15, 0), (MAX + 1, 7), (0x80000000, 7), (0xFFFFFFFF, 7)],
)
def test_a_length_out_of_bounds_is_a_fault(length: int, sequence: int) -> None:
    """One octet beyond either bound ends the stream; only a whole header gives a sequence."""
    framer = Framer(MAX)
    assert framer.feed(pack(">IIII", length, 0x15, 0, 7)) == []
    assert framer.fault is not None
    assert framer.fault.sequence == sequence
    assert framer.fault.status == Status.ESME_RINVCMDLEN
    assert str(length) in framer.fault.reason
    assert framer.held_bytes == 0


def test_good_frames_come_before_the_fault_and_nothing_after() -> None:
    """What came whole before the fault is answered; what follows it is never guessed at."""
    framer = Framer(MAX)
    assert framer.feed(frame(20) + frame(MAX + 1, 9) + frame(16)) == [frame(20)]
    fault = framer.fault
    assert fault is not None
    with pytest.raises(PeerProtocolError) as raised:
        framer.feed(frame(16))
    assert raised.value is fault
    assert fault.sequence == 9


@given(st.data(), st.sampled_from([0, 15, MAX + 1, 0x47455420]))
def test_any_cutting_gives_the_same_fault(data: st.DataObject, length: int) -> None:
    """A fault, too, may depend only on the octets ("GET " is the length of a lost browser)."""
    stream = frame(16) + pack(">IIII", length, 0x15, 0, 7) + frame(16)
    whole, cut = Framer(MAX), Framer(MAX)
    assert feed_all(cut, data.draw(cuttings(stream))) == whole.feed(stream)
    assert whole.fault is not None
    assert cut.fault is not None
    assert (cut.fault.reason, cut.fault.sequence) == (whole.fault.reason, whole.fault.sequence)


def test_a_header_too_long_waits_for_its_sequence_number() -> None:
    """The generic_nack should name the PDU that it refuses (§4.3.1)."""
    framer = Framer(MAX)
    assert framer.feed(frame(MAX + 1, 9)[:15]) == []
    assert framer.fault is None
    framer.feed(frame(MAX + 1, 9)[15:16])
    assert framer.fault is not None
    assert framer.fault.sequence == 9


@pytest.mark.parametrize("held", [1, 3, 4, 15])
def test_a_long_pdu_before_does_not_delay_a_short_one(held: int) -> None:
    """How much the last PDU still lacked says nothing about the next."""
    for short in (frame(16, 2), frame(MAX + 1, 2)[:16]):
        framer = Framer(MAX)
        assert framer.feed(frame(40)[:20]) == []
        assert framer.feed(frame(40)[20:] + short[:held]) == [frame(40)]
        frames = framer.feed(short[held:])
        assert frames == [short] or framer.fault is not None


def test_a_thousand_frames_in_one_segment() -> None:
    """A busy SMSC fills segments; none of them may be lost or reordered."""
    frames = [frame(16 + number % 40, number) for number in range(1000)]
    assert Framer(MAX).feed(b"".join(frames)) == frames


def test_octets_that_trickle_are_not_parsed_again_and_again() -> None:
    """A peer that sends a long PDU octet by octet costs linear time: a few looks, not thousands."""
    stream = frame(4000)
    framer = Framer(4000)
    looks = 0

    def count(_frame: FrameType, event: str, called: object) -> None:
        nonlocal looks
        looks += event == "c_call" and getattr(called, "__name__", "") == "unpack_from"

    sys.setprofile(count)
    try:
        frames = [got for at in range(len(stream)) for got in framer.feed(stream[at : at + 1])]
    finally:
        sys.setprofile(None)
    assert frames == [stream]
    assert 1 <= looks <= 4


def test_a_limit_under_a_header_is_refused() -> None:
    """A misconfigured limit fails at start, not at the first PDU."""
    with pytest.raises(ValueError, match="pdu_bytes_max is 15"):
        Framer(15)
    assert Framer(16).feed(frame(16)) == [frame(16)]
