"""Recorded traffic under other policies, lived before through the real gateway and store."""

import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "storage"))

from lived_traffic import (
    BEGIN_US,
    HOUR_US,
    MINUTE_US,
    live,
    live_for_days,
    policy,
    register_of,
    sms,
)

from rules import CompiledPolicy, decide
from rules.analysis.recorded import RecordedMessage, reproduces
from rules.analysis.replay import UNDECIDABLE, Change, Mode, replay
from rules.analysis.replay_history import History
from rules.analysis.replay_tally import EXAMPLES_MAX, Tally
from storage.recorded import recording

MORNING_US = BEGIN_US + 14 * HOUR_US  # 6 April, 10:00 in Baku

TWICE = ("value = 1, source = ", "value = 2, source = ")
AN_HOUR = ('value = 120, source = "seed: codes', 'value = 60, source = "seed: codes')
SEVENTY = ("value = 65,", "value = 70,")
CODE_4_FOR_3 = [
    ("[codes.3", "[codes.4"),
    ('codes = ["3"]', 'codes = ["4"]'),
    ('code = "3"', 'code = "4"'),
]
NO_RETURN = ('"QAYITDIM"', '"GERI"')
DELAY = """
[parameters.delay]
title = "until a permit begins"
unit = "minutes"
values = [{ value = 15, source = "ours" }]

"""
GRANT = 'verdict = "grant"\nwindow = "window"\n'
STARTS_LATER = [
    ("[parameters.refusal_life]", f"{DELAY}[parameters.refusal_life]"),
    (GRANT, f'{GRANT}starts_after = "delay"\n'),
]
WITH_REPLY = [
    (GRANT, f'{GRANT}window_from = "reply"\n'),
    (": {document}, {from_day} {from}–{until}, №", ": {document}, №"),
    (": {document}, {from_day} {from}-{until}.", ": {document}."),
    ("{document} {from}-{until} {reference}", "{document} {reference}"),
]
ANOTHER_SPELLING = ('spellings = ["AZE"]', 'spellings = ["AZE", "AZX"]')
NO_WEB = (
    '[[rules]]\nid = "granted"',
    '[[rules]]\nid = "no-web"\nsource = "ours"\nwhen = { channel = ["web"] }\n'
    'verdict = "refuse"\nreply = "senior"\n\n[[rules]]\nid = "granted"',
)
REGIMES = {"8103": [], "starts later": STARTS_LATER, "begins with the reply": WITH_REPLY}

Told = list[tuple[str, str]]


class Lived:
    """Days of traffic under one policy."""

    def __init__(self, law: CompiledPolicy, messages: list[RecordedMessage]) -> None:
        self.law = law
        self.messages = messages

    @property
    def decisions(self) -> int:
        return sum(len(message.decisions) for message in self.messages)


@pytest.fixture(scope="module", params=REGIMES)
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """Two thousand SMS: midnights, repeats, households, second cards, blocks, early returns."""
    folder = tmp_path_factory.mktemp("lived")
    law = policy(*REGIMES[request.param])
    url = f"sqlite:///{folder}/smsd.db"
    live_for_days(url, folder, law, count=2_000, seed=8103)
    return Lived(law, list(recording(url, 0).messages()))


@pytest.fixture
def lived_through(tmp_path: Path) -> Callable[..., list[RecordedMessage]]:
    """SMS of one phone (hours after 10:00, text), each answered before the next, as recorded."""

    def run(*texts: tuple[float, str], law: CompiledPolicy | None = None) -> list[RecordedMessage]:
        url = f"sqlite:///{tmp_path}/smsd.db"
        batches = [[sms(text, MORNING_US + int(hours * HOUR_US))] for hours, text in texts]
        live(url, law or policy(), batches)
        return list(recording(url, 0).messages())

    return run


def changes(messages: list[RecordedMessage], law: CompiledPolicy, mode: Mode) -> Told:
    return [(change.old, change.new) for change in replay(messages, law, mode)]


def test_stored_facts_and_policy_give_every_decision_again(lived: Lived) -> None:
    """Zero differences, whatever happened to permits since; and every kind of day was lived."""
    met = {decision.rule for message in lived.messages for decision in message.decisions}
    assert met >= {"granted", "repeat", "once-a-day", "senior", "not-registered", "blocked"}
    assert {message.outcome for message in lived.messages} >= {"decided", "command", "repeated"}
    assert lived.decisions > 1_500
    for message in lived.messages:
        for decision in message.decisions:
            assert reproduces(decision, message, lived.law) == [], decision


