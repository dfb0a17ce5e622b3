"""An agent's override: it passes over refusals, once, and nothing of it can be mistaken later."""

import json
from datetime import date

import pytest
from policy_edits import compiled
from test_decide import CARD, HOUR_US, POLICY, SECOND_US, at, held
from test_shadow import granted_with

from rules import Block, Facts, PolicyError, Verdict, compile_policy, decide, parse_policy
from rules.analysis.recorded import RecordedDecision, RecordedMessage, reproduces
from rules.decide import OVERRIDE
from rules.telling.trace import trace, trace_words
from storage import facts as recorded_facts

NOON_US = at("2020-04-06T12:00:00")
ADULT = Facts(9, True, date(1980, 5, 5))
SPENT = (held("2", "2020-04-06T08:00:00"),)
REFUSED = [
    (ADULT._replace(birth_date=date(1930, 1, 1)), "senior"),
    (ADULT._replace(registered=False), "not-registered"),
    (ADULT._replace(permits=SPENT), "once-a-day"),
    (ADULT._replace(blocks=(Block("", date(2020, 5, 1).toordinal()),)), "blocked"),
    (ADULT._replace(birth_date=date(1930, 1, 1), permits=SPENT), "senior"),
]


@pytest.mark.parametrize(("facts", "rule"), REFUSED)
def test_what_a_rule_refuses_an_override_grants(facts: Facts, rule: str) -> None:
    """The code's usual window and reply, a reference of its own, no place of a daily limit."""
    assert decide(POLICY, "2", CARD, facts, NOON_US).rule == rule
    given = decide(POLICY, "2", CARD, facts._replace(override=True), NOON_US)
    assert (given.verdict, given.rule, given.reply) == (Verdict.GRANT, OVERRIDE, "granted")
    assert (given.valid_from_us, given.valid_until_us) == (NOON_US, NOON_US + 2 * HOUR_US)
    assert (given.permit, given.quota) == (9, None)


@pytest.mark.parametrize("permits", [(), (held("2", "2020-04-06T11:00:00"),)])
def test_what_is_not_refused_needs_no_override(permits: tuple[()]) -> None:
    """A permit that anybody would get counts as everybody's does; a held one is named again."""
    facts = ADULT._replace(permits=permits)
    usual = decide(POLICY, "2", CARD, facts, NOON_US)
    assert usual.verdict is not Verdict.REFUSE
    assert decide(POLICY, "2", CARD, facts._replace(override=True), NOON_US) == usual


@pytest.mark.parametrize(("seconds", "verdict"), [(-1, Verdict.REFUSE), (0, Verdict.GRANT)])
def test_where_there_is_no_permit_for_anybody_no_override_makes_one(
    seconds: int, verdict: Verdict
) -> None:
    """The second before the law begins the refusal stands; in its first one it does not."""
    facts = ADULT._replace(birth_date=date(1930, 1, 1), override=True)
    at_us = at("2020-04-05T00:00:00") + seconds * SECOND_US
    assert decide(POLICY, "2", CARD, facts, at_us).verdict is verdict


def test_the_permit_of_an_override_is_one_of_its_day() -> None:
    """While it is valid it is named again by SMS; after it the day has had its permit."""
    permit = held("2", "2020-04-06T12:00:00", serial=9)
    later = ADULT._replace(serial=10, permits=(permit,))
    assert decide(POLICY, "2", CARD, later, NOON_US + 2 * HOUR_US - 1).permit == 9
    assert decide(POLICY, "2", CARD, later, NOON_US + 2 * HOUR_US).rule == "once-a-day"


def test_it_begins_when_it_is_told_however_other_permits_begin() -> None:
    """An agent says the hours aloud, so they cannot depend on when a reply leaves."""
    policy = compiled(granted_with(window_from="reply"))
    facts = ADULT._replace(birth_date=date(1930, 1, 1), override=True)
    given = decide(policy, "2", CARD, facts, NOON_US)
    assert (given.verdict, given.begins_with_reply) == (Verdict.GRANT, False)


@pytest.mark.parametrize("override", [True, False])
def test_recorded_facts_tell_an_override(override: bool) -> None:
    """Both ways; and who has none takes no room for it."""
    facts = ADULT._replace(channel="call_centre", override=override)
    written = recorded_facts.to_json(facts)
    assert ("override" in json.loads(written)) is override
    assert recorded_facts.from_json(9, written) == facts


@pytest.mark.parametrize(("kept", "wrong"), [(True, []), (False, ["verdict", "rule", "permit"])])
def test_an_override_is_reproduced_only_by_its_own_facts(kept: bool, wrong: list[str]) -> None:
    """A row that claims an override without the fact is found out."""
    facts = ADULT._replace(birth_date=date(1930, 1, 1), override=True)
    given = decide(POLICY, "2", CARD, facts, NOON_US)
    row = RecordedDecision(
        9,
        CARD.text,
        "2",
        "p:P1",
        facts._replace(override=kept),
        given.verdict.value,
        given.rule,
        given.permit,
        given.valid_from_us,
        given.valid_until_us,
        given.begins_with_reply,
        POLICY.digest,
    )
    message = RecordedMessage(1, NOON_US, "2 AZE 1111111", "decided", (row,))
    assert reproduces(row, message, POLICY)[:3] == wrong


@pytest.mark.parametrize("language", ["en", "az", "ru", "el"])
def test_the_trace_tells_what_was_passed_over(language: str) -> None:
    """The law's refusal first, then what an agent made of it."""
    facts = ADULT._replace(birth_date=date(1930, 1, 1), override=True)
    traces = trace(POLICY, "2", CARD, facts, NOON_US)
    [decides] = [traced.rule for traced in traces if traced.decides]
    assert decides == "senior"
    usual, told = trace_words(traces, language), trace_words(traces, language, overridden=True)
    assert usual[:-3] == told[: len(usual) - 3]
    assert "senior" in " ".join(told[-3:])
    assert usual != told


def test_no_rule_may_bear_its_name() -> None:
    """Else a record could not say which of the two decided."""
    text = POLICY.source.replace('id = "senior"', 'id = "override"')
    with pytest.raises(PolicyError, match='"override" names what agents grant'):
        compile_policy(parse_policy(text, "edited.toml"), trial=False)
