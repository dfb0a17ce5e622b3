"""What a phone's message says, by the alphabet of its SMSC, its header and its data_coding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.smpp import gsm0338, septets
from smsd.smpp.codec import decode as decode_pdu
from smsd.smpp.codec import encode
from smsd.smpp.inbound import Reading, reader
from smsd.smpp.pdu import DataSm, DeliverSm, Pdu, Tag, Tlv
from smsd.smpp.text import LATIN_1, UCS2, Alphabet, decode
from smsd.smpp.udh import UDHI, concatenated, concatenated_16_bit, fill_bits

GSM_TEXT = st.text(st.sampled_from(sorted(gsm0338.ALPHABET)), max_size=100)
TURKISH_SINGLE = b"\x24\x01\x01"
TURKISH_LOCKING = b"\x25\x01\x01"


def mo(octets: bytes, header: bytes = b"", data_coding: int = 0) -> DeliverSm:
    """A message with such elements in its UDH."""
    udh = bytes([len(header)]) + header if header else b""
    return DeliverSm(
        esm_class=UDHI if header else 0, data_coding=data_coding, short_message=udh + octets
    )


def read(body: DeliverSm | DataSm, alphabet: Alphabet = Alphabet.GSM) -> Reading:
    """The message as it comes from an SMSC with this alphabet."""
    return reader(alphabet)(body)


@pytest.mark.parametrize(
    ("alphabet", "octets"),
    [
        (Alphabet.GSM, b"2 AZE 1111111 \x00"),
        (Alphabet.PACKED, septets.pack(b"2 AZE 1111111 \x00")),
        (Alphabet.LATIN_1, b"2 AZE 1111111 @"),
        (Alphabet.ASCII, b"2 AZE 1111111 @"),
    ],
)
@pytest.mark.parametrize("data_coding", [0x00, 0x10, 0xC0, 0xF1])
def test_the_default_alphabet_is_the_smscs(
    alphabet: Alphabet, octets: bytes, data_coding: int
) -> None:
    """data_coding 0 and its kin mean what the operator said; what came is kept as it came."""
    assert read(mo(octets, data_coding=data_coding), alphabet) == (
        data_coding, octets, "2 AZE 1111111 @", True, None,
    )  # fmt: skip


# What a message says is also in these, and elsewhere they are tried.
SPEAKING = {
    Tag.MESSAGE_PAYLOAD,
    Tag.SAR_MSG_REF_NUM,
    Tag.SAR_TOTAL_SEGMENTS,
    Tag.SAR_SEGMENT_SEQNUM,
}


@pytest.mark.parametrize("value", [b"", b"\x01", b"\xff" * 300], ids=["empty", "one", "long"])
@pytest.mark.parametrize("tag", sorted(set(Tag) - SPEAKING), ids=lambda tag: tag.name.lower())
def test_a_tlv_that_we_do_not_use_changes_nothing(tag: Tag, value: bytes) -> None:
    """§3.3: it is passed over, in whatever length it comes."""
    plain = mo(b"2 AZE 1111111")
    marked = decode_pdu(encode(plain._replace(tlvs=(Tlv(tag, value),)), 1))
    assert isinstance(marked, Pdu) and isinstance(marked.body, DeliverSm)
    assert marked.body.tlvs == (Tlv(tag, value),)
    assert read(marked.body) == read(plain)


def test_fields_that_say_nothing_of_the_text_change_nothing() -> None:
    """Even those that §4.6.1 sets to NULL: an SMSC that fills them still brings an SMS."""
    plain = mo(b"2 AZE 1111111")
    filled = plain._replace(
        service_type="CMT",
        source_addr_ton=6,
        source_addr_npi=18,
        dest_addr_ton=6,
        dest_addr_npi=18,
        protocol_id=0x7F,
        priority_flag=3,
        schedule_delivery_time="200405101500016+",
        validity_period="000000020000000R",
        registered_delivery=0x1F,
        replace_if_present_flag=1,
        sm_default_msg_id=254,
    )
    came = decode_pdu(encode(filled, 1))
    assert isinstance(came, Pdu) and isinstance(came.body, DeliverSm)
    assert read(came.body) == read(plain)


@pytest.mark.parametrize("alphabet", Alphabet)
@pytest.mark.parametrize(
    ("data_coding", "octets", "text", "sound"),
    [
        (1, b"AZE@", "AZE@", True),
        (3, b"\xe9@", "é@", True),
        (4, b"AZE", "AZE", False),
        (8, b"\x01\x30", "İ", True),
        (0xF4, b"AZE", "AZE", False),
    ],
)
def test_a_named_alphabet_is_the_same_everywhere(
    alphabet: Alphabet, data_coding: int, octets: bytes, text: str, sound: bool
) -> None:
    """An SMSC's default alphabet changes nothing in what has a data_coding of its own."""
    for header in (b"", TURKISH_LOCKING, b"\x00\x03\x07\x02\x01"):
        reading = read(mo(octets, header, data_coding), alphabet)
        assert reading[:4] == (data_coding, octets, text, sound)


