"""Decisions: every bound on both sides, unknown facts, dated values, quotas."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import get_type_hints
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import rules
from rules import (
    CompiledPolicy,
    Decision,
    Document,
    Facts,
    HeldPermit,
    Quota,
    Verdict,
    compile_policy,
    decide,
    load_policy,
    parse_policy,
)
from rules.birthdays import latest_birth_date
from rules.reference import encode

FILE = Path(rules.__file__).parent / "policies" / "8103.toml"
TEXT = FILE.read_text(encoding="utf-8")
POLICY = load_policy(FILE)
BAKU = ZoneInfo("Asia/Baku")
CARD = Document("AZE", "1111111")
SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US


def at(text: str) -> int:
    """Microseconds of a clock time in Baku."""
    local = datetime.fromisoformat(text).replace(tzinfo=BAKU)
    return (local - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def held(code: str, granted: str, serial: int = 7) -> HeldPermit:
    """A permit of two hours."""
    day = date.fromisoformat(granted[:10]).toordinal()
    return HeldPermit(serial, code, at(granted), at(granted) + 2 * HOUR_US, day)


def changed(*changes: tuple[str, str]) -> CompiledPolicy:
    """8103 with other numbers, without its tests of the old ones."""
    text = TEXT[: TEXT.index("[[tests]]")]
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    case = (
        '[[tests]]\ntitle = "nonsense"\nat = 2020-05-01T00:00:00\ntext = "?"\n'
        'expect = { reason = "empty" }\n'
    )
    return compile_policy(parse_policy(text + case, "changed.toml"))


def test_a_grant_carries_all_that_explains_it() -> None:
    """Rule, source, digest, exact window, own serial and reference, place in the quota."""
    now = at("2020-04-05T10:15:42.123456")
    decision = decide(POLICY, "2", CARD, Facts(41, True, date(1980, 1, 1)), now)
    assert decision == Decision(
        verdict=Verdict.GRANT,
        rule="granted",
        source="seed",
        digest=POLICY.digest,
        code="2",
        document=CARD,
        at_us=now,
        day=date(2020, 4, 5).toordinal(),
        valid_from_us=now,
        valid_until_us=now + 2 * HOUR_US,
        serial=41,
        permit=41,
        reply="granted",
        earlier=None,
        quota=Quota("code-2", date(2020, 4, 5).toordinal(), 0),
    )
    assert decision.reference == encode(41)


@pytest.mark.parametrize(
    ("code", "facts", "moment"),
    [
        ("1", Facts(41), "2020-04-05T11:00:00"),
        ("2", Facts(41), "2020-04-05T11:00:00"),
        ("2", Facts(41, permits=(held("2", "2020-04-05T10:15:00"),)), "2020-04-05T11:00:00"),
        ("2", Facts(41, permits=(held("2", "2020-04-05T10:15:00"),)), "2020-04-05T13:00:00"),
        ("3", Facts(41, False), "2020-04-05T11:00:00"),
    ],
)
def test_every_place_of_a_decision_holds_its_type(code: str, facts: Facts, moment: str) -> None:
    """Decisions are built by position on the hot path; no two fields may be swapped."""
    decision = decide(POLICY, code, CARD, facts, at(moment))
    for (name, kind), value in zip(get_type_hints(Decision).items(), decision, strict=True):
        assert isinstance(value, kind), name
    assert (decision.code, decision.serial, decision.at_us) == (code, 41, at(moment))
    assert (decision.digest, decision.document) == (POLICY.digest, CARD)
    assert decision.day == date(2020, 4, 5).toordinal()
    rule = next(r for r in POLICY.policy.content.rules if r.id == decision.rule)
    assert (rule.source, rule.reply, rule.verdict) == (
        decision.source,
        decision.reply,
        decision.verdict.value,
    )


@pytest.mark.parametrize(
    ("moment", "rule"),
    [
        ("2020-04-04T23:59:59.999999", "not-in-force"),
        ("2020-04-05T00:00:00", "granted"),
        ("2031-12-31T23:59:59", "granted"),
    ],
)
def test_the_regime_begins_on_its_instant_and_does_not_end(moment: str, rule: str) -> None:
    """Half-open: the boundary itself belongs to the new law."""
    for code in "123":
        assert decide(POLICY, code, CARD, Facts(1), at(moment)).rule == rule


@pytest.mark.parametrize("code", ["1", "2", "3"])
@pytest.mark.parametrize(
    ("born", "moment", "rule"),
    [
        ("1955-04-10", "2020-04-09T23:59:59.999999", "granted"),  # the day before
        ("1955-04-10", "2020-04-10T00:00:00", "senior"),  # the birthday, first instant
        ("1955-04-10", "2020-04-11T00:00:00", "senior"),  # the day after
        ("1955-04-10", "2020-12-31T12:00:00", "senior"),
        ("1956-01-01", "2020-12-31T23:59:59", "granted"),
        ("1956-01-01", "2021-01-01T00:00:00", "senior"),
        ("1956-02-29", "2021-02-28T23:59:59", "granted"),  # leap-day child, common year
        ("1956-02-29", "2021-03-01T00:00:00", "senior"),
        ("1955-02-28", "2024-02-29T12:00:00", "senior"),
        ("1959-03-01", "2024-02-29T23:59:59", "granted"),  # leap day as today
        ("1959-03-01", "2024-03-01T00:00:00", "senior"),
        ("1959-02-28", "2024-02-28T00:00:00", "senior"),
        ("1900-01-01", "2020-04-05T00:00:00", "senior"),
    ],
)
def test_65_is_reached_at_midnight_of_the_birthday(
    code: str, born: str, moment: str, rule: str
) -> None:
    """Whatever the code; by the calendar of Baku, not by days divided by 365.25."""
    facts = Facts(1, True, date.fromisoformat(born))
    assert decide(POLICY, code, CARD, facts, at(moment)).rule == rule


@pytest.mark.parametrize(("choice", "day"), [("02-28", 28), ("03-01", 1)])
def test_the_birthday_of_a_leap_day_child_is_the_policys_choice(choice: str, day: int) -> None:
    """Either reading can be written down; the file shows which one holds."""
    policy = changed(('leap_day_birthday = "03-01"', f'leap_day_birthday = "{choice}"'))
    facts = Facts(1, True, date(1956, 2, 29))
    birthday = datetime(2021, 2 if day == 28 else 3, day, tzinfo=BAKU)
    eve = birthday - timedelta(microseconds=1)
    assert decide(policy, "1", CARD, facts, at(f"{eve:%Y-%m-%dT%H:%M:%S.%f}")).rule == "granted"
    assert decide(policy, "1", CARD, facts, at(f"{birthday:%Y-%m-%d}T00:00:00")).rule == "senior"


@example(date(1960, 2, 29), date(2024, 2, 29), 64, "03-01")
@example(date(1955, 2, 28), date(2024, 2, 29), 69, "02-28")
@given(
    st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    st.integers(0, 130),
    st.sampled_from(["02-28", "03-01"]),
)
def test_ages_agree_with_counting_birthdays(
    born: date, today: date, years: int, choice: str
) -> None:
    """The cut-off by birth date is the same as finding the birthday in the year it falls in."""
    year = born.year + years
    try:
        birthday = born.replace(year=year)
    except ValueError:
        birthday = date(year, int(choice[:2]), int(choice[3:]))
    assert (born <= latest_birth_date(today, years, choice)) == (birthday <= today)


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        (Facts(1, None, None), "granted"),  # no register
        (Facts(1, True, None), "granted"),  # registered, age unknown
        (Facts(1, True, date(1980, 1, 1)), "granted"),
        (Facts(1, False, None), "not-registered"),
        (Facts(1, False, date(1940, 1, 1)), "not-registered"),  # the first hit decides
    ],
)
def test_unknown_facts_are_neither_true_nor_false(facts: Facts, rule: str) -> None:
    """8103 goes on where nothing is known, and says so in the file."""
    assert decide(POLICY, "1", CARD, facts, at("2020-04-05T12:00:00")).rule == rule


def test_unknown_can_be_made_to_apply() -> None:
    """The same rule with unknown = "apply" refuses whoever nothing is known of."""
    policy = changed(
        (
            'when = { registered = false }\nunknown = "skip"',
            'when = { registered = false }\nunknown = "apply"',
        )
    )
    now = at("2020-04-05T12:00:00")
    assert decide(policy, "1", CARD, Facts(1, None), now).rule == "not-registered"
    assert decide(policy, "1", CARD, Facts(1, False), now).rule == "not-registered"
    assert decide(policy, "1", CARD, Facts(1, True), now).rule == "granted"


@pytest.mark.parametrize(
    ("exception", "facts", "rule"),
    [
        ('except = { code = "1" }', Facts(1, True, date(1940, 1, 1)), "granted"),
        ('except = { code = "2" }', Facts(1, True, date(1940, 1, 1)), "senior"),
        ('except = { document_kind = "AA" }', Facts(1, True, date(1940, 1, 1)), "senior"),
        ('except = { document_kind = "AZE" }', Facts(1, True, date(1940, 1, 1)), "granted"),
        ("except = { registered = true }", Facts(1, True, date(1940, 1, 1)), "granted"),
        ("except = { registered = true }", Facts(1, None, date(1940, 1, 1)), "granted"),
        ("except = { registered = true }", Facts(1, True, None), "granted"),
    ],
)
def test_exceptions_take_a_rule_away(exception: str, facts: Facts, rule: str) -> None:
    """``except`` turns a rule off where it holds; unknown there is unknown for the whole rule."""
    policy = changed(
        (
            'when = { age = { at_least = "senior_age" } }',
            f'when = {{ age = {{ at_least = "senior_age" }} }}\n{exception}',
        )
    )
    assert decide(policy, "1", CARD, facts, at("2020-04-05T12:00:00")).rule == rule


@pytest.mark.parametrize(
    ("moment", "rule", "verdict"),
    [
        ("2020-04-05T10:15:00", "repeat", Verdict.ALREADY_GRANTED),
        ("2020-04-05T12:14:59.999999", "repeat", Verdict.ALREADY_GRANTED),  # the last instant
        ("2020-04-05T12:15:00", "once-a-day", Verdict.REFUSE),
        ("2020-04-05T23:59:59.999999", "once-a-day", Verdict.REFUSE),
        ("2020-04-06T00:00:00", "granted", Verdict.GRANT),
    ],
)
def test_code_2_is_repeatable_then_spent_then_new(moment: str, rule: str, verdict: Verdict) -> None:
    """The same permit while it is valid, nothing until midnight, then another."""
    permit = held("2", "2020-04-05T10:15:00")
    decision = decide(POLICY, "2", CARD, Facts(9, permits=(permit,)), at(moment))
    assert (decision.rule, decision.verdict) == (rule, verdict)


def test_a_repeat_returns_the_permit_itself() -> None:
    """Same times, same reference, no place in the quota, even with the person's other card."""
    permit = held("2", "2020-04-05T10:15:00", serial=7)
    other = Document("AA", "2222222")
    now = at("2020-04-05T11:00:00")
    decision = decide(POLICY, "2", other, Facts(9, permits=(permit,)), now)
    assert (decision.valid_from_us, decision.valid_until_us) == permit[2:4]
    assert (decision.permit, decision.serial, decision.reference) == (7, 9, encode(7))
    assert (decision.document, decision.quota) == (other, None)


