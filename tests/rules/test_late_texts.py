"""Which replies leave first, and what a policy says of those that would come too late."""

import pytest
from policy_edits import Data, compiled, edited, parameter

from rules import PolicyError, compile_policy, late_text
from rules.instants import US_PER_SECOND
from rules.replies import PLACEHOLDERS, Occasion

AT_US = 1_586_160_000 * US_PER_SECOND  # 6 April 2020
TEXTS = {
    "az": "Gec oldu: {example}",
    "az-ascii": "Gec oldu, {example}",
    "en": "Too late, text {short_number} again: {example}",
    "ru": "Поздно: {example}",
}


def explains(data: Data) -> None:
    """Lateness is explained, by a reply of its own."""
    data["replies"]["too-late"] = {"segments_max": 1, "text": TEXTS}
    data["late"] = {"action": "explain", "reply": "too-late", "source": "ours"}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Too late, text 8103 again: 2 AZE 1234567"),
        ("az-ascii", "Gec oldu, 2 AZE 1234567"),
        (None, "Gec oldu: 2 AZE 1234567"),
        ("fr", "Gec oldu: 2 AZE 1234567"),
    ],
)
def test_lateness_is_told_in_the_language_of_the_phone(language: str | None, text: str) -> None:
    """One that was never chosen, or that the policy lacks, is its default."""
    assert late_text(compiled(explains), language, AT_US) == text


def test_what_is_told_of_lateness_is_what_holds_at_that_instant() -> None:
    """A parameter in its words has the value of the day on which it is told."""

    def dated(data: Data) -> None:
        explains(data)
        data["replies"]["too-late"]["text"] = dict.fromkeys(TEXTS, "Late: {grace}")
        from_day = data["in_force"][0]["from"].replace(day=7)
        data["parameters"]["grace"]["values"].append(
            {"from": from_day, "value": 7, "source": "ours"}
        )

    policy = compiled(parameter("grace", "minutes", 5), dated)
    day_us = 86_400 * US_PER_SECOND
    assert late_text(policy, "en", AT_US) == "Late: 5"
    assert late_text(policy, "en", AT_US + day_us) == "Late: 7"


def test_a_reply_to_lateness_tells_of_no_permit() -> None:
    """There is none any more: only what every reply may tell has a value."""
    assert PLACEHOLDERS[Occasion.LATE] == PLACEHOLDERS[Occasion.FLOOD]


@pytest.mark.parametrize("language", TEXTS)
def test_a_reply_to_lateness_keeps_to_its_segments(language: str) -> None:
    """Longer than its SMS, it is a fault of the file, in whatever language."""

    def wordy(data: Data) -> None:
        explains(data)
        data["replies"]["too-late"]["text"] = {**TEXTS, language: "x" * 161}

    with pytest.raises(PolicyError, match=f"too-late.text.{language}"):
        compile_policy(edited(wordy))


def test_one_reply_may_serve_another_occasion_too() -> None:
    """The words for phones that send too much, say, or for an SMS that is no request."""

    def shared(data: Data) -> None:
        data["late"] = {"action": "explain", "reply": "too-much", "source": "ours"}

    assert "too many SMS" in late_text(compiled(shared), "en", AT_US)
