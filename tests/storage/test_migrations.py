"""A store of an earlier version opens, keeps every row, and takes new ones."""

import os
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from decisions_stored import HOLDER, NOON_US, grant
from small_disk import full_disk
from sqlite_utils import Database, Migrations
from structlog.testing import capture_logs

from rules import CompiledPolicy, HeldPermit
from storage import SqliteStore, StoreError, StoreUnavailable, audit
from storage.audit_proof import verify as verify_audit
from storage.backup import row_counts, tables
from storage.migrations import m0001_message_decision_reply, migrations
from storage.sqlite_library import dbapi
from storage.upkeep import verify


@pytest.fixture
def first_version(url: str, tmp_path: Path) -> str:
    """A store that the first version left: a granted SMS, and its reply not sent yet."""
    connection = dbapi.connect(str(tmp_path / "smsd.db"), isolation_level=None)
    first = Migrations("smsd")
    first(name="m0001_message_decision_reply")(m0001_message_decision_reply.step)
    first.apply(Database(connection))
    for statement in (
        "INSERT INTO smsc VALUES (1, 'one')",
        "INSERT INTO policy VALUES (1, 'digest', 'text', 0)",
        f"INSERT INTO message VALUES (5, {NOON_US}, 1, '994500000001', '8103', 0, '2 AZE 1111111',"
        " NULL, 'decided', NULL)",
        f"INSERT INTO decision VALUES (7, 5, {NOON_US}, '{HOLDER}', 'AZE1111111', '2', 'grant',"
        f" 'granted', 1, '{{}}', 7, {NOON_US}, {NOON_US + 9}, 737521, 'code-2', 0)",
        "INSERT INTO reply (id, message, smsc, phone, text, not_after_us, state)"
        f" VALUES (5, 5, 1, '994500000001', 'yes', {NOON_US}, 0)",
    ):
        connection.execute(statement)
    connection.close()
    return url


def test_what_an_earlier_version_stored_is_still_known(
    first_version: str, policy: CompiledPolicy
) -> None:
    """Its permit counts and its reply leaves, no more urgent than before; neither was ended nor
    begins with a reply."""
    store = SqliteStore(first_version)
    with store.transaction(policy) as transaction:
        assert transaction.permits([HOLDER], NOON_US)[HOLDER] == (
            HeldPermit(7, "2", NOON_US, NOON_US + 9, 737_521, 0),
        )
        assert [
            p.serial for p in transaction.phone_permits(["994500000001"], NOON_US)["994500000001"]
        ] == [7]
    [reply] = store.unsent("one", 0, 10)
    assert (reply.text, reply.starts_permit, reply.urgent) == ("yes", False, False)
    assert store.connection.execute("SELECT channel FROM message").fetchall() == [("sms",)]
    store.close()


def test_an_earlier_version_goes_on_counting(first_version: str, policy: CompiledPolicy) -> None:
    """Ids and serials continue, and opening it again changes nothing."""
    store = SqliteStore(first_version)
    assert grant(store, policy, "1").serial == 8
    store.close()
    again = SqliteStore(first_version)
    assert not migrations.pending(Database(again.connection))
    assert again.last_id == 6
    again.close()


# From every earlier schema.

STEPS = [step.name for step in migrations.pending(Database(memory=True))]
NEXT = {name: STEPS[at + 1].partition("_")[0] for at, name in enumerate(STEPS[:-1])}
POLICY_TEXT = "a policy"
POLICY_DIGEST = "1b551587059622f0d62ffa8a371207104a31c6d59bbe2d6563c5199e51d9f267"

