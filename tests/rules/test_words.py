"""The vocabularies are complete and alike, and what they are filled with reads right."""

import string
from datetime import UTC, datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from rules.conditions import FACTS_THAT_MAY_BE_UNKNOWN, Scope
from rules.fields import Channel, Unit, Weekday
from rules.policy import (
    Commands,
    Conditions,
    DailyQuota,
    Late,
    Parameter,
    PolicyFile,
    Region,
    Rule,
    Unrecognised,
)
from rules.sms_length import is_gsm
from rules.telling.statements import StatedVerdict, stated_verdict, statements
from rules.telling.words import LANGUAGES, PLURALS, phrases, printable, words_for

ALL = (*LANGUAGES, "az-ascii")

# Each field of Conditions with every phrase that it may need.
SAMPLES: dict[str, list[Any]] = {
    "in_force": [True, False],
    "code": [["1", "2"]],
    "document_kind": [["AZE"]],
    "registered": [True, False],
    "age": [{"at_least": "years"}, {"below": "years"}],
    "holds_permit": ["same_code", "any_code"],
    "quota_spent": ["day"],
    "permits_today": [
        {"at_least": "permits"},
        {"below": "permits"},
        {"codes": ["1"], "at_least": "permits"},
        {"codes": ["1"], "below": "permits"},
    ],
    "blocked": ["wholly", "from_code"],
    "quarantined": [True, False],
    "region": [["baku", "ganja"]],
    "local_time": [{"from": "time_of_day", "until": "time_of_day"}],
    "weekday": [[day] for day in get_args(Weekday)],
    "messages_today": [{"at_least": "messages"}, {"below": "messages"}],
    "documents_today": [{"at_least": "documents"}, {"below": "documents"}],
    "channel": [[channel] for channel in get_args(Channel)],
}
NUMBERS = dict.fromkeys(get_args(Unit), 75)
TITLES = dict.fromkeys(ALL, "Bakı")


def content() -> PolicyFile:
    """As much of a policy as words need: one parameter of each unit, named after it."""
    return PolicyFile.model_construct(
        parameters={
            unit: Parameter.model_construct(title=unit, unit=unit, values=[]) for unit in NUMBERS
        },
        regions={
            name: Region.model_construct(title=TITLES, source="ours") for name in ("baku", "ganja")
        },
        quotas={"day": DailyQuota(codes=["1", "2"], limit="permits", source="ours")},
    )


def told(field: str, asked: Any, language: str, numbers: dict[str, int]) -> list[str]:
    given = Conditions.model_validate({field: asked})
    scope = Scope("1", True, numbers.__getitem__, content().quotas, "03-01", lambda second: 0)
    words = words_for(language)
    return [words.condition(said) for said in statements(given, scope, content())]


def placeholders(phrase: str) -> list[str]:
    return sorted({name for _, name, _, _ in string.Formatter().parse(phrase) if name})


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same(language: str) -> None:
    """The same keys, each with the placeholders that it has in English."""
    english, ours = phrases("en"), phrases(language)
    ours = {key: phrase for key, phrase in ours.items() if not key.startswith("ascii.")}
    # A language may write out what others tell alike within a sentence.
    shared = {key for key in {*english, *ours} if not key.startswith("measures.")}
    assert shared <= set(ours)
    assert shared <= set(english)
    for key in shared - {"tag", "plural", "months"}:
        forms = [ours[key], english[key]]
        for mine in forms[0] if isinstance(forms[0], list) else [forms[0]]:
            for theirs in forms[1] if isinstance(forms[1], list) else [forms[1]]:
                same = placeholders(mine) == placeholders(theirs)
                # "65 or older" may be "65 years old" elsewhere: either tells the number.
                assert same or key.startswith("conditions.age."), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_count_has_its_forms(language: str) -> None:
    """As many forms as the plural of the language has, and twelve months."""
    ours = phrases(language)
    wanted = PLURALS[str(ours["plural"])][0]
    for key, phrase in ours.items():
        if isinstance(phrase, list):
            assert len(phrase) == (12 if key == "months" else wanted), key
    assert ours["tag"] == language


def test_every_condition_is_sampled() -> None:
    """A new condition must be given words here before it can be shown to anybody."""
    assert set(SAMPLES) == set(Conditions.model_fields)


@pytest.mark.parametrize("language", ALL)
@pytest.mark.parametrize("field", SAMPLES)
def test_every_condition_has_words(field: str, language: str) -> None:
    """Each with its numbers and names in it, and different for different questions."""
    said = [told(field, asked, language, NUMBERS) for asked in SAMPLES[field]]
    assert all(len(one) == 1 and one[0] for one in said)
    assert len({one[0] for one in said}) == len(said)
    if any(isinstance(asked, dict) for asked in SAMPLES[field]):
        number = "00:01:15" if field == "local_time" else "75"
        assert all(number in one[0] for one in said)


