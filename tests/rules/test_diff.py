"""The difference of two policies: who is decided otherwise, in how few rows it can be said."""

from datetime import datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from policy_edits import Data, before, compiled, parameter, rule, silenced
from test_cells import changed_policy, policy_of_everything, requests

import rules
from rules import CompiledPolicy, Document, Facts, Verdict, decide
from rules.analysis.diff import (
    Difference,
    Handling,
    Outcome,
    diff,
    difference_words,
    handling_words,
    handlings,
    rewordings,
)
from rules.telling.words import LANGUAGES

FIRST = "from 2020-04-05 00:00, "
LONG_AGO = datetime(2020, 4, 5)  # noqa: DTZ001 the clock in the policy's zone


def told(old: CompiledPolicy, new: CompiledPolicy) -> list[str]:
    return [difference_words(row, old.calendar) for row in diff(old, new)]


def only_senior(data: Data) -> None:
    """Of the rules only the ban, and a grant."""
    for each in data["rules"]:
        if each["id"] not in ("not-in-force", "senior", "granted"):
            each["except"] = {}


def test_a_policy_does_not_differ_from_itself() -> None:
    """Nor from one in which only ids and sources of rules are others."""

    def renamed(data: Data) -> None:
        rule(data, "granted").update(id="given", source="ours")
        for case in data["tests"]:
            if case["expect"].get("rule") == "granted":
                case["expect"]["rule"] = "given"

    assert diff(compiled(), compiled()) == []
    assert diff(compiled(), compiled(renamed)) == []


def test_a_rule_less_reads_as_the_issue_wants_it() -> None:
    """Age, what was and what will be; a fact that does not matter is left out."""
    assert told(compiled(only_senior), compiled(only_senior, silenced("senior"))) == [
        FIRST + "codes 1, 2, 3, age 65+: refuse (senior) → grant 120 min"
    ]


def test_a_bound_moved_differs_only_between_the_bounds() -> None:
    """From 65 to 60: those who are 60 to 64, and a witness who is."""

    def sixty(data: Data) -> None:
        data["parameters"]["senior_age"]["values"][0]["value"] = 60

    (row,) = diff(compiled(only_senior), compiled(only_senior, sixty))
    assert [said.words for said in row.facts] == ["age 60 to 64"]
    assert (row.before, row.after) == (
        Outcome(Verdict.GRANT, "granted", 120, 0, False, "granted"),
        Outcome(Verdict.REFUSE, "senior", None, 0, False, "senior"),
    )
    assert row.witness.facts.birth_date == datetime(1960, 4, 5).date()  # noqa: DTZ001


def test_a_leap_day_read_otherwise_concerns_one_day() -> None:
    """Its witness was born on 29 February and asks on the 28th of a common year."""

    def earlier(data: Data) -> None:
        data["policy"]["leap_day_birthday"] = "02-28"

    (row,) = diff(compiled(only_senior), compiled(only_senior, earlier))
    assert [said.words for said in row.facts] == ["age 65 by one reading of 29 February"]
    assert row.witness.facts.birth_date == datetime(1956, 2, 29).date()  # noqa: DTZ001
    assert compiled().calendar.date(row.witness.at_us) == datetime(2021, 2, 28).date()  # noqa: DTZ001


@pytest.mark.parametrize("shift", [timedelta(seconds=1), timedelta(days=1)])
def test_a_date_moved_differs_between_the_dates(shift: timedelta) -> None:
    """A second or a day: the rows say from when until when."""

    def later(data: Data) -> None:
        data["in_force"][0]["from"] += shift

    rows = diff(compiled(only_senior), compiled(only_senior, later))
    start, end = compiled().boundaries_us[0], compiled(later).boundaries_us[-1]
    assert {(row.from_us, row.until_us) for row in rows} == {(start, end)}
    assert [row.after and row.after.rule for row in rows] == ["not-in-force"] * 2
    assert all(start <= row.witness.at_us < end for row in rows)


def test_a_number_that_changes_twice_back_and_forth_is_told_for_its_time() -> None:
    """Stretches in which the same changes are one row; the others are none."""

    def month(data: Data) -> None:
        values = data["parameters"]["window"]["values"]
        for day, value in ((10, 180), (20, 180), (25, 120), (27, 180), (28, 120)):
            start = LONG_AGO.replace(day=day)
            values.append({"from": start, "value": value, "source": "ours"})

    assert told(compiled(only_senior), compiled(only_senior, month)) == [
        f"from 2020-04-{start} 00:00 until 2020-04-{end} 00:00, codes 1, 2, 3, "
        "age under 65 or unknown: grant 120 min → grant 180 min"
        for start, end in ((10, 25), (27, 28))
    ]


