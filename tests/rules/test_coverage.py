"""Coverage: each planted fault is found and named, and the shipped policies have none."""

from datetime import datetime, timedelta

import pytest
from policy_edits import POLICIES, Data, before, edited, parameter, rule
from test_cells import everything

import rules
from rules import PolicyError, decide
from rules.analysis.cell_words import Said
from rules.analysis.coverage import Coverage, cover
from rules.compile import draft

SHIPPED = sorted(path.name for path in POLICIES.glob("*.toml"))


def messages(coverage: Coverage) -> list[str]:
    return [fault.message for fault in coverage.faults]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_policies_have_no_fault(name: str) -> None:
    """Every rule decides somewhere, every request meets one, every reply fits."""
    found = cover(rules.load(POLICIES / name))
    assert messages(found) == []
    content = rules.load(POLICIES / name).content
    assert [each.rule for each in found.reached] == [each.id for each in content.rules]
    assert found.cells > 15
    assert found.witnesses > 30


@pytest.mark.parametrize("name", SHIPPED)
def test_the_witness_of_a_rule_meets_it(name: str) -> None:
    """One request for each rule and version, received in that version."""
    policy = rules.compile_policy(rules.load(POLICIES / name), trial=False)
    for reached in cover(policy.policy).reached:
        for version in reached.versions:
            at = version.witness
            assert decide(policy, *at).rule == reached.rule
            assert policy.version_at(at.at_us).from_us == version.from_us
            assert version.cells > 0


def test_a_rule_that_nothing_fulfils_is_unreachable() -> None:
    """Younger than 65 and older than 70: no cell; its line is named."""

    def contradiction(data: Data) -> None:
        parameter("seventy", "years", 70)(data)
        age = {"at_least": "seventy", "below": "senior_age"}
        rule(data, "senior").update(when={"age": age})

    found = cover(edited(contradiction))
    assert found.unreachable == ("senior",)
    assert messages(found) == ['"senior" can never apply: nothing fulfils its conditions']
    position = next(n for n, each in enumerate(edited().content.rules, 1) if each.id == "senior")
    assert found.faults[0].key == f"rules[{position}]"
    assert found.faults[0].line == edited().lines["rules", position - 1]


def test_a_rule_behind_others_is_shadowed_and_they_are_named() -> None:
    """People over 80 are over 65 too, so a rule for them that stands behind never decides."""

    def behind(data: Data) -> None:
        parameter("eighty", "years", 80)(data)
        asked = {"when": {"age": {"at_least": "eighty"}}, "unknown": "skip"}
        before(data, "once-a-day", id="very-old", verdict="refuse", reply="senior", **asked)

    found = cover(edited(behind))
    assert found.unreachable == ()
    (shadowed,) = found.shadowed
    assert shadowed.rule == "very-old"
    assert "senior" in shadowed.by
    assert "once-a-day" not in shadowed.by
    assert messages(found)[0].startswith('"very-old" never decides: rules above always come first')


def test_a_rule_shadowed_for_one_code_only_is_no_fault() -> None:
    """Where a rule decides anywhere, it is needed."""

    def for_code_1(data: Data) -> None:
        asked = {"when": {"code": "1", "registered": False}, "unknown": "skip"}
        more = {"verdict": "refuse", "reply": "not-registered"}
        before(data, "not-registered", id="not-registered-1", **more, **asked)

    assert messages(cover(edited(for_code_1))) == []


def test_a_gap_is_told_with_the_cells_that_fall_into_it() -> None:
    """Without a rule for people of unknown registration, their requests meet none."""

    def only_registered(data: Data) -> None:
        rule(data, "granted").update(when={"registered": True}, unknown="skip")

    found = cover(edited(only_registered))
    assert {gap.code for gap in found.gaps} == {"1", "2", "3"}
    for gap in found.gaps:
        assert Said("registered", "registration unknown") in gap.facts
        assert gap.witness.facts.registered is None
    policy, _ = draft(edited(only_registered))
    with pytest.raises(AssertionError, match="without a rule"):
        decide(policy, *found.gaps[0].witness)
    assert "meets no rule that applies" in messages(found)[0]
    assert "registration unknown" in messages(found)[0]


def test_a_reply_that_overflows_is_named() -> None:
    """A text that fits its segment with short values, and not with the longest ones."""

    def longer(data: Data) -> None:
        text = data["replies"]["granted"]["text"]
        text["az"] += " {from_day}"

    found = cover(edited(longer))
    assert [reply.key for reply in found.replies] == ["replies.granted.text.az"]
    assert "takes 2 SMS segments" in found.replies[0].message
    assert found.faults == found.replies
    assert [each.rule for each in found.reached] == [x.id for x in edited().content.rules]


def test_other_faults_leave_nothing_to_look_at() -> None:
    """A rule without the value of its parameter: the error of compilation, as it is."""

    def undated(data: Data) -> None:
        rule(data, "not-in-force")["when"] = {"in_force": False, "code": "1"}

    with pytest.raises(PolicyError, match="has no value before the first date"):
        cover(edited(undated))


def test_rules_that_no_test_names_are_told_as_information() -> None:
    """Not a fault: a test may name the verdict only."""

    def nameless(data: Data) -> None:
        for case in data["tests"]:
            if case["expect"].get("rule") == "senior":
                case["expect"] = {"verdict": "refuse"}

    found = cover(edited(nameless))
    assert "senior" in found.untested
    assert messages(found) == []


def test_millions_of_cells_need_thousands_of_witnesses() -> None:
    """Twelve versions of rules that ask everything: sets of cells keep it short."""

    def monthly(data: Data) -> None:
        start = datetime(2020, 5, 1)  # noqa: DTZ001 the clock in the policy's zone
        data["parameters"]["window"]["values"] += [
            {"from": start + timedelta(days=30 * n), "value": 100 + n, "source": "ours"}
            for n in range(9)
        ]

    found = cover(edited(everything, monthly))
    assert found.versions == 12
    assert found.cells > 10_000_000
    assert messages(found) == []
    assert found.witnesses < 30_000


def test_a_gap_in_a_short_version_is_only_told_where_it_can_be() -> None:
    """A rule for the night is needed in no version that lies in the day."""

    def by_day(data: Data) -> None:
        parameter("night", "time_of_day", datetime(2020, 1, 1, 21).time())(data)  # noqa: DTZ001
        parameter("morning", "time_of_day", datetime(2020, 1, 1, 6).time())(data)  # noqa: DTZ001
        noon = datetime(2020, 5, 1, 12)  # noqa: DTZ001
        rule(data, "granted")["until"] = noon
        day = {"id": "day", "verdict": "grant", "window": "window", "reply": "granted"}
        span = {"from": "morning", "until": "night"}
        data["rules"] += [
            {
                "source": "ours",
                "from": noon,
                "until": noon + timedelta(hours=5),
                "when": {"local_time": span},
                **day,
            },
            {"source": "ours", "from": noon + timedelta(hours=5), **day, "id": "later"},
        ]

    assert cover(edited(by_day)).gaps == ()
