"""The embedded store: what it keeps, what it refuses, what it says when it cannot."""

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from small_disk import full_disk
from sqlite_utils import Database

from rules import CompiledPolicy, Decision, Document, Facts, HeldPermit, Verdict, decide
from storage import (
    DecisionRow,
    InboundMessage,
    InboundPart,
    ReplyOutcome,
    ReplyState,
    SqliteStore,
    StoreConflict,
    StoreInUse,
    StoreUnavailable,
)
from storage import facts as recorded_facts
from storage.backup import row_counts
from storage.migrations import migrations
from storage.sqlite_library import dbapi, journal_mode, synchronous

NOON_US = int(datetime(2020, 4, 6, 8, 0, tzinfo=UTC).timestamp() * 1_000_000)
DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
DOCUMENT = Document("AZE", "1111111")
HOLDER = "p:P1"


def message(text: str = "2 AZE 1111111", phone: str = "994500000001") -> InboundMessage:
    return InboundMessage(NOON_US, "one", phone, "8103", 0, text.encode(), text, True, None)


def granted(policy: CompiledPolicy, serial: int, code: str = "2", at_us: int = NOON_US) -> Decision:
    decision = decide(policy, code, DOCUMENT, Facts(serial, True, date(1980, 5, 5)), at_us)
    assert decision.verdict is Verdict.GRANT
    return decision