@pytest.mark.parametrize(
    ("edit", "becomes"),
    [
        ({"window_from": "reply"}, "grant 120 min from the reply"),
        ({"starts_after": "refusal_life"}, "grant 120 min, beginning 120 min later"),
    ],
)
def test_how_a_window_is_counted_is_a_difference(edit: dict[str, str], becomes: str) -> None:
    """From the reply, or after a delay."""

    def counted(data: Data) -> None:
        rule(data, "granted").update(edit)
        for texts in (data["replies"]["granted"]["text"], data["replies"]["granted"]["line"]):
            texts.update(dict.fromkeys(texts, "{document}"))

    words = told(compiled(only_senior), compiled(only_senior, counted))
    assert words == [
        f"{FIRST}codes 1, 2, 3, age under 65 or unknown: grant 120 min → {becomes}",
    ]


def test_another_reply_is_a_difference() -> None:
    """The same verdict, told in other words."""

    def told_otherwise(data: Data) -> None:
        rule(data, "senior")["reply"] = "not-registered"
        rule(data, "not-registered")["reply"] = "senior"

    words = told(compiled(only_senior), compiled(only_senior, told_otherwise))
    assert words == [
        f"{FIRST}codes 1, 2, 3, age 65+: refuse (senior), reply senior → "
        "refuse (senior), reply not-registered"
    ]


def test_the_clock_and_the_week_are_told() -> None:
    """Closed at night and at weekends, over midnight."""

    def nights(data: Data) -> None:
        parameter("night", "time_of_day", time(21))(data)
        parameter("morning", "time_of_day", time(6))(data)
        span = {"from": "night", "until": "morning"}
        asked = {"when": {"local_time": span, "weekday": ["sat", "sun"]}}
        before(data, "senior", id="night", verdict="refuse", reply="not-in-force", **asked)

    words = told(compiled(only_senior, silenced("senior")), compiled(only_senior, nights))
    assert (
        f"{FIRST}codes 1, 2, 3, 21:00-06:00, on Saturday or Sunday: grant 120 min → refuse (night)"
        in words
    )


def test_a_code_that_only_one_policy_has() -> None:
    """What it comes to, against no such code."""

    def fourth(data: Data) -> None:
        data["codes"]["4"] = data["codes"]["3"]

    old, new = compiled(only_senior), compiled(only_senior, fourth)
    assert told(old, new) == [
        "until 2020-04-05 00:00, code 4: no such code → refuse (not-in-force)",
        FIRST + "code 4, age 65+: no such code → refuse (senior)",
        FIRST + "code 4, age under 65 or unknown: no such code → grant 120 min",
    ]
    assert [(row.before, row.after) for row in diff(new, old)] == [
        (row.after, row.before) for row in diff(old, new)
    ]


def test_other_regions_under_the_same_words_are_not_joined() -> None:
    """Six regions in April and six others in May are two rows, though both are "6 regions"."""
    title = dict.fromkeys(("az", "az-ascii", "en", "ru"), "x")

    def regions(data: Data) -> None:
        names = [f"r{n}" for n in range(12)]
        data["regions"] = {name: {"title": title, "source": "ours"} for name in names}
        may = datetime(2020, 5, 1)  # noqa: DTZ001
        refusal = {"verdict": "refuse", "reply": "not-in-force", "unknown": "apply"}
        for key, when, some in (("a", {"until": may}, names[:6]), ("b", {"from": may}, names[6:])):
            before(data, "senior", id=f"in-{key}", when={"region": some}, **when, **refusal)

    rows = [
        row
        for row in diff(compiled(only_senior), compiled(only_senior, regions))
        if row.before and row.before.verdict is Verdict.GRANT
    ]
    assert [row.facts[-1].words for row in rows if row.from_us] == [
        "living in one of 6 regions named or region unknown"
    ] * 2
    assert [row.facts[-1].names[0] for row in rows if row.from_us] == ["r0", "r10"]


def test_policies_of_two_zones_cannot_be_compared() -> None:
    """Their days are not the same days."""

    def athens(data: Data) -> None:
        data["policy"]["zone"] = "Europe/Athens"

    with pytest.raises(ValueError, match="different zones: Asia/Baku and Europe/Athens"):
        diff(compiled(), compiled(athens))


