"""Texts to phones, in each alphabet and by each method that an SMSC may want."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.smpp import gsm0338, septets
from smsd.smpp.inbound import Reading, reader
from smsd.smpp.long_messages import PARTS_MAX, LongMessages, Submission, segmenter
from smsd.smpp.pdu import DeliverSm, Tag, Tlv
from smsd.smpp.references import References
from smsd.smpp.segments import Reassembler, segment, unpack
from smsd.smpp.text import DEFAULT, UCS2, Alphabet, decode
from smsd.smpp.udh import UDHI

PHONE = "994500000001"
ALPHABETS = st.sampled_from(Alphabet)
METHODS = st.sampled_from(LongMessages)
# Without what decode drops at the start of UCS-2, and what no short message can carry.
TEXTS = (
    st.text(st.sampled_from(sorted(gsm0338.ALPHABET)), max_size=500)
    | st.text(st.sampled_from("a€["), min_size=120, max_size=500)
    | st.text(st.sampled_from("a[~"), min_size=70, max_size=500)
    | st.text(st.sampled_from("aé{"), min_size=120, max_size=500)
    | st.text(st.sampled_from("aə😀"), min_size=60, max_size=300)
)


def submission(
    text: str,
    method: LongMessages = LongMessages.UDH_8_BIT,
    alphabet: Alphabet = Alphabet.GSM,
    references: References | None = None,
) -> Submission:
    """What is submitted for a text, with the reference 1 if it needs one."""
    return segmenter(alphabet, method, references or References(1_000))(text, PHONE)


def readings(submitted: Submission, alphabet: Alphabet) -> list[Reading]:
    """What a reader at the other end makes of each submit_sm; a body has one text or the other."""
    read = reader(alphabet)
    bodies = [
        DeliverSm(
            esm_class=submitted.esm_class,
            data_coding=submitted.data_coding,
            short_message=short_message,
            tlvs=tlvs,
        )
        for short_message, tlvs in submitted.parts
    ]
    return [read(body) for body in bodies]


@pytest.mark.parametrize("method", LongMessages)
@pytest.mark.parametrize(
    ("alphabet", "text", "data_coding", "octets"),
    [
        (Alphabet.GSM, "@é€", DEFAULT, b"\x00\x05\x1b\x65"),
        (Alphabet.PACKED, "hellohello", DEFAULT, bytes.fromhex("e8329bfd4697d9ec37")),
        (Alphabet.LATIN_1, "@é", DEFAULT, b"@\xe9"),
        (Alphabet.LATIN_1, "€", UCS2, b"\x20\xac"),
        (Alphabet.ASCII, "@{`", DEFAULT, b"@{`"),
        (Alphabet.ASCII, "é", UCS2, b"\0\xe9"),
        (Alphabet.ASCII, "\x1b", UCS2, b"\0\x1b"),
        (Alphabet.GSM, "`", UCS2, b"\0`"),
        (Alphabet.GSM, "", DEFAULT, b""),
    ],
)
def test_a_short_text_goes_bare(
    method: LongMessages, alphabet: Alphabet, text: str, data_coding: int, octets: bytes
) -> None:
    """In the SMSC's alphabet if that has every character, else in UCS-2; the method is for more."""
    assert submission(text, method, alphabet) == (data_coding, 0, ((octets, ()),))


# The largest text of one, two and three parts, in letters of an alphabet: 7, 8 and 16 bits.
BOUNDS = {
    (Alphabet.GSM, "a"): {LongMessages.UDH_8_BIT: (160, 306, 459), None: (160, 304, 456)},
    (Alphabet.PACKED, "a"): {LongMessages.UDH_8_BIT: (160, 306, 459), None: (160, 304, 456)},
    (Alphabet.ASCII, "a"): {LongMessages.UDH_8_BIT: (160, 306, 459), None: (160, 304, 456)},
    (Alphabet.LATIN_1, "é"): {LongMessages.UDH_8_BIT: (140, 268, 402), None: (140, 266, 399)},
    (Alphabet.GSM, "ə"): {LongMessages.UDH_8_BIT: (70, 134, 201), None: (70, 132, 198)},
    (Alphabet.GSM, "€"): {LongMessages.UDH_8_BIT: (80, 152, 228), None: (80, 152, 228)},
    (Alphabet.PACKED, "€"): {LongMessages.UDH_8_BIT: (80, 152, 228), None: (80, 152, 228)},
    (Alphabet.ASCII, "["): {LongMessages.UDH_8_BIT: (80, 152, 228), None: (80, 152, 228)},
    (Alphabet.GSM, "😀"): {LongMessages.UDH_8_BIT: (35, 66, 99), None: (35, 66, 99)},
}