def test_a_repeat_after_midnight_is_still_a_repeat() -> None:
    """A permit of last night is returned until it ends, and the new day is not used up."""
    permit = held("2", "2020-04-05T23:59:59")
    facts = Facts(9, permits=(permit,))
    assert decide(POLICY, "2", CARD, facts, at("2020-04-06T01:59:58")).rule == "repeat"
    decision = decide(POLICY, "2", CARD, facts, at("2020-04-06T01:59:59"))
    assert decision.rule == "granted"
    assert decision.quota == Quota("code-2", date(2020, 4, 6).toordinal(), 0)


def test_a_permit_outlives_the_birthday_that_would_refuse_it() -> None:
    """Asking again does not take back what was given: the file says so above the rule."""
    facts = Facts(9, True, date(1955, 4, 6), (held("1", "2020-04-05T23:30:00"),))
    assert decide(POLICY, "1", CARD, facts, at("2020-04-06T01:29:59")).rule == "repeat"
    assert decide(POLICY, "1", CARD, facts, at("2020-04-06T01:30:00")).rule == "senior"
    assert decide(POLICY, "3", CARD, facts, at("2020-04-06T00:00:00")).rule == "senior"


def test_codes_do_not_spend_each_other() -> None:
    """Only permits of code 2 count for code 2; codes 1 and 3 have no limit and no quota."""
    facts = Facts(9, permits=(held("1", "2020-04-05T08:00:00"), held("3", "2020-04-05T08:30:00")))
    now = at("2020-04-05T12:00:00")
    assert decide(POLICY, "2", CARD, facts, now).quota == Quota("code-2", 737520, 0)
    for code in ("1", "3"):
        decision = decide(POLICY, code, CARD, facts, now)
        assert (decision.rule, decision.quota) == ("granted", None)