@pytest.mark.parametrize("mode", ["recorded", "cascading"])
@pytest.mark.parametrize("skipped", [0, 1_000])
def test_its_own_policy_changes_nothing(lived: Lived, mode: Mode, skipped: int) -> None:
    """In either mode, from the beginning or from the middle: what is made anew is what was."""
    assert changes(lived.messages[skipped:], lived.law, mode) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("verdict", "refuse"),
        ("rule", "senior"),
        ("permit", 77),
        ("valid_from_us", MORNING_US - 1),
        ("valid_until_us", MORNING_US + 121 * MINUTE_US),
        ("begins_with_reply", True),
        ("code", "1"),
        ("document", "AZE1111112"),
        ("digest", "0" * 64),
    ],
)
def test_a_changed_field_is_named(
    lived_through: Callable[..., list[RecordedMessage]], field: str, value: object
) -> None:
    """Whatever of a decision somebody changes, and nothing else is blamed."""
    [message] = lived_through((0, "2 AZE 1111111"))
    [decision] = message.decisions
    tampered = decision._replace(**{field: value})
    assert reproduces(tampered, message, policy()) == [field]


def test_changed_facts_and_texts_show(
    lived_through: Callable[..., list[RecordedMessage]],
) -> None:
    """Facts under which the decision would have been another; a text that asks for nothing."""
    [message] = lived_through((0, "2 AZE 1111111"))
    [decision] = message.decisions
    older = decision.facts._replace(birth_date=date(1930, 1, 1))
    wrong = reproduces(decision._replace(facts=older), message, policy())
    assert wrong == ["verdict", "rule", "permit", "valid_from_us", "valid_until_us"]
    assert reproduces(decision, message._replace(text="salam"), policy()) == ["text"]


def test_a_moved_window_counts_by_its_length_only(
    lived_through: Callable[..., list[RecordedMessage]],
) -> None:
    """A permit that began with its reply bears the reply's time; a longer one is noticed."""
    law = policy(*WITH_REPLY)
    [message] = lived_through((0, "2 AZE 1111111"), law=law)
    [decision] = message.decisions
    assert decision.valid_from_us == MORNING_US + 1_000_000
    assert reproduces(decision, message, law) == []
    assert decision.valid_until_us is not None
    longer = decision._replace(valid_until_us=decision.valid_until_us + 1)
    assert reproduces(longer, message, law) == ["valid_until_us"]


def test_twice_a_day_recorded_and_cascading(
    lived_through: Callable[..., list[RecordedMessage]],
) -> None:
    """On recorded facts two refusals fall; with the second permit given, the third stays."""
    messages = lived_through((0, "2 AZE 1111111"), (3, "2 AZE 1111111"), (6, "2 AZE 1111111"))
    granted = ("refuse (once-a-day)", "grant 120 min")
    assert changes(messages, policy(TWICE), "recorded") == [granted, granted]
    assert changes(messages, policy(TWICE), "cascading") == [granted]


def test_a_permit_given_only_now_is_held_by_the_next_request(
    lived_through: Callable[..., list[RecordedMessage]],
) -> None:
    """A refusal in the window of the permit that the new policy gives becomes a repeat."""
    messages = lived_through((0, "2 AZE 1111111"), (3, "2 AZE 1111111"), (4, "2 AZE 1111111"))
    assert changes(messages, policy(TWICE), "cascading") == [
        ("refuse (once-a-day)", "grant 120 min"),
        ("refuse (once-a-day)", "already granted 120 min"),
    ]


def test_a_day_begins_anew_in_a_history_made_anew(
    lived_through: Callable[..., list[RecordedMessage]],
) -> None:
    """Limits count by civil day: the last second of the day is refused, the first is not."""
    last = 14 - 1 / 3600  # 23:59:59
    messages = lived_through(
        (0, "2 AZE 1111111"), (3, "2 AZE 1111111"), (last, "2 AZE 1111111"), (14, "2 AZE 1111111")
    )
    assert [m.decisions[0].verdict for m in messages] == ["grant", "refuse", "refuse", "grant"]
    granted = ("refuse (once-a-day)", "grant 120 min")
    assert changes(messages, policy(TWICE), "cascading") == [granted]
    assert changes(messages, policy(TWICE), "recorded") == [granted, granted]


