"""Permit references: every serial has one, and a wrong character does not pass."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.reference import ALPHABET, SERIALS, decode, encode

serials = st.integers(0, SERIALS - 1)


def hybrid_check(text: str) -> bool:
    """Judge a reference by ISO/IEC 7064 as written, with M = 28: the last sum is 1 (mod M)."""
    product = 28
    for char in text[:-1]:
        product = ((product + ALPHABET.index(char)) % 28 or 28) * 2 % 29
    return (product + ALPHABET.index(text[-1])) % 28 == 1


def test_the_alphabet_has_no_pair_of_look_alikes() -> None:
    """Of each pair that readers confuse, at most one is in the alphabet."""
    assert len(set(ALPHABET)) == len(ALPHABET) == 28
    for pair in ("0O", "1I", "1L", "IL", "2Z", "5S", "8B", "0Q"):
        assert not set(pair) <= set(ALPHABET), pair


@pytest.mark.parametrize(
    ("serial", "reference"),
    [(0, "J5QHCJ"), (1, "6HEQVA"), (2, "RW4YE9"), (7, "VTJ64M")],
)
def test_references_never_change(serial: int, reference: str) -> None:
    """A reference on a handset or on paper means the same permit in every later release."""
    assert encode(serial) == reference
    assert decode(reference) == serial


@given(serials)
def test_every_serial_comes_back(serial: int) -> None:
    """Encoding loses nothing, so that no two serials share a reference."""
    assert decode(encode(serial)) == serial


@given(serials)
def test_a_reference_is_six_characters_with_a_check(serial: int) -> None:
    """The last character is the check character of the hybrid system MOD 29,28."""
    reference = encode(serial)
    assert len(reference) == 6
    assert set(reference) <= set(ALPHABET)
    assert hybrid_check(reference)


@given(st.text(ALPHABET, min_size=6, max_size=6))
def test_every_checked_text_is_a_reference(text: str) -> None:
    """The map is onto: what passes the check, and only that, belongs to one serial."""
    serial = decode(text)
    assert (serial is not None) == hybrid_check(text)
    if serial is not None:
        assert 0 <= serial < SERIALS
        assert encode(serial) == text


@pytest.mark.parametrize("serial", [-1, SERIALS, 10 * SERIALS + 5])
def test_serials_beyond_the_range_wrap(serial: int) -> None:
    """Serial numbers outgrow the references after 17 million, and start again."""
    assert decode(encode(serial)) == serial % SERIALS


@given(st.integers(0, SERIALS), st.sampled_from([1, 2]))
def test_neighbours_do_not_look_alike(serial: int, distance: int) -> None:
    """Consecutive permits differ in each of the five places that carry the number."""
    pairs = zip(encode(serial)[:5], encode(serial + distance)[:5], strict=True)
    assert all(a != b for a, b in pairs)


@given(serials)
def test_every_single_wrong_character_is_detected(serial: int) -> None:
    """None of the 162 texts that differ in one character passes."""
    reference = encode(serial)
    for place, right in enumerate(reference):
        for wrong in ALPHABET.replace(right, ""):
            assert decode(reference[:place] + wrong + reference[place + 1 :]) is None


@given(serials)
def test_swapped_neighbours_are_detected(serial: int) -> None:
    """Only characters that follow each other in the alphabet can be swapped unseen.

    Two values a and b with the same effect in either order solve an equation that has a
    solution in one of the 28 states, and only for |a - b| = 1 (mod 28).
    """
    reference = encode(serial)
    for place, (a, b) in enumerate(pairwise(reference)):
        swapped = reference[:place] + b + a + reference[place + 2 :]
        apart = (ALPHABET.index(a) - ALPHABET.index(b)) % 28
        if apart not in (0, 1, 27):
            assert decode(swapped) is None
        elif apart:
            assert (decode(swapped) is None) == (not hybrid_check(swapped))


def test_nearly_all_swaps_of_alphabet_neighbours_are_detected_too() -> None:
    """Over many references the unseen swaps are about 1 in 28 of those few."""
    seen = unseen = 0
    for serial in range(4000):
        reference = encode(serial)
        for place, (a, b) in enumerate(pairwise(reference)):
            if (ALPHABET.index(a) - ALPHABET.index(b)) % 28 in (1, 27):
                swapped = reference[:place] + b + a + reference[place + 2 :]
                seen += 1
                unseen += decode(swapped) is not None
    assert seen > 1000
    assert unseen / seen < 2 / 28


@pytest.mark.parametrize(
    "typed", ["vtj64m", " VTJ 64M ", "VTJ-64M", "VТJ64М", "VTJ６４M", "V.T.J.6.4.M"]
)
def test_references_are_read_as_people_type_them(typed: str) -> None:
    """Case, spaces, dashes and Cyrillic look-alikes are forgiven."""
    assert decode(typed) == 7


@given(serials)
def test_confused_letters_are_read_as_the_character_that_exists(serial: int) -> None:
    """B can only be an 8, S a 5 and Z a 2, as the alphabet has no B, S or Z."""
    misread = encode(serial).translate(str.maketrans("852", "BSZ"))
    assert decode(misread) == serial


@pytest.mark.parametrize("text", ["", "VTJ64", "VTJ64MM", "VTJ64O", "VTJ6 4", "V" * 1000, "ə" * 6])
def test_other_texts_are_no_reference(text: str) -> None:
    """A wrong length or a letter outside the alphabet is refused, not guessed."""
    assert decode(text) is None


@given(st.text(st.characters(exclude_categories=()), max_size=30))
def test_any_text_may_be_offered(text: str) -> None:
    """A police officer's typing never raises."""
    serial = decode(text)
    assert serial is None or 0 <= serial < SERIALS
