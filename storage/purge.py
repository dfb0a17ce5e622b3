"""Deleting what is older than it need be kept, a little at a time, beside a running daemon."""

import json
from collections.abc import Iterator
from typing import NamedTuple

from storage import audit
from storage.beside import must_be_up_to_date, reading, transaction, writer
from storage.sqlite_library import dbapi
from storage.sqlite_reach import DAY_US

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
# In the chain only digests of them stay, which tell nothing without their salt.
_LAST_NAMED = (
    "SELECT max(audit), count(*) FROM audit_about JOIN audit ON audit.id = audit WHERE at_us < ?"
)
_SELECT_NAMED = (
    "SELECT audit, at_us FROM audit_about JOIN audit ON audit.id = audit"
    " WHERE audit > ? AND audit <= ? ORDER BY audit LIMIT ?"
)
_UNNAME = "DELETE FROM audit_about WHERE audit IN (SELECT value FROM json_each(?))"
_DELETE_PARTS = (
    "DELETE FROM part WHERE (phone, reference, total, number) IN"
    " (SELECT phone, reference, total, number FROM part WHERE received_at_us < ? LIMIT ?)"
)


class Old(NamedTuple):
    """What lies before an instant. last_id: of those messages.

    names: lines of the audit that tell whom they are about. last_named: the newest of them.
    """

    messages: int
    parts: int
    last_id: int
    names: int
    last_named: int


class Purged(NamedTuple):
    """How many rows are deleted so far, and how many messages had to stay.

    names: of whom lines of the audit were about. The lines stay, and their chain with them.
    """

    messages: int = 0
    decisions: int = 0
    replies: int = 0
    shadow_differences: int = 0
    parts: int = 0
    names: int = 0
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
        last_named, names = connection.execute(_LAST_NAMED, (before_us,)).fetchone()
    last_id = max(newest or 0 for _, newest in counts)
    return Old(sum(number for number, _ in counts), parts, last_id, names, last_named or 0)


def purge(
    url: str, before_us: int, now_us: int, who: str, reason: str, subject: str
) -> Iterator[Purged]:
    """Delete what was received before an instant, with all that came of it.

    Lines of the audit from before it stay, but no longer tell whom they are about.

    A message stays whose reply has not left or whose permit is valid after `now_us`, and so do
    those with the newest numbers. After each small transaction what is done so far is told;
    whoever calls lets the daemon have its turn before going on. The beginning and the end are
    in the audit; cut off in between, what is deleted stays deleted, and it can be run again.

    Raises:
        StoreError: the store cannot be used, or its schema is not the newest.
        StoreUnavailable: for now nothing more can be deleted.
    """
    old = count_before(url, before_us)
    with writer(url) as connection:
        # What is deleted is overwritten, not only forgotten. (Not what SQLite moved within pages
        # that stay in use: that goes as they are filled again.)
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        with transaction(connection):
            audit.write(connection, now_us, who, "store_purge", subject, reason)
        done = Purged()
        for step in (
            _messages(connection, old.last_id, before_us, now_us),
            _parts(connection, before_us),
            _names(connection, old.last_named, before_us),
        ):
            for more in step:
                done = _added(done, more)
                yield done
        with transaction(connection):
            told = f"{subject}: {done.messages} messages, {done.kept} kept"
            audit.write(connection, now_us, who, "store_purged", told, reason)


def _messages(
    connection: "dbapi.Connection", last_id: int, before_us: int, now_us: int
) -> Iterator[dict[str, int]]:
    """Delete old messages up to a number, a few in each step."""
    after_id = 0
    while after_id < last_id:
        with transaction(connection):
            bounds = (after_id, last_id, before_us, _BATCH_MESSAGES)
            ids = [number for (number,) in connection.execute(_SELECT_OLD, bounds)]
            deleted = _delete_messages(connection, ids, now_us)
        after_id = ids[-1] if ids else last_id
        yield deleted


def _parts(connection: "dbapi.Connection", before_us: int) -> Iterator[dict[str, int]]:
    """Delete old parts of SMS that never became whole, a few in each step."""
    deleted = _BATCH_MESSAGES
    while deleted == _BATCH_MESSAGES:
        with transaction(connection):
            found = connection.execute(_DELETE_PARTS, (before_us, _BATCH_MESSAGES))
            deleted = found.rowcount
        yield {"parts": deleted}


def _names(
    connection: "dbapi.Connection", last_named: int, before_us: int
) -> Iterator[dict[str, int]]:
    """Erase whom old lines of the audit are about, up to a line, a few in each step."""
    line = 0
    while line < last_named:
        with transaction(connection):
            bounds = (line, last_named, _BATCH_MESSAGES)
            named = connection.execute(_SELECT_NAMED, bounds).fetchall()
            ids = [number for number, at_us in named if at_us < before_us]
            connection.execute(_UNNAME, (json.dumps(ids),))
        line = named[-1][0] if named else last_named
        yield {"names": len(ids)}


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
