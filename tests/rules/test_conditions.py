"""Each condition that a rule may ask: both sides of its bound, and what unknown means."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rules import Block, Calendar, Document, Facts, HeldPermit
from rules.conditions import Atom, Condition, Scope, atoms, rule_condition
from rules.policy import Conditions

BAKU = Calendar("Asia/Baku")
ATHENS = Calendar("Europe/Athens")
CARD = Document("AZE", "1111111")
DAY = date(2020, 7, 10).toordinal()  # a Friday
NUMBERS = {
    "senior": 65,
    "two": 2,
    "night_begins": 21 * 3600,
    "night_ends": 6 * 3600,
    "noon": 12 * 3600,
}


def scope(calendar: Calendar = BAKU, code: str = "2") -> Scope:
    return Scope(
        code,
        in_force=True,
        parameter=NUMBERS.__getitem__,
        quotas={},
        leap_day_birthday="03-01",
        second_of_day=lambda second: calendar.second_of_day(second * 1_000_000),
    )


def at(text: str, zone: str = "Asia/Baku", fold: int = 0) -> int:
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return (local - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


NOW = at("2020-07-10T10:15:00")


def answer(
    given: dict[str, object], facts: Facts, at_us: int = NOW, calendar: Calendar = BAKU
) -> bool | None:
    """What the conditions of one rule say."""
    condition = rule_condition(Conditions.model_validate(given), None, None, scope(calendar))
    if isinstance(condition, bool):
        return condition
    return condition(CARD, facts, at_us, calendar.day(at_us))


@pytest.mark.parametrize(
    ("blocks", "wholly", "from_code"),
    [
        ((), False, False),
        ((Block("", DAY + 1),), True, False),
        ((Block("", DAY),), False, False),
        ((Block("2", DAY + 1),), False, True),
        ((Block("2", DAY),), False, False),
        ((Block("3", DAY + 1),), False, False),
        ((Block("2", DAY), Block("2", DAY + 9)), False, True),
    ],
)
def test_a_block_ends_with_the_day_before_its_date(
    blocks: tuple[Block, ...], wholly: bool, from_code: bool
) -> None:
    """Wholly and from one code are told apart, and the first free day is free."""
    assert answer({"blocked": "wholly"}, Facts(1, blocks=blocks)) is wholly
    assert answer({"blocked": "from_code"}, Facts(1, blocks=blocks)) is from_code


@pytest.mark.parametrize(
    ("until_day", "quarantined"), [(None, None), (0, False), (DAY, False), (DAY + 1, True)]
)
def test_quarantine(until_day: int | None, quarantined: bool | None) -> None:
    """Its first free day is free; without an entry in the register nobody knows."""
    facts = Facts(1, quarantine_until_day=until_day)
    assert answer({"quarantined": True}, facts) is quarantined
    opposite = None if quarantined is None else not quarantined
    assert answer({"quarantined": False}, facts) is opposite


@pytest.mark.parametrize(
    ("home", "there"), [(None, None), ("baku", True), ("ganja", True), ("elsewhere", False)]
)
def test_region(home: str | None, there: bool | None) -> None:
    """Region of residence, unknown where the register does not say."""
    assert answer({"region": ["baku", "ganja"]}, Facts(1, region=home)) is there


@pytest.mark.parametrize(
    ("moment", "night"),
    [
        ("2020-07-10T20:59:59.999999", False),
        ("2020-07-10T21:00:00", True),
        ("2020-07-10T23:59:59", True),
        ("2020-07-11T00:00:00", True),
        ("2020-07-11T05:59:59", True),
        ("2020-07-11T06:00:00", False),
        ("2020-07-11T12:00:00", False),
    ],
)
def test_a_span_over_midnight(moment: str, night: bool) -> None:
    """Half-open on the wall clock: its first second is in, its last is not."""
    span = {"from": "night_begins", "until": "night_ends"}
    assert answer({"local_time": span}, Facts(1), at(moment)) is night
    turned = {"from": "night_ends", "until": "night_begins"}
    assert answer({"local_time": turned}, Facts(1), at(moment)) is not night


def test_a_span_in_a_zone_with_summer_time() -> None:
    """The clock on the wall counts, also in the hour that comes twice or not at all."""
    span = {"local_time": {"from": "night_begins", "until": "night_ends"}}
    # 29 March 2020, Athens: 03:00 becomes 04:00. 25 October: 04:00 becomes 03:00.
    for moment, fold, night in [
        ("2020-03-29T02:59:59", 0, True),
        ("2020-03-29T04:00:00", 0, True),
        ("2020-03-29T05:59:59", 0, True),
        ("2020-03-29T06:00:00", 0, False),
        ("2020-10-25T03:30:00", 0, True),
        ("2020-10-25T03:30:00", 1, True),
        ("2020-10-25T05:59:59", 0, True),
        ("2020-10-25T06:00:00", 0, False),
    ]:
        instant = at(moment, "Europe/Athens", fold)
        assert answer(span, Facts(1), instant, ATHENS) is night, (moment, fold)


@pytest.mark.parametrize(
    ("moment", "weekend"),
    [
        ("2020-07-10T23:59:59", False),
        ("2020-07-11T00:00:00", True),
        ("2020-07-12T23:59:59", True),
        ("2020-07-13T00:00:00", False),
    ],
)
def test_weekday(moment: str, weekend: bool) -> None:
    """The civil day decides: Saturday from its first second to Sunday's last."""
    assert answer({"weekday": ["sat", "sun"]}, Facts(1), at(moment)) is weekend


