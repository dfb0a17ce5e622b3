"""One text in several short messages: cutting replies (MT), reading and joining what comes in (MO).

The user data header (UDH) is that of 3GPP TS 23.040 §9.2.3.24; the SAR TLVs and message_payload are
those of SMPP 3.4 §5.3.2.22-24 and §5.3.2.32.
"""

from collections.abc import Hashable
from itertools import pairwise
from typing import Final, NamedTuple

from smsd.smpp import text as coding
from smsd.smpp.gsm0338 import ESCAPE
from smsd.smpp.pdu import DataSm, DeliverSm, SubmitSm, Tag, Tlv

UDHI: Final = 0x40  # SMPP 3.4 §5.2.12: esm_class bit 6, the octets begin with a UDH.

PARTS_MAX: Final = 255  # The total is one octet in the UDH and in sar_total_segments.

# 140 octets of user data: 160 septets, or 70 UTF-16 units. The six octets of a concatenation UDH
# leave 134: 153 septets (after one bit of fill), or 67 units. SMPP carries a septet as an octet.
SINGLE_SEPTETS_MAX: Final = 160
PART_SEPTETS_MAX: Final = 153
SINGLE_UNITS_MAX: Final = 70
PART_UNITS_MAX: Final = 67

_CONCAT_8_BIT = 0x00  # §9.2.3.24.1: reference, total, index.
_CONCAT_16_BIT = 0x08  # §9.2.3.24.8: reference of two octets, total, index.


class Segments(NamedTuple):
    """What to submit: a submit_sm for each of ``parts``, with this data_coding and esm_class."""

    data_coding: int
    esm_class: int
    parts: tuple[bytes, ...]


class Part(NamedTuple):
    """Which part of which text a short message is: ``index`` of ``total``, 1 <= index <= total.

    ``width_bits`` (8 or 16) is the size of the reference; references of different size never match.
    """

    reference: int
    total: int
    index: int  # type: ignore[assignment]  # Hides tuple.index, which no one asks of a Part.
    width_bits: int


class Content(NamedTuple):
    """The text octets of a message without UDH, and its place when it is one part of several.

    When ``sound`` is False the UDH could not be read and ``octets`` still hold it, or short_message
    and message_payload came with different octets (§3.2.3 allows one of them); the first is kept.
    """

    octets: bytes
    part: Part | None
    sound: bool


def segment(text: str, reference: int) -> Segments:
    """Cut ``text`` between characters into parts that ``reference`` (modulo 256) marks as one.

    ValueError when it would take more than PARTS_MAX parts.
    """
    data_coding, octets = coding.encode(text)
    if _fits_one(data_coding, octets):
        return Segments(data_coding, 0, (octets,))
    cuts = _cuts(data_coding, octets)
    total = len(cuts) - 1
    if total > PARTS_MAX:
        raise ValueError(f"the text takes {total} parts; at most {PARTS_MAX} can be numbered")
    parts = tuple(
        bytes((5, _CONCAT_8_BIT, 3, reference & 0xFF, total, index)) + octets[start:end]
        for index, (start, end) in enumerate(pairwise(cuts), start=1)
    )
    return Segments(data_coding, UDHI, parts)


def segment_count(text: str) -> int:
    """How many short messages ``text`` costs; above PARTS_MAX it cannot be sent."""
    data_coding, octets = coding.encode(text)
    return 1 if _fits_one(data_coding, octets) else len(_cuts(data_coding, octets)) - 1


def _fits_one(data_coding: int, octets: bytes) -> bool:
    return len(octets) <= (
        SINGLE_UNITS_MAX * 2 if data_coding == coding.UCS2 else SINGLE_SEPTETS_MAX
    )


def _cuts(data_coding: int, octets: bytes) -> list[int]:
    """Give the offsets where parts begin, and the end: parts are full, but for a character cut."""
    wide = data_coding == coding.UCS2
    room = PART_UNITS_MAX * 2 if wide else PART_SEPTETS_MAX
    cuts = [0]
    while (cut := cuts[-1] + room) < len(octets):
        if wide:
            if octets[cut - 2] & 0xFC == 0xD8:  # A high surrogate: its low half is yet to come.
                cut -= 2
        elif octets[cut - 1] == ESCAPE:
            cut -= 1
        cuts.append(cut)
    cuts.append(len(octets))
    return cuts