def test_a_quota_of_several_fills_slot_by_slot() -> None:
    """The store's index takes one slot for each permit; over the limit, the last one is named."""
    policy = changed(("value = 1, ", "value = 2, "))
    first, second = held("2", "2020-04-05T06:00:00", 1), held("2", "2020-04-05T08:30:00", 2)
    yesterday = held("2", "2020-04-04T08:00:00", 3)
    now = at("2020-04-05T12:00:00")
    day = date(2020, 4, 5).toordinal()
    assert decide(policy, "2", CARD, Facts(9), now).quota == Quota("code-2", day, 0)
    one = decide(policy, "2", CARD, Facts(9, permits=(yesterday, first)), now)
    assert one.quota == Quota("code-2", day, 1)
    full = decide(policy, "2", CARD, Facts(9, permits=(yesterday, first, second)), now)
    assert (full.rule, full.earlier, full.quota) == ("once-a-day", second, None)


def test_dated_values_change_on_their_instant() -> None:
    """2 hours until the last microsecond of 26 April, 3 hours from midnight, nothing after."""
    policy = changed(
        ("value = 120, source = \"seed: codes 1 and 2; ours: code 3\" },",
         "value = 120, source = \"seed\" },\n"
         "  { from = 2020-04-27T00:00:00, value = 180, source = \"press\" },"),
        ("[[in_force]]\nfrom = 2020-04-05T00:00:00",
         "[[in_force]]\nfrom = 2020-04-05T00:00:00\nuntil = 2020-05-18T00:00:00"),
    )  # fmt: skip
    assert len(policy.versions) == 4
    for moment, hours in [
        ("2020-04-26T23:59:59.999999", 2),
        ("2020-04-27T00:00:00", 3),
        ("2020-05-17T23:59:59.999999", 3),
    ]:
        decision = decide(policy, "1", CARD, Facts(1), at(moment))
        assert decision.valid_until_us == at(moment) + hours * HOUR_US
    ended = decide(policy, "1", CARD, Facts(1), at("2020-05-18T00:00:00"))
    assert (ended.rule, ended.valid_until_us) == ("not-in-force", None)


