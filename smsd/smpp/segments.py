"""One text in several short messages as phones do it: cutting, reading, joining.

The user data header (UDH) is that of 3GPP TS 23.040 §9.2.3.24; the SAR TLVs and message_payload are
those of SMPP 3.4 §5.3.2.22-24 and §5.3.2.32.
"""

from collections.abc import Hashable
from typing import NamedTuple

from smsd.smpp import udh
from smsd.smpp.long_messages import PARTS_MAX as PARTS_MAX
from smsd.smpp.long_messages import by_udh_8_bit, cut, spell
from smsd.smpp.pdu import DataSm, DeliverSm, SubmitSm, Tag, Tlv
from smsd.smpp.udh import UDHI as UDHI

# A third of what a NamedTuple's own constructor takes, for every SMS.
_new = tuple.__new__


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
    ``header`` is the UDH, its length octet included; empty when there is none.
    """

    octets: bytes
    part: Part | None
    sound: bool
    header: bytes = b""


def segment(text: str, reference: int) -> Segments:
    """Cut ``text`` between characters into parts that ``reference`` (modulo 256) marks as one.

    GSM 03.38 if that has every character, else UCS-2. ValueError when it would take more than
    PARTS_MAX parts.
    """
    script, spelled = spell(text)
    if len(spelled) <= script.room(0):
        return Segments(script.data_coding, 0, (spelled,))
    data_coding, esm_class, parts = by_udh_8_bit(script, spelled, reference)
    return Segments(data_coding, esm_class, tuple(octets for octets, _ in parts))


def segment_count(text: str) -> int:
    """How many short messages ``text`` costs; above PARTS_MAX it cannot be sent."""
    script, spelled = spell(text)
    if len(spelled) <= script.room(0):
        return 1
    return len(cut(script, spelled, udh.CONCATENATED_OCTETS))


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
        return _new(Content, (octets, part, sound, b""))
    header_end = octets[0] + 1 if octets else 1
    elements = udh.elements(octets[1:header_end]) if header_end <= len(octets) else None
    if elements is None:
        return Content(octets, None, False)
    header, octets = octets[:header_end], octets[header_end:]
    return Content(octets, _udh_part(elements) or part, sound, header)


def _udh_part(elements: list[tuple[int, bytes]]) -> Part | None:
    part = None
    for identifier, data in elements:  # §9.2.3.24: of elements that repeat, the last one counts.
        if identifier == udh.CONCATENATED and len(data) == 3:
            part = _part(data[0], data[1], data[2], 8)
        elif identifier == udh.CONCATENATED_16_BIT and len(data) == 4:
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