@pytest.mark.parametrize(("spelling", "bounds"), BOUNDS.items())
@pytest.mark.parametrize(
    "method", [LongMessages.UDH_8_BIT, LongMessages.UDH_16_BIT, LongMessages.SAR]
)
def test_each_part_holds_what_it_can_and_no_more(
    spelling: tuple[Alphabet, str],
    bounds: dict[LongMessages | None, tuple[int, ...]],
    method: LongMessages,
) -> None:
    """The last letter inside each bound and the first one outside, by each kind of reference."""
    alphabet, letter = spelling
    for parts, letters in enumerate(bounds.get(method) or bounds[None], start=1):
        assert len(submission(letter * letters, method, alphabet).parts) == parts
        assert len(submission(letter * (letters + 1), method, alphabet).parts) == parts + 1


def test_a_udh_of_8_bits() -> None:
    """05 00 03, reference, total, index; what the phones of the simulator send as well."""
    assert submission("a" * 161) == (
        DEFAULT,
        UDHI,
        (
            (b"\x05\x00\x03\x01\x02\x01" + b"a" * 153, ()),
            (b"\x05\x00\x03\x01\x02\x02" + b"a" * 8, ()),
        ),
    )
    assert tuple(octets for octets, _ in submission("a" * 161).parts) == segment("a" * 161, 1).parts


def test_a_udh_of_16_bits() -> None:
    """06 08 04, reference in two octets, total, index."""
    references = References(1_000)
    for number in range(0x1FF):
        references.take(str(number))
    assert submission("a" * 161, LongMessages.UDH_16_BIT, references=references) == (
        DEFAULT,
        UDHI,
        (
            (b"\x06\x08\x04\x02\x00\x02\x01" + b"a" * 152, ()),
            (b"\x06\x08\x04\x02\x00\x02\x02" + b"a" * 9, ()),
        ),
    )


def test_sar_tlvs() -> None:
    """Three TLVs beside the text, and no UDH, which the SMSC writes."""
    number, total = Tlv(Tag.SAR_MSG_REF_NUM, b"\0\1"), Tlv(Tag.SAR_TOTAL_SEGMENTS, b"\2")
    assert submission("ə" * 71, LongMessages.SAR) == (
        UCS2,
        0,
        (
            (b"\x02\x59" * 66, (number, total, Tlv(Tag.SAR_SEGMENT_SEQNUM, b"\1"))),
            (b"\x02\x59" * 5, (number, total, Tlv(Tag.SAR_SEGMENT_SEQNUM, b"\2"))),
        ),
    )


@pytest.mark.parametrize(
    ("alphabet", "text", "data_coding", "octets"),
    [
        (Alphabet.GSM, "€" * 81, DEFAULT, b"\x1be" * 81),
        (Alphabet.GSM, "ə" * 71, UCS2, b"\x02\x59" * 71),
        (Alphabet.PACKED, "a" * 161, DEFAULT, septets.pack(b"a" * 161)),
        (Alphabet.LATIN_1, "é" * 141, DEFAULT, b"\xe9" * 141),
        (Alphabet.ASCII, "[" * 81, DEFAULT, b"[" * 81),
    ],
)
def test_a_payload_is_whole(alphabet: Alphabet, text: str, data_coding: int, octets: bytes) -> None:
    """§5.3.2.32: short_message stays empty, the SMSC cuts."""
    payload = (Tlv(Tag.MESSAGE_PAYLOAD, octets),)
    assert submission(text, LongMessages.PAYLOAD, alphabet) == (data_coding, 0, ((b"", payload),))


