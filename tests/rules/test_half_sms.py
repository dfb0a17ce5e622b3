"""What a policy says to an SMS of which parts never came, and what a replay makes of one."""

from pathlib import Path

import pytest
from policy_edits import Data, compiled

import rules
from rules.analysis.recorded import RecordedMessage
from rules.analysis.replay import Mode, replay
from rules.grammar.request import Reason, Unrecognised
from rules.instants import US_PER_SECOND

AT_US = 1_586_160_000 * US_PER_SECOND  # 6 April 2020
INCOMPLETE = Unrecognised(Reason.INCOMPLETE)
SHIPPED = sorted((Path(rules.__file__).parent / "policies").glob("*.toml"))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (None, "SMS-in hamısı gəlmədi. Bir SMS-də qısa yazın: 2 AZE 1234567"),
        (
            "az-ascii",
            "SMS-in hamisi gelmedi. Qisa, bir SMS-de yeniden yazin. Numune: 2 AZE 1234567",
        ),
        (
            "en",
            "Only part of your SMS arrived, so no permit was given. Text it again in one SMS, like"
            " 2 AZE 1234567",
        ),
        ("ru", "СМС дошла не целиком. Напишите короче, одной СМС: 2 AZE 1234567"),
    ],
)
def test_8103_tells_how_to_text_in_one_sms(language: str | None, text: str) -> None:
    """In the language of the phone."""
    assert rules.render(compiled(), INCOMPLETE, language, AT_US) == text


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_policy_says_something_in_every_language(path: Path) -> None:
    """With the form that is right, and in one SMS, which the compiler has checked."""
    policy = rules.load_policy(path)
    for language in policy.policy.content.languages:
        text = rules.render(policy, INCOMPLETE, language.name, AT_US)
        assert policy.grammar.example.split()[0] in text


def test_a_file_that_says_nothing_of_it_answers_as_to_a_long_one() -> None:
    """Files of before stay as good as they were."""

    def silent(data: Data) -> None:
        del data["unrecognised"]["incomplete"]
        del data["replies"]["one-sms"]

    policy = compiled(silent)
    told, long = (
        rules.render(policy, Unrecognised(reason), "en", AT_US)
        for reason in (Reason.INCOMPLETE, Reason.TOO_LONG)
    )
    assert told == long


@pytest.mark.parametrize("mode", ["recorded", "cascading"])
def test_half_an_sms_is_not_decided_in_a_replay(mode: Mode) -> None:
    """Though what came of it reads like a request: nobody knows what the rest said."""
    half = RecordedMessage(1, AT_US, "2 AZE 1111111", "incomplete", phone="994500000001")
    assert list(replay([half], compiled(), mode)) == []
