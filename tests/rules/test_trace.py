"""An explanation follows the decision: the same rule, each condition, and what stood in its way."""

import json
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import rules
from rules import Block, CompiledPolicy, Document, Facts, HeldPermit, compile_policy, parse_policy
from rules.telling.table import as_data
from rules.telling.trace import RuleTrace, trace, trace_words, what_if

FOLDER = Path(rules.__file__).parent / "policies"
POLICIES = {path.stem: rules.load_policy(path) for path in sorted(FOLDER.glob("*.toml"))}
TEXT = (FOLDER / "8103.toml").read_text(encoding="utf-8")
CARD = Document("AZE", "1111111")
BAKU = ZoneInfo("Asia/Baku")
DAY = date(2020, 4, 7)
HOUR_US = 3_600_000_000
LANGUAGES = ("en", "az", "az-ascii", "ru", "el", "tr")


def at(local: str) -> int:
    moment = datetime.fromisoformat(local).replace(tzinfo=BAKU)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


NOW = at("2020-04-07T10:15:00")
SPENT = (HeldPermit(1, "2", NOW - 4 * HOUR_US, NOW - 2 * HOUR_US, DAY.toordinal()),)
OLD = date(1930, 1, 1)


def changed(*edits: tuple[str, str]) -> CompiledPolicy:
    text = TEXT
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return compile_policy(parse_policy(text, "changed.toml"), trial=False)


def traced(facts: Facts, code: str = "2", policy: CompiledPolicy | None = None) -> list[RuleTrace]:
    return trace(policy or POLICIES["8103"], code, CARD, facts, NOW)


def rule(traces: list[RuleTrace], name: str) -> RuleTrace:
    return next(found for found in traces if found.rule == name)


def held(found: RuleTrace) -> dict[str, object]:
    return {statement.key: statement.holds for statement in found.when}