@pytest.mark.parametrize("method", LongMessages)
def test_255_parts_and_no_more(method: LongMessages) -> None:
    """The total is one octet, also for an SMSC that cuts by itself: a letter more is refused."""
    room = 153 if method is LongMessages.UDH_8_BIT else 152
    longest = submission("a" * room * PARTS_MAX, method)
    assert len(longest.parts) == (1 if method is LongMessages.PAYLOAD else PARTS_MAX)
    with pytest.raises(ValueError, match="256 parts"):
        submission("a" * room * PARTS_MAX + "a", method)


@given(TEXTS, ALPHABETS, METHODS)
def test_parts_are_whole_fit_and_join(text: str, alphabet: Alphabet, method: LongMessages) -> None:
    """Each part is read by itself without loss, has its place, and all of them are the text.

    Packed, an "@" or CR that ends with its octet is taken for padding by any reader.
    """
    submitted = submission(text, method, alphabet)
    said = readings(submitted, alphabet)
    assert all(reading.sound for reading in said)
    total = len(said)
    places = [reading.part and reading.part[1:3] for reading in said]
    assert places == ([None] if total == 1 else [(total, index + 1) for index in range(total)])
    if alphabet is not Alphabet.PACKED or submitted.data_coding == UCS2:
        assert "".join(reading.text for reading in said) == text
    for short_message, _ in submitted.parts:
        assert len(short_message) <= 160 + 6
        if alphabet is Alphabet.PACKED or submitted.data_coding == UCS2:
            assert len(short_message) <= 140


@given(TEXTS.map(lambda text: text.replace("@", "a").replace("\r", "\n")), METHODS)
def test_packed_parts_join_to_the_text(text: str, method: LongMessages) -> None:
    """With fill bits behind a header of 6 octets and none behind one of 7."""
    said = readings(submission(text, method, Alphabet.PACKED), Alphabet.PACKED)
    assert "".join(reading.text for reading in said) == text


@given(TEXTS, METHODS)
def test_parts_are_as_full_as_characters_allow(text: str, method: LongMessages) -> None:
    """No part but the last could have taken the first character of the next one."""
    data_coding, _, parts = submission(text, method)
    header_octets = {LongMessages.UDH_8_BIT: 6, LongMessages.UDH_16_BIT: 7}.get(method, 0)
    bodies = [octets[header_octets:] for octets, _ in parts]
    wide = data_coding == UCS2
    room = {True: 134, False: 153} if method is LongMessages.UDH_8_BIT else {True: 132, False: 152}
    for part, following in pairwise(bodies):
        if wide:
            width = 4 if following[0] & 0xFC == 0xD8 else 2
        else:
            width = 2 if following[0] == gsm0338.ESCAPE else 1
        assert room[wide] - width < len(part) <= room[wide]


@pytest.mark.parametrize("method", [LongMessages.UDH_8_BIT, LongMessages.UDH_16_BIT])
def test_packed_parts_fill_140_octets(method: LongMessages) -> None:
    """On the air a part is 140 octets, whatever its header and its fill take."""
    first, _ = submission("a" * 400, method, Alphabet.PACKED).parts[0]
    assert len(first) == 140
    header_octets = first[0] + 1
    # The first letter, 0x61, behind one bit of fill or none; above it begins the second one.
    assert first[header_octets] == {6: 0x61 << 1, 7: 0x61 | 0x80}[header_octets]


def test_a_phone_joins_two_long_replies_that_come_mixed() -> None:
    """Two replies to one phone, their parts in turn: each is itself again."""
    segment_for: Callable[[str, str], Submission] = segmenter(
        Alphabet.GSM, LongMessages.UDH_8_BIT, References(1_000)
    )
    texts = ["a" * 200, "b" * 200]
    submissions = [segment_for(text, PHONE) for text in texts]
    reassembler = Reassembler()
    whole = []
    for pair in zip(*[submitted.parts for submitted in submissions], strict=True):
        for octets, _ in pair:
            content = unpack(DeliverSm(esm_class=UDHI, short_message=octets))
            joined = reassembler.add(PHONE, content.part, content.octets)
            whole += [decode(DEFAULT, joined).text] if joined else []
    assert whole == texts
