"""What people type into a search box, in every usual form; and how often they may."""

from pathlib import Path

import pytest

import rules
from rules import Document, load_policy, reference
from smsd.desk.pace import Pace
from smsd.desk.typed import DocumentTyped, PhoneTyped, ReferenceTyped, readings

POLICY = load_policy(Path(rules.__file__).parent / "policies" / "8103.toml")
NUMBER = 1_234_567
REFERENCE = reference.encode(NUMBER)


@pytest.mark.parametrize(
    "text",
    [
        "+994501234567",
        "+994 (50) 123-45-67",
        "00994501234567",
        "994 50 123 45 67",
        "050 123 45 67",
        " 501234567 ",
        "050-123-45-67",
    ],
)
def test_a_phone_in_any_form_is_that_phone(text: str) -> None:
    """With country code, trunk zero, or neither."""
    assert readings(POLICY, text)[0] == PhoneTyped("994501234567")


@pytest.mark.parametrize("text", ["+905551234567", "00905551234567"])
def test_a_phone_from_abroad_is_read_by_its_prefix(text: str) -> None:
    """Whoever roams texts from it, too."""
    assert readings(POLICY, text)[0] == PhoneTyped("905551234567")


@pytest.mark.parametrize("text", ["AZE 1111111", "aze1111111", "АЗЕ-1111111"])
def test_a_document_in_any_form_is_that_document(text: str) -> None:
    """As an SMS may have it: case, spaces, Cyrillic look-alikes."""
    assert readings(POLICY, text) == (DocumentTyped(Document("AZE", "1111111")),)


@pytest.mark.parametrize("text", [REFERENCE, REFERENCE.lower(), f"{REFERENCE[:3]} {REFERENCE[3:]}"])
def test_a_reference_in_any_form_is_that_permit(text: str) -> None:
    """As it was read out."""
    assert readings(POLICY, text)[0] == ReferenceTyped(REFERENCE, NUMBER)


def test_what_can_be_read_in_two_ways_is(text: str = "501234567") -> None:
    """Nine digits are a phone, or a notification of nine digits, which its series makes sure."""
    assert [type(each) for each in readings(POLICY, text)] == [PhoneTyped, DocumentTyped]
    assert [type(each) for each in readings(POLICY, f"QM {text}")] == [DocumentTyped]


@pytest.mark.parametrize("text", ["", "   ", "?", "salam", "+", "00", "+1", "1" * 400, "AZE 1"])
def test_what_is_nothing_is_nothing(text: str) -> None:
    """However long."""
    assert readings(POLICY, text) == ()


def test_a_pace_is_kept_by_each_alone() -> None:
    """So many within a minute, the minute of each counted from its own time."""
    now = [0.0]
    pace = Pace(2, lambda: now[0])
    assert [pace.admits("a"), pace.admits("a"), pace.admits("a"), pace.admits("b")] == [
        True,
        True,
        False,
        True,
    ]
    now[0] = 30.0
    assert pace.admits("b")
    now[0] = 59.999
    assert not pace.admits("a")
    assert not pace.admits("b")
    now[0] = 60.0
    assert pace.admits("a")
    assert [pace.admits("b"), pace.admits("b")] == [True, False]


def test_who_was_quiet_is_forgotten() -> None:
    """However many names ever asked, those of the last minute are remembered."""
    now = [0.0]
    pace = Pace(1, lambda: now[0])
    for number in range(100):
        now[0] = float(number)
        pace.admits(f"token {number}")
    assert len(pace._asked) == 60
