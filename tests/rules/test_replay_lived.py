"""Cascading replay against the truth: the same SMS, really lived under the other policy."""

import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[1] / "storage"))

from lived_traffic import BEGIN_US, MINUTE_US, live, policy, register_of, sms

from rules import CompiledPolicy
from rules.analysis.recorded import RecordedDecision, RecordedMessage, reproduces
from rules.analysis.replay import replay
from storage.recorded import recording

DELAY = """
[parameters.delay]
title = "until a permit begins"
unit = "minutes"
values = [{ value = 15, source = "ours" }]

[parameters.refusal_life]"""
GRANT = 'verdict = "grant"\nwindow = "window"\n'
WINDOW = 'value = 120, source = "seed: codes'
LAWS = {
    "8103": [],
    "twice": [("value = 1, source = ", "value = 2, source = ")],
    "an hour": [(WINDOW, WINDOW.replace("120", "60"))],
    "two days": [(WINDOW, WINDOW.replace("120", "2880"))],
    "senior at 70": [("value = 65,", "value = 70,")],
    "codes share a day": [('codes = ["2"]', 'codes = ["1", "2"]')],
    "starts later": [
        ("\n[parameters.refusal_life]", DELAY),
        (GRANT, f'{GRANT}starts_after = "delay"\n'),
    ],
}
# P1 has two cards; P3 is 68.
PEOPLE = """P1,AZE1111111,1980-05-05
P1,AA1111112,1980-05-05
P2,AZE2222222,1990-01-01
P3,AZE3333333,1952-01-01
"""
TEXTS = [
    *(f"{code} {document}" for code in "12" for document in ("AZE1111111", "AA1111112")),
    "2 AZE2222222",
    "2 AZE3333333",
    "2 AZE1111111, AZE2222222, AA1111112",
    "1 AZE9999999",
    "QAYITDIM",
    "RETURN AZE1111111",
    "salam",
]
# The first midnight comes after 240 minutes.
GAPS_MIN = st.sampled_from([1, 14, 15, 16, 59, 60, 61, 119, 120, 121, 240, 1440])
DAYS = st.lists(st.tuples(GAPS_MIN, st.sampled_from(TEXTS), st.sampled_from("12")), max_size=12)

Event = tuple[int, str, str]
Outcome = tuple[str, str | None, tuple[int, int] | None]


@cache
def law(name: str) -> CompiledPolicy:
    return policy(*LAWS[name])


def lived(events: list[Event], under: CompiledPolicy) -> list[RecordedMessage]:
    """What the store holds after the events (minutes since the last, text, phone)."""
    with tempfile.TemporaryDirectory() as name:
        folder, at_us, batches = Path(name), BEGIN_US, []
        for gap_min, text, phone in events:
            at_us += gap_min * MINUTE_US
            batches.append([sms(text, at_us, phone)])
        register = register_of(folder, under, PEOPLE)
        live(f"sqlite:///{folder}/smsd.db", under, batches, register)
        register.close()
        return list(recording(f"sqlite:///{folder}/smsd.db", 0).messages())


def validity(decision: RecordedDecision) -> tuple[int, int] | None:
    if decision.valid_from_us is None or decision.valid_until_us is None:
        return None
    return decision.valid_from_us, decision.valid_until_us


def outcome(message: RecordedMessage, decision: RecordedDecision) -> Outcome:
    """The verdict; why, where it refuses; when, seen from the SMS for a grant."""
    when = validity(decision)
    if when is not None and decision.verdict == "grant":
        when = (when[0] - message.received_at_us, when[1] - when[0])
    return decision.verdict, decision.rule if when is None else None, when


def pairs(
    one: list[RecordedMessage], other: list[RecordedMessage]
) -> Iterator[tuple[RecordedMessage, RecordedDecision, RecordedDecision]]:
    for first, second in zip(one, other, strict=True):
        for a, b in zip(first.decisions, second.decisions, strict=True):
            assert a.document == b.document
            yield first, a, b


@given(DAYS, st.sampled_from(sorted(LAWS)), st.sampled_from(sorted(LAWS)))
@example([(1, "1 AZE1111111", "1"), (16, "1 AZE1111111", "1")], "8103", "starts later")
@example([(121, "2 AZE2222222", "1")] * 3, "8103", "twice")
@settings(max_examples=60, deadline=None)
def test_the_cascading_mode_tells_what_would_have_happened(
    events: list[Event], old: str, new: str
) -> None:
    """It names exactly the decisions that come out otherwise, and how, when lived anew."""
    was, truth = lived(events, law(old)), lived(events, law(new))
    told = {change.serial: change.new for change in replay(was, law(new), "cascading")}
    for message, before, after in pairs(was, truth):
        differs = outcome(message, before) != outcome(message, after)
        assert (before.serial in told) == differs, (message, before, after)
        if differs:
            said = told[before.serial]
            assert said.startswith(after.verdict.replace("_", " ")), (said, after)
            if after.verdict == "refuse":
                assert said == f"refuse ({after.rule})"
            elif after.verdict == "grant":
                when = validity(after)
                assert when is not None
                assert f" {(when[1] - when[0]) // MINUTE_US} min" in said


@given(DAYS, st.sampled_from(sorted(LAWS)), st.integers(0, 6))
@settings(max_examples=40, deadline=None)
def test_its_own_policy_changes_nothing_from_wherever_it_begins(
    events: list[Event], name: str, skipped: int
) -> None:
    """Both modes, with permits from before the first SMS shown; every decision is made again."""
    messages = lived(events, law(name))[skipped:]
    assert list(replay(messages, law(name), "recorded")) == []
    assert list(replay(messages, law(name), "cascading")) == []
    for message in messages:
        for decision in message.decisions:
            assert reproduces(decision, message, law(name)) == []