def test_a_rule_holds_between_its_own_dates() -> None:
    """A dated rule begins and ends on its instants and leaves the others alone."""
    policy = changed(
        ('id = "senior"\n',
         'id = "senior"\nfrom = 2020-06-01T00:00:00\nuntil = 2020-07-01T00:00:00\n'),
    )  # fmt: skip
    facts = Facts(1, True, date(1940, 1, 1))
    found = [
        decide(policy, "1", CARD, facts, at(moment)).rule
        for moment in [
            "2020-05-31T23:59:59.999999",
            "2020-06-01T00:00:00",
            "2020-06-30T23:59:59.999999",
            "2020-07-01T00:00:00",
        ]
    ]
    assert found == ["granted", "senior", "senior", "granted"]


def test_summer_time_moves_midnight_not_the_window() -> None:
    """In a zone with summer time a day has 23 hours, and two hours stay two hours."""
    policy = changed(('zone = "Asia/Baku"', 'zone = "Asia/Nicosia"'))
    nicosia = ZoneInfo("Asia/Nicosia")
    before = datetime(2021, 3, 28, 2, 30, tzinfo=nicosia).timestamp()  # 03:00 becomes 04:00
    at_us = int(before) * SECOND_US
    decision = decide(policy, "2", CARD, Facts(1), at_us)
    assert decision.valid_until_us == at_us + 2 * HOUR_US
    assert policy.calendar.clock(decision.valid_until_us) == "05:30"
    midnight_us = int(datetime(2021, 3, 29, tzinfo=nicosia).timestamp()) * SECOND_US
    permit = HeldPermit(1, "2", at_us, at_us + 2 * HOUR_US, decision.day)
    facts = Facts(2, permits=(permit,))
    assert decide(policy, "2", CARD, facts, midnight_us - 1).rule == "once-a-day"
    assert decide(policy, "2", CARD, facts, midnight_us).rule == "granted"