@pytest.mark.parametrize("language", ALL)
@pytest.mark.parametrize("field", ["age", "quota_spent", "permits_today", "local_time"])
def test_a_number_without_a_value_says_so(field: str, language: str) -> None:
    """Before its first date a parameter has no value, and none is made up."""
    no_value = words_for(language)("no_value")
    for asked in SAMPLES[field]:
        said = told(field, asked, language, {})
        assert len(said) == 1
        assert no_value in said[0]


@pytest.mark.parametrize("language", ALL)
def test_whatever_a_policy_may_say_has_words(language: str) -> None:
    """Units, facts, reasons, commands and their outcomes, as the types of the file list them."""
    words = words_for(language)
    for unit in get_args(Unit):
        assert words.amount(3, unit)
        assert words.amount(3, unit, "measures")
    for fact in FACTS_THAT_MAY_BE_UNKNOWN:
        assert words(f"facts.{fact}")
    for reason in Unrecognised.model_fields:
        assert words(f"reasons.{reason}")
    for command, field in Commands.model_fields.items():
        assert words(f"commands.{command}")
        model = next(kind for kind in get_args(field.annotation) if kind is not type(None))
        for outcome in set(model.model_fields) - {"words", "source"}:
            assert words(f"endings.{command}.{outcome}")


@pytest.mark.parametrize("language", ALL)
def test_what_becomes_of_late_replies_has_words(language: str) -> None:
    """Each action that a file may name, and its silence, in words of their own."""
    actions = (*get_args(Late.model_fields["action"].annotation), "nothing")
    said = {words_for(language)(f"late.{action}") for action in actions}
    assert len(said) == len(actions) == 3


@pytest.mark.parametrize("language", ALL)
def test_every_verdict_has_words(language: str) -> None:
    """Grants tell their window and from when it counts; all verdicts differ."""
    words = words_for(language)
    kinds = get_args(Rule.model_fields["verdict"].annotation)
    assert set(kinds) == {"grant", "refuse", "already_granted"}
    said = [
        words.verdict(StatedVerdict("refuse", None, False, None, False)),
        words.verdict(StatedVerdict("already_granted", None, False, None, False)),
        words.verdict(StatedVerdict("grant", 120, False, None, False)),
        words.verdict(StatedVerdict("grant", 120, False, None, True)),
        words.verdict(StatedVerdict("grant", 120, True, 15, False)),
    ]
    assert len(set(said)) == len(said)
    assert all(words.length(120, "measures") in grant for grant in said[2:])
    assert words.length(15, "measures") in said[4]
    assert words("no_value") in words.verdict(StatedVerdict("grant", None, False, None, False))


@pytest.mark.parametrize("meaning", get_args(get_args(Rule.model_fields["unknown"].annotation)[0]))
@pytest.mark.parametrize("language", ALL)
def test_what_unknown_means_has_words(language: str, meaning: str) -> None:
    """It names each fact that may be unknown, also one of the exception."""
    rule = Rule.model_validate(
        {
            "id": "x",
            "source": "ours",
            "when": {"age": {"at_least": "years"}},
            "except": {"region": ["baku"]},
            "unknown": meaning,
            "verdict": "refuse",
            "reply": "x",
        }
    )
    words = words_for(language)
    said = words.unknown(rule)
    assert said is not None
    assert words("facts.age") in said
    assert words("facts.region") in said
    assert words.unknown(rule.model_copy(update={"unknown": None})) is None


def test_a_delayed_grant_in_english() -> None:
    """The whole sentence, as an officer reads it."""
    rule = Rule.model_validate(
        {
            "id": "x",
            "source": "ours",
            "verdict": "grant",
            "window": "two_hours",
            "starts_after": "quarter",
            "reply": "x",
        }
    )
    verdict = stated_verdict(rule, {"two_hours": 120, "quarter": 15})
    expected = "granted for 2 hours, starting 15 minutes after the decision"
    assert words_for("en").verdict(verdict) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "0 разрешений"),
        (1, "1 разрешение"),
        (2, "2 разрешения"),
        (4, "4 разрешения"),
        (5, "5 разрешений"),
        (11, "11 разрешений"),
        (12, "12 разрешений"),
        (14, "14 разрешений"),
        (21, "21 разрешение"),
        (22, "22 разрешения"),
        (111, "111 разрешений"),
        (112, "112 разрешений"),
    ],
)
def test_russian_counts(number: int, expected: str) -> None:
    """One, few and many, on both sides of every bound."""
    assert words_for("ru").count(number, "permits") == expected


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (0, "0 minutes"),
        (1, "1 minute"),
        (59, "59 minutes"),
        (60, "1 hour"),
        (61, "1 hour 1 minute"),
        (120, "2 hours"),
        (1440, "24 hours"),
        (2890, "48 hours 10 minutes"),
    ],
)
def test_lengths(minutes: int, expected: str) -> None:
    """Hours and minutes; never days, which are not all of 24 hours."""
    assert words_for("en").length(minutes) == expected
    assert words_for("en").amount(minutes, "minutes") == expected


