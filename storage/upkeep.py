"""Looking after the store beside a running daemon: backing it up, checking it, measuring it."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sqlite_utils import Database

from storage.backup import back_up, damage, row_counts
from storage.beside import reading
from storage.migrations import migrations
from storage.sqlite import database_path, owner_pid
from storage.sqlite_library import dbapi
from storage.store import StoreError

__all__ = ["CHECKS", "Stats", "back_up_store", "stats", "verify"]

_DAMAGE_MAX = 1_000

CHECKS = {
    "damage": "damaged places in the file",
    "foreign_keys": "rows that name a row which is not there",
    "unanswered": "messages that were to be answered and have no reply",
    "granted_twice": "places of a daily limit that were granted more than once",
    "without_policy": "decisions whose policy is not stored whole",
}
"""What `verify` counts; each must be 0."""

# An equal SMS shares the reply of the first, and a phone that had sent too much gets none.
_COUNT_UNANSWERED = (
    "SELECT count(*) FROM message LEFT JOIN reply"
    " ON reply.id = message.id AND reply.message = message.id"
    " WHERE outcome NOT IN ('repeated', 'silent') AND reply.id IS NULL"
)
_COUNT_GRANTED_TWICE = (
    "SELECT count(*) FROM (SELECT 1 FROM decision WHERE verdict = 'grant' AND quota IS NOT NULL"
    " GROUP BY day, holder, quota, quota_slot HAVING count(*) > 1)"
)
_COUNT_WITHOUT_POLICY = (
    "SELECT count(*) FROM decision WHERE policy NOT IN (SELECT id FROM policy)"
    " OR policy IN (SELECT value FROM json_each(?))"
)
# By the index of messages, whose first column this is; the first schema reads all rows.
_MESSAGE_DAY = "SELECT received_at_us / 86400000000 AS day FROM message ORDER BY day {} LIMIT 1"
_OLDEST_UNSENT = (
    "SELECT count(*), min(received_at_us) FROM reply JOIN message ON message.id = reply.message"
    " WHERE state = 0"
)


class Stats(NamedTuple):
    """What a store holds.

    rows: by table. free_bytes: within the file, to be filled again. days: UTC days from the first
    message to the last, both counted. oldest_unsent_us: when the message came whose reply has
    waited longest. schema: the newest step that was applied.
    """

    rows: dict[str, int]
    file_bytes: int
    wal_bytes: int
    free_bytes: int
    unsent: int
    oldest_unsent_us: int | None
    days: int
    schema: str


def back_up_store(
    url: str, target: Path, progress: Callable[[int, int], None] | None = None
) -> int:
    """Copy the store into a new file while the daemon runs; see `storage.backup.back_up`."""
    with reading(url) as connection:
        return back_up(connection, target, progress)


def verify(url: str, begins: Callable[[str], None]) -> dict[str, int]:
    """Count what must not be, by the names in `CHECKS`; tell of each check that it begins.

    Where the file itself is damaged nothing else is counted. Reads the whole file.

    Raises:
        StoreError: the store cannot be read, or not without stopping the daemon.
    """
    with reading(url) as connection:
        _must_not_hinder(connection, url)
        begins("damage")
        found = {"damage": damage(connection, _DAMAGE_MAX)}
        if found["damage"]:
            return found
        for name, query, values in (
            ("foreign_keys", "SELECT count(*) FROM pragma_foreign_key_check", ()),
            ("unanswered", _COUNT_UNANSWERED, ()),
            ("granted_twice", _COUNT_GRANTED_TWICE, ()),
            ("without_policy", _COUNT_WITHOUT_POLICY, (_altered_policies(connection),)),
        ):
            begins(name)
            found[name] = int(connection.execute(query, values).fetchone()[0])
    return found


def stats(url: str) -> Stats:
    """Measure the store.

    Raises:
        StoreError: it cannot be read.
    """
    path = database_path(url)
    with reading(url) as connection:
        days = [connection.execute(_MESSAGE_DAY.format(end)).fetchone() for end in ("", "DESC")]
        unsent, oldest_us = connection.execute(_OLDEST_UNSENT).fetchone()
        free, page_bytes = (
            int(connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("freelist_count", "page_size")
        )
        return Stats(
            row_counts(connection),
            path.stat().st_size,
            _size(Path(f"{path}-wal")),
            free * page_bytes,
            unsent,
            oldest_us,
            days[1][0] - days[0][0] + 1 if days[0] and days[1] else 0,
            migrations.applied(Database(connection))[-1].name,
        )


def _altered_policies(connection: "dbapi.Connection") -> str:
    """The numbers of the policies whose text is not the one that their digest names, as JSON."""
    rows = connection.execute("SELECT id, digest, source FROM policy")
    return json.dumps([number for number, digest, text in rows if _digest(text) != digest])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _must_not_hinder(connection: "dbapi.Connection", url: str) -> None:
    """Without a write-ahead log, whoever reads for minutes stops who writes."""
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    if mode != "wal" and owner_pid(url) is not None:
        raise StoreError(
            "on this SQLite, which has no sound write-ahead log, verifying would stop the running"
            " daemon; back the store up and verify the copy, or install pysqlite3"
        )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
