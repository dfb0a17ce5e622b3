"""Recorded traffic is read whole, in order and in pages, beside the daemon that goes on."""

from pathlib import Path

import pytest
from lived_traffic import BEGIN_US, HOUR_US, S_US, live, live_for_days, sms

from rules import CompiledPolicy, Facts, HeldPermit
from rules.analysis.recorded import RecordedDecision, RecordedMessage
from storage import SqliteStore, StoreError, recorded
from storage.recorded import recording


def read(url: str, since_us: int = 0) -> list[RecordedMessage]:
    return list(recording(url, since_us).messages())


def test_a_message_is_read_with_all_that_was_known(url: str, policy: CompiledPolicy) -> None:
    """Text, phone and channel; decisions in the order of documents, with facts and digest."""
    live(url, policy, [[sms("2 AZE 1111111", BEGIN_US, "1")]])
    later_us = BEGIN_US + HOUR_US
    live(url, policy, [[sms("2 AZE 2222222, AZE 1111111", later_us, "2")]])
    window_us = 2 * HOUR_US
    day = policy.calendar.day(BEGIN_US)
    permit = HeldPermit(1, "2", BEGIN_US, BEGIN_US + window_us, day, 0)
    first, second = read(url)
    assert (first.received_at_us, first.outcome, first.phone) == (BEGIN_US, "decided", "1")
    digest = policy.digest
    assert second == RecordedMessage(
        second.id,
        later_us,
        "2 AZE 2222222, AZE 1111111",
        "decided",
        (
            RecordedDecision(
                2,
                "AZE2222222",
                "2",
                "d:AZE2222222",
                Facts(2),
                "grant",
                "granted",
                2,
                later_us,
                later_us + window_us,
                False,
                digest,
            ),
            RecordedDecision(
                3,
                "AZE1111111",
                "2",
                "d:AZE1111111",
                Facts(3, permits=(permit,)),
                "already_granted",
                "repeat",
                1,
                BEGIN_US,
                BEGIN_US + window_us,
                False,
                digest,
            ),
        ),
        "2",
        "sms",
    )


def test_messages_without_a_decision_are_there_too(url: str, policy: CompiledPolicy) -> None:
    """Nonsense, commands and repeats; each says what it was."""
    texts = ["salam", "HELP", "1 AZE 1111111", "1 AZE 1111111"]
    live(url, policy, [[sms(text, BEGIN_US) for text in texts]])
    messages = read(url)
    assert [(message.outcome, len(message.decisions)) for message in messages] == [
        ("unreadable", 0),
        ("command", 0),
        ("decided", 1),
        ("repeated", 0),
    ]


@pytest.mark.parametrize("page", [1, 7, 300, 301])
def test_pages_join_without_a_seam(
    url: str, policy: CompiledPolicy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """However many SMS are read at once, none is lost, doubled or cut between its documents."""
    live_for_days(url, tmp_path, policy, count=300, seed=page)
    whole = read(url)
    assert any(len(message.decisions) > 1 for message in whole)
    assert [message.id for message in whole] == sorted({message.id for message in whole})
    monkeypatch.setattr(recorded, "PAGE_MESSAGES", page)
    assert read(url) == whole


@pytest.mark.parametrize("disorder", [0, 100_000])
def test_since_is_the_first_instant_that_counts(
    url: str,
    policy: CompiledPolicy,
    monkeypatch: pytest.MonkeyPatch,
    disorder: int,
) -> None:
    """The microsecond before is not read; found by halving, and with room for disorder."""
    monkeypatch.setattr(recorded, "_DISORDER_IDS", disorder)
    live(url, policy, [[sms("salam", BEGIN_US + n * S_US, str(n))] for n in range(50)])
    for first in (0, 1, 31, 49):
        since_us = BEGIN_US + first * S_US
        assert [m.phone for m in read(url, since_us)] == [str(n) for n in range(first, 50)]
        assert len(read(url, since_us + 1)) == 49 - first


def test_a_clock_that_was_set_back_hides_nothing(url: str, policy: CompiledPolicy) -> None:
    """Stored in one order, received in another: all from the instant on, in the order stored."""
    times = [40, 1, 2, 3, 4, 50, 5, 30]
    live(url, policy, [[sms("salam", BEGIN_US + s * S_US, str(s))] for s in times])
    assert [m.phone for m in read(url, BEGIN_US + 30 * S_US)] == ["40", "50", "30"]


def test_what_comes_meanwhile_is_left_for_the_next_time(
    url: str, policy: CompiledPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon writes between two pages: neither disturbs the other, and the reading ends."""
    monkeypatch.setattr(recorded, "PAGE_MESSAGES", 2)
    live(url, policy, [[sms("salam", BEGIN_US + n)] for n in range(4)])
    messages = recording(url, 0).messages()
    first = next(messages)
    live(url, policy, [[sms("1 AZE 1111111", BEGIN_US + HOUR_US)]])
    assert len([first, *messages]) == 4
    assert len(read(url)) == 5


def test_an_empty_store_has_no_messages(url: str) -> None:
    """A daemon that has not met an SMS yet."""
    SqliteStore(url).close()
    assert read(url) == []


def test_without_a_store_it_says_so(url: str) -> None:
    """Nothing is created by looking."""
    with pytest.raises(StoreError, match="there is no store at"):
        recording(url, 0)


SOUND = '"registered":null,"birth_date":null'


@pytest.mark.parametrize(
    "facts",
    [
        "",
        "{}",
        "[]",
        f'{{{SOUND},"permits":[[1,"2",0]]}}',
        f'{{{SOUND},"permits":[["x","2",0,0,737521,0]]}}',
        f'{{{SOUND},"permits":[[1,"2",0,"later",737521,0]]}}',
        f'{{{SOUND},"permits":[],"blocks":[["3","soon"]]}}',
        f'{{{SOUND},"permits":[],"messages_today":"5"}}',
        '{"registered":"yes","birth_date":null,"permits":[]}',
        '{"registered":true,"birth_date":"1980-13-01","permits":[]}',
        '{"registered":true,"birth_date":1980,"permits":[]}',
    ],
)
def test_spoiled_facts_name_their_decision(url: str, policy: CompiledPolicy, facts: str) -> None:
    """Not a traceback: which row it is, whatever somebody wrote into it."""
    live(url, policy, [[sms("1 AZE 1111111", BEGIN_US)]])
    store = SqliteStore(url)
    store.connection.execute("UPDATE decision SET facts = ?", (facts,))
    store.close()
    with pytest.raises(StoreError, match="the recorded facts of decision 1 cannot be read"):
        read(url)