def test_a_length_after_a_preposition_in_russian() -> None:
    """на 1 минуту, but 1 минута where it stands alone."""
    words = words_for("ru")
    assert (words.length(61), words.length(61, "measures")) == ("1 час 1 минута", "1 час 1 минуту")


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, "00:00"), (21 * 3600, "21:00"), (86_399, "23:59:59"), (6 * 3600 + 1, "06:00:01")],
)
def test_times_of_day(value: int, expected: str) -> None:
    """Seconds show only where there are any."""
    assert words_for("el").amount(value, "time_of_day") == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "from 5 April 2020, 00:00 until 18 May 2020, 06:30:15"),
        ("ru", "с 5 апреля 2020 г., 00:00 до 18 мая 2020 г., 06:30:15"),
        ("el", "από 5 Απριλίου 2020, 00:00 έως 18 Μαΐου 2020, 06:30:15"),
        (
            "az",
            "5 aprel 2020, saat 00:00 tarixindən 18 may 2020, saat 06:30:15 tarixinədək",
        ),
    ],
)
def test_intervals(language: str, expected: str) -> None:
    """Day, month by name, year and clock: no reader can take the month for the day."""
    zone = ZoneInfo("Asia/Baku")
    start = datetime(2020, 4, 5, tzinfo=zone)
    until = datetime(2020, 5, 18, 6, 30, 15, tzinfo=zone)
    assert words_for(language).interval(start, until) == expected


def test_open_intervals() -> None:
    """Without a start, without an end, without either."""
    words, at = words_for("en"), datetime(2020, 4, 5, tzinfo=UTC)
    assert words.interval(at, None) == "from 5 April 2020, 00:00"
    assert words.interval(None, at) == "until 5 April 2020, 00:00"
    assert words.interval(None, None) == "at any time"


def test_a_time_that_comes_twice_tells_its_offset() -> None:
    """When summer time ends, 03:30 in Athens is two instants."""
    words, zone = words_for("en"), ZoneInfo("Europe/Athens")
    first = datetime(2020, 10, 25, 3, 30, tzinfo=zone)
    assert words.instant(first) == "25 October 2020, 03:30 (UTC+0300)"
    assert words.instant(first.replace(fold=1)) == "25 October 2020, 03:30 (UTC+0200)"
    assert words.instant(first.replace(hour=4)) == "25 October 2020, 04:30"


def test_lists() -> None:
    """One, two and three."""
    words = words_for("en")
    assert words.either(["a"]) == "a"
    assert words.either(["a", "b"]) == "a or b"
    assert words.both(["a", "b", "c"]) == "a, b and c"


def test_ascii_is_made_from_the_native_words() -> None:
    """All of it costs one third in an SMS, as the sheet's table has it; the tag stays."""
    words = words_for("az-ascii")
    assert words.tag == "az"
    native = phrases("az")
    for key, phrase in native.items():
        if isinstance(phrase, str) and not key.startswith("ascii."):
            assert is_gsm(words(key)), key
    assert words("verdicts.already_granted").startswith("icaze artiq verilib")


def test_a_language_without_words_is_told_in_english() -> None:
    """And says so, so that a page declares the language it is in."""
    words = words_for("tr")
    assert (words.language, words.tag) == ("tr", "en")
    assert words("always") == "always"
    assert words_for("tr-ascii").tag == "en"


def test_titles_of_the_policy() -> None:
    """In the language asked for, else in the language of the words, else the first."""
    titles = {"de": "Apotheke", "az": "aptek"}
    assert words_for("az").title(titles) == "aptek"
    assert words_for("az-ascii").title(titles) == "aptek"
    assert words_for("en").title(titles) == "Apotheke"


def test_braces_in_what_is_filled_in_stay() -> None:
    """Values are put in and never read as a template."""
    assert words_for("en")("trace.not", rule="{rule}") == "{rule}: does not apply"


def test_control_characters_are_not_printed() -> None:
    """A file cannot clear the reader's screen."""
    assert printable("a\x1b[2Jb\r\nc\u202e№ə") == "a [2Jb  c №ə"