def test_texts_that_read_otherwise_are_listed() -> None:
    """Reply, part and language, as written."""

    def reworded(data: Data) -> None:
        data["replies"]["granted"]["text"]["en"] = "Go, {document}."
        data["household"]["opening"]["en"] = "All:"

    assert rewordings(compiled(), compiled()) == []
    changed = rewordings(compiled(), compiled(reworded))
    assert [(each.reply, each.part, each.language, each.after) for each in changed] == [
        ("granted", "text", "en", "Go, {document}."),
        ("household", "opening", "en", "All:"),
    ]


def test_a_code_that_becomes_urgent_or_no_longer_is_is_told() -> None:
    """One row for each code, and none for a decision, since none changes."""

    def the_other_way(data: Data) -> None:
        data["codes"]["1"]["urgent"] = False
        data["codes"]["3"]["urgent"] = True

    old, new = compiled(), compiled(the_other_way)
    assert handlings(old, old) == []
    assert [handling_words(row) for row in handlings(old, new)] == [
        "replies to code 1: first → in turn",
        "replies to code 3: in turn → first",
    ]
    assert diff(old, new) == []


def test_a_code_that_only_one_policy_has_is_told_if_it_is_urgent() -> None:
    """Otherwise nothing is to be said of its replies; that there is such a code is a decision."""

    def fourth(urgent: bool) -> CompiledPolicy:
        def add(data: Data) -> None:
            data["codes"]["4"] = {**data["codes"]["3"], "urgent": urgent}

        return compiled(add)

    assert handlings(compiled(), fourth(urgent=False)) == []
    assert handlings(compiled(), fourth(urgent=True)) == [Handling("4", "no such code", "first")]
    assert handlings(fourth(urgent=True), compiled()) == [Handling("4", "first", "no such code")]


def test_another_end_of_late_replies_is_told() -> None:
    """From nothing over renewing to explaining, and from one explanation to another."""

    def late(**given: str) -> CompiledPolicy:
        return compiled(lambda data: data.update(late={**given, "source": "ours"}))

    steps = [
        compiled(lambda data: data.pop("late")),
        late(action="renew"),
        late(action="explain", reply="too-much"),
        late(action="explain", reply="how-to"),
    ]
    told = [handling_words(row) for pair in pairwise(steps) for row in handlings(*pair)]
    assert told == [
        "replies that are too late: nothing follows → decided anew",
        "replies that are too late: decided anew → explained (too-much)",
        "replies that are too late: explained (too-much) → explained (how-to)",
    ]
    assert handlings(compiled(), late(action="renew")) == []  # in another source only


ROWS: list[Difference] = []


@settings(max_examples=400, deadline=None)
@given(requests())
def test_a_request_is_in_a_row_when_its_outcome_changes(
    request: tuple[str, Document, Facts, int],
) -> None:
    """Exact both ways, on two policies that differ in every number."""
    old, new = policy_of_everything(), changed_policy()
    ROWS[:] = ROWS or diff(old, new)
    outcomes = [decide(each, *request) for each in (old, new)]
    changes = outcomes[0].reply != outcomes[1].reply or outcomes[0].verdict != outcomes[1].verdict
    code, _, _, at_us = request
    rules = tuple(outcome.rule for outcome in outcomes)
    fitting = [
        row
        for row in ROWS
        if code in row.codes
        and (row.from_us is None or row.from_us <= at_us)
        and (row.until_us is None or at_us < row.until_us)
        and (row.before and row.before.rule, row.after and row.after.rule) == rules
    ]
    assert bool(fitting) or not changes
    for row in fitting:
        assert decide(old, *row.witness).rule == rules[0]
        assert decide(new, *row.witness).rule == rules[1]


def shipped(name: str) -> CompiledPolicy:
    return rules.load_policy(Path(rules.__file__).parent / "policies" / f"{name}.toml")


@pytest.mark.parametrize("everything", [False, True])
def test_who_is_meant_is_told_in_every_language(everything: bool) -> None:
    """Real policies side by side, and those that ask for all there is: each fact has its words."""
    if everything:
        old, new = policy_of_everything(), changed_policy()
    else:
        old, new = shipped("8103"), shipped("az-8103-history")
    facts = {fact for row in diff(old, new, LANGUAGES) for fact in row.facts}
    english = {(fact.dimension, fact.words) for fact in facts}
    assert len({fact.dimension for fact in facts}) == (12 if everything else 6)
    for at, language in enumerate(LANGUAGES):
        told = {(fact.dimension, fact.translated[at]) for fact in facts}
        assert len(told) == len(english), language
        assert (told == english) is (language == "en")