@pytest.mark.parametrize("name", POLICIES)
def test_it_decides_as_the_engine_does(name: str) -> None:
    """The one rule that decides, with its validity, over codes, versions and facts."""
    policy = POLICIES[name]
    moments = [bound + step for bound in policy.boundaries_us for step in (-1, 0)] or [NOW]
    for at_us, code, registered, born, blocked, valid in product(
        moments, policy.grammar.codes, (None, False), (None, OLD), (True, False), (-1, 1)
    ):
        day = policy.calendar.day(at_us)
        facts = Facts(
            9,
            registered,
            born,
            (HeldPermit(1, code, at_us - HOUR_US, at_us + valid, day),),
            (Block("", day + 1),) * blocked,
            quarantine_until_day=0 if registered is None else None,
        )
        decision = rules.decide(policy, code, CARD, facts, at_us)
        traces = trace(policy, code, CARD, facts, at_us)
        assert [found.rule for found in traces] == [r.id for r in policy.policy.content.rules]
        (deciding,) = [found for found in traces if found.decides]
        assert (deciding.rule, deciding.verdict.kind) == (decision.rule, decision.verdict)
        assert deciding is next(found for found in traces if found.applies)
        valid_us = [
            None
            if moment is None
            else (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
            for moment in (deciding.valid_from, deciding.valid_until)
        ]
        assert valid_us == [decision.valid_from_us, decision.valid_until_us]


def test_each_condition_is_answered() -> None:
    """True, False, and None for a fact that is unknown."""
    traces = traced(Facts(9, None, OLD, SPENT))
    assert held(rule(traces, "senior")) == {"age.at_least": True}
    assert held(rule(traces, "not-registered")) == {"registered": None}
    assert held(rule(traces, "repeat")) == {"holds_permit": False}
    assert held(rule(traces, "once-a-day")) == {"quota_spent": True}
    assert held(rule(traces, "not-in-force")) == {"in_force": False}
    assert held(rule(traces, "granted")) == {}
    assert held(rule(traced(Facts(9, None, OLD, SPENT), "1"), "once-a-day")) == {
        "quota_spent": False
    }


def test_every_condition_of_a_rule_is_answered_also_behind_one_that_is_false() -> None:
    """The engine stops at the first that is false; an explanation does not."""
    policy = changed(("when = { registered = false }", 'when = { code = "1", registered = false }'))
    found = rule(traced(Facts(9, False, OLD), "2", policy), "not-registered")
    assert held(found) == {"code": False, "registered": True}
    assert not found.applies


def test_exceptions_are_answered_apart() -> None:
    """They hold for themselves; the rule applies where they do not."""
    policy = changed(
        (
            "when = { registered = false }",
            'when = { registered = false }\nexcept = { age = { at_least = "senior_age" } }',
        )
    )
    found = rule(traced(Facts(9, False, OLD), "2", policy), "not-registered")
    assert [(said.key, said.holds) for said in found.exceptions] == [("age.at_least", True)]
    assert not found.applies
    found = rule(traced(Facts(9, False, date(2000, 1, 1)), "2", policy), "not-registered")
    assert [said.holds for said in found.exceptions] == [False]
    assert found.applies


@pytest.mark.parametrize(("meaning", "applies"), [("skip", False), ("apply", True)])
def test_what_unknown_came_to(meaning: str, applies: bool) -> None:
    """The answer stays unknown, and the rule says what that meant."""
    policy = changed(
        (
            'when = { registered = false }\nunknown = "skip"',
            f'when = {{ registered = false }}\nunknown = "{meaning}"',
        )
    )
    found = rule(traced(Facts(9), "2", policy), "not-registered")
    assert (found.unknown, found.applies, found.decides) == (True, applies, applies)
    known = rule(traced(Facts(9, False), "2", policy), "not-registered")
    assert (known.unknown, known.applies) == (False, True)
    said = "\n".join(trace_words(traced(Facts(9), "2", policy), "en"))
    assert ("therefore applies and decides" in said) is applies
    assert ("is passed over" in said.split("6 senior")[0]) is not applies


def test_what_a_refusal_stood_in_the_way_of() -> None:
    """Each rule that refuses, in order, and the permit that would have been given."""
    found = what_if(traced(Facts(9, True, OLD, SPENT)))
    assert found is not None
    assert found.refusals == ("senior", "once-a-day")
    assert found.instead.rule == "granted"
    assert found.instead.valid_from == datetime(2020, 4, 7, 10, 15, tzinfo=BAKU)
    assert found.instead.valid_until == datetime(2020, 4, 7, 12, 15, tzinfo=BAKU)
    assert found.instead.verdict.length_minutes == 120
    assert not found.instead.decides


def test_a_grant_stood_in_the_way_of_nothing() -> None:
    """Nor did a repeat; and before the window has a value, nothing could be granted."""
    assert what_if(traced(Facts(9, True))) is None
    repeat = (HeldPermit(1, "2", NOW - 1, NOW + 1, DAY.toordinal()),)
    assert what_if(traced(Facts(9, True, OLD, repeat))) is None
    before = trace(POLICIES["8103"], "2", CARD, Facts(9), at("2020-04-04T10:15:00"))
    assert what_if(before) is None


def test_a_refusal_before_a_repeat() -> None:
    """In Cyprus the night refuses also those who hold a permit, which they would get back."""
    policy = POLICIES["cy-8998"]
    zone = ZoneInfo(policy.zone)
    night = datetime(2020, 4, 7, 21, 30, tzinfo=zone)
    night_us = (night - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    permit = HeldPermit(1, "2", night_us - HOUR_US, night_us + HOUR_US, DAY.toordinal())
    found = what_if(trace(policy, "2", CARD, Facts(9, permits=(permit,)), night_us))
    assert found is not None
    assert (found.refusals, found.instead.rule) == (("night",), "repeat")
    assert found.instead.valid_until == night + timedelta(hours=1)


def test_a_rule_outside_its_dates_does_not_exist() -> None:
    """It is named, and never applies."""
    traces = trace(POLICIES["az-8103-history"], "2", CARD, Facts(9, True, OLD), NOW)
    winter = rule(traces, "code-2-once-in-winter")
    assert (winter.exists, winter.applies, winter.decides) == (False, False, False)
    assert rule(traces, "senior").exists
    assert "does not exist at this moment" in "\n".join(trace_words(traces, "en"))


def test_what_an_agent_reads() -> None:
    """The lines of one refusal, whole."""
    lines = trace_words(traced(Facts(9, None, OLD, SPENT)), "en")
    start = lines.index("6 senior: applies and decides: refused")
    assert lines[start - 3 :] == [
        "5 not-registered: turns on something unknown and is passed over",
        "    unknown  the document is not in the register",
        "    legal reference: ours: a permit needs a document that exists",
        "6 senior: applies and decides: refused",
        "    true     the person is 65 or older",
        "    legal reference: seed: people aged 65 and over may not leave home, whatever the code",
        "7 once-a-day: would apply too (refused), but an earlier rule decided",
        "    true     the person has used up the day's limit of 1 permit with code 2",
        "    legal reference: seed: code 2 once a day",
        "8 granted: would apply too (granted for 2 hours, from the decision on), but an earlier "
        "rule decided",
        "    no condition",
        "    valid from 7 April 2020, 10:15 until 7 April 2020, 12:15",
        "    legal reference: seed",
        "Without senior and once-a-day, rule granted would decide: granted for 2 hours, from the "
        "decision on;",
        "    valid from 7 April 2020, 10:15 until 7 April 2020, 12:15.",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", POLICIES)
def test_it_reads_in_every_language(name: str, language: str) -> None:
    """Every rule by number and name, no line too long, no word left open."""
    policy = POLICIES[name]
    for at_us in (NOW, *policy.boundaries_us):
        traces = trace(policy, policy.grammar.codes[0], CARD, Facts(9), at_us)
        lines = trace_words(traces, language)
        for found in traces:
            head = f"{found.number} {found.rule}:"
            assert sum(line.startswith(head) for line in lines) == 1
        assert max(map(len, lines)) <= 100
        assert "{" not in "".join(lines)


def test_hostile_texts_move_no_cursor() -> None:
    """A legal reference with an escape sequence is shown without it."""
    policy = changed(('source = "seed: code 2 once a day"', 'source = "a\\u001b[2Jb\\nc"'))
    lines = trace_words(traced(Facts(9), "2", policy), "en")
    assert "    legal reference: a [2Jb c" in lines


def test_json_has_all_of_it() -> None:
    """Answers, numbers and validity; nothing of the person but what the conditions say."""
    data = json.loads(json.dumps(as_data(traced(Facts(9, None, OLD, SPENT)))))
    senior = next(found for found in data if found["rule"] == "senior")
    assert senior["when"] == [
        {"key": "age.at_least", "variant": "", "arguments": {"years": 65}, "holds": True}
    ]
    granted = data[-1]
    assert granted["verdict"]["length_minutes"] == 120
    assert granted["valid_until"] == "2020-04-07T12:15:00+04:00"
    assert "1111111" not in json.dumps(data)
    assert "1930" not in json.dumps(data)