def test_a_shorter_window(lived_through: Callable[..., list[RecordedMessage]]) -> None:
    """The recorded permit is still there after an hour; one of the new policy has ended."""
    messages = lived_through((0, "1 AZE 1111111"), (1, "1 AZE 1111111"))
    shorter = ("grant 120 min", "grant 60 min")
    assert changes(messages, policy(AN_HOUR), "recorded") == [shorter]
    assert changes(messages, policy(AN_HOUR), "cascading") == [
        shorter,
        ("already granted 120 min", "grant 60 min"),
    ]
    before = lived_through((24, "1 AZE 2222222"), (25 - 1 / 3600, "1 AZE 2222222"))[2:]
    assert changes(before, policy(AN_HOUR), "cascading") == [
        shorter,
        ("already granted 120 min", "already granted 60 min"),
    ]


def test_permits_from_before_the_replay_are_taken_as_they_are(
    lived_through: Callable[..., list[RecordedMessage]],
) -> None:
    """Nobody knows what a policy would have given before the first SMS that it is shown."""
    messages = lived_through((0, "1 AZE 1111111"), (1, "1 AZE 1111111"))
    assert changes(messages[1:], policy(AN_HOUR), "cascading") == []


@pytest.mark.parametrize("lived", ["8103"], indirect=True)
def test_a_higher_age(lived: Lived) -> None:
    """From 70 instead of 65: on recorded facts, exactly those between are granted."""
    between = [
        decision.serial
        for message in lived.messages
        for decision in message.decisions
        if decision.rule == "senior"
        and decision.facts.birth_date is not None
        and decision.facts.birth_date > date(1950, 4, 9)
    ]
    found = list(replay(lived.messages, policy(SEVENTY), "recorded"))
    assert {change.old for change in found} == {"refuse (senior)"}
    assert {change.new for change in found} == {"grant 120 min"}
    assert [change.serial for change in found] == between
    assert between
    made_anew = list(replay(lived.messages, policy(SEVENTY), "cascading"))
    assert [change.serial for change in made_anew] == between, "the same people"
    assert {change.new for change in made_anew} == {
        "grant 120 min",
        "already granted 120 min",
        "refuse (once-a-day)",
    }


def test_a_code_that_only_one_policy_knows(
    lived_through: Callable[..., list[RecordedMessage]],
) -> None:
    """Understood before and not now, and the reverse, which has no facts to be decided on."""
    messages = lived_through(
        (0, "3 AZE 1111111"), (1, "4 AZE 1111111"), (1.5, "4 AZE 1111111"), (2, "1 AZE 1111111")
    )
    law = policy(*CODE_4_FOR_3)
    lost = ("grant 120 min", "not understood (unknown_code)")
    was = "not understood (unknown_code)"
    assert changes(messages, law, "recorded") == [lost, (was, UNDECIDABLE), (was, UNDECIDABLE)]
    unknown = ", with nothing known of the person"
    assert changes(messages, law, "cascading") == [
        lost,
        (was, f"grant 120 min{unknown}"),
        (was, f"already granted 120 min{unknown}"),
    ]


def test_a_return_that_the_new_policy_does_not_read(
    lived_through: Callable[..., list[RecordedMessage]],
) -> None:
    """On recorded facts the permit has ended; in a history made anew it has not."""
    messages = lived_through((0, "1 AZE 1111111"), (0.5, "QAYITDIM"), (0.6, "1 AZE 1111111"))
    assert [message.outcome for message in messages] == ["decided", "command", "decided"]
    unread = ("command", "not understood (unreadable)")
    assert changes(messages, policy(NO_RETURN), "recorded") == [unread]
    assert changes(messages, policy(NO_RETURN), "cascading") == [
        unread,
        ("grant 120 min", "already granted 120 min"),
    ]


def test_a_cancelled_permit_gives_the_day_back(
    lived_through: Callable[..., list[RecordedMessage]],
) -> None:
    """Before it begins, and only where it begins later: at once, the day is spent."""
    law = policy(*STARTS_LATER)
    messages = lived_through((0, "2 AZE 1111111"), (0.1, "LƏĞV"), (0.2, "2 AZE 1111111"), law=law)
    assert changes(messages, law, "cascading") == []
    grant = "grant 120 min, in 15 min"
    assert changes(messages, policy(), "recorded") == [(grant, "grant 120 min")] * 2
    assert changes(messages, policy(), "cascading") == [
        (grant, "grant 120 min"),
        (grant, "refuse (once-a-day)"),
    ]


