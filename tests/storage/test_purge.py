"""What is old goes, wholly; what somebody still waits for or relies on stays."""

from pathlib import Path

import pytest
from decisions_stored import DAY_US, HOUR_US, NOON_US, decided, grant, sms, stored

from rules import CompiledPolicy, Document
from rules.analysis.shadow import Disagreement
from storage import (
    InboundPart,
    ReplyOutcome,
    ReplyState,
    ShadowRow,
    SqliteStore,
    StoreError,
    StoreUnavailable,
    audit,
    beside,
)
from storage.purge import Purged, count_before, purge

CUT_US = NOON_US + HOUR_US
LATER_US = NOON_US + 30 * DAY_US


def ask(
    store: SqliteStore,
    policy: CompiledPolicy,
    number: int,
    at_us: int = NOON_US,
    sent: bool = True,
) -> int:
    """An SMS of a person and a phone of their own, granted and perhaps answered; its id."""
    document = Document("AZE", f"{number:07}")
    with store.transaction(policy) as transaction:
        decision = decided(transaction, policy, "2", document, at_us)
        message_id = stored(transaction, decision, f"p:P{number}", f"9945{number:08}")
    if sent:
        leave(store, policy, message_id)
    return message_id


def leave(store: SqliteStore, policy: CompiledPolicy, message_id: int) -> None:
    """The SMSC takes a reply."""
    with store.transaction(policy) as transaction:
        transaction.settle([ReplyOutcome(message_id, ReplyState.SENT, NOON_US, "id", 0, False)])


def purged(url: str, before_us: int = CUT_US, now_us: int = LATER_US) -> Purged:
    *_, done = purge(url, before_us, now_us, "operator", "retention", "before that day")
    return done


def ids(store: SqliteStore) -> list[int]:
    return [number for (number,) in store.connection.execute("SELECT id FROM message ORDER BY id")]