def unpack(body: DeliverSm | SubmitSm | DataSm) -> Content:
    """Find the text octets of a message and its place among the parts of a text; never raises.

    A message that says it is part 1 of 1 is whole: ``part`` is None. So it is when the numbers make
    no sense (total 0, index 0 or above total): both standards have such marks ignored.
    """
    octets = b"" if isinstance(body, DataSm) else body.short_message
    part, sound = None, True
    if body.tlvs:
        part = _sar_part(body.tlvs)
        payload = _value(body.tlvs, Tag.MESSAGE_PAYLOAD)
        if payload:
            sound = octets in (b"", payload)
            octets = octets or payload
    if not body.esm_class & UDHI:
        return Content(octets, part, sound)
    header_end = octets[0] + 1 if octets else 1
    elements = _elements(octets[1:header_end]) if header_end <= len(octets) else None
    if elements is None:
        return Content(octets, None, False)
    return Content(octets[header_end:], _udh_part(elements) or part, sound)


def _elements(header: bytes) -> list[tuple[int, bytes]] | None:
    """Give the (identifier, data) pairs of a UDH without its length octet; None when cut short."""
    elements = []
    at = 0
    while at < len(header):
        start = at + 2
        if start > len(header) or (end := start + header[at + 1]) > len(header):
            return None
        elements.append((header[at], header[start:end]))
        at = end
    return elements


def _udh_part(elements: list[tuple[int, bytes]]) -> Part | None:
    part = None
    for identifier, data in elements:  # §9.2.3.24: of elements that repeat, the last one counts.
        if identifier == _CONCAT_8_BIT and len(data) == 3:
            part = _part(data[0], data[1], data[2], 8)
        elif identifier == _CONCAT_16_BIT and len(data) == 4:
            part = _part(data[0] << 8 | data[1], data[2], data[3], 16)
    return part


def _sar_part(tlvs: tuple[Tlv, ...]) -> Part | None:
    """Read the SAR TLVs; §5.3.2.22: one without the other two is ignored."""
    reference = _value(tlvs, Tag.SAR_MSG_REF_NUM)
    total = _value(tlvs, Tag.SAR_TOTAL_SEGMENTS)
    index = _value(tlvs, Tag.SAR_SEGMENT_SEQNUM)
    if len(reference) != 2 or len(total) != 1 or len(index) != 1:
        return None
    return _part(int.from_bytes(reference, "big"), total[0], index[0], 16)


def _part(reference: int, total: int, index: int, width_bits: int) -> Part | None:
    if total < 2 or not 1 <= index <= total:
        return None
    return Part(reference, total, index, width_bits)


def _value(tlvs: tuple[Tlv, ...], tag: int) -> bytes:
    return next((tlv.value for tlv in tlvs if tlv.tag == tag), b"")


class Reassembler:
    """Joins the parts of texts, in any order, within limits; the oldest unfinished text gives way.

    ``dropped`` counts the texts that were given up: for room, or because a sender used a reference
    again before its text was whole. Join octets before decoding them: some senders cut characters.
    """

    __slots__ = ("_held_octets", "_octets_max", "_texts", "_texts_max", "dropped")

    def __init__(self, texts_max: int = 64, octets_max: int = 65_536) -> None:
        """Hold at most ``texts_max`` unfinished texts, ``octets_max`` octets over all of them."""
        assert texts_max >= 1 and octets_max >= 1
        self.dropped = 0
        self._texts_max = texts_max
        self._octets_max = octets_max
        self._held_octets = 0
        self._texts: dict[Hashable, dict[int, bytes]] = {}  # Oldest first: dicts keep their order.

    def add(self, key: Hashable, part: Part | None, octets: bytes) -> bytes | None:
        """Take one short message; give the octets of the text that it completes, else None.

        ``key`` tells senders apart (source and destination, data_coding). A message that is no part
        is a text at once. A part that comes twice changes nothing.
        """
        if part is None:
            return octets
        text_key = (key, part.reference, part.total, part.width_bits)
        held = self._texts.get(text_key)
        if held is not None and held.get(part.index, octets) != octets:
            self._drop(text_key)  # The same place, other octets: the reference has come round.
            held = None
        if held is None:
            held = self._texts[text_key] = {}
        if part.index not in held:
            held[part.index] = octets
            self._held_octets += len(octets)
        if len(held) == part.total:
            self._forget(text_key)
            return b"".join(held[index] for index in range(1, part.total + 1))
        while len(self._texts) > self._texts_max or self._held_octets > self._octets_max:
            self._drop(next(iter(self._texts)))
        return None

    def _drop(self, text_key: Hashable) -> None:
        self._forget(text_key)
        self.dropped += 1

    def _forget(self, text_key: Hashable) -> None:
        self._held_octets -= sum(map(len, self._texts.pop(text_key).values()))