permits = st.lists(
    st.builds(
        lambda code, start: HeldPermit(
            1, code, start, start + 2 * HOUR_US, POLICY.calendar.day(start)
        ),
        st.sampled_from("123"),
        st.integers(at("2020-04-05T00:00:00"), at("2020-04-07T00:00:00")),
    ),
    max_size=3,
).map(tuple)


@given(
    st.sampled_from("123"),
    st.sampled_from([None, False, True]),
    st.none() | st.dates(date(1930, 1, 1), date(2010, 1, 1)),
    permits,
    st.integers(at("2020-04-04T00:00:00"), at("2020-04-08T00:00:00")),
)
def test_every_request_is_decided_and_decided_alike(
    code: str,
    registered: bool | None,
    born: date | None,
    held_permits: tuple[HeldPermit, ...],
    now: int,
) -> None:
    """Whatever the facts: one decision, the same again, and a permit exactly when not refused."""
    facts = Facts(5, registered, born, held_permits)
    decision = decide(POLICY, code, CARD, facts, now)
    assert decision == decide(POLICY, code, CARD, facts, now)
    granted = decision.verdict is not Verdict.REFUSE
    assert granted == (decision.permit is not None) == (decision.valid_until_us is not None)
    assert not granted or (decision.valid_until_us or 0) > now
    assert (decision.quota is not None) == (decision.verdict is Verdict.GRANT and code == "2")
    assert (decision.earlier is not None) == (decision.rule == "once-a-day")


def test_a_reply_is_void_when_its_first_permit_has_ended() -> None:
    """For the validity_period of the submit_sm; a refusal keeps for the policy's two hours."""
    now = at("2020-04-05T11:00:00")
    fresh = decide(POLICY, "1", CARD, Facts(1), now)
    repeat = decide(POLICY, "1", CARD, Facts(2, permits=(held("1", "2020-04-05T10:15:00"),)), now)
    refused = decide(POLICY, "1", CARD, Facts(3, False), now)
    assert POLICY.reply_not_after_us([fresh], now) == now + 2 * HOUR_US
    assert POLICY.reply_not_after_us([fresh, repeat, refused], now) == at("2020-04-05T12:15:00")
    assert POLICY.reply_not_after_us([refused], now) == now + 2 * HOUR_US
    assert POLICY.reply_not_after_us([], now) == now + 2 * HOUR_US