def count(store: SqliteStore, table: str) -> int:
    return int(store.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_what_was_received_before_goes_with_all_that_came_of_it(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """The microsecond before, of and after; decisions, replies and shadow differences alike."""
    received = (CUT_US - 1, CUT_US, CUT_US - 3 * DAY_US, CUT_US + 1)
    numbers = [ask(store, policy, number, at_us) for number, at_us in enumerate(received, 1)]
    old, new = numbers[::2], numbers[1::2]
    with store.transaction(policy) as transaction:
        transaction.add_shadow_differences(
            [
                ShadowRow(serial, policy, Disagreement(NOON_US, "grant", "r", "refuse", "r"))
                for serial in (1, 4)
            ]
        )
    assert count_before(url, CUT_US) == (2, 0, max(old), 0, 0)
    done = purged(url)
    assert done == Purged(messages=2, decisions=2, replies=2, shadow_differences=1)
    assert ids(store) == new
    assert [count(store, table) for table in ("decision", "reply", "shadow_difference")] == [
        2,
        2,
        1,
    ]
    assert store.connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_reply_that_has_not_left_keeps_its_message(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """However old; once it has left, the message goes."""
    waiting = ask(store, policy, 1, sent=False)
    ask(store, policy, 2)
    newest = ask(store, policy, 3, LATER_US)
    assert purged(url) == Purged(messages=1, decisions=1, replies=1, kept=1)
    assert ids(store) == [waiting, newest]
    [reply] = store.unsent("one", 0, 10)
    assert reply.id == waiting
    leave(store, policy, waiting)
    assert purged(url).messages == 1
    assert ids(store) == [newest]


def test_a_valid_permit_keeps_its_message(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """To its last microsecond; one that was returned early is valid no longer."""
    number = ask(store, policy, 1)
    ask(store, policy, 9, LATER_US)
    query = "SELECT valid_until_us FROM decision WHERE message = ?"
    (until_us,) = store.connection.execute(query, (number,)).fetchone()
    assert purged(url, now_us=until_us - 1).kept == 1
    assert number in ids(store)
    store.connection.execute("UPDATE decision SET ended_us = ? WHERE serial = 1", (until_us - 5,))
    assert purged(url, now_us=until_us - 6).kept == 1
    store.connection.execute("UPDATE decision SET ended_us = NULL WHERE serial = 1")
    assert purged(url, now_us=until_us).kept == 0
    assert number not in ids(store)


def test_a_returned_permit_keeps_nothing(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Its window would go on, but its holder is at home."""
    ask(store, policy, 1)
    ask(store, policy, 9, LATER_US)
    store.connection.execute("UPDATE decision SET ended_us = ? WHERE serial = 1", (NOON_US + 5,))
    assert purged(url, now_us=NOON_US + 5).messages == 1


def test_what_stays_names_nothing_that_is_gone(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Repeats and renewals of an SMS that is deleted stand for themselves; other links stay."""
    old, kept = ask(store, policy, 1), ask(store, policy, 2, CUT_US)
    with store.transaction(policy) as transaction:
        for first in (old, kept):
            transaction.add_message(sms(at_us=CUT_US)._replace(renews=first), "late")
            transaction.add_message(sms(at_us=CUT_US), "repeated", repeat_of=first)
    assert purged(url).messages == 1
    rows = store.connection.execute("SELECT repeat_of FROM message ORDER BY id").fetchall()
    assert rows == [(None,), (None,), (None,), (kept,), (kept,)]


def test_numbers_are_never_given_out_again(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Everything is old: the newest of each kind stay, and the next start goes on from them."""
    for number in (1, 2, 3):
        ask(store, policy, number)
    with store.transaction(policy) as transaction:
        junk = transaction.add_message(sms("hello"), "no_code")
        transaction.add_reply(junk, sms("hello"), "a reply", NOON_US)
        newest = transaction.add_message(sms("hello"), "silent")
    leave(store, policy, junk)
    store.connection.execute("UPDATE reply SET id = 99 WHERE id = ?", (junk,))
    assert purged(url) == Purged(messages=2, decisions=2, replies=2, kept=3)
    assert ids(store) == [3, junk, newest]
    store.close()
    again = SqliteStore(url)
    assert again.last_id == 99
    assert grant(again, policy, holder="p:another").serial == 4
    again.close()


def test_a_daemon_that_runs_goes_on_between_the_steps(
    url: str, store: SqliteStore, policy: CompiledPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step is a transaction of its own, and what comes meanwhile stays."""
    monkeypatch.setattr("storage.purge._BATCH_MESSAGES", 2)
    for number in range(1, 8):
        ask(store, policy, number)
    seen = []
    for step, done in enumerate(
        purge(url, CUT_US, LATER_US, "operator", "retention", "before that day")
    ):
        ask(store, policy, 100 + step, LATER_US)
        seen.append(done.messages)
    assert seen[:4] == [2, 4, 6, 7]
    assert ids(store) == sorted(ids(store))
    assert count(store, "message") == len(seen)
    assert policy.calendar.day(LATER_US)
    with store.transaction(policy) as transaction:
        assert transaction.permits(["p:P100"], LATER_US)["p:P100"]
        assert transaction.messages_since(["994500000100"], LATER_US) == {"994500000100": 1}


def test_stray_parts_go_by_their_own_time(
    url: str, store: SqliteStore, policy: CompiledPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of long SMS that never became whole; in steps, too."""
    monkeypatch.setattr("storage.purge._BATCH_MESSAGES", 2)
    with store.transaction(policy) as transaction:
        for number, at_us in enumerate((CUT_US - 1,) * 5 + (CUT_US,)):
            part = sms(phone=f"9945{number:08}", at_us=at_us)._replace(part=InboundPart(1, 2, 1))
            transaction.add_part(part)
    assert count_before(url, CUT_US).parts == 5
    assert purged(url) == Purged(parts=5)
    assert store.connection.execute("SELECT received_at_us FROM part").fetchall() == [(CUT_US,)]


def test_ids_that_do_not_follow_time_leave_nothing_behind(
    url: str, store: SqliteStore, policy: CompiledPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock was set back: an old message stands behind new ones."""
    monkeypatch.setattr("storage.purge._BATCH_MESSAGES", 2)
    new = [ask(store, policy, number, LATER_US + number) for number in (1, 2, 3)]
    ask(store, policy, 4, NOON_US)
    new.append(ask(store, policy, 5, LATER_US + 5))
    assert purged(url).messages == 1
    assert ids(store) == new


def test_the_audit_tells_who_purged_what_and_why_without_a_person(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """The beginning too, so that a purge that was cut off is known."""
    ask(store, policy, 1)
    ask(store, policy, 9, LATER_US)
    steps = purge(url, CUT_US, LATER_US, "operator", "retention", "before that day")
    next(steps)
    assert [line.action for line in audit.since(url, 0)] == ["store_purge"]
    for _ in steps:
        pass
    told = [(line.at_us, *line[2:6]) for line in audit.since(url, 0)]
    assert told == [
        (LATER_US, "operator", "store_purge", "before that day", "retention"),
        (LATER_US, "operator", "store_purged", "before that day: 1 messages, 0 kept", "retention"),
    ]


def test_what_is_deleted_is_overwritten(url: str, policy: CompiledPolicy, tmp_path: Path) -> None:
    """In tables and indexes. Where pages stay in use, what SQLite once moved within them may show:
    one in sixteen here, three in four if nothing were overwritten."""
    store = SqliteStore(url)
    for number in range(1, 400):
        ask(store, policy, number)
    ask(store, policy, 999, LATER_US)
    store.close()
    file = tmp_path / "smsd.db"
    phones = [f"9945{number:08}".encode() for number in range(1, 400)]
    assert all(phone in file.read_bytes() for phone in phones)
    purged(url)
    content = file.read_bytes()
    assert sum(phone in content for phone in phones) < 40
    assert b"994500000999" in content


def test_a_purge_that_cannot_go_on_has_half_done_nothing(
    url: str, store: SqliteStore, policy: CompiledPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody holds the store; whole steps stay done, the next time it goes on."""
    monkeypatch.setattr("storage.purge._BATCH_MESSAGES", 2)
    monkeypatch.setattr(beside, "_BUSY_TIMEOUT_MS", 20)
    for number in range(1, 6):
        ask(store, policy, number)
    steps = purge(url, CUT_US, LATER_US, "operator", "retention", "before that day")
    next(steps)
    with store.transaction(policy), pytest.raises(StoreUnavailable, match="locked"):
        next(steps)
    assert [count(store, table) for table in ("message", "decision", "reply")] == [3, 3, 3]
    assert purged(url).messages == 2


def test_an_older_schema_is_not_purged(url: str, store: SqliteStore) -> None:
    """It has no audit or other indexes; the daemon brings it up to date first."""
    store.connection.execute("DELETE FROM _sqlite_migrations WHERE name LIKE 'm0003%'")
    with pytest.raises(StoreError, match="lacks m0003_indexes_by_day; start the daemon once"):
        purged(url)