# The rows of the tables that a schema came with; the columns are those of that schema.
ROWS = {
    "m0001_message_decision_reply": (
        "INSERT INTO smsc VALUES (1, 'one'), (2, 'two')",
        f"INSERT INTO policy VALUES (1, '{POLICY_DIGEST}', '{POLICY_TEXT}', 5)",
        "INSERT INTO message (id, received_at_us, smsc, phone, short_number, data_coding, text,"
        " octets, outcome, repeat_of) VALUES"
        f" (5, {NOON_US}, 1, '994500000001', '8103', 0, '2 AZE 1', NULL, 'decided', NULL),"
        f" (6, {NOON_US + 1}, 2, '994500000001', '8103', 8, '?', x'd800', 'no_code', NULL),"
        f" (7, {NOON_US + 2}, 1, '994500000001', '8103', 0, '2 AZE 1', NULL, 'repeated', 5),"
        f" (8, {NOON_US + 3}, 1, '994500000002', '8103', 0, '1 AZE 2', NULL, 'decided', NULL)",
        "INSERT INTO decision (serial, message, at_us, holder, document, code, verdict, rule,"
        " policy, facts, permit, valid_from_us, valid_until_us, day, quota, quota_slot) VALUES"
        f" (7, 5, {NOON_US}, 'p:P1', 'AZE1', '2', 'grant', 'granted', 1, '{{}}', 7, {NOON_US},"
        f" {NOON_US + 7_200_000_000}, 737521, 'code-2', 0),"
        f" (8, 8, {NOON_US + 3}, 'p:P2', 'AZE2', '1', 'refuse', 'senior', 1, '{{}}', NULL, NULL,"
        " NULL, 737521, NULL, NULL)",
        "INSERT INTO reply (id, message, smsc, phone, text, not_after_us, state, resent,"
        " settled_at_us, smsc_message_id, status) VALUES"
        " (5, 5, 1, '994500000001', 'yes', 9, 1, 1, 8, 'abc', 0),"
        " (6, 6, 2, '994500000001', 'how to', 9, 2, 0, 8, '', 11),"
        " (8, 8, 1, '994500000002', 'no', 9, 0, 0, NULL, NULL, NULL)",
        "INSERT INTO part (phone, reference, total, number, octets, received_at_us)"
        f" VALUES ('994500000003', 1, 2, 1, x'00', {NOON_US})",
    ),
    "m0002_phones_blocks_activations": (
        "UPDATE decision SET ended_us = 9, begins_with_reply = 1 WHERE serial = 7",
        "UPDATE reply SET starts_permit = 1 WHERE id = 5",
        "UPDATE message SET channel = 'web' WHERE id = 8",
        "INSERT INTO phone VALUES ('994500000001', 'en', 5, 1)",
        "INSERT INTO block VALUES (1, 'p:P2', 'AZE2', '', 737600, 'a complaint', 'officer', 5,"
        " NULL, NULL, NULL)",
        "INSERT INTO activation VALUES (1, 5, 'activate', 1, 'officer', 'decree')",
        "INSERT INTO audit (id, at_us, who, action, subject, reason)"
        f" VALUES (1, 5, 'officer', 'policy_activate', '{POLICY_DIGEST}', 'd')",
        "INSERT INTO shadow_difference VALUES (8, 1, 'grant', 'granted')",
    ),
    "m0003_indexes_by_day": (),
    "m0004_urgent_replies": (
        "UPDATE reply SET urgent = 1 WHERE id = 8",
        "UPDATE decision SET ended_us = 0, quota = NULL, quota_slot = NULL WHERE serial = 7",
        f"INSERT INTO message VALUES (9, {NOON_US + 4}, 1, '994500000001', '8103', 0, '2 AZE 1',"
        " NULL, 'late', 5, 'sms')",
        "INSERT INTO reply (id, message, smsc, phone, text, not_after_us, state)"
        " VALUES (9, 9, 1, '994500000001', 'too late', 9, 0)",
    ),
    "m0006_receipts": (
        "UPDATE reply SET receipt_state = 2, receipt_at_us = 9, segments_arrived = 1 WHERE id = 5",
        "INSERT INTO submission VALUES (18358, 1, 'abc', 5, 0, 1)",
        "INSERT INTO early_receipt VALUES (1, 'abd', 2, 9)",
        "UPDATE part SET smsc = 1, short_number = '8103', data_coding = 8, state = 1",
    ),
    "m0007_dead_letters": (
        "INSERT INTO audit (id, at_us, who, action, subject, reason)"
        " VALUES (2, 9, 'operator', 'outbox_retry', 'reply 6', 'mended')",
        "UPDATE reply SET state = 0, retried = 2 WHERE id = 6",
    ),
    "m0008_audit_chain": (
        "INSERT INTO audit_about VALUES (2, x'05', '994500000001')",
        "UPDATE audit SET about_digest = 'digest', hash = 'hash' WHERE id = 2",
    ),
    "m0009_users": (
        "INSERT INTO user VALUES ('leyla', '$argon2id$', 1, NULL, 'agent viewer', 0, 5, 6)",
        "INSERT INTO session VALUES ('beef', 'leyla', 'csrf', 'password', 7, 8)",
        "INSERT INTO token VALUES ('patrol', 'cafe', 'check', 'leyla', 5, 99, NULL, NULL)",
    ),
    "m0010_history": ("INSERT INTO history VALUES (5, 1586160000, '[5000,{},{},{}]')",),
    "m0011_counter": (
        "UPDATE reply SET state = 0, sent_before_us = 8 WHERE id = 5",
        "UPDATE audit_journal SET journal = 'a name', lines = 2",
    ),
    "m0012_proposals": (
        "INSERT INTO proposal VALUES (1, 1, 0, 'officer', 5, 'decree', 'queued', 99)",
        "INSERT INTO proposal_move VALUES (1, 1, 7, 'second', 'queue', 'at midnight')",
        "INSERT INTO study VALUES (1, 1, 5, 1, 6, 'sound', '{}')",
    ),
}
assert list(ROWS) == STEPS, "rows for what the newest step brings"


