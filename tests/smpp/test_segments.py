"""Cutting texts into short messages, reading UDH, SAR and message_payload, joining parts."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.smpp import gsm0338
from smsd.smpp.pdu import DataSm, DeliverSm, Tag, Tlv
from smsd.smpp.segments import (
    PARTS_MAX,
    UDHI,
    Content,
    Part,
    Reassembler,
    segment,
    segment_count,
    unpack,
)
from smsd.smpp.text import UCS2, decode

GSM_TEXT = st.text(st.sampled_from(sorted(gsm0338.ALPHABET)), max_size=700)
ESCAPED_TEXT = st.text(st.sampled_from("a€["), min_size=150, max_size=700)
WIDE_TEXT = st.text(st.sampled_from("aə😀"), min_size=60, max_size=400)
# Without byte order marks, which decode drops at the start of a part, and lone surrogates, which
# no SMS can carry.
OTHER_TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff\ufffe"), max_size=300
)
TEXTS = GSM_TEXT | ESCAPED_TEXT | WIDE_TEXT | OTHER_TEXT

UDH_OCTETS = 6
SEGMENT_OCTETS_MAX = 140  # 3GPP TS 23.040 §9.2.3.24: the user data of one short message


def octets_on_air(data_coding: int, part: bytes, udh_octets: int) -> int:
    """Size of a part as user data: septets are packed behind the UDH, with fill bits."""
    if data_coding == UCS2:
        return len(part)
    udh_septets = -(-udh_octets * 8 // 7)
    return -(-(udh_septets + len(part) - udh_octets) * 7 // 8)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 158 + "€", 1),
        ("a" * 159 + "€", 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("a" * 152 + "€" + "a" * 151, 2),  # 305 septets
        ("a" * 152 + "€" + "a" * 152, 3),  # 306 septets, but the pair does not fit the first part
        ("ə" * 70, 1),
        ("ə" * 71, 2),
        ("ə" * 68 + "😀", 1),
        ("ə" * 69 + "😀", 2),
        ("ə" * 134, 2),
        ("ə" * 135, 3),
        ("ə" * 66 + "😀" + "ə" * 66, 3),
    ],
)
def test_count_at_each_bound(text: str, count: int) -> None:
    """160/153 septets and 70/67 units, both sides of each bound, pairs across the cut."""
    assert segment_count(text) == count == len(segment(text, 1).parts)


def test_a_short_text_has_no_udh() -> None:
    """One message goes out bare."""
    assert segment("2 saat", 7) == (0, 0, (b"2 saat",))


def test_the_udh_of_a_long_text() -> None:
    """05 00 03, reference modulo 256, total, index from 1."""
    segments = segment("a" * 161, 0x1AB)
    assert segments.esm_class == UDHI
    assert segments.parts == (
        b"\x05\x00\x03\xab\x02\x01" + b"a" * 153,
        b"\x05\x00\x03\xab\x02\x02" + b"a" * 8,
    )


def test_the_published_grant_costs_two_segments() -> None:
    """The wording of 6 April 2020 (domain sheet) has letters outside GSM and is over 70 long."""
    grant = (
        "2-ci indeks üzrə bu SMS-i aldığınız vaxtdan etibarən 2 saat müddətinə"
        " yaşayış yerinizi tərk edə bilərsiniz."
    )
    assert (len(grant), segment_count(grant)) == (107, 2)


@pytest.mark.parametrize(("letter", "room"), [("a", 153), ("ə", 67)])
def test_255_parts_and_no_more(letter: str, room: int) -> None:
    """The total is one octet: one letter above 255 full parts is refused, and still counted."""
    longest = letter * room * PARTS_MAX
    assert len(segment(longest, 0).parts) == PARTS_MAX
    with pytest.raises(ValueError, match="256 parts"):
        segment(longest + letter, 0)
    assert segment_count(longest + letter) == PARTS_MAX + 1


@given(TEXTS, st.integers(0, 255))
def test_parts_are_whole_and_join_to_the_text(text: str, reference: int) -> None:
    """Each part decodes by itself (no escape or surrogate pair is cut), fits, knows its place."""
    segments = segment(text, reference)
    total = len(segments.parts)
    assert total == segment_count(text)
    texts = []
    for index, octets in enumerate(segments.parts, start=1):
        content = unpack(
            DeliverSm(
                esm_class=segments.esm_class,
                data_coding=segments.data_coding,
                short_message=octets,
            )
        )
        assert content.sound
        assert content.part == (None if total == 1 else (reference, total, index, 8))
        decoded = decode(segments.data_coding, content.octets)
        assert decoded.sound
        texts.append(decoded.text)
        udh_octets = len(octets) - len(content.octets)
        assert udh_octets == (0 if total == 1 else UDH_OCTETS)
        assert octets_on_air(segments.data_coding, octets, udh_octets) <= SEGMENT_OCTETS_MAX
    assert "".join(texts) == text


@given(TEXTS)
def test_parts_are_as_full_as_characters_allow(text: str) -> None:
    """No part but the last could have taken the first character of the next one."""
    data_coding, _, parts = segment(text, 0)
    for part, following in pairwise(parts):
        if data_coding == UCS2:
            width = 4 if following[UDH_OCTETS] & 0xFC == 0xD8 else 2
            assert len(part) + width > SEGMENT_OCTETS_MAX
        else:
            width = 2 if following[UDH_OCTETS] == gsm0338.ESCAPE else 1
            assert len(part) - UDH_OCTETS + width > 153


def mo(short_message: bytes, esm_class: int = UDHI, tlvs: tuple[Tlv, ...] = ()) -> DeliverSm:
    """A deliver_sm with these octets."""
    return DeliverSm(esm_class=esm_class, short_message=short_message, tlvs=tlvs)


@pytest.mark.parametrize(
    ("octets", "content"),
    [
        (b"\x05\x00\x03\x2a\x03\x02AZE", (b"AZE", (0x2A, 3, 2, 8), True)),
        (b"\x06\x08\x04\x01\x02\x03\x01AZE", (b"AZE", (0x102, 3, 1, 16), True)),
        # A national shift table (24) or ports (05) beside it stay out of the text.
        (b"\x08\x24\x01\x01\x00\x03\x2a\x02\x02AZE", (b"AZE", (0x2A, 2, 2, 8), True)),
        (b"\x06\x05\x04\x0b\x84\x23\xf0AZE", (b"AZE", None, True)),
        # Of two that say the place, the last one counts.
        (b"\x0a\x00\x03\x01\x02\x01\x00\x03\x09\x02\x02AZE", (b"AZE", (9, 2, 2, 8), True)),
        # Total 0, index 0, index above total: ignored. One of one: whole.
        (b"\x05\x00\x03\x2a\x00\x01AZE", (b"AZE", None, True)),
        (b"\x05\x00\x03\x2a\x02\x00AZE", (b"AZE", None, True)),
        (b"\x05\x00\x03\x2a\x02\x03AZE", (b"AZE", None, True)),
        (b"\x05\x00\x03\x2a\x01\x01AZE", (b"AZE", None, True)),
        (b"\x04\x00\x02\x2a\x02AZE", (b"AZE", None, True)),  # a concat element of wrong length
        (b"\x00AZE", (b"AZE", None, True)),
        (b"\x05\x00\x03\x2a\x02\x01", (b"", (0x2A, 2, 1, 8), True)),
        # Lengths that do not add up: nothing is taken away.
        (b"", (b"", None, False)),
        (b"\x05\x00\x03\x2a\x02", (b"\x05\x00\x03\x2a\x02", None, False)),
        (b"\x01\x00AZE", (b"\x01\x00AZE", None, False)),
        (b"\x02\x00\x01AZE", (b"\x02\x00\x01AZE", None, False)),
        (b"2 AZE 1111111", (b"2 AZE 1111111", None, False)),
    ],
)
def test_udh_as_it_arrives(
    octets: bytes, content: tuple[bytes, tuple[int, int, int, int] | None, bool]
) -> None:
    """3GPP TS 23.040 §9.2.3.24: what is a part, what is ignored, and what is not sound."""
    assert unpack(mo(octets))[:3] == content


def test_the_header_is_kept_apart() -> None:
    """Whoever reads the text needs to know what its header says and how long it is."""
    header = b"\x08\x24\x01\x01\x00\x03\x2a\x02\x02"
    assert unpack(mo(header + b"AZE")).header == header
    assert unpack(mo(b"AZE", esm_class=0)).header == b""
    assert unpack(mo(b"\x02\x00\x01AZE")).header == b""


def test_without_udhi_the_octets_are_text() -> None:
    """Octets that look like a UDH are text when esm_class does not announce one."""
    octets = b"\x05\x00\x03\x2a\x02\x01AZE"
    assert unpack(mo(octets, esm_class=0)) == (octets, None, True, b"")


SAR = (
    Tlv(Tag.SAR_MSG_REF_NUM, b"\x01\x02"),
    Tlv(Tag.SAR_TOTAL_SEGMENTS, b"\x02"),
    Tlv(Tag.SAR_SEGMENT_SEQNUM, b"\x01"),
)


def test_sar_tlvs_give_the_place() -> None:
    """The three of §5.3.2.22-24 say what a UDH would."""
    assert unpack(mo(b"AZE", 0, SAR))[:3] == (b"AZE", (0x102, 2, 1, 16), True)


@pytest.mark.parametrize("missing", range(3))
def test_a_sar_tlv_alone_is_ignored(missing: int) -> None:
    """§5.3.2.22: without the other two the parameter is ignored."""
    assert unpack(mo(b"AZE", 0, SAR[:missing] + SAR[missing + 1 :]))[:3] == (b"AZE", None, True)


def test_a_udh_overrules_sar() -> None:
    """The phone's own mark stands nearer to the text than the SMSC's."""
    assert unpack(mo(b"\x05\x00\x03\x2a\x02\x02AZE", UDHI, SAR)).part == (0x2A, 2, 2, 8)


@pytest.mark.parametrize(
    ("short_message", "esm_class", "payload", "content"),
    [
        (b"", 0, b"AZE", (b"AZE", None, True)),
        (b"", UDHI, b"\x05\x00\x03\x2a\x02\x01AZE", (b"AZE", (0x2A, 2, 1, 8), True)),
        (b"AZE", 0, b"AZE", (b"AZE", None, True)),
        (b"AZE", 0, b"MYI", (b"AZE", None, False)),
        (b"AZE", 0, b"", (b"AZE", None, True)),
    ],
)
def test_message_payload(
    short_message: bytes,
    esm_class: int,
    payload: bytes,
    content: tuple[bytes, tuple[int, int, int, int] | None, bool],
) -> None:
    """§5.3.2.32: the text may travel in the TLV, UDH included; two different texts are unsound."""
    body = mo(short_message, esm_class, (Tlv(Tag.MESSAGE_PAYLOAD, payload),))
    assert unpack(body)[:3] == content


def test_data_sm_has_only_the_payload() -> None:
    """data_sm carries its text in message_payload alone; without one it is empty."""
    assert unpack(DataSm(tlvs=(Tlv(Tag.MESSAGE_PAYLOAD, b"AZE"),))).octets == b"AZE"
    assert unpack(DataSm())[:3] == (b"", None, True)


TLVS = st.lists(
    st.builds(Tlv, st.sampled_from([*(tlv.tag for tlv in SAR), Tag.MESSAGE_PAYLOAD]), st.binary())
).map(tuple)


@given(st.binary(), st.integers(0, 255), TLVS)
def test_unpack_never_raises(octets: bytes, esm_class: int, tlvs: tuple[Tlv, ...]) -> None:
    """Any octets, any esm_class, any TLVs: the octets given are a tail of what came."""
    content = unpack(mo(octets, esm_class, tlvs))
    assert any(source.endswith(content.octets) for source in (octets, *(t.value for t in tlvs)))
    assert content.part is None or 1 <= content.part.index <= content.part.total


def contents(text: str, reference: int) -> list[Content]:
    """The parts of a text as a phone gets them."""
    data_coding, esm_class, parts = segment(text, reference)
    return [
        unpack(DeliverSm(esm_class=esm_class, data_coding=data_coding, short_message=part))
        for part in parts
    ]


@given(st.data(), st.lists(ESCAPED_TEXT | WIDE_TEXT, min_size=1, max_size=5))
def test_parts_join_in_any_order(data: st.DataObject, texts: list[str]) -> None:
    """However the parts of several texts are shuffled together, each text comes out whole, once."""
    pending = [
        (number, content) for number, text in enumerate(texts) for content in contents(text, number)
    ]
    reassembler = Reassembler()
    whole: dict[int, bytes] = {}
    for number, content in data.draw(st.permutations(pending)):
        octets = reassembler.add("phone", content.part, content.octets)
        if octets is not None:
            assert number not in whole
            whole[number] = octets
    expected = [b"".join(content.octets for content in contents(text, 0)) for text in texts]
    assert [whole[number] for number in range(len(texts))] == expected
    assert reassembler.dropped == 0


def test_a_message_that_is_no_part_is_a_text() -> None:
    """Nothing is held for it."""
    assert Reassembler().add("phone", None, b"AZE") == b"AZE"


def test_a_part_that_comes_twice_changes_nothing() -> None:
    """SMSCs redeliver."""
    reassembler = Reassembler()
    first, second = Part(1, 2, 1, 8), Part(1, 2, 2, 8)
    assert reassembler.add("phone", first, b"a") is None
    assert reassembler.add("phone", first, b"a") is None
    assert reassembler.add("phone", second, b"b") == b"ab"
    assert reassembler.dropped == 0


def test_a_reference_that_comes_round_starts_anew() -> None:
    """Eight bits wrap: other octets at a place that is taken belong to the next text."""
    reassembler = Reassembler()
    first, second = Part(1, 2, 1, 8), Part(1, 2, 2, 8)
    reassembler.add("phone", first, b"old")
    assert reassembler.add("phone", first, b"new") is None
    assert reassembler.add("phone", second, b"!") == b"new!"
    assert reassembler.dropped == 1


def test_senders_and_widths_do_not_mix() -> None:
    """The same number from another phone, or of another width, is another text."""
    reassembler = Reassembler()
    assert reassembler.add("phone", Part(1, 2, 1, 8), b"a") is None
    assert reassembler.add("other", Part(1, 2, 2, 8), b"b") is None
    assert reassembler.add("phone", Part(1, 2, 2, 16), b"c") is None


def test_the_oldest_text_gives_way_at_texts_max() -> None:
    """texts_max unfinished texts are held; one more drops the oldest and no other."""
    reassembler = Reassembler(texts_max=2)
    for reference in range(3):
        assert reassembler.add("phone", Part(reference, 2, 1, 8), b"a") is None
        assert reassembler.dropped == max(0, reference - 1)
    assert reassembler.add("phone", Part(1, 2, 2, 8), b"b") == b"ab"
    assert reassembler.add("phone", Part(2, 2, 2, 8), b"b") == b"ab"
    assert reassembler.add("phone", Part(0, 2, 2, 8), b"b") is None


def test_the_oldest_text_gives_way_at_octets_max() -> None:
    """octets_max octets are held over all texts, and finished texts give their room back."""
    reassembler = Reassembler(octets_max=4)
    for reference in range(8):
        assert reassembler.add("phone", Part(reference, 2, 1, 8), b"1234") is None
        assert reassembler.dropped == 0
        assert reassembler.add("phone", Part(reference, 2, 2, 8), b"5") == b"12345"
    assert reassembler.add("phone", Part(8, 2, 1, 8), b"1234") is None
    assert reassembler.add("phone", Part(9, 2, 1, 8), b"5") is None
    assert reassembler.dropped == 1
    assert reassembler.add("phone", Part(9, 2, 2, 8), b"6") == b"56"


def test_a_part_that_comes_twice_takes_room_once() -> None:
    """Redelivery must not push other texts out."""
    reassembler = Reassembler(octets_max=4)
    for _ in range(3):
        assert reassembler.add("phone", Part(1, 2, 1, 8), b"123") is None
    assert reassembler.add("phone", Part(1, 2, 2, 8), b"4") == b"1234"
    assert reassembler.dropped == 0


def test_a_part_larger_than_all_room_is_dropped() -> None:
    """It cannot be held, and pushes itself out."""
    reassembler = Reassembler(octets_max=4)
    assert reassembler.add("phone", Part(1, 2, 1, 8), b"12345") is None
    assert reassembler.dropped == 1
