"""Deleting what is older than it need be kept, a little at a time, beside a running daemon."""

import json
from collections.abc import Iterator
from typing import NamedTuple

from storage.beside import reading, transaction, write_audit, writer
from storage.sqlite import WAL_PAGES
from storage.sqlite_library import dbapi
from storage.sqlite_reach import DAY_US
from storage.upkeep import must_be_up_to_date

__all__ = ["Purged", "count_before", "purge"]

# The daemon waits 2 s for its turn and loses its batch then: each of ours takes milliseconds.
_BATCH_MESSAGES = 500

# The index of messages begins with the UTC day, this many microseconds long.
_FIRST_DAY = "SELECT received_at_us / 86400000000 AS day FROM message ORDER BY day LIMIT 1"
_COUNT_OF_DAY = (
    "SELECT count(*), max(id) FROM message INDEXED BY message_phone"
    " WHERE received_at_us / 86400000000 = ?"
)
_SELECT_OLD = (
    "SELECT id FROM message WHERE id > ? AND id <= ? AND received_at_us < ? ORDER BY id LIMIT ?"
)
# Numbers go on from the newest ones: if those went, the next start would give them out again, and
# a reference that somebody carries would stand for somebody else's permit. Replies that wait are
# found by their phone: there may be a hundred thousand, and each step must be short.
_SELECT_KEPT = """
SELECT old.id FROM json_each(:ids) CROSS JOIN message AS old ON old.id = value
 WHERE EXISTS (SELECT 1 FROM reply INDEXED BY reply_waiting
                WHERE phone = old.phone AND state = 0 AND message = old.id)
    OR EXISTS (SELECT 1 FROM decision INDEXED BY decision_message
                WHERE message = old.id AND verdict = 'grant'
                  AND min(valid_until_us, coalesce(ended_us, valid_until_us)) > :now_us)
    OR old.id IN ((SELECT max(id) FROM message),
                 (SELECT message FROM reply ORDER BY id DESC LIMIT 1),
                 (SELECT message FROM decision ORDER BY serial DESC LIMIT 1))
"""
# A message has one reply, under its own number.
_DELETE = {
    "shadow_differences": (
        "DELETE FROM shadow_difference WHERE serial IN"
        " (SELECT serial FROM decision WHERE message IN (SELECT value FROM json_each(?)))"
    ),
    "decisions": "DELETE FROM decision WHERE message IN (SELECT value FROM json_each(?))",
    "replies": "DELETE FROM reply WHERE id IN (SELECT value FROM json_each(?))",
    "messages": "DELETE FROM message WHERE id IN (SELECT value FROM json_each(?))",
}
# An SMS that stays must not name one that is gone.
_FORGET = (
    "UPDATE message INDEXED BY message_repeat SET repeat_of = NULL"
    " WHERE repeat_of IN (SELECT value FROM json_each(?))"
)
_DELETE_PARTS = (
    "DELETE FROM part WHERE (phone, reference, total, number) IN"
    " (SELECT phone, reference, total, number FROM part WHERE received_at_us < ? LIMIT ?)"
)


class Old(NamedTuple):
    """What lies before an instant. last_id: of those messages."""

    messages: int
    parts: int
    last_id: int


class Purged(NamedTuple):
    """How many rows are deleted so far, and how many messages had to stay."""

    messages: int = 0
    decisions: int = 0
    replies: int = 0
    shadow_differences: int = 0
    parts: int = 0
    kept: int = 0


def count_before(url: str, before_us: int) -> Old:
    """Count what was received before an instant, in short reads.

    Raises:
        StoreError: the store cannot be read, or its schema is not the newest.
    """
    with reading(url) as connection:
        must_be_up_to_date(connection)
        first = connection.execute(_FIRST_DAY).fetchone()
        last_day = before_us // DAY_US
        counts = [
            connection.execute(_COUNT_OF_DAY, (day,)).fetchone()
            for day in range(first[0] if first else last_day, last_day)
        ]
        counts.append(
            connection.execute(
                f"{_COUNT_OF_DAY} AND received_at_us < ?", (last_day, before_us)
            ).fetchone()
        )
        query = "SELECT count(*) FROM part WHERE received_at_us < ?"
        parts = int(connection.execute(query, (before_us,)).fetchone()[0])
    return Old(sum(number for number, _ in counts), parts, max(newest or 0 for _, newest in counts))


def purge(
    url: str, before_us: int, now_us: int, who: str, reason: str, subject: str
) -> Iterator[Purged]:
    """Delete what was received before an instant, with all that came of it.

    A message stays whose reply has not left or whose permit is valid after `now_us`, and so do
    those with the newest numbers. After each small transaction what is done so far is told;
    whoever calls lets the daemon have its turn before going on. The beginning and the end are
    in the audit; cut off in between, what is deleted stays deleted, and it can be run again.

    Raises:
        StoreError: the store cannot be used, or its schema is not the newest.
        StoreUnavailable: for now nothing more can be deleted.
    """
    last_id = count_before(url, before_us).last_id
    with writer(url) as connection:
        # What is deleted is overwritten, not only forgotten. (Not what SQLite moved within pages
        # that stay in use: that goes as they are filled again.)
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")  # as the daemon does
        with transaction(connection):
            write_audit(connection, now_us, who, "store_purge", subject, reason)
        done = Purged()
        after_id = 0
        while after_id < last_id:
            with transaction(connection):
                bounds = (after_id, last_id, before_us, _BATCH_MESSAGES)
                ids = [number for (number,) in connection.execute(_SELECT_OLD, bounds)]
                done = _added(done, _delete_messages(connection, ids, now_us))
            after_id = ids[-1] if ids else last_id
            yield done
        parts = _BATCH_MESSAGES
        while parts == _BATCH_MESSAGES:
            with transaction(connection):
                found = connection.execute(_DELETE_PARTS, (before_us, _BATCH_MESSAGES))
                parts = found.rowcount
                done = _added(done, {"parts": parts})
            yield done
        with transaction(connection):
            told = f"{subject}: {done.messages} messages, {done.kept} kept"
            write_audit(connection, now_us, who, "store_purged", told, reason)


def _delete_messages(connection: "dbapi.Connection", ids: list[int], now_us: int) -> dict[str, int]:
    """Delete messages and what belongs to them; how many rows of each kind."""
    bounds = {"ids": json.dumps(ids), "now_us": now_us}
    kept = {number for (number,) in connection.execute(_SELECT_KEPT, bounds)}
    old = json.dumps([number for number in ids if number not in kept])
    connection.execute(_FORGET, (old,))
    deleted = {name: connection.execute(query, (old,)).rowcount for name, query in _DELETE.items()}
    return {**deleted, "kept": len(kept)}


def _added(done: Purged, more: dict[str, int]) -> Purged:
    return done._replace(**{name: getattr(done, name) + count for name, count in more.items()})
