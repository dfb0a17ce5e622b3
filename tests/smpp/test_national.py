"""National language tables: the standard's facts, and a table maker of its own beside ours.

gsmcodecs 1.0.0 has every table of 3GPP TS 23.038 annex A (Release 18). Its faults, pinned below: it
refuses a pair that a table lacks, where §6.2.1 shows the basic character, and a locking language
that it does not know is a KeyError beside a single shift that it does.
"""

import unicodedata

import pytest
from gsmcodecs import Codec
from gsmcodecs.charmaps import GSMCHARMAPS
from hypothesis import given
from hypothesis import strategies as st

from smsd.smpp import gsm0338
from smsd.smpp.national import (
    LOCKING_SHIFT,
    PORTUGUESE,
    SINGLE_SHIFT,
    SPANISH,
    TURKISH,
    Languages,
    decoder,
    languages,
)

ESCAPE = gsm0338.ESCAPE


def read(septets: bytes, locking: int = 0, single: int = 0) -> str:
    """The text of septets in these languages."""
    decode = decoder(Languages(locking, single))
    assert decode is not None
    return decode(septets)


@pytest.mark.parametrize("language", LOCKING_SHIFT)
def test_locking_tables_agree_with_gsmcodecs(language: int) -> None:
    """Another author read the same 127 places in the standard; Spanish has no table there."""
    theirs = GSMCHARMAPS[0 if language == SPANISH else language]["locking"]["decode"]
    ours = dict(enumerate(map(ord, LOCKING_SHIFT[language])))
    assert {septet: ours[septet] for septet in ours if septet != ESCAPE} == {
        septet: code for septet, code in theirs.items() if septet != ESCAPE
    }


@pytest.mark.parametrize("language", SINGLE_SHIFT)
def test_single_shift_tables_agree_with_gsmcodecs(language: int) -> None:
    """The same places, and no other; the second escape, a space there, is ours to read."""
    theirs = GSMCHARMAPS[language]["singleShift"]["decode"]
    assert {septet: ord(character) for septet, character in SINGLE_SHIFT[language].items()} == {
        septet: code for septet, code in theirs.items() if septet != ESCAPE
    }


@given(
    st.sampled_from(sorted(LOCKING_SHIFT)),
    st.sampled_from(sorted(SINGLE_SHIFT)),
    st.lists(st.integers(0, 127)).map(bytes),
)
def test_texts_agree_with_gsmcodecs(locking: int, single: int, septets: bytes) -> None:
    """Any septets in any two languages, where theirs are defined."""
    try:
        text = Codec(locking, single).decode(septets)[0]
    except UnicodeDecodeError:
        return
    assert read(septets, locking, single) == text


def test_gsmcodecs_refuses_a_pair_that_the_standard_shows() -> None:
    """Pinned: a phone shows the basic character."""
    with pytest.raises(UnicodeDecodeError):
        Codec(0, TURKISH).decode(b"\x1bz")
    assert read(b"\x1bz", 0, TURKISH) == "z"


def test_gsmcodecs_fails_on_an_unknown_locking_language() -> None:
    """Pinned: it promises the default table in its place."""
    with pytest.raises(KeyError):
        Codec(99, TURKISH)


@pytest.mark.parametrize("language", LOCKING_SHIFT)
def test_no_character_stands_twice(language: int) -> None:
    """Reading an escape goes by the basic character behind it, so each must have one place."""
    table = LOCKING_SHIFT[language]
    assert len(table) == len(set(table)) == 128
    assert table[ESCAPE] == "\x1b"
    assert all(unicodedata.is_normalized("NFC", character) for character in table)


@pytest.mark.parametrize(
    ("septets", "locking", "single", "text"),
    [
        (b"2 MY\x1bI 1111111", 0, TURKISH, "2 MYİ 1111111"),
        (b"2 MY@ 1111111", TURKISH, 0, "2 MYİ 1111111"),
        (b"\x1bG\x1bg\x1bS\x1bs\x1bi\x1bc\x1be", 0, TURKISH, "ĞğŞşıç€"),
        (b"\x0b\x0c\x1c\x1d\x07\x60\x04", TURKISH, 0, "ĞğŞşıç€"),
        (b"\x1be\x1b(", TURKISH, 0, "€{"),  # the default extension table stays
        (b"\x1ba\x1bO\x09", 0, SPANISH, "áÓÇ"),
        (b"\x1b\x7b\x1b\x5c\x5b\x5c", 0, PORTUGUESE, "ãÕÄÖ"),
        (b"\x5b\x5c\x12\x15\x1a\x60", PORTUGUESE, PORTUGUESE, "ÃÕª∞|~"),
        (b"\x1bz\x1b\x1b!", TURKISH, TURKISH, "z !"),  # a pair that no table has; a second escape
        (b"a\x1b", TURKISH, TURKISH, "a\ufffd"),
        (b"\x1b@", TURKISH, 0, "|"),
    ],
)
def test_texts_in_their_languages(septets: bytes, locking: int, single: int, text: str) -> None:
    """Annex A, by hand."""
    assert read(septets, locking, single) == text


@pytest.mark.parametrize(
    ("header", "spoken"),
    [
        ("03 240101", (0, TURKISH)),
        ("03 250103", (PORTUGUESE, 0)),
        ("06 250101 240101", (TURKISH, TURKISH)),
        ("08 240101 00032a0202", (0, TURKISH)),
        ("08 00032a0202 240101", (0, TURKISH)),
        ("06 240101 240102", (0, SPANISH)),  # of elements that repeat, the last one counts
        ("04 24020101", None),  # of a wrong length
        ("03 240100", None),
        ("05 0003240201", None),  # a reference that looks like one
        ("00", None),
    ],
)
def test_languages_in_a_header(header: str, spoken: tuple[int, int] | None) -> None:
    """3GPP TS 23.040 §9.2.3.24.15 and 16."""
    assert languages(bytes.fromhex(header)) == spoken


@pytest.mark.parametrize("spoken", [(0, 4), (13, 0), (200, 1)])
def test_other_languages_are_not_read(spoken: tuple[int, int]) -> None:
    """Bengali to Urdu and what is reserved: nobody here texts in them."""
    assert decoder(Languages(*spoken)) is None
