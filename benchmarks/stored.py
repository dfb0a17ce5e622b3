"""Stores with a past: messages, granted permits and replies as the daemon would have left them."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import rules
from benchmarks.gateway import POLICY
from storage import SqliteStore
from storage.sqlite_library import dbapi

_STEP = 200_000  # messages between two signs of progress
_CACHE_KIB = 1_048_576
_TABLES = ("message", "decision", "reply")

# Who wrote the i-th SMS: everybody once in ten million, and not in order. None of them is in the
# register of the benchmark, so that its own people are not refused for what they had before.
_WRITER = "(i * 7368787 % 9999991)"
_PHONE = f"'99460' || printf('%07d', {_WRITER})"
_DOCUMENT = f"'AZE' || (20000000 + {_WRITER})"
_AT_US = "(:since_us + (i - :first) * :apart_us)"
_WINDOW_US = 7_200_000_000  # of a permit, as in the shipped policy
_DAY = f"(({_AT_US} + 14400000000) / 86400000000 + 719163)"  # in Baku, as a date ordinal
_NUMBERS = (
    "WITH RECURSIVE n(i) AS (SELECT :from UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :until)"
)
# Columns are named, so that one added to the schema with a default asks nothing of this file.
_INSERTS = (
    "INSERT INTO message (id, received_at_us, smsc, phone, short_number, data_coding, text,"
    f" outcome) {_NUMBERS} SELECT i, {_AT_US}, :smsc, {_PHONE}, '8103', 0,"
    f" '2 AZE ' || (20000000 + {_WRITER}), 'decided' FROM n",
    "INSERT INTO decision (serial, message, at_us, holder, document, code, verdict, rule, policy,"
    " facts, permit, valid_from_us, valid_until_us, day, quota, quota_slot)"
    f" {_NUMBERS} SELECT i, i, {_AT_US}, 'p:P' || {_WRITER}, {_DOCUMENT}, '2', 'grant',"
    ' \'granted\', :policy, \'{"registered":true,"birth_date":"1985-06-01","permits":[]}\','
    f" i, {_AT_US}, {_AT_US} + {_WINDOW_US}, {_DAY}, 'code-2', 0 FROM n",
    "INSERT INTO reply (id, message, smsc, phone, text, not_after_us, state, settled_at_us,"
    f" smsc_message_id, status) {_NUMBERS} SELECT i, i, :smsc, {_PHONE},"
    f" 'İcazə verildi (kod 2): ' || {_DOCUMENT} || ', 24.11 16:38–18:38, № 4GJCRR',"
    f" {_AT_US} + {_WINDOW_US}, :sent, iif(:sent, {_AT_US} + 80000, NULL),"
    " iif(:sent, printf('%x', i), NULL), iif(:sent, 0, NULL) FROM n",
)


class Past(NamedTuple):
    """So many SMS, each granted a permit, evenly spread. sent: whether their replies left."""

    messages: int
    since_us: int
    until_us: int
    sent: bool = True


def build(store: Path, pasts: Sequence[Past], progress: Callable[[int], None]) -> None:
    """Make the store and write the pasts into it, in their order; durable when it returns.

    The tables are filled first and indexed afterwards, by the statements of the store's own
    schema. `progress` is told how many messages are there.
    """
    smsc, policy = _begin(store, pasts[0].since_us)
    connection = dbapi.connect(os.fspath(store), isolation_level=None)
    execute = connection.execute
    try:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}"):
            execute(f"PRAGMA {pragma}")
        indexes = execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
            f" AND tbl_name IN {_TABLES}"
        ).fetchall()
        execute("BEGIN")
        for name, _ in indexes:
            execute(f"DROP INDEX {name}")
        first = 1
        for past in pasts:
            known = {"smsc": smsc, "policy": policy, "sent": int(past.sent), "first": first}
            known |= {"since_us": past.since_us}
            known |= {"apart_us": (past.until_us - past.since_us) // past.messages}
            end = first + past.messages
            for start in range(first, end, _STEP):
                until = min(start + _STEP, end)
                for insert in _INSERTS:
                    execute(insert, known | {"from": start, "until": until})
                progress(until - 1)
            first = end
        for _, statement in indexes:
            execute(statement)
        execute("UPDATE permit_reach SET longest_us = ?", (_WINDOW_US,))
        execute("COMMIT")
    finally:
        connection.close()
    with store.open("rb+") as file:
        os.fsync(file.fileno())


def _begin(store: Path, at_us: int) -> tuple[int, int]:
    """An empty store of the newest schema; the numbers of its SMSC and of the shipped policy."""
    policy = rules.load_policy(POLICY)
    opened = SqliteStore(f"sqlite:///{store}")
    try:
        return opened.smsc_id("driver"), opened.policy_id(policy, at_us)
    finally:
        opened.close()