@pytest.mark.parametrize(
    ("header", "octets", "text"),
    [
        (TURKISH_SINGLE, b"2 MY\x1bI 1111111", "2 MYİ 1111111"),
        (TURKISH_LOCKING, b"2 MY@ 1111111", "2 MYİ 1111111"),
        (TURKISH_LOCKING + TURKISH_SINGLE, b"@\x1bI\x04", "İİ€"),
        (b"\x05\x04\x0b\x84\x23\xf0" + TURKISH_SINGLE, b"\x1bI", "İ"),
        (b"\x24\x01\x02", b"\x1bA\x1be", "Á€"),
        (b"\x25\x01\x03", b"\x5b\x18", "Ã€"),
        (b"\x05\x04\x24\x25\x23\xf0", b"\x1be", "€"),  # ports that look like languages
    ],
)
@pytest.mark.parametrize("alphabet", [Alphabet.GSM, Alphabet.PACKED])
def test_national_languages_are_read(
    alphabet: Alphabet, header: bytes, octets: bytes, text: str
) -> None:
    """Single and locking shift, with other elements around them, packed or not."""
    if alphabet is Alphabet.PACKED:
        octets = septets.pack(octets, fill_bits(1 + len(header)))
    assert read(mo(octets, header), alphabet) == (0, octets, text, True, None)


def test_a_language_that_is_not_ours_is_told() -> None:
    """Hindi's letters cannot be guessed; what it shares with the default alphabet is kept."""
    assert read(mo(b"2 AZE", b"\x25\x01\x06"))[2:4] == ("2 AZE", False)


def test_a_payload_has_its_header_too() -> None:
    """message_payload, in deliver_sm or data_sm, with a language of its own."""
    payload = (Tlv(Tag.MESSAGE_PAYLOAD, b"\x03" + TURKISH_SINGLE + b"2 MY\x1bI 1111111"),)
    for body in (
        DeliverSm(esm_class=UDHI, tlvs=payload),
        DataSm(esm_class=UDHI, tlvs=payload),
    ):
        assert read(body).text == "2 MYİ 1111111"


@pytest.mark.parametrize(
    ("octets", "part"),
    [
        ("050003070201 64a0a0b608", (7, 2, 1, 8)),
        ("06080400070201 3250505b04", (7, 2, 1, 16)),
    ],
)
def test_packed_text_begins_at_a_septet_boundary(
    octets: str, part: tuple[int, int, int, int]
) -> None:
    """One bit of fill behind 48 of header, none behind 56; packed by hand."""
    reading = read(DeliverSm(esm_class=UDHI, short_message=bytes.fromhex(octets)), Alphabet.PACKED)
    assert reading == (0, b"2 AZE", "2 AZE", True, part)


def join(readings: list[Reading]) -> tuple[str, bool]:
    """As the writer does it, which knows octets and data_coding, and nothing of the SMSC."""
    return decode(readings[-1].data_coding, b"".join(reading.octets for reading in readings))


