"""Faults of text that users of SMS gateways reported, each by its symptom."""

from pathlib import Path

import pytest
from pdu_frames import framed

import rules
from smsd.smpp import septets
from smsd.smpp.codec import decode, decode_by_table, encode
from smsd.smpp.inbound import Reading, reader
from smsd.smpp.long_messages import LongMessages, segmenter
from smsd.smpp.pdu import (
    Body,
    Command,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    Malformed,
    Pdu,
    Status,
    SubmitSm,
    SubmitSmResp,
    Tag,
    Tlv,
)
from smsd.smpp.references import References
from smsd.smpp.segments import Reassembler, unpack
from smsd.smpp.text import UCS2, Alphabet
from smsd.smpp.text import decode as decode_text
from smsd.smpp.udh import UDHI

REQUEST = "2 AZE 1111111"
POLICY = rules.load_policy(Path(rules.__file__).parent / "policies" / "8103.toml")


def read(
    octets: bytes, data_coding: int = 0, esm_class: int = 0, alphabet: Alphabet = Alphabet.GSM
) -> Reading:
    """What a deliver_sm with these octets says."""
    body = DeliverSm(esm_class=esm_class, data_coding=data_coding, short_message=octets)
    return reader(alphabet)(body)


def is_request(text: str) -> bool:
    """Whether the shipped policy takes the text for the request of a permit."""
    return isinstance(POLICY.grammar.parse(text), rules.PermitRequest)


def parts(text: str, method: LongMessages = LongMessages.UDH_8_BIT) -> list[str]:
    """The text of each short message that a reply becomes, as a phone reads it alone."""
    data_coding, esm_class, submitted = segmenter(Alphabet.GSM, method, References(1_000))(
        text, "1"
    )
    return [
        decode_text(
            data_coding, unpack(SubmitSm(esm_class=esm_class, short_message=octets)).octets
        ).text
        for octets, _ in submitted
    ]


# --- replies ---------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [LongMessages.UDH_8_BIT, LongMessages.UDH_16_BIT])
@pytest.mark.parametrize("ahead", range(148, 158))
def test_a_euro_sign_becomes_an_e_where_a_part_ends(method: LongMessages, ahead: int) -> None:
    """The escape stays with its letter, wherever in the text the pair stands."""
    text = "a" * ahead + "€" + "b" * 40
    shown = parts(text, method)
    assert len(shown) == 2
    assert "".join(shown) == text
    assert any("€" in part for part in shown)


@pytest.mark.parametrize("method", [LongMessages.UDH_8_BIT, LongMessages.UDH_16_BIT])
@pytest.mark.parametrize("ahead", range(62, 70))
def test_an_emoji_becomes_two_boxes_where_a_part_ends(method: LongMessages, ahead: int) -> None:
    """Both halves of a surrogate pair go in one part."""
    text = "ə" * ahead + "😀" + "ə" * 30
    shown = parts(text, method)
    assert len(shown) == 2
    assert "".join(shown) == text


def test_160_characters_with_a_euro_sign_lose_their_last() -> None:
    """They are 161 septets, so two short messages; 159 are 160, and one."""
    assert parts("a" * 159 + "€") == ["a" * 153, "a" * 6 + "€"]
    assert parts("a" * 158 + "€") == ["a" * 158 + "€"]


@pytest.mark.parametrize(
    ("alphabet", "octet"),
    [(Alphabet.GSM, 0x00), (Alphabet.LATIN_1, 0x40), (Alphabet.ASCII, 0x40)],
)
def test_an_at_sign_arrives_as_an_inverted_exclamation_mark(alphabet: Alphabet, octet: int) -> None:
    """0x40 is "@" to one SMSC and "¡" to another; 0x00 ends the text or is "@"."""
    submitted = segmenter(alphabet, LongMessages.UDH_8_BIT, References(1_000))("@", "1")
    assert submitted.parts == ((bytes([octet]), ()),)
    assert read(bytes([octet]), alphabet=alphabet).text == "@"


def test_a_reply_in_a_packed_alphabet_ends_with_an_at_sign() -> None:
    """Seven bits to spare are filled with a CR, since the SMSC counts octets."""
    segment = segmenter(Alphabet.PACKED, LongMessages.UDH_8_BIT, References(1_000))
    [(octets, _)] = segment("1234567", "1").parts
    assert len(octets) == 7
    assert octets[-1] >> 1 == ord("\r")


@pytest.mark.parametrize("others", [0, 1, 254, 255, 256, 511])
def test_a_phone_joins_halves_of_two_replies(others: int) -> None:
    """Its references differ by 8 bits, however many long replies other phones had in between."""
    segment = segmenter(Alphabet.GSM, LongMessages.UDH_8_BIT, References(1_000))
    first = segment("a" * 161, "994500000001")
    for number in range(others):
        segment("b" * 161, f"99455{number:07}")
    second = segment("c" * 161, "994500000001")
    reassembler = Reassembler()
    for octets, _ in (first.parts[0], second.parts[1]):  # the others are still on their way
        content = unpack(SubmitSm(esm_class=UDHI, short_message=octets))
        assert reassembler.add("phone", content.part, content.octets) is None


# --- requests --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "octets",
    [
        REQUEST.encode("utf-16"),
        b"\xfe\xff" + REQUEST.encode("utf-16-be"),
        b"\xff\xfe" + REQUEST.encode("utf-16-le"),
    ],
)
def test_ucs2_with_a_byte_order_mark_is_not_understood(octets: bytes) -> None:
    """The mark is no part of the text, and says which octet comes first."""
    assert read(octets, UCS2)[2:4] == (REQUEST, True)


