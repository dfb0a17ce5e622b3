"""data_coding to text and back: SMPP 3.4 §5.2.19, GSM 03.38."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpplib.gsm import gsm_encode

from smsd.smpp import gsm0338
from smsd.smpp.text import ASCII, LATIN_1, UCS2, Alphabet, decode, encode, encode_gsm, is_gsm

GSM_TEXT = st.text(st.sampled_from(sorted(gsm0338.ALPHABET)))
GRANT_NATIVE = "İcazə verildi: kod 2, AZE1111111, 12:15-dək. Nömrə 8K3F7Q"


def test_the_basic_alphabet_has_128_places() -> None:
    """The table is whole, and no character stands in it twice."""
    assert len(gsm0338.BASIC) == len(set(gsm0338.BASIC)) == 128
    assert len(gsm0338.ALPHABET) == 127 + 10


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("@", b"\x00"),
        ("$", b"\x02"),
        ("Çöü", b"\x09\x7c\x7e"),
        ("2 AZE 1111111", b"2 AZE 1111111"),
        ("_§", b"\x11\x5f"),
        ("[€]", b"\x1b\x3c\x1b\x65\x1b\x3e"),
        ("^{}\\~|\f", b"\x1b\x14\x1b\x28\x1b\x29\x1b\x2f\x1b\x3d\x1b\x40\x1b\x0a"),
        ("", b""),
    ],
)
def test_septets_of_the_standard(text: str, octets: bytes) -> None:
    """The places printed in 3GPP TS 23.038 §6.2.1, both ways."""
    assert encode(text) == (0, octets)
    assert decode(0, octets) == (text, True)


@pytest.mark.parametrize("character", "əıİğşç`№А\0\x1b\ufffe\t")
def test_characters_outside_gsm(character: str) -> None:
    """The Azerbaijani letters that cost UCS-2, Cyrillic, and the places our table bends."""
    assert not is_gsm("a" + character)
    with pytest.raises(UnicodeEncodeError) as refused:
        encode_gsm("a" + character)
    assert refused.value.start == 1
    assert encode("a" + character)[0] == UCS2


def test_native_azerbaijani_goes_as_ucs2() -> None:
    """One letter outside GSM moves the whole text to UTF-16-BE, without a byte order mark."""
    assert encode(GRANT_NATIVE) == (UCS2, GRANT_NATIVE.encode("utf-16-be"))


def test_lone_surrogates_are_replaced_and_pairs_are_joined() -> None:
    """Text from JSON may hold surrogates: halves of a pair join, a lone one becomes U+FFFD."""
    assert encode("a\ud83d\ude00b\ud83d") == (UCS2, "a😀b\ufffd".encode("utf-16-be"))


@given(GSM_TEXT)
def test_gsm_round_trip(text: str) -> None:
    """Every text of the alphabet survives, and counts its escapes."""
    octets = encode_gsm(text)
    assert decode(0, octets) == (text, True)
    assert len(octets) == len(text) + sum(c in gsm0338.EXTENSION.values() for c in text)


@given(GSM_TEXT)
def test_gsm_agrees_with_smpplib(text: str) -> None:
    """Another implementation gives the same septets, where its table has the character."""
    shared = text.translate(dict.fromkeys(map(ord, "§\f")))
    assert encode_gsm(shared) == gsm_encode(shared)


@given(st.text())
def test_any_text_round_trip(text: str) -> None:
    """encode loses nothing but a byte order mark in front, and is_gsm foretells the coding.

    What begins beyond the alphabets of our phones may look like octets the wrong way round.
    """
    data_coding, octets = encode(text)
    if text < "\u0600":
        assert decode(data_coding, octets) == (text, True)
    assert (data_coding == 0) is is_gsm(text) is gsm0338.ALPHABET.issuperset(text)


@given(st.text(st.characters(categories=["Cs", "Lu"])))
def test_encode_never_raises_on_surrogates(text: str) -> None:
    """Whatever a text is made of, what goes out is sound."""
    data_coding, octets = encode(text)
    assert decode(data_coding, octets).sound


@given(st.integers(0, 255), st.binary(), st.sampled_from(Alphabet))
def test_decode_never_raises(data_coding: int, octets: bytes, default: Alphabet) -> None:
    """Any octets under any data_coding give text that can be stored and sent on."""
    decode(data_coding, octets, default).text.encode("utf-8")


@pytest.mark.parametrize(
    ("octets", "text", "sound"),
    [
        (b"\x1b\x1b", " ", True),  # kept for a further extension table: shown as a space
        (b"\x1b\x61", "a", True),  # a pair that is not defined: shown as the basic character
        (b"\x1b\x65", "€", True),
        (b"\x1b\x1b\x65", " e", True),
        (b"ab\x1b", "ab\ufffd", False),
        (b"a\x80b", "a\ufffdb", False),
        (b"\x1b\xff", "\ufffd", False),
    ],
)
def test_escapes_in_what_arrives(octets: bytes, text: str, sound: bool) -> None:
    """23.038 §6.2.1 says what an unknown pair shows; a cut pair or a high bit is not sound."""
    assert decode(0, octets) == (text, sound)


@pytest.mark.parametrize(
    ("octets", "text", "sound"),
    [
        ("2 MYİ 1111111".encode("utf-16-be"), "2 MYİ 1111111", True),
        (b"\xfe\xff\x00A", "A", True),
        (b"\xff\xfeA\x00", "A", True),
        (b"\xff\xfeA\x00\x3d\xd8\x00", "A\ufffd", False),
        (b"\x00A\x01", "A\ufffd", False),
        (b"\xd8\x3d\x00A", "\ufffdA", False),
        (b"\x00A\xde\x00", "A\ufffd", False),
        (b"\xd8\x3d\xde\x00", "😀", True),
        (b"\xff\xfd", "\ufffd", True),  # sent as such
        (b"", "", True),
    ],
)
def test_ucs2_as_it_arrives(octets: bytes, text: str, sound: bool) -> None:
    """Byte order marks are honoured, pairs join; odd lengths and lone surrogates are not sound."""
    assert decode(UCS2, octets) == (text, sound)


@pytest.mark.parametrize(
    "text",
    ["2 MYİ 1111111", "1 АЗЕ 1111111", "İcazə", "привет", "Ø", "№ 5 әлі", "😀 2 AZE 1111111"],
)
def test_ucs2_the_wrong_way_round_is_turned(text: str) -> None:
    """Little endian without a byte order mark is known by where its small octets stand."""
    assert decode(UCS2, text.encode("utf-16-le")) == (text, True)
    assert decode(UCS2, text.encode("utf-16-be")) == (text, True)


@pytest.mark.parametrize(
    "text", ["😀😀😀", "中文字", "№", "“2”", "一二", "مرحبا", "\u4100中", "№ĀĀĀ"]
)
def test_unusual_ucs2_stays_as_it_is(text: str) -> None:
    """Emoji, quotes and other writing are not taken for octets the wrong way round."""
    assert decode(UCS2, text.encode("utf-16-be")) == (text, True)


def test_half_of_the_units_are_not_most() -> None:
    """The bound, on both sides: two of four units, then three of five."""
    assert decode(UCS2, b"A\0B\0\x4e\x2d\x65\x87") == ("䄀䈀中文", True)
    assert decode(UCS2, b"A\0B\0C\0\x4e\x2d\x65\x87") == ("ABC\u2d4e\u8765", True)


@given(st.text(st.characters(max_codepoint=0x5FF, exclude_categories=["Cc"]), min_size=1))
def test_our_alphabets_are_read_either_way_round(text: str) -> None:
    """Any text in Latin, Greek, Cyrillic, Armenian or Hebrew letters has only one reading."""
    assert decode(UCS2, text.encode("utf-16-be")) == (text, True)
    if all(character & 0xFF > 5 for character in map(ord, text)):
        assert decode(UCS2, text.encode("utf-16-le")) == (text, True)


@pytest.mark.parametrize(
    ("data_coding", "octets", "text", "sound"),
    [
        (ASCII, b"@$_", "@$_", True),
        (ASCII, b"a\xe9", "a\ufffd", False),
        (LATIN_1, b"\xe9@", "é@", True),
        (0x06, b"\xb0\xb7\xb5", "АЗЕ", True),
        (0x07, b"\xe0\xe1", "אב", True),
        (0x02, b"AZE\xe9", "AZEé", False),
        (0x04, b"AZE", "AZE", False),
        (0x05, b"\x00A", "@A", False),  # an alphabet that we do not read
        (0x10, b"\x00", "@", True),  # class 0 ("flash"), default alphabet
        (0x14, b"A", "A", False),
        (0x18, b"\x01\x30", "İ", True),
        (0x1C, b"A", "A", False),
        (0x20, b"A", "A", False),  # compressed
        (0x3F, b"A", "A", False),
        (0x40, b"\x00", "@", True),  # to be deleted once read, default alphabet
        (0x54, b"A", "A", False),
        (0x58, b"\x01\x30", "İ", True),
        (0x60, b"A", "A", False),  # and compressed
        (0x80, b"A", "A", False),
        (0xBF, b"A", "A", False),
        (0xC0, b"\x00", "@", True),
        (0xD8, b"\x00", "@", True),
        (0xE0, b"\x01\x30", "İ", True),
        (0xF0, b"\x00", "@", True),
        (0xF3, b"\x00", "@", True),
        (0xF4, b"A", "A", False),
    ],
)
def test_every_group_of_data_coding(
    data_coding: int, octets: bytes, text: str, sound: bool
) -> None:
    """One value from each group of §5.2.19 and GSM 03.38 §4."""
    assert decode(data_coding, octets) == (text, sound)


@pytest.mark.parametrize(
    ("default", "text", "sound"),
    [
        (Alphabet.GSM, "§\ufffd", False),
        (Alphabet.PACKED, "§R", True),
        (Alphabet.ASCII, "_\ufffd", False),
        (Alphabet.LATIN_1, "_é", True),
    ],
)
def test_the_default_alphabet_is_the_smscs(default: Alphabet, text: str, sound: bool) -> None:
    """data_coding 0 means what the SMSC's operator says it means."""
    assert decode(0, b"\x5f\xe9", default) == (text, sound)
    assert decode(0xF0, b"\x5f\xe9", default) == (text, sound)
    assert decode(LATIN_1, b"\x5f\xe9", default) == ("_é", True)