def test_only_the_phone_that_asked_returns_a_permit(tmp_path: Path) -> None:
    """A neighbour's early return ends nobody else's permit."""
    url, law = f"sqlite:///{tmp_path}/smsd.db", policy()
    texts = [(0, "1 AZE 1111111", "1"), (9, "QAYITDIM", "2"), (19, "1 AZE 1111111", "1")]
    live(url, law, [[sms(text, MORNING_US + m * MINUTE_US, who)] for m, text, who in texts])
    messages = list(recording(url, 0).messages())
    assert messages[-1].decisions[0].verdict == "already_granted"
    assert changes(messages, law, "cascading") == []


def test_a_flood_is_not_played_again(
    lived_through: Callable[..., list[RecordedMessage]],
) -> None:
    """What was left without an answer was decided all the same; nonsense stays nonsense."""
    nonsense = [(3 + n / 100, "salam") for n in range(12)]
    asked = lived_through(
        (0, "2 AZE 1111111"), (2.9, "2 AZE 1111111"), *nonsense, (3.2, "2 AZE 1111111")
    )
    assert [message.outcome for message in asked[-2:]] == ["silent", "silent"]
    assert asked[-1].decisions[0].verdict == "refuse"
    assert changes(asked, policy(), "recorded") == []
    granted = ("refuse (once-a-day)", "grant 120 min")
    assert changes(asked, policy(TWICE), "recorded") == [granted, granted]


def test_repeats_are_passed_over(tmp_path: Path) -> None:
    """The SMS that they repeat has the only outcome."""
    url = f"sqlite:///{tmp_path}/smsd.db"
    live(url, policy(), [[sms("1 AZE 1111111", MORNING_US), sms("1 AZE 1111111", MORNING_US + 1)]])
    tally = Tally()
    messages = recording(url, 0).messages()
    for change in replay(tally.watch(messages), policy(AN_HOUR), "cascading"):
        tally.add(change)
    assert (tally.messages, tally.repeated, tally.decisions, tally.changes) == (2, 1, 1, 1)


def test_a_household_changes_person_by_person(
    lived_through: Callable[..., list[RecordedMessage]],
) -> None:
    """One SMS, one change for each document that it concerns."""
    messages = lived_through((0, "2 AZE 1111111"), (3, "2 AZE 1111111, AZE 2222222"))
    [change] = replay(messages, policy(TWICE), "cascading")
    spent = messages[1].decisions[0]
    assert change == Change(
        messages[1].id,
        MORNING_US + 3 * HOUR_US,
        spent.serial,
        "2",
        "refuse (once-a-day)",
        "grant 120 min",
    )


def test_a_document_that_is_read_as_another(
    lived_through: Callable[..., list[RecordedMessage]],
) -> None:
    """The old one is lost and the new one is new; the rest of the household is as it was."""
    messages = lived_through((0, "1 AZE 1111111, QM 1234567"))
    law = policy(('kind = "QM"', 'kind = "QX"'))
    assert changes(messages, law, "recorded") == [
        ("not understood (other document)", UNDECIDABLE),
        ("grant 120 min", "not understood (other document)"),
    ]


def test_a_request_understood_only_now_meets_the_permits_of_its_person(tmp_path: Path) -> None:
    """Whose a document is was recorded with an earlier request; here it is a second card."""
    url, law = f"sqlite:///{tmp_path}/smsd.db", policy()
    register = register_of(tmp_path, law, "P1,AZE1111111,1980-01-01\nP1,AA1111111,1980-01-01\n")
    texts = ["2 AZE 1111111", "1 AA 1111111", "2 AAX 1111111"]
    batches = [[sms(text, MORNING_US + 3 * n * HOUR_US)] for n, text in enumerate(texts)]
    live(url, law, batches, register)
    register.close()
    reads_more = policy(('spellings = ["AA"]', 'spellings = ["AA", "AAX"]'))
    [change] = replay(recording(url, 0).messages(), reads_more, "cascading")
    assert change.new == "refuse (once-a-day), with nothing known of the person"