@pytest.mark.parametrize("text", [REQUEST, "2 MYİ 1111111", "1 АЗЕ № 1111111"])
def test_ucs2_the_wrong_way_round_arrives_as_chinese(text: str) -> None:
    """Without a mark, most units tell by their small octet."""
    assert read(text.encode("utf-16-le"), UCS2)[2:4] == (text, True)


@pytest.mark.parametrize(
    "elements",
    [
        b"\x24\x01\x01" + b"\x00\x03\x07\x02\x01",
        b"\x00\x03\x07\x02\x01" + b"\x24\x01\x01",
        b"\x05\x04\x0b\x84\x23\xf0" + b"\x00\x03\x07\x02\x01" + b"\x25\x01\x00",
        b"\x70\x00" + b"\x00\x03\x07\x02\x01",
    ],
)
def test_a_header_with_more_elements_shows_in_the_text(elements: bytes) -> None:
    """Elements before and behind the place of a part are stepped over by their lengths."""
    reading = read(bytes([len(elements)]) + elements + b"2 AZE", esm_class=UDHI)
    assert reading[2:] == ("2 AZE", True, (7, 2, 1, 8))


@pytest.mark.parametrize("padding", [b"\x00", b"\r"])
def test_a_packed_request_ends_with_a_stray_at_sign(padding: bytes) -> None:
    """Seven septets and seven bits to spare are no eighth character."""
    bits = int.from_bytes(septets.pack(b"status1" + padding), "little")
    octets = bits.to_bytes(7, "little")
    assert read(octets, alphabet=Alphabet.PACKED).text == "status1"


@pytest.mark.parametrize(
    ("octets", "data_coding"),
    [
        (REQUEST.encode() + b"\0", 0),
        (REQUEST.encode() + b"\0", 1),
        (REQUEST.encode() + b"\0", 3),
        (REQUEST.encode("utf-16-be") + b"\0", UCS2),
        (REQUEST.encode("utf-16-be") + b"\0\0", UCS2),
    ],
)
def test_a_nul_that_sm_length_counts_spoils_the_request(octets: bytes, data_coding: int) -> None:
    """The end of a C string is "@" in GSM and nothing elsewhere: the request is understood."""
    reading = read(octets, data_coding)
    assert reading.sound
    assert is_request(reading.text)


def test_an_escape_before_an_unknown_letter_swallows_it() -> None:
    """A phone shows the letter of the basic table, and so does the request."""
    assert read(b"2 AZ\x1bE 1111111").text == REQUEST
    assert read(b"2 AZE 111111\x1b")[2:4] == ("2 AZE 111111\ufffd", False)


# --- PDUs ------------------------------------------------------------------------------------

BODIES: list[Body] = [
    DeliverSm(source_addr="994500000001", short_message=b"2 AZE 1111111"),
    DeliverSm(short_message=b"2 AZE 1111111", tlvs=(Tlv(Tag.USER_MESSAGE_REFERENCE, b"\0\1"),)),
    DeliverSm(short_message=bytes(254)),
    DeliverSm(),
    SubmitSm(short_message=b"2 AZE 1111111"),
    SubmitSmResp("7"),
    DeliverSmResp(),
    EnquireLink(),
]


def with_octets(body: Body, more: bytes) -> bytes:
    """The PDU of a body, and octets behind it that command_length counts."""
    octets = encode(body, 5) + more
    return len(octets).to_bytes(4, "big") + octets[4:]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
@pytest.mark.parametrize("read_pdu", [decode, decode_by_table])
def test_a_stray_nul_behind_the_text_costs_the_message(read_pdu: object, body: Body) -> None:
    """One NUL that no length counts is passed over, by the compiled paths and by the table."""
    assert callable(read_pdu)
    pdu = read_pdu(with_octets(body, b"\0"))
    assert isinstance(pdu, Pdu)
    assert (type(pdu.body), pdu.body) == (type(body), body)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
@pytest.mark.parametrize("read_pdu", [decode, decode_by_table])
@pytest.mark.parametrize("more", [b"\0\0", b"\0\0\0", b"\1", b"a"])
def test_more_than_a_stray_nul_is_refused(read_pdu: object, body: Body, more: bytes) -> None:
    """Two NULs, or another octet, are the beginning of something that is cut short."""
    assert callable(read_pdu)
    verdict = read_pdu(with_octets(body, more))
    assert isinstance(verdict, Malformed)
    assert verdict.status == Status.ESME_RINVOPTPARSTREAM


@pytest.mark.parametrize(
    ("sm_length", "status"),
    [(14, Status.ESME_RINVMSGLEN), (12, Status.ESME_RINVOPTPARSTREAM), (255, 0x01)],
)
def test_a_wrong_sm_length_takes_other_octets_for_text(sm_length: int, status: int) -> None:
    """A length that the PDU does not bear out is refused; nothing is guessed."""
    octets = encode(DeliverSm(short_message=b"2 AZE 1111111"), 5)
    at = octets.index(b"\x0d2 AZE")
    wrong = octets[:at] + bytes([sm_length]) + octets[at + 1 :]
    verdict = decode(wrong)
    assert isinstance(verdict, Malformed)
    assert verdict.status == status
    assert verdict == decode_by_table(wrong)


def test_a_frame_of_a_stray_nul_alone_is_no_message() -> None:
    """The mandatory fields must all be there first."""
    assert isinstance(decode(framed(Command.DELIVER_SM, b"\0")), Malformed)
