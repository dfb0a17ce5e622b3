"""The cells of a policy: whoever asks, lies in one, and its witness meets the same rule."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_edits import Data, before, compiled, parameter, rule

from rules import (
    Block,
    Calendar,
    CompiledPolicy,
    Document,
    Facts,
    HeldPermit,
    PolicyError,
    decide,
)
from rules.analysis.cell_cubes import Cube, minus, primes, size, without
from rules.analysis.cell_grounds import ground_of
from rules.analysis.cell_moments import moments_of
from rules.analysis.cell_traits import TooManyCells
from rules.analysis.cells import Space, gap

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LANGUAGES = ("az", "az-ascii", "en", "ru")
SUMMER = datetime(2020, 7, 1)  # noqa: DTZ001 the clock in the policy's zone


def everything(data: Data) -> None:
    """Rules that ask for every fact, with bounds on both sides, exceptions and doubts."""
    for name, unit, value in (
        ("night", "time_of_day", time(21)),
        ("morning", "time_of_day", time(6, 0, 30)),
        ("grown", "years", 18),
        ("old", "years", 60),
        ("few", "messages", 3),
        ("many", "messages", 5),
        ("some_documents", "documents", 2),
        ("two", "permits", 2),
    ):
        parameter(name, unit, value)(data)
    title = dict.fromkeys(LANGUAGES, "x")
    data["regions"] = {name: {"title": title, "source": "ours"} for name in ("baku", "ganja")}
    for number, asked in enumerate(
        [
            {
                "when": {
                    "weekday": ["sat", "sun"],
                    "local_time": {"from": "night", "until": "morning"},
                    "channel": ["sms", "web"],
                }
            },
            {
                "when": {"age": {"at_least": "grown", "below": "old"}, "blocked": "from_code"},
                "except": {"document_kind": ["QM", "MOM"]},
                "unknown": "skip",
            },
            {
                "when": {"quarantined": True},
                "except": {"region": ["baku"], "holds_permit": "any_code"},
                "unknown": "apply",
            },
            {
                "from": SUMMER,
                "when": {"messages_today": {"at_least": "few", "below": "many"}},
                "except": {"region": ["ganja", "baku"]},
                "unknown": "skip",
            },
            {
                "when": {
                    "documents_today": {"below": "some_documents"},
                    "permits_today": {"codes": ["1", "2"], "at_least": "two"},
                },
                "unknown": "apply",
            },
            {
                "when": {"permits_today": {"at_least": "two"}, "blocked": "wholly"},
                "except": {"quota_spent": "code-2"},
            },
        ]
    ):
        refusal = {"id": f"more-{number}", "verdict": "refuse", "reply": "not-in-force"}
        before(data, "blocked", **refusal, **asked)


@cache
def policy_of_everything() -> CompiledPolicy:
    return compiled(everything)


@cache
def changed_policy() -> CompiledPolicy:
    """The same with another number for each, and another reading of 29 February."""

    def change(data: Data) -> None:
        for name, value in (("grown", 17), ("old", 61), ("few", 4), ("two", 1)):
            data["parameters"][name]["values"][0]["value"] = value
        data["parameters"]["night"]["values"][0]["value"] = time(22)
        data["policy"]["leap_day_birthday"] = "02-28"
        rule(data, "more-3")["when"]["messages_today"] = {"at_least": "many"}

    return compiled(everything, change)


@cache
def space_of(code: str, number: int, both: bool = False) -> Space:
    """The cells of a code in a version; cut by the changed policy too where both is asked."""
    policies = [policy_of_everything(), changed_policy()][: 1 + both]
    return Space([ground_of(policy, policy.versions[number], code) for policy in policies])


@st.composite
def requests(draw: Any) -> tuple[str, Document, Facts, int]:
    """Any request at any instant, with numbers and dates near to the bounds more often."""
    policy = policy_of_everything()
    first_us = (datetime(2020, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
    at_us = draw(
        st.one_of(
            st.integers(first_us, first_us + 3 * 366 * DAY_US),
            st.sampled_from(policy.boundaries_us).flatmap(
                lambda us: st.integers(us - 2 * SECOND_US, us + 2 * SECOND_US)
            ),
            # 28 and 29 February, 1 March of 2020 and 2021
            st.builds(
                lambda day, second: first_us + day * DAY_US + second * SECOND_US,
                st.sampled_from([58, 59, 60, 424, 425]),
                st.integers(-14_400, 86_400),
            ),
        )
    )
    day = policy.calendar.day(at_us)
    today = date.fromordinal(day)
    years = st.sampled_from([17, 18, 59, 60, 61, 64, 65, 66])
    born = st.one_of(
        st.none(),
        st.dates(date(1930, 1, 1), date(2019, 12, 31)),
        st.builds(
            lambda age, days: today - timedelta(days=round(age * 365.25) + days),
            years,
            st.integers(-2, 2),
        ),
        st.sampled_from([date(year, 2, 29) for year in (1948, 1952, 1956, 1960, 2000, 2004)]),
    )
    near = st.integers(-2, 2)
    permit = st.builds(
        lambda code, ends, on, starts: HeldPermit(
            1, code, at_us + starts * SECOND_US, at_us + ends, day + on
        ),
        st.sampled_from(["1", "2", "3"]),
        st.sampled_from([-DAY_US, -1, 0, 1, DAY_US]),
        st.sampled_from([0, 0, -1]),
        near,
    )
    block = st.builds(
        lambda code, days: Block(code, day + days), st.sampled_from(["", "1", "2", "3"]), near
    )
    count = st.one_of(st.none(), st.integers(0, 7))
    facts = Facts(
        7,
        draw(st.sampled_from([None, True, False])),
        draw(born),
        tuple(draw(st.lists(permit, max_size=4))),
        tuple(draw(st.lists(block, max_size=3))),
        draw(st.one_of(st.none(), st.just(0), near.map(lambda days: day + days))),
        draw(st.sampled_from([None, "baku", "ganja", "elsewhere", "sheki"])),
        draw(count),
        draw(count),
        draw(st.sampled_from(["sms", "call_centre", "web"])),
    )
    kind = draw(st.sampled_from(["AZE", "AA", "MYI", "DYI", "MOM", "QM"]))
    return draw(st.sampled_from(["1", "2", "3"])), Document(kind, "1234567"), facts, at_us


@settings(max_examples=600, deadline=None)
@given(requests())
def test_every_request_lies_in_a_cell_whose_witness_meets_the_same_rule(
    request: tuple[str, Document, Facts, int],
) -> None:
    """The cells are exact: whatever is asked and known, the witness stands for it."""
    policy = policy_of_everything()
    code, document, facts, at_us = request
    space = space_of(code, policy.versions.index(policy.version_at(at_us)))
    witness = space.witness(space.cube_of(document, facts, at_us))
    assert witness is not None
    assert decide(policy, *request).rule == decide(policy, *witness).rule


@settings(max_examples=400, deadline=None)
@given(requests())
def test_two_policies_share_cells_cut_by_the_constants_of_both(
    request: tuple[str, Document, Facts, int],
) -> None:
    """What is found on the witness of a common cell holds for both policies in all of it."""
    policy = policy_of_everything()
    code, document, facts, at_us = request
    space = space_of(code, policy.versions.index(policy.version_at(at_us)), both=True)
    witness = space.witness(space.cube_of(document, facts, at_us))
    assert witness is not None
    for each in (policy, changed_policy()):
        assert decide(each, *request).rule == decide(each, *witness).rule


@pytest.mark.parametrize("name", ["8103.toml", "az-8103-history.toml", "cy-8998.toml"])
def test_each_cell_is_decided_by_the_rule_that_has_it(name: str) -> None:
    """Cell by cell, nothing skipped: exactly one rule has it, and the compiled policy agrees."""
    policy = compiled(name=name)
    cells = 0
    for version, code in product(policy.versions, policy.policy.content.codes):
        space = Space([ground_of(policy, version, code)])
        shares, left = space.shares()
        assert left == []
        for cell in product(*([1 << n for n in range(len(d.classes))] for d in space.dimensions)):
            witness = space.witness(cell)
            if witness is None:
                continue
            having = [
                share.rule.rule.id
                for share in shares
                for cube in share.decided
                if not list(minus(cell, cube))
            ]
            assert having == [decide(policy, *witness).rule], witness
            assert space.cube_of(witness.document, witness.facts, witness.at_us) == cell
            cells += 1
    assert cells > 50


def test_every_edge_of_a_share_meets_its_rule() -> None:
    """Birthdays, eves, first and last instants: all witnesses of a rule's cells meet it."""
    policy = policy_of_everything()
    reached = set()
    for number, code in ((0, "1"), (1, "2"), (2, "3")):
        space = space_of(code, number)
        for share in space.shares()[0]:
            for cube in share.decided:
                for witness in space.witnesses(cube):
                    assert decide(policy, *witness).rule == share.rule.rule.id, witness
                reached.add(share.rule.rule.id)
        space.check_edges()
    assert {f"more-{number}" for number in range(6)} < reached