def test_a_return_ends_what_it_means(
    lived_through: Callable[..., list[RecordedMessage]],
) -> None:
    """Not the permit of another document, though only the new policy has given that one."""
    messages = lived_through(
        (0, "1 AZE 1111111"),
        (0.1, "1 AZX 2222222"),
        (0.2, "RETURN AZE 1111111"),
        (0.3, "1 AZE 2222222"),
        (0.4, "1 AZE 1111111"),
    )
    assert [len(message.decisions) for message in messages] == [1, 0, 0, 1, 1]
    found = changes(messages, policy(ANOTHER_SPELLING), "cascading")
    assert found[1:] == [("grant 120 min", "already granted 120 min")]


def test_a_request_understood_only_now_came_by_its_channel(
    lived_through: Callable[..., list[RecordedMessage]],
) -> None:
    """Of such a request, the channel is known and nothing else."""
    [message] = lived_through((0, "1 AZX 1111111"))
    law = policy(ANOTHER_SPELLING, NO_WEB)
    for channel, outcome in [("sms", "grant 120 min"), ("web", "refuse (no-web)")]:
        [change] = replay([message._replace(channel=channel)], law, "cascading")
        assert change.new == f"{outcome}, with nothing known of the person"


def test_a_permit_that_began_with_its_reply_ends_by_it(
    lived_through: Callable[..., list[RecordedMessage]],
) -> None:
    """The reply left a second after the SMS, so the last second is in the permit, and no more."""
    law = policy(*WITH_REPLY)
    until = 2 + 1 / 3600
    messages = lived_through(
        (0, "1 AZE 1111111"),
        (until - 0.0001, "1 AZE 1111111"),
        (until, "1 AZE 1111111"),
        law=law,
    )
    verdicts = [message.decisions[0].verdict for message in messages]
    assert verdicts == ["grant", "already_granted", "grant"]
    assert changes(messages, law, "cascading") == []


def test_a_permit_for_many_days_is_remembered(
    lived_through: Callable[..., list[RecordedMessage]],
) -> None:
    """Longer than two civil days, until it ends."""
    law = policy(('value = 120, source = "seed: codes', 'value = 6000, source = "seed: codes'))
    messages = lived_through(*[(24 * day, "1 AZE 1111111") for day in range(6)], law=law)
    verdicts = [message.decisions[0].verdict for message in messages]
    assert verdicts == ["grant", *["already_granted"] * 4, "grant"]
    assert changes(messages, law, "cascading") == []


def test_memory_is_bounded_by_two_days(
    lived_through: Callable[..., list[RecordedMessage]],
) -> None:
    """A holder of the day before yesterday is forgotten."""
    messages = lived_through(*[(24 * n, f"1 AZE {1_111_111 + n}") for n in range(5)])
    law = policy()
    history = History(law)
    kept = []
    for message in messages:
        history.begin(message)
        [decision] = message.decisions
        history.facts(decision)
        document = law.grammar.parse_document(decision.document)
        assert document is not None
        again = decide(law, decision.code, document, decision.facts, message.received_at_us)
        history.decided(message, again, decision)
        kept.append(len(history))
    assert kept == [1, 2, 2, 2, 2]


def test_examples_are_few_and_counts_are_whole() -> None:
    """The first of each kind; the most frequent kind stands first."""
    tally = Tally()
    for number in range(EXAMPLES_MAX + 3):
        tally.add(Change(number, number, number, "1", "grant 120 min", "grant 60 min"))
    tally.add(Change(99, 99, None, None, "command", "not understood (empty)"))
    first, second = tally.kinds()
    assert (first.count, [c.message_id for c in first.examples]) == (
        EXAMPLES_MAX + 3,
        list(range(EXAMPLES_MAX)),
    )
    assert (second.count, len(second.examples)) == (1, 1)


def test_messages_are_taken_one_by_one(
    lived_through: Callable[..., list[RecordedMessage]],
) -> None:
    """A change is told before the next SMS is read: nothing is gathered."""
    messages = lived_through((0, "1 AZE 1111111"), (3, "1 AZE 1111111"))
    read = []

    def watched() -> Iterator[RecordedMessage]:
        for message in messages:
            read.append(message.id)
            yield message

    next(replay(watched(), policy(AN_HOUR), "cascading"))
    assert read == [messages[0].id]