@pytest.mark.parametrize(
    ("count", "reached"), [(None, None), (0, False), (1, False), (2, True), (3, True)]
)
@pytest.mark.parametrize("fact", ["messages_today", "documents_today"])
def test_counts_of_a_phone(fact: str, count: int | None, reached: bool | None) -> None:
    """At least two, and below two; unknown where nobody counted."""
    facts = Facts(1)._replace(**{fact: count})
    assert answer({fact: {"at_least": "two"}}, facts) is reached
    opposite = None if reached is None else not reached
    assert answer({fact: {"below": "two"}}, facts) is opposite


def permit(code: str, day: int, serial: int = 7) -> HeldPermit:
    return HeldPermit(serial, code, NOW - 9, NOW - 1, day)


@pytest.mark.parametrize(
    ("permits", "of_code_2", "of_all"),
    [
        ((), False, False),
        ((permit("2", DAY),), False, False),
        ((permit("2", DAY), permit("2", DAY, 8)), True, True),
        ((permit("2", DAY), permit("1", DAY, 8)), False, True),
        ((permit("2", DAY), permit("2", DAY - 1, 8)), False, False),
    ],
)
def test_permits_today(permits: tuple[HeldPermit, ...], of_code_2: bool, of_all: bool) -> None:
    """By code and over all codes; yesterday's do not count."""
    facts = Facts(1, permits=permits)
    assert answer({"permits_today": {"codes": ["2"], "at_least": "two"}}, facts) is of_code_2
    assert answer({"permits_today": {"at_least": "two"}}, facts) is of_all
    assert answer({"permits_today": {"below": "two"}}, facts) is not of_all


def test_channel() -> None:
    """An SMS unless the request says otherwise."""
    assert answer({"channel": ["sms"]}, Facts(1)) is True
    assert answer({"channel": ["call_centre", "web"]}, Facts(1)) is False
    assert answer({"channel": ["call_centre", "web"]}, Facts(1, channel="web")) is True


def test_atoms_tell_each_condition_by_its_key() -> None:
    """What explain shows: one answer for each condition, in a fixed order."""
    given = Conditions.model_validate(
        {"registered": True, "age": {"at_least": "senior", "below": "two"}, "code": ["2"]}
    )
    found = atoms(given, scope())
    assert [atom.key for atom in found] == ["code", "registered", "age.at_least", "age.below"]
    assert found[0] == Atom("code", True)
    facts = Facts(1, registered=None, birth_date=date(1950, 1, 1))
    answers = [
        atom.holds if isinstance(atom.holds, bool) else atom.holds(CARD, facts, NOW, DAY)
        for atom in found
    ]
    assert answers == [True, None, True, False]


def test_unknown_is_never_silently_true_or_false() -> None:
    """A rule says what unknown means; an exception that is unknown leaves the rule unknown."""
    when = Conditions.model_validate({"registered": False})
    exceptions = Conditions.model_validate({"region": ["baku"]})

    def ask(unknown: str, facts: Facts) -> bool | None:
        condition: Condition | bool = rule_condition(when, exceptions, unknown, scope())
        assert not isinstance(condition, bool)
        return condition(CARD, facts, NOW, DAY)

    assert ask("skip", Facts(1, False, region=None)) is None
    assert ask("apply", Facts(1, False, region=None)) is True
    assert ask("apply", Facts(1, False, region="baku")) is False
    assert ask("apply", Facts(1, True, region=None)) is False
