"""A candidate in the shadow: what counts as deciding otherwise, and what does not."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_edits import Data, compiled, rule, silenced

from rules import CompiledPolicy, Document, Facts, HeldPermit, decide
from rules.analysis.shadow import Disagreement, compare

NOON_US = int(datetime(2020, 4, 6, 8, 0, tzinfo=UTC).timestamp()) * 1_000_000
MINUTE_US = 60_000_000
DOCUMENT = Document("AZE", "1111111")
YOUNG = Facts(9, True, date(1980, 5, 5))
AGED_68 = Facts(9, True, date(1952, 1, 1))
LIVE = compiled()
TWIN = compiled()


def valued(parameter: str, value: int) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        data["parameters"][parameter]["values"][0]["value"] = value

    return change


def granted_with(**new: str) -> Callable[[Data], None]:
    """The rule that grants, changed; its reply no longer tells hours."""

    def change(data: Data) -> None:
        rule(data, "granted").update(new)
        for texts in (data["replies"]["granted"]["text"], data["replies"]["granted"]["line"]):
            texts.update(dict.fromkeys(texts, "{document}"))

    return change


def later_with_the_same_end(data: Data) -> None:
    """Half an hour of the two is gone."""
    granted_with(starts_after="junk_refill")(data)
    valued("window", 90)(data)


def without_code_3(data: Data) -> None:
    del data["codes"]["3"]
    data["abuse"] = []
    first_test_only(data)


def first_test_only(data: Data) -> None:
    """The others speak of what a test here takes out or renames."""
    del data["tests"][1:]


def beside(candidate: CompiledPolicy, facts: Facts = YOUNG, code: str = "2") -> Disagreement | None:
    """What the shadow says of one request at noon."""
    live = decide(LIVE, code, DOCUMENT, facts, NOON_US)
    return compare(live, candidate, code, DOCUMENT, facts, NOON_US)


def test_a_renamed_rule_is_no_disagreement() -> None:
    """Nobody who asks would notice."""

    def renamed(data: Data) -> None:
        rule(data, "granted")["id"] = "given"
        data["tests"][0]["expect"] = {"verdict": "grant"}
        first_test_only(data)

    assert beside(compiled(renamed)) is None


@pytest.mark.parametrize(
    ("facts", "edit", "live", "candidate"),
    [
        (AGED_68, valued("senior_age", 70), ("refuse", "senior"), ("grant", "granted")),
        (YOUNG, valued("senior_age", 30), ("grant", "granted"), ("refuse", "senior")),
        (YOUNG, valued("window", 119), ("grant", "granted"), ("grant", "granted")),
        (YOUNG, granted_with(starts_after="junk_refill"), *[("grant", "granted")] * 2),
        (YOUNG, later_with_the_same_end, *[("grant", "granted")] * 2),
        (YOUNG, granted_with(window_from="reply"), *[("grant", "granted")] * 2),
    ],
)
def test_verdict_and_time_are_what_counts(
    facts: Facts, edit: Callable[[Data], None], live: tuple[str, str], candidate: tuple[str, str]
) -> None:
    """Another verdict, another length, another beginning; the live decision stands first."""
    assert beside(compiled(edit), facts) == Disagreement(NOON_US, *live, *candidate)


def test_another_reason_is_a_disagreement() -> None:
    """Refused all the same, but told something else."""
    unknown = AGED_68._replace(registered=False)
    assert beside(compiled(silenced("not-registered")), unknown) == Disagreement(
        NOON_US, "refuse", "not-registered", "refuse", "senior"
    )


def test_a_code_that_the_candidate_lacks_is_not_understood() -> None:
    """It cannot decide it; the others go on."""
    candidate = compiled(without_code_3)
    assert beside(candidate, code="3") == Disagreement(
        NOON_US, "grant", "granted", "not_understood", ""
    )
    assert beside(candidate, code="2") is None


@given(
    st.sampled_from(["1", "2", "3"]),
    st.none() | st.booleans(),
    st.none() | st.dates(date(1920, 1, 1), date(2010, 1, 1)),
    st.lists(st.tuples(st.sampled_from(["1", "2", "3"]), st.integers(-1440, 0)), max_size=3),
)
def test_a_policy_never_disagrees_with_itself(
    code: str, registered: bool | None, born: date | None, before: list[tuple[str, int]]
) -> None:
    """Whatever is known of the person."""
    permits = []
    for serial, (of_code, minutes) in enumerate(before):
        from_us = NOON_US + minutes * MINUTE_US
        day = LIVE.calendar.day(from_us)
        permits.append(HeldPermit(serial, of_code, from_us, from_us + 120 * MINUTE_US, day, serial))
    assert beside(TWIN, Facts(9, registered, born, tuple(permits)), code) is None
