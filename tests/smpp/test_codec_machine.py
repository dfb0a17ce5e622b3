"""A stream written PDU by PDU, sound and damaged, and read in any pieces: Hypothesis drives."""

from struct import pack

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pdu_strategies import bodies, u32

from smsd.smpp.codec import decode, encode
from smsd.smpp.framing import HEADER_BYTES, Framer
from smsd.smpp.pdu import Body, Malformed, Pdu
from smsd.smpp.table import decode_by_table

PDU_BYTES_MAX = 1_024
out_of_bounds = st.integers(0, HEADER_BYTES - 1) | st.integers(PDU_BYTES_MAX + 1, 0xFFFFFFFF)


class Stream(RuleBasedStateMachine):
    """A writer, a reader, and the octets between them; ``written`` is what must be read."""

    def __init__(self) -> None:
        super().__init__()
        self.framer = Framer(PDU_BYTES_MAX)
        self.wire = bytearray()
        self.written: list[bytes] = []
        self.read: list[bytes] = []
        self.broken_at: int | None = None  # how many octets are before a length out of bounds
        self.octets_written = self.octets_read = 0

    def write(self, frame: bytes) -> None:
        """Behind a length out of bounds nothing counts any more."""
        if self.broken_at is None:
            self.written.append(frame)
        self.wire += frame
        self.octets_written += len(frame)

    @rule(body=bodies, sequence=u32, status=u32)
    def write_pdu(self, body: Body, sequence: int, status: int) -> None:
        """Any PDU of SMPP 3.4 decodes to what was encoded."""
        frame = encode(body, sequence, status)
        found = decode(frame)
        assert isinstance(found, Pdu)
        assert (found.status, found.sequence, found.body) == (status, sequence, body)
        assert type(found.body) is type(body)
        if len(frame) <= PDU_BYTES_MAX:
            self.write(frame)

    @rule(data=st.data(), octets=st.binary(max_size=6))
    @precondition(lambda self: self.written)
    def write_damaged(self, data: st.DataObject, octets: bytes) -> None:
        """A PDU that went before, with octets changed, lost or added, and a true length."""
        frame = bytearray(data.draw(st.sampled_from(self.written)))
        at = data.draw(st.integers(4, len(frame)))
        frame[at : at + data.draw(st.integers(0, 6))] = octets
        frame += bytes(max(0, HEADER_BYTES - len(frame)))
        if len(frame) <= PDU_BYTES_MAX:
            self.write(pack(">I", len(frame)) + frame[4:])

    @rule(command_id=u32, body=st.binary(max_size=40))
    def write_noise(self, command_id: int, body: bytes) -> None:
        """A frame of any command with anything in it."""
        self.write(pack(">IIII", HEADER_BYTES + len(body), command_id, 0, 1) + body)

    @rule(room=st.integers(0, 2))
    def write_about_the_longest(self, room: int) -> None:
        """The limit itself is a length like any other."""
        body = bytes(PDU_BYTES_MAX - HEADER_BYTES - room)
        self.write(pack(">IIII", PDU_BYTES_MAX - room, 0x15, 0, 1) + body)

    @rule(length=out_of_bounds)
    @precondition(lambda self: self.broken_at is None and self.written)
    def write_length_out_of_bounds(self, length: int) -> None:
        """From here on the stream cannot be framed."""
        self.broken_at = self.octets_written
        self.write(pack(">IIII", length, 5, 0, 77))

    @rule(size=st.integers(1, 30) | st.sampled_from([100, 5_000]))
    def read_some(self, size: int) -> None:
        """The frames come as soon as their last octet, and the fault with its header."""
        if self.framer.fault is not None:
            return
        piece = bytes(self.wire[:size])
        del self.wire[:size]
        self.octets_read += len(piece)
        for frame in self.framer.feed(piece):
            self.read.append(frame)
            self.judge(frame)

    def judge(self, frame: bytes) -> None:
        """One verdict on both paths; what decodes encodes to the octets it came from."""
        found, by_table = decode(frame), decode_by_table(frame)
        assert found == by_table
        assert type(found) is type(by_table)
        if isinstance(found, Malformed):
            assert found.status
            assert found.raw == frame
        elif found.body is not None:
            again = encode(found.body, found.sequence, found.status)
            assert frame[4:] in (again[4:], again[4:] + b"\0")  # a stray NUL may be passed over

    @invariant()
    def what_was_read_is_what_was_written(self) -> None:
        """Every frame whose last octet has come, none more, and no more held than one PDU."""
        whole = at = 0
        for frame in self.written:
            at += len(frame)
            whole += at <= self.octets_read
        assert self.read == self.written[:whole]
        assert self.framer.held_bytes < PDU_BYTES_MAX

    @invariant()
    def the_fault_is_seen_where_it_is(self) -> None:
        """Not before the length has come, and not later than its header."""
        if self.broken_at is None or self.octets_read < self.broken_at + 4:
            assert self.framer.fault is None
        elif self.octets_read >= self.broken_at + HEADER_BYTES:
            assert self.framer.fault is not None
            assert self.framer.fault.sequence in (0, 77)


TestStream = Stream.TestCase
TestStream.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