def test_a_birthday_and_its_eve_are_witnesses() -> None:
    """The day before the 65th birthday and the birthday itself, exactly."""
    policy = compiled()
    space = Space([ground_of(policy, policy.versions[-1], "1")])
    seen = {
        (w.facts.birth_date, policy.calendar.date(w.at_us)) for w in space.witnesses(space.whole)
    }
    start = date(2020, 4, 5)
    assert {(date(1955, 4, 5), start), (date(1955, 4, 6), start)} < seen


def us(text: str, zone: str) -> int:
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    return (local - EPOCH) // timedelta(microseconds=1)


def test_instants_lie_in_the_version_and_show_the_time_that_is_wanted() -> None:
    """First and last instant of every span and weekday; a short version has only some of them."""
    calendar = Calendar("Asia/Baku")
    begins, ends = us("2020-07-20T06:00", "Asia/Baku"), us("2020-07-20T22:00", "Asia/Baku")
    found = moments_of(calendar, begins, ends, [21 * 3600, 23 * 3600], True, False)
    assert set(found) == {(0, 0), (0, 21 * 3600)}  # a Monday; never after 23:00
    assert [m.at_us for m in found[0, 0]] == [begins, us("2020-07-20T21:00", "Asia/Baku") - 1]
    assert [m.at_us for m in found[0, 21 * 3600]] == [
        us("2020-07-20T21:00", "Asia/Baku"),
        ends - 1,
    ]


