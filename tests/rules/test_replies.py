"""Replies: every one in every language, at its longest, within its segments; what they teach."""

import re
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rules
from rules import (
    Block,
    Decision,
    Document,
    Facts,
    HeldPermit,
    NearMiss,
    Reason,
    Unrecognised,
    decide,
    load_policy,
    render,
)
from rules.policy import Unrecognised as UnrecognisedReplies
from rules.sms_length import is_gsm, segment_count
from rules.templates import Slot, longest, placeholders, renderer
from smsd.smpp import segments

POLICY = load_policy(Path(rules.__file__).parent / "policies" / "8103.toml")
CONTENT = POLICY.policy.content
LANGUAGES = POLICY.languages
LONGEST = Document("QM", "123456789012")
HOUR_US = 3_600_000_000


def at(text: str) -> int:
    """Microseconds of a clock time in Baku."""
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Baku"))
    return (local - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


NOW = at("2020-12-22T22:22:22")


def decisions(document: Document) -> dict[str, Decision]:
    """One decision by each rule of the policy."""
    day = POLICY.calendar.day(NOW)
    valid = HeldPermit(17_000_000, "2", NOW - HOUR_US, NOW + HOUR_US, day)
    ended = valid._replace(valid_until_us=NOW)
    facts = {
        "repeat": Facts(1, True, None, (valid,)),
        "not-registered": Facts(1, False),
        "senior": Facts(1, True, date(1940, 1, 1)),
        "once-a-day": Facts(1, True, None, (ended,)),
        "blocked": Facts(1, blocks=(Block("", date(2020, 12, 31).toordinal()),)),
        "blocked-from-code": Facts(1, blocks=(Block("2", date(2020, 12, 31).toordinal()),)),
        "granted": Facts(1),
    }
    early = decide(POLICY, "2", document, Facts(1), at("2020-04-04T23:59:59"))
    made = [decide(POLICY, "2", document, known, NOW) for known in facts.values()]
    return {decision.rule: decision for decision in (early, *made)}


DECISIONS = decisions(LONGEST)
RULES = [rule.id for rule in CONTENT.rules]
NEAR_MISSES = {
    reason: Unrecognised(reason, NearMiss("3 AZE 1234567", "3", "AZE", 640, (7, 8), 20))
    for reason in Reason
}
NEAR_MISSES[Reason.UNREADABLE] = Unrecognised(Reason.UNREADABLE)


def test_the_cases_here_are_all_there_are() -> None:
    """Every rule leads to a decision above, and every reason has its reply."""
    assert sorted(DECISIONS) == sorted(RULES)
    keys = set(UnrecognisedReplies.model_fields)
    assert keys == {reason.value for reason in Reason} | {"bad_digits"}


def _sent(outcome: Decision | Unrecognised, language: str) -> str:
    at_us = outcome.at_us if isinstance(outcome, Decision) else NOW
    return render(POLICY, outcome, language, at_us)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rule", RULES)
def test_every_decision_is_told_within_its_segments(rule: str, language: str) -> None:
    """With the longest document: document and code or reason told, no placeholder left."""
    decision = DECISIONS[rule]
    sms = _sent(decision, language)
    assert LONGEST.text in sms
    assert not re.search("[{}%]|None", sms)
    allowed = 2 if rule == "senior" and language in ("az", "ru") else 1
    assert segment_count(sms) <= allowed
    if decision.permit is not None:
        assert decision.reference in sms
        assert POLICY.calendar.clock(decision.valid_until_us or 0) in sms


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", list(Reason))
def test_every_near_miss_shows_how_to_do_it_right(reason: Reason, language: str) -> None:
    """One segment, and the corrected example wherever the letters leave room for it."""
    sms = _sent(NEAR_MISSES[reason], language)
    assert segment_count(sms) == 1
    assert not re.search("[{}%]|None", sms)
    if reason is not Reason.TOO_MANY_DOCUMENTS or language in ("az-ascii", "en"):
        assert re.search(r"[23] AZE 1234567", sms)


@pytest.mark.parametrize("language", ["az-ascii", "en"])
def test_the_cheap_languages_stay_in_the_gsm_alphabet(language: str) -> None:
    """One letter outside it would more than halve what fits."""
    texts = [reply.text[language] for reply in CONTENT.replies.values()]
    lines = [reply.line[language] for reply in CONTENT.replies.values() if reply.line]
    assert all(is_gsm(text) for text in [*texts, *lines, CONTENT.household.opening[language]])
    if language == "az-ascii":
        assert all(text.isascii() for text in [*texts, *lines])


def test_a_grant_says_all_that_police_and_holder_need() -> None:
    """Absolute times with their day, the document, the code and the reference."""
    now = at("2020-04-05T10:15:42")
    decision = decide(POLICY, "2", Document("AZE", "1111111"), Facts(41), now)
    told = {language: render(POLICY, decision, language, now) for language in LANGUAGES}
    reference = decision.reference
    assert told == {
        "az": f"İcazə verildi (kod 2): AZE1111111, 05.04 10:15–12:15, № {reference}",
        "az-ascii": "Icaze verildi (kod 2): AZE1111111, 05.04 10:15-12:15. Icazenin nomresi "
        f"{reference}. Senedi ustunuzde saxlayin, polise bu nomreni deyin.",
        "en": "Permit granted (code 2): AZE1111111, 05.04 10:15-12:15. Reference "
        f"{reference}. Carry the document and tell the police this reference.",
        "ru": f"Разрешение, код 2: AZE1111111, 05.04 10:15–12:15, № {reference}",
    }


def test_a_spent_day_names_the_earlier_permit_and_the_next_day() -> None:
    """Also on the last evening of a month and a year."""
    now = at("2020-12-31T23:00:00")
    day = POLICY.calendar.day(now)
    earlier = HeldPermit(7, "2", at("2020-12-31T10:15:00"), at("2020-12-31T12:15:00"), day)
    decision = decide(POLICY, "2", Document("AA", "1111111"), Facts(41, permits=(earlier,)), now)
    sms = render(POLICY, decision, "az", now)
    assert sms == "AA1111111: kod 2 bu gün verilib (10:15–12:15). Növbəti: 01.01"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_elderly_are_told_when_no_sms_is_needed(language: str) -> None:
    """Domain sheet: not in danger to life, nor when summoned by a court or the police."""
    sms = _sent(DECISIONS["senior"], language)
    words = {
        "az": ("təhlükə", "məhkəmə", "polis"),
        "az-ascii": ("tehluke", "mehkeme", "polis"),
        "en": ("danger", "court", "police"),
        "ru": ("угрозе", "суда", "полиции"),
    }
    assert all(word in sms for word in words[language])


@pytest.mark.parametrize(
    ("kind", "wanted"), [("AZE", "7 or 8"), ("AA", "7"), ("QM", "6-12"), ("DYI", "7")]
)
def test_a_wrong_count_of_digits_is_told_with_the_right_one(kind: str, wanted: str) -> None:
    """What was typed, what is wanted, and how it looks."""
    near = NearMiss(f"2 {kind} 1234567", "2", kind, 3, (7,), 0)
    sms = render(POLICY, Unrecognised(Reason.BAD_DOCUMENT, near), "en", NOW)
    assert f"After {kind} there must be {wanted} digits; you sent 3." in sms
    assert sms.endswith(f"2 {kind} 1234567")


def test_a_document_of_no_known_kind_lists_the_kinds() -> None:
    """Without a kind there is no count of digits to tell."""
    near = NearMiss("2 AZE 1234567", "2", None, 7)
    sms = render(POLICY, Unrecognised(Reason.BAD_DOCUMENT, near), "en", NOW)
    assert all(document.kind in sms for document in CONTENT.documents)


def test_the_language_is_the_senders_or_the_default() -> None:
    """Asked for, else recognised, else Azerbaijani; an unknown one is the default."""
    said = Unrecognised(Reason.EMPTY, None, "ru")
    assert render(POLICY, said, None, NOW) == render(POLICY, said, "ru", NOW)
    assert render(POLICY, said, "en", NOW).startswith("Not understood")
    nobody = Unrecognised(Reason.EMPTY)
    assert render(POLICY, nobody, None, NOW) == render(POLICY, nobody, "az", NOW)
    granted = DECISIONS["granted"]
    assert render(POLICY, granted, "xx", NOW) == render(POLICY, granted, "az", NOW)


def test_a_household_is_told_person_by_person() -> None:
    """One SMS: what was asked, then each document with its outcome, in the order typed."""
    now = at("2020-04-05T10:15:00")
    outcomes = [
        decide(POLICY, "2", Document("AZE", "1111111"), Facts(1), now),
        decide(POLICY, "2", Document("AZE", "2222222"), Facts(2, True, date(1940, 1, 1)), now),
        decide(POLICY, "2", Document("AA", "3333333"), Facts(3, False), now),
    ]
    assert render(POLICY, outcomes, "az", now) == (
        "Kod 2, 05.04:\n"
        f"AZE1111111 10:15-12:15 {outcomes[0].reference}\n"
        "AZE2222222 YOX: 65+\n"
        "AA3333333 YOX: tapılmadı"
    )
    assert render(POLICY, outcomes[:1], "az", now) == render(POLICY, outcomes[0], "az", now)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rule", [rule for rule in RULES if rule != "not-in-force"])
def test_the_largest_household_stays_within_the_limit(rule: str, language: str) -> None:
    """Eight of the longest documents, all decided alike."""
    outcomes = [DECISIONS[rule]] * CONTENT.requests.documents_max
    sms = render(POLICY, outcomes, language, NOW)
    assert segment_count(sms) <= CONTENT.household.segments_max[language]
    assert sms.count("\n") == len(outcomes)


def test_segments_are_counted_as_they_are_sent() -> None:
    """rules may not import the coder; here the two are held together, reply by reply."""
    outcomes: list[Decision | Unrecognised] = [*DECISIONS.values(), *NEAR_MISSES.values()]
    for language in LANGUAGES:
        for outcome in outcomes:
            sms = _sent(outcome, language)
            assert segment_count(sms) == segments.segment_count(sms)


@given(st.text(alphabet="aəé€[^ш😀\n@", max_size=400))
def test_segments_of_any_text_are_counted_as_they_are_sent(text: str) -> None:
    """Escapes and surrogate pairs are never split, so they may cost a place."""
    assert segment_count(text) == segments.segment_count(text)


@given(st.text(alphabet="ab%{}s\n", max_size=20), st.text(max_size=8), st.text(max_size=8))
def test_values_are_never_read_as_a_template(literal: str, first: str, second: str) -> None:
    """Braces and percent signs, in the text or in a value, come out as they went in."""
    literal = literal.replace("{", "").replace("}", "")
    fill = renderer(literal + "{one}-{two}{same}", {
        "one": Slot(lambda outcome: outcome[0], "x"),
        "two": Slot(lambda outcome: outcome[1], "x"),
        "same": "%s{one}",
    })  # fmt: skip
    assert fill((first, second)) == f"{literal}{first}-{second}%s{{one}}"


@pytest.mark.parametrize("count", range(9))
def test_a_template_takes_any_number_of_placeholders(count: int) -> None:
    """The unrolled forms and the loop behind them fill alike, in order."""
    names = [f"p{index}" for index in range(count)]
    template = "".join(f"<{{{name}}}>" for name in names)
    slots = {name: Slot(itemgetter(name), f"{name}{name}") for name in names}
    assert placeholders(template) == names
    assert renderer(template, slots)({name: name for name in names}) == "".join(
        f"<{name}>" for name in names
    )
    assert longest(template, slots) == "".join(f"<{name}{name}>" for name in names)
