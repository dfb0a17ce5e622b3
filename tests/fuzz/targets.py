"""What the fuzzer tries: octets from outside, of which only documented errors may come.

The first octet of an input chooses the target, the rest is its food. A target raises
AssertionError when a promise breaks; anything else that escapes it is a find as well.
"""

from collections.abc import Callable
from struct import pack

from smsd.smpp import receipts, segments, text
from smsd.smpp.codec import decode, encode
from smsd.smpp.framing import HEADER_BYTES, Framer
from smsd.smpp.pdu import Command, DataSm, DeliverSm, Malformed, Pdu
from smsd.smpp.segments import Part, Reassembler
from smsd.smpp.table import decode_by_table, encode_by_table
from tests.fuzz import peers

_PDU_BYTES_MAX = (16, 17, 64, 1_024)
_ALPHABETS = tuple(text.Alphabet)
_TEXTS_MAX, _OCTETS_MAX = 3, 200


def run(octets: bytes) -> None:
    """Feed one input to the target that its first octet names."""
    if octets:
        TARGETS[octets[0] % len(TARGETS)](octets[1:])


def frames(food: bytes) -> None:
    """[bound, cut, stream…]: any cutting gives the same frames and fault, and little is held."""
    bound = _PDU_BYTES_MAX[food[0] % len(_PDU_BYTES_MAX)] if food else 16
    stream = food[2:]
    whole = _framed(bound, [stream])
    assert sum(map(len, whole[0])) <= len(stream)
    assert b"".join(whole[0]) == stream[: sum(map(len, whole[0]))]
    assert _framed(bound, peers.cut(stream, b"\1")) == whole
    assert _framed(bound, peers.cut(stream, food[1:2])) == whole


def _framed(bound: int, pieces: list[bytes]) -> tuple[list[bytes], tuple[str, int, int] | None]:
    framer = Framer(bound)
    found: list[bytes] = []
    for piece in pieces:
        found += framer.feed(piece)
        assert framer.held_bytes < max(bound, HEADER_BYTES)
        if framer.fault is not None:
            assert framer.held_bytes == 0
            return found, (framer.fault.reason, framer.fault.sequence, framer.fault.status)
    return found, None


def pdu(food: bytes) -> None:
    """[frame…]: the paths agree, and what decodes encodes to the octets it came from."""
    _judge(food)
    if len(food) >= HEADER_BYTES:
        _judge(pack(">I", len(food)) + food[4:])


def _judge(frame: bytes) -> None:
    found, by_table = decode(frame), decode_by_table(frame)
    assert found == by_table
    assert type(found) is type(by_table)
    if isinstance(found, Malformed):
        assert found.status
        assert found.raw == frame
        return
    assert isinstance(by_table, Pdu)
    assert type(found.body) is type(by_table.body)
    if found.body is None:
        assert found.status
        assert len(frame) == HEADER_BYTES
        return
    again = encode(found.body, found.sequence, found.status)
    assert again == encode_by_table(found.body, found.sequence, found.status)
    assert frame[4:] in (again[4:], again[4:] + b"\0")  # a stray NUL may be passed over


def message(food: bytes) -> None:
    """[body…]: as deliver_sm and data_sm; what the gateway makes of a phone's SMS and a receipt."""
    for command in (Command.DELIVER_SM, Command.DATA_SM):
        found = decode(pack(">IIII", HEADER_BYTES + len(food), command, 0, 1) + food)
        if isinstance(found, Malformed):
            continue
        body = found.body
        assert isinstance(body, DeliverSm | DataSm)
        receipts.is_receipt(body.esm_class)
        receipt = receipts.parse(body)
        if receipt is not None:
            assert receipt.message_id
            assert receipt.state in receipts.STATES.values()
            told = sum(len(value) for value in receipt if isinstance(value, str))
            assert told <= len(food) + len("UNKNOWN")
        content = segments.unpack(body)
        part = content.part
        assert len(content.octets) <= len(food)
        assert part is None or 1 <= part.index <= part.total <= segments.PARTS_MAX
        _read(body.data_coding, content.octets, text.Alphabet.GSM)


def coded_text(food: bytes) -> None:
    """[data_coding, alphabet, octets…]: text of any octets, and back."""
    if len(food) >= 2:
        _read(food[0], food[2:], _ALPHABETS[food[1] % len(_ALPHABETS)])


def _read(data_coding: int, octets: bytes, alphabet: text.Alphabet) -> None:
    found = text.decode(data_coding, octets, alphabet).text
    assert 7 * len(found) <= 8 * len(octets)  # nothing is denser than packed septets
    found.encode("utf-8")  # what is stored must be text
    coded, again = text.encode(found)
    if coded == text.UCS2:  # not read back: its reader may know byte order marks and the like
        assert again == found.encode("utf-16-be")
    else:
        assert text.decode(coded, again).text == found
    _cut_and_join(found)


def _cut_and_join(whole: str) -> None:
    """A text in parts is joined again, in any order of its parts, and each part fits an SMS."""
    count = segments.segment_count(whole)
    try:
        data_coding, esm_class, parts = segments.segment(whole, 0x1FF)
    except ValueError:
        assert count > segments.PARTS_MAX
        return
    assert len(parts) == count
    reassembler = Reassembler(octets_max=1 << 20)
    joined = None
    for octets in reversed(parts):
        assert joined is None
        assert len(octets) <= (140 if data_coding == text.UCS2 else 160)
        body = DeliverSm(esm_class=esm_class, data_coding=data_coding, short_message=octets)
        content = segments.unpack(body)
        assert content.sound
        joined = reassembler.add("phone", content.part, content.octets)
    assert joined == text.encode(whole)[1]


def reassembly(food: bytes) -> None:
    """[sender, total, index, length, octets…]…: parts in any order, held within the limits."""
    reassembler = Reassembler(_TEXTS_MAX, _OCTETS_MAX)
    at = given = told = 0
    while at + 4 <= len(food):
        sender, total, index, length = food[at : at + 4]
        octets = food[at + 4 : at + 4 + length]
        at += 4 + length
        part = Part(sender >> 2, total, index, 8) if total > 1 and 1 <= index <= total else None
        joined = reassembler.add(sender & 3, part, octets)
        given += len(octets)
        told += len(joined or b"")
        assert told + peers.octets_held(reassembler) <= given
        assert peers.octets_held(reassembler) <= _OCTETS_MAX
        if part is None:
            assert joined == octets


TARGETS: tuple[Callable[[bytes], None], ...] = (
    peers.stream,
    peers.conversation,
    pdu,
    message,
    frames,
    coded_text,
    reassembly,
)


def explain(octets: bytes) -> str:
    """Which target an input feeds, and with what, for a person who replays it."""
    if not octets:
        return "empty: feeds nothing"
    target = TARGETS[octets[0] % len(TARGETS)]
    return f"{target.__name__} of {target.__doc__}\n{octets[1:].hex(' ')}"