def test_every_weekday_and_time_of_day_of_a_long_version_has_instants() -> None:
    """Also an hour that summer time takes from one Sunday, and leaves the other Sundays."""
    calendar = Calendar("Europe/Athens")
    cuts = [3 * 3600, 4 * 3600]
    begins = us("2020-03-29T00:00", "Europe/Athens")  # its third hour is skipped
    found = moments_of(calendar, begins, begins + 20 * DAY_US, cuts, True, False)
    assert set(found) == set(product(range(7), [0, *cuts]))
    for (weekday, span), moments in found.items():
        for moment in moments:
            assert (moment.day - 1) % 7 == weekday
            end = next((cut for cut in cuts if cut > span), 86_400)
            assert span <= calendar.second_of_day(moment.at_us) < end


def test_a_gap_is_found_with_a_witness() -> None:
    """A table without a last rule that always applies has one; with all answers it has none."""
    policy = compiled()
    full = ground_of(policy, policy.versions[-1], "1")
    assert gap(full) is None
    content = full.content
    granted = content.rules[-1]
    known = granted.model_validate(
        {
            **granted.model_dump(by_alias=True, exclude_none=True),
            "when": {"registered": True},
            "unknown": "skip",
        }
    )
    witness = gap(full._replace(rules=(*full.rules[:-1], (len(full.rules) - 1, known))))
    assert witness is not None
    assert witness.facts.registered is None
    answered = known.model_copy(update={"unknown": "apply"})
    # Who is not registered is refused before, so that the last rule has all the rest.
    assert gap(full._replace(rules=(*full.rules[:-1], (0, answered)))) is None


def test_a_table_without_a_last_rule_compiles_when_every_request_meets_one() -> None:
    """Granted to the registered and refused to all others, also where nobody knows."""

    def all_but_one(unknown: str) -> Callable[[Data], None]:
        return lambda data: rule(data, "granted").update(when={"registered": True}, unknown=unknown)

    assert compiled(all_but_one("apply")).versions[-1].rules["1"]
    with pytest.raises(PolicyError, match="code 1 from 2020-04-05 00:00 may meet no rule"):
        compiled(all_but_one("skip"))


def test_too_many_cells_are_refused() -> None:
    """A limit of thousands of permits a day tells too many histories apart; that is said."""

    def thousands(data: Data) -> None:
        data["parameters"]["code_2_per_day"]["values"][0]["value"] = 5000

    policy = compiled(thousands)
    with pytest.raises(TooManyCells, match="histories of permits apart, and 4000 is the limit"):
        Space([ground_of(policy, policy.versions[-1], "2")])


CUBES = st.lists(st.tuples(*[st.integers(1, 7)] * 3), max_size=5)


def cells_of(cubes: list[Cube]) -> set[Cube]:
    single = (1, 2, 4)
    return {
        cell
        for cube in cubes
        for cell in product(*([bit for bit in single if bit & mask] for mask in cube))
    }


@given(CUBES, CUBES)
def test_cubes_are_sets_of_cells(some: list[Cube], others: list[Cube]) -> None:
    """Taking away and enlarging mean what they mean for the cells one by one."""
    left = without(some, others)
    assert cells_of(left) == cells_of(some) - cells_of(others)
    assert sum(map(size, without([(7, 7, 7)], some))) == 27 - len(cells_of(some))
    assert cells_of(primes(some)) == cells_of(some)
    free = primes(some, others)
    assert cells_of(some) <= cells_of(free) <= cells_of(some) | cells_of(others)


def test_what_behaves_alike_is_one_cube() -> None:
    """A dimension all of whose classes behave alike becomes whole."""
    assert primes([(1, 3, 7), (2, 3, 7), (4, 3, 7)]) == [(7, 3, 7)]
    assert primes([(1, 7, 7), (6, 1, 7)]) == [(1, 7, 7), (7, 1, 7)]