def test_a_grant_is_found_as_a_permit_of_its_holder(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """What one transaction granted, the next one knows, to the microsecond."""
    with store.transaction(policy) as transaction:
        serial = transaction.next_serial()
        decision = granted(policy, serial)
        number = transaction.add_message(message(), "decided")
        transaction.add_decisions([DecisionRow(number, HOLDER, decision, Facts(serial))])
    with store.transaction(policy) as transaction:
        [held] = transaction.permits({HOLDER}, NOON_US)[HOLDER]
        assert held == HeldPermit(
            serial, "2", decision.valid_from_us or 0, decision.valid_until_us or 0, decision.day, 0
        )
        assert transaction.permits({"p:P2"}, NOON_US) == {}


def test_a_permit_is_forgotten_at_the_instant_it_ended(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """`permits` bounds on both sides: still there just before its end, gone at it."""
    with store.transaction(policy) as transaction:
        decision = granted(policy, transaction.next_serial())
        transaction.add_decisions([DecisionRow(1, HOLDER, decision, Facts(1))])
        until = decision.valid_until_us or 0
        assert transaction.permits({HOLDER}, until - 1)
        assert not transaction.permits({HOLDER}, until)


def test_the_index_refuses_a_second_permit_of_the_day(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Two decisions that took the same slot cannot both be stored; other days and holders can."""
    with store.transaction(policy) as transaction:
        first = granted(policy, transaction.next_serial())
        tomorrow = granted(policy, transaction.next_serial(), at_us=NOON_US + DAY_US)
        other = granted(policy, transaction.next_serial())
        transaction.add_decisions(
            [
                DecisionRow(1, HOLDER, first, Facts(1)),
                DecisionRow(1, HOLDER, tomorrow, Facts(2)),
                DecisionRow(1, "p:P2", other, Facts(3)),
            ]
        )
    with pytest.raises(StoreConflict), store.transaction(policy) as transaction:
        second = granted(policy, transaction.next_serial())
        transaction.add_decisions([DecisionRow(1, HOLDER, second, Facts(4))])
    with store.transaction(policy) as transaction:
        assert len(transaction.permits({HOLDER}, NOON_US)[HOLDER]) == 2


def test_permits_that_count_towards_no_limit_are_unlimited(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Code 1 has no daily limit, so the index must not invent one."""
    with store.transaction(policy) as transaction:
        for _ in range(3):
            decision = granted(policy, transaction.next_serial(), code="1")
            transaction.add_decisions([DecisionRow(1, HOLDER, decision, Facts(1))])
        assert len(transaction.permits({HOLDER}, NOON_US)[HOLDER]) == 3


def test_a_failed_block_leaves_nothing(store: SqliteStore, policy: CompiledPolicy) -> None:
    """All or nothing: message, decision and reply of a rolled-back batch are gone."""
    with pytest.raises(RuntimeError), store.transaction(policy) as transaction:
        number = transaction.add_message(message(), "decided")
        decision = granted(policy, transaction.next_serial())
        transaction.add_decisions([DecisionRow(number, HOLDER, decision, Facts(1))])
        transaction.add_reply(number, message(), "yes", NOON_US + HOUR_US)
        raise RuntimeError("the batch fails")
    with store.transaction(policy) as transaction:
        assert transaction.permits({HOLDER}, 0) == {}
    assert store.unsent("one", 0, 10) == []


def test_unsent_replies_come_back_in_order_page_by_page_after_reopening(
    url: str, policy: CompiledPolicy
) -> None:
    """The outbox outlives the process; settled replies do not come again."""
    first = SqliteStore(url)
    with first.transaction(policy) as transaction:
        for phone in ("1", "2", "3", "4"):
            sms = message(phone=phone)
            transaction.add_reply(
                transaction.add_message(sms, "decided"), sms, f"to {phone}", NOON_US
            )
    sent, *_ = first.unsent("one", 0, 1)
    with first.transaction(policy) as transaction:
        transaction.settle([ReplyOutcome(sent.id, ReplyState.SENT, NOON_US, "id", 0, False)])
    first.close()
    second = SqliteStore(url)
    page = second.unsent("one", 0, 2)
    rest = second.unsent("one", page[-1].id, 10)
    assert [reply.phone for reply in page + rest] == ["2", "3", "4"]
    assert second.unsent_count("one") == 3
    assert second.unsent("another", 0, 10) == []
    second.close()


def test_the_row_of_a_reply_says_which_smsc_took_it(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Its own, unless another is named, which may be new to the store; its message stays."""
    with store.transaction(policy) as transaction:
        for phone in ("1", "2"):
            sms = message(phone=phone)
            transaction.add_reply(transaction.add_message(sms, "decided"), sms, "yes", NOON_US)
    own, moved = store.unsent("one", 0, 2)
    sent = ReplyOutcome(own.id, ReplyState.SENT, NOON_US, "a", 0, False)
    with store.transaction(policy) as transaction:
        transaction.settle([sent, sent._replace(reply_id=moved.id, smsc="another", elsewhere=True)])
    names = "SELECT smsc.name FROM {0} JOIN smsc ON smsc.id = {0}.smsc ORDER BY {0}.id"
    rows = {
        table: list(store.connection.execute(names.format(table))) for table in ("reply", "message")
    }
    assert rows == {"reply": [("one",), ("another",)], "message": [("one",), ("one",)]}


def test_an_equal_message_with_a_reply_on_its_way_is_known_as_a_twin(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Only of the phones asked for, and only until its reply has left."""
    sms = message()
    with store.transaction(policy) as transaction:
        assert transaction.unsent_twins([sms]) == {}
        number = transaction.add_message(sms, "decided")
        transaction.add_reply(number, sms, "yes", NOON_US + HOUR_US)
    with store.transaction(policy) as transaction:
        assert transaction.unsent_twins([sms]) == {(sms.phone, sms.text): number}
        assert transaction.unsent_twins([message(phone="994500000002")]) == {}
        transaction.settle([ReplyOutcome(number, ReplyState.SENT, NOON_US, "id", 0, False)])
    with store.transaction(policy) as transaction:
        assert transaction.unsent_twins([sms]) == {}


def part(number: int, octets: bytes, total: int = 2, at_us: int = NOON_US) -> InboundMessage:
    return message()._replace(
        received_at_us=at_us, octets=octets, part=InboundPart(7, total, number)
    )


def test_parts_join_in_any_order_and_across_a_restart(url: str, policy: CompiledPolicy) -> None:
    """A part is kept on disk, so half a long SMS survives the process."""
    first = SqliteStore(url)
    with first.transaction(policy) as transaction:
        assert transaction.add_part(part(2, b"world")) is None
        assert transaction.add_part(part(2, b"world")) is None
    first.close()
    second = SqliteStore(url)
    with second.transaction(policy) as transaction:
        assert transaction.add_part(part(1, b"hello ")) == b"hello world"
        assert transaction.add_part(part(1, b"hello ")) is None, "the first two are used up"
    second.close()


def test_a_reused_reference_never_joins_an_old_part(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Phones count references round; yesterday's stray half must not complete today's SMS."""
    with store.transaction(policy) as transaction:
        assert transaction.add_part(part(1, b"stale ")) is None
        tomorrow = NOON_US + DAY_US
        assert transaction.add_part(part(2, b"world", at_us=tomorrow)) is None
        assert transaction.add_part(part(1, b"hello ", at_us=tomorrow)) == b"hello world"


def test_a_second_daemon_is_refused_with_advice(store: SqliteStore, url: str) -> None:
    """Two writers on one file would both believe their own counters."""
    with pytest.raises(StoreInUse, match="in use by another smsd; stop that one"):
        SqliteStore(url)


def test_the_lock_dies_with_its_process(url: str, tmp_path: Path) -> None:
    """A daemon killed by SIGKILL leaves no lock behind."""
    script = f"""
import os, signal
from storage import SqliteStore
store = SqliteStore({url!r})
os.kill(os.getpid(), signal.SIGKILL)
"""
    ended = subprocess.run([sys.executable, "-c", script], check=False)
    assert ended.returncode == -9
    SqliteStore(url).close()


def test_a_full_store_is_unavailable_and_recovers(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """SQLITE_FULL is a temporary fault, and nothing of the batch is left."""
    pages = store.connection.execute("PRAGMA page_count").fetchone()[0]
    store.connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(StoreUnavailable), store.transaction(policy) as transaction:
        for _ in range(500):
            transaction.add_message(message(text="x" * 500), "decided")
    store.connection.execute("PRAGMA max_page_count = 1000000")
    with store.transaction(policy) as transaction:
        sms = message()
        transaction.add_reply(transaction.add_message(sms, "decided"), sms, "yes", NOON_US)
    assert len(store.unsent("one", 0, 10)) == 1


def test_a_read_only_store_is_unavailable(store: SqliteStore, policy: CompiledPolicy) -> None:
    """Writing is refused by SQLite, told as a temporary fault, and works again afterwards."""
    store.connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreUnavailable), store.transaction(policy) as transaction:
        transaction.add_message(message(), "decided")
    store.connection.execute("PRAGMA query_only = OFF")
    with store.transaction(policy) as transaction:
        transaction.add_message(message(), "decided")


def test_a_store_is_proved_writable_by_writing_and_stays_as_it_is(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """The file grows or the proof fails, as it does while the disk has room for a page or two."""
    with store.transaction(policy) as transaction:
        transaction.add_message(message(), "decided")
    before = row_counts(store.connection)
    log = Path(f"{store.path}-wal")
    log_bytes = log.stat().st_size
    with full_disk(log_bytes + 10_000), pytest.raises(StoreUnavailable):
        store.prove_writable()
    store.prove_writable()
    assert log.stat().st_size > log_bytes
    assert row_counts(store.connection) == before


def test_without_a_log_the_folder_is_synced_too() -> None:
    """The deletion of a rollback journal is the commit, and it lies in the folder."""
    assert (synchronous("WAL"), synchronous("DELETE")) == ("FULL", "EXTRA")


def test_a_file_that_is_no_store_is_refused_in_words(tmp_path: Path) -> None:
    """Naming the wrong file must not end in a traceback, nor harm the file."""
    wrong = tmp_path / "smsd.db"
    wrong.write_bytes(b"this is a shopping list, not a database; " * 100)
    with pytest.raises(StoreUnavailable, match="cannot be opened as a store"):
        SqliteStore(f"sqlite:///{wrong}")
    assert wrong.read_bytes().startswith(b"this is a shopping list")


def test_it_writes_ahead_and_syncs_fully(store: SqliteStore) -> None:
    """The pragmas on which "commit, then speak" rests."""
    assert store.journal_mode == journal_mode() == "WAL"
    assert store.connection.execute("PRAGMA synchronous").fetchone()[0] == 2


@pytest.mark.parametrize(
    ("version", "expected"),
    [("3.6.23", "WAL"), ("3.7.0", "DELETE"), ("3.51.2", "DELETE"), ("3.51.3", "WAL")],
)
def test_an_sqlite_with_the_wal_reset_fault_gets_a_rollback_journal(
    version: str, expected: str
) -> None:
    """3.7.0 to 3.51.2 can lose committed transactions in WAL mode."""
    assert journal_mode(version) == expected


def test_every_table_is_strict_and_every_migration_applied(store: SqliteStore) -> None:
    """STRICT keeps the types of the columns honest."""
    rows = store.connection.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB '_sqlite*'"
    ).fetchall()
    assert {name for name, _ in rows} >= {"message", "decision", "reply", "policy", "smsc", "part"}
    assert all("STRICT" in sql for _, sql in rows)
    assert not migrations.pending(Database(store.connection))


def test_facts_survive_their_journey_to_disk() -> None:
    """Recorded facts decide again what they decided once."""
    facts = Facts(9, None, date(1956, 2, 29), (HeldPermit(3, "2", 1, 2, 737_000),))
    assert recorded_facts.from_json(9, recorded_facts.to_json(facts)) == facts
    assert recorded_facts.from_json(1, recorded_facts.to_json(Facts(1, True))) == Facts(1, True)


def test_the_store_is_opened_with_a_current_library() -> None:
    """pysqlite3 is what the project relies on, not the interpreter's own SQLite."""
    assert dbapi.__name__.startswith("pysqlite3")
