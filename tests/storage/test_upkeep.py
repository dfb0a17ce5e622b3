"""A sound store is called sound, and each kind of unsoundness is found and counted."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from decisions_stored import DAY_US, NOON_US, grant, sms
from lived_traffic import live_for_days
from lived_traffic import policy as edited_policy
from sqlite_utils import Database

from rules import CompiledPolicy, Document
from storage import SqliteStore, StoreError
from storage.migrations import migrations
from storage.upkeep import CHECKS, stats, verify

SOUND = dict.fromkeys(CHECKS, 0)


def found(url: str) -> dict[str, int]:
    """What is not as it must be."""
    return {name: number for name, number in verify(url, lambda _check: None).items() if number}


def test_what_a_gateway_wrote_is_sound(url: str, tmp_path: Path) -> None:
    """Days of every kind of SMS: repeats, junk, commands, silence; each check is told of."""
    live_for_days(url, tmp_path, edited_policy(), 600, seed=1)
    begun: list[str] = []
    assert verify(url, begun.append) == SOUND
    assert begun == list(CHECKS)


@pytest.fixture
def lived(url: str, store: SqliteStore, policy: CompiledPolicy) -> Iterator[SqliteStore]:
    """Two permits of two people."""
    grant(store, policy)
    grant(store, policy, document=Document("AZE", "2222222"), holder="p:P2")
    assert found(url) == {}
    return store


@pytest.mark.parametrize(
    ("spoiling", "expected"),
    [
        ("DELETE FROM reply WHERE id = 1", {"unanswered": 1}),
        ("UPDATE reply SET message = 2", {"unanswered": 1}),
        ("UPDATE message SET outcome = 'no_code'; DELETE FROM reply", {"unanswered": 2}),
        (
            "UPDATE message SET outcome = 'repeated' WHERE id = 1; DELETE FROM reply WHERE id = 1",
            {},
        ),
        ("UPDATE message SET outcome = 'silent' WHERE id = 1; DELETE FROM reply WHERE id = 1", {}),
        ("DELETE FROM message WHERE id = 2", {"foreign_keys": 2}),
        ("DELETE FROM policy", {"foreign_keys": 2, "without_policy": 2}),
        ("UPDATE policy SET source = source || ' '", {"without_policy": 2}),
        ("DROP INDEX decision_grant; UPDATE decision SET holder = 'p:P1'", {"granted_twice": 1}),
        ("DROP INDEX decision_grant; UPDATE decision SET holder = 'p:P1', quota = NULL", {}),
        ("DROP INDEX decision_grant; UPDATE decision SET holder = 'p:P1', quota_slot = serial", {}),
        ("DROP INDEX decision_grant; UPDATE decision SET holder = 'p:P1', day = serial", {}),
    ],
)
def test_what_is_not_sound_is_counted(
    url: str, lived: SqliteStore, spoiling: str, expected: dict[str, int]
) -> None:
    """By kind; and what only looks like it is not."""
    lived.connection.executescript(spoiling)
    assert found(url) == expected


def test_a_damaged_file_is_found(url: str, policy: CompiledPolicy, tmp_path: Path) -> None:
    """Octets of a disk that lies; nothing else is counted then."""
    store = SqliteStore(url)
    with store.transaction(policy) as transaction:
        for number in range(1_000):
            transaction.add_message(sms(f"{number} {'x' * 300}"), "command")
    store.close()
    file = tmp_path / "smsd.db"
    content = bytearray(file.read_bytes())
    middle = len(content) // 2 // 4_096 * 4_096
    content[middle : middle + 4_096] = b"\xff" * 4_096
    file.write_bytes(content)
    told = verify(url, lambda _check: None)
    assert list(told) == ["damage"]
    assert told["damage"] > 0


def test_without_a_write_ahead_log_a_running_daemon_is_not_stopped(
    url: str, store: SqliteStore
) -> None:
    """Verifying would hold its commits up for minutes; without a daemon it may."""
    store.connection.execute("PRAGMA journal_mode = DELETE")
    with pytest.raises(StoreError, match="back the store up and verify the copy"):
        found(url)
    store.close()
    assert found(url) == {}


def test_the_sizes_of_a_store_are_told(
    url: str, store: SqliteStore, policy: CompiledPolicy, tmp_path: Path
) -> None:
    """Both days counted; the oldest reply that waits is the one whose message came first."""
    empty = stats(url)
    assert (empty.days, empty.unsent, empty.oldest_unsent_us) == (0, 0, None)
    grant(store, policy, at_us=NOON_US + 2 * DAY_US)
    grant(store, policy, "1", at_us=NOON_US)
    store.connection.execute("UPDATE reply SET state = 1 WHERE id = 1")
    told = stats(url)
    assert told.rows["message"] == told.rows["decision"] == told.rows["reply"] == 2
    assert told.rows["audit"] == 0
    assert (told.days, told.unsent, told.oldest_unsent_us) == (3, 1, NOON_US)
    assert told.schema == migrations.applied(Database(store.connection))[-1].name
    assert told.file_bytes == (tmp_path / "smsd.db").stat().st_size
    assert told.wal_bytes == (tmp_path / "smsd.db-wal").stat().st_size > 0
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert stats(url).wal_bytes == 0
    store.close()
    assert stats(url).wal_bytes == 0