def apply_up_to(connection: "dbapi.Connection", last: str) -> None:
    """Only these steps, as a daemon of that time would have."""
    stop = STEPS[STEPS.index(last) + 1 :]
    migrations.apply(Database(connection), stop_before=stop)


def old_store(file: Path, schema: str) -> None:
    """A store that a daemon of this schema left, with rows in every table."""
    with closing(dbapi.connect(os.fspath(file), isolation_level=None)) as connection:
        apply_up_to(connection, schema)
        for step in STEPS[: STEPS.index(schema) + 1]:
            for statement in ROWS[step]:
                connection.execute(statement)


def content(connection: "dbapi.Connection") -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, by the names of their columns."""
    found = {}
    for table in tables(connection):
        cursor = connection.execute(f'SELECT * FROM "{table}" ORDER BY 1')
        names = [column[0] for column in cursor.description]
        found[table] = [dict(zip(names, row, strict=True)) for row in cursor]
    return found


def content_of(file: Path) -> dict[str, list[dict[str, Any]]]:
    with closing(dbapi.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return content(connection)


def schema_of(connection: "dbapi.Connection") -> set[tuple[str, str, str | None]]:
    """Tables and indexes as they were declared, and columns whatever the order of steps."""
    return set(
        connection.execute(
            "SELECT type, name, CASE type WHEN 'index' THEN sql END FROM sqlite_schema"
        )
    ) | {
        ("column", table, str(column[1:]))
        for table in tables(connection)
        for column in connection.execute(f'PRAGMA table_xinfo("{table}")')
    }


def steps_of(file: Path) -> list[str]:
    with closing(dbapi.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return [step.name for step in migrations.applied(Database(connection))]


@pytest.mark.parametrize("schema", STEPS)
def test_from_every_schema_all_rows_come_along(url: str, tmp_path: Path, schema: str) -> None:
    """Every column that there was keeps its value; tables and indexes are as in a fresh store."""
    file = tmp_path / "smsd.db"
    old_store(file, schema)
    before = content_of(file)
    store = SqliteStore(url)
    after = content(store.connection)
    for table, rows in before.items():
        pairs = zip(rows, after[table], strict=True)
        assert [{name: row[name] for name in old} for old, row in pairs] == rows, table
    fresh = SqliteStore(f"sqlite:///{tmp_path}/fresh.db")
    assert schema_of(store.connection) == schema_of(fresh.connection)
    assert not migrations.pending(Database(store.connection))
    store.close()
    fresh.close()
    assert not any(verify(url, lambda _check: None).values())


def test_the_audit_of_before_is_chained_as_it_was(url: str, tmp_path: Path) -> None:
    """Its lines are part of what can be verified, and new ones go on behind them."""
    old_store(tmp_path / "smsd.db", "m0007_dead_letters")
    SqliteStore(url).close()
    audit.note(url, 10, "officer", "act", "subject", "reason")
    assert verify_audit(url)[:3:2] == (3, None)


@pytest.mark.parametrize("schema", NEXT)
def test_before_the_first_missing_step_there_is_a_backup(
    url: str, tmp_path: Path, schema: str
) -> None:
    """Named after that step, of the older schema, with all rows; told once, and made once."""
    file = tmp_path / "smsd.db"
    old_store(file, schema)
    before = content_of(file)
    with capture_logs() as logs:
        SqliteStore(url).close()
    backup = tmp_path / f"smsd.db.before-{NEXT[schema]}"
    [made] = [line for line in logs if line["event"] == "migration_backup_made"]
    assert (made["file"], made["bytes"]) == (str(backup), backup.stat().st_size)
    assert content_of(backup) == before
    assert steps_of(backup) == STEPS[: STEPS.index(schema) + 1]
    with capture_logs() as logs:
        SqliteStore(url).close()
    assert logs == []
    assert list(tmp_path.glob("*.before-*")) == [backup]


@pytest.mark.parametrize("schema", NEXT)
def test_a_backup_put_back_is_a_store(tmp_path: Path, schema: str) -> None:
    """The way back is open: it opens, and goes forward again."""
    old_store(tmp_path / "smsd.db", schema)
    messages = len(content_of(tmp_path / "smsd.db")["message"])
    SqliteStore(f"sqlite:///{tmp_path}/smsd.db").close()
    backup = tmp_path / f"smsd.db.before-{NEXT[schema]}"
    back = tmp_path / "back.db"
    backup.rename(back)
    store = SqliteStore(f"sqlite:///{back}")
    assert row_counts(store.connection)["message"] == messages >= 4
    store.close()
    assert not any(verify(f"sqlite:///{back}", lambda _check: None).values())


@pytest.mark.parametrize("schema", [None, *STEPS[:2]])
def test_what_holds_nothing_is_not_backed_up(url: str, tmp_path: Path, schema: str | None) -> None:
    """A new store, and an older one that nobody has texted to."""
    if schema is not None:
        with closing(dbapi.connect(str(tmp_path / "smsd.db"), isolation_level=None)) as connection:
            apply_up_to(connection, schema)
    SqliteStore(url).close()
    assert not list(tmp_path.glob("*.before-*"))


def test_without_room_for_the_backup_the_store_stays_as_it_is(url: str, tmp_path: Path) -> None:
    """What to do is said; no step is applied, no half backup lies about, the lock is let go."""
    file = tmp_path / "smsd.db"
    old_store(file, STEPS[1])
    before = content_of(file)
    with full_disk(40_000), pytest.raises(StoreUnavailable) as refused:
        SqliteStore(url)
    assert f"needs {', '.join(STEPS[2:])} and was left as it is" in str(refused.value)
    assert "free space in" in str(refused.value)
    assert content_of(file) == before
    assert steps_of(file) == STEPS[:2]
    assert not list(tmp_path.glob("*.before-*"))
    SqliteStore(url).close()
    assert steps_of(file) == STEPS


def test_a_start_that_was_cut_off_is_taken_up_again(url: str, tmp_path: Path) -> None:
    """Killed while it copied, or when it had; a good copy is not made twice."""
    file = tmp_path / "smsd.db"
    backup = tmp_path / "smsd.db.before-m0003"
    old_store(file, STEPS[1])
    Path(f"{backup}.new").write_bytes(b"half a copy")
    old_store(backup, STEPS[1])
    made = backup.stat().st_mtime_ns
    SqliteStore(url).close()
    assert backup.stat().st_mtime_ns == made
    assert steps_of(file) == STEPS


def test_half_a_copy_of_a_killed_daemon_is_replaced(url: str, tmp_path: Path) -> None:
    """It is this store's, whose lock we hold: nobody is writing it."""
    old_store(tmp_path / "smsd.db", STEPS[1])
    new = tmp_path / "smsd.db.before-m0003.new"
    new.write_bytes(b"half a copy")
    SqliteStore(url).close()
    assert not new.exists()
    assert steps_of(tmp_path / "smsd.db.before-m0003") == STEPS[:2]


@pytest.mark.parametrize("other", ["another store", "no store"])
def test_an_older_backup_is_neither_trusted_nor_overwritten(
    url: str, tmp_path: Path, other: str
) -> None:
    """The store was put back once and has lived on: the operator decides what to keep."""
    file = tmp_path / "smsd.db"
    backup = tmp_path / "smsd.db.before-m0003"
    old_store(file, STEPS[1])
    if other == "no store":
        backup.write_bytes(b"notes")
    else:
        old_store(backup, STEPS[1])
        with closing(dbapi.connect(str(backup), isolation_level=None)) as connection:
            connection.execute("DELETE FROM reply WHERE id = 8")
    kept = backup.read_bytes()
    with pytest.raises(StoreError, match="holds something else; move it away and start again"):
        SqliteStore(url)
    assert backup.read_bytes() == kept
    assert steps_of(file) == STEPS[:2]
    backup.rename(tmp_path / "aside")
    SqliteStore(url).close()
    assert steps_of(backup) == STEPS[:2]