@given(GSM_TEXT, GSM_TEXT, st.booleans(), st.sampled_from(Alphabet))
def test_parts_join_without_knowing_the_smsc(
    first: str, second: str, wide: bool, alphabet: Alphabet
) -> None:
    """A text in two parts is itself again, whatever alphabet carried it and however wide its UDH.

    Packed, an "@" or CR that ends with its octet is taken for padding: left out here.
    """
    spell = {
        Alphabet.GSM: lambda text, _: gsm0338.try_encode(text),
        Alphabet.PACKED: lambda text, fill: septets.pack(gsm0338.try_encode(text), fill),
        Alphabet.LATIN_1: lambda text, _: text.encode("latin-1", "ignore"),
        Alphabet.ASCII: lambda text, _: text.encode("ascii", "ignore"),
    }[alphabet]
    unsaid = {Alphabet.LATIN_1: "latin-1", Alphabet.ASCII: "ascii"}.get(alphabet, "utf-8")
    texts = [text.rstrip("@\r").encode(unsaid, "ignore").decode(unsaid) for text in (first, second)]
    header_of = concatenated_16_bit if wide else concatenated
    readings = []
    for index, text in enumerate(texts, start=1):
        header = header_of(7, 2, index)
        octets = header + spell(text, fill_bits(len(header)))
        readings.append(read(DeliverSm(esm_class=UDHI, short_message=octets), alphabet))
    assert [(reading.text, reading.sound) for reading in readings] == [
        (text, True) for text in texts
    ]
    assert join(readings) == ("".join(texts), True)


@pytest.mark.parametrize("alphabet", [Alphabet.GSM, Alphabet.PACKED])
def test_a_sender_that_cuts_behind_an_escape_is_forgiven(alphabet: Alphabet) -> None:
    """The parts' septets are joined before they are read, so that the pair is one again."""
    readings = []
    for index, said in enumerate((b"2 AZE\x1b", b"e1111111"), start=1):
        header = concatenated(7, 2, index)
        if alphabet is Alphabet.PACKED:
            said = septets.pack(said, fill_bits(len(header)))
        readings.append(read(DeliverSm(esm_class=UDHI, short_message=header + said), alphabet))
    assert [reading.sound for reading in readings] == [False, True]
    assert join(readings) == ("2 AZE€1111111", True)


def test_parts_in_a_national_language_join() -> None:
    """Each part has the element; what joins them knows nothing of it."""
    header = b"\x00\x03\x07\x02"
    parts = [
        mo(octets, header + bytes([index]) + TURKISH_SINGLE)
        for index, octets in enumerate((b"2 MY\x1bI", b" 1111111"), start=1)
    ]
    readings = [read(part) for part in parts]
    assert {reading.data_coding for reading in readings} == {UCS2}
    assert join(readings) == ("2 MYİ 1111111", True)


def test_a_part_that_is_not_sound_leaves_the_whole_unsound() -> None:
    """An escape that lost its letter in a national text is not forgotten by joining."""
    header = b"\x00\x03\x07\x02"
    parts = [
        mo(octets, header + bytes([index]) + TURKISH_SINGLE)
        for index, octets in enumerate((b"2 MY\x1b", b"I 1111111"), start=1)
    ]
    assert join([read(part) for part in parts]) == ("2 MY\ufffdI 1111111", False)


def test_sar_parts_of_a_latin_1_smsc_join() -> None:
    """Without a UDH too: the parts leave with the data_coding that names their alphabet."""
    tlvs = (
        Tlv(Tag.SAR_MSG_REF_NUM, b"\x00\x07"),
        Tlv(Tag.SAR_TOTAL_SEGMENTS, b"\x02"),
        Tlv(Tag.SAR_SEGMENT_SEQNUM, b"\x01"),
    )
    reading = read(DeliverSm(short_message=b"\xe9@", tlvs=tlvs), Alphabet.LATIN_1)
    assert reading == (LATIN_1, b"\xe9@", "é@", True, (7, 2, 1, 16))


@given(st.binary(max_size=254), st.integers(0, 255), st.integers(0, 255), st.sampled_from(Alphabet))
def test_nothing_that_comes_raises(
    octets: bytes, data_coding: int, esm_class: int, alphabet: Alphabet
) -> None:
    """Any octets from any SMSC are text that can be stored, and can be read again when joined."""
    body = DeliverSm(esm_class=esm_class, data_coding=data_coding, short_message=octets)
    reading = read(body, alphabet)
    reading.text.encode()
    decode(reading.data_coding, reading.octets).text.encode()
