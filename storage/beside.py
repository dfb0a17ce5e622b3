"""The store's file beside a running daemon: short reads, and short writes in their turn."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from sqlite_utils import Database

from storage.migrations import migrations
from storage.sqlite import WAL_PAGES, database_path
from storage.sqlite_library import dbapi, journal_mode, synchronous
from storage.store import StoreError, StoreUnavailable

__all__ = [
    "HURRY_S",
    "give_way",
    "must_be_up_to_date",
    "reading",
    "transaction",
    "writer",
    "writing",
]

# The daemon's batches take milliseconds; whoever waits longer stands behind a dead disk.
_BUSY_TIMEOUT_MS = 10_000
_PATIENCE_S = 10.0

HURRY_S = 0.2
"""How long to wait for the turn where somebody waits for an answer that need not wait for it."""
_ASK_AGAIN_S = 0.001
# The daemon asks for its turn at least every 100 ms. Where others rest as long as they work, and
# at least so long, many of its tries within its 2 s find the store free.
_REST_MIN_S = 0.02


@contextmanager
def reading(url: str) -> "Iterator[dbapi.Connection]":
    """A connection that cannot write. Keep it short: a long read holds up checkpoints.

    Raises:
        StoreError: there is no store at `url`, or it cannot be read.
    """
    path = database_path(url)
    if not path.exists():
        raise StoreError(f"there is no store at {path}; has the daemon run yet?")
    try:
        connection = dbapi.connect(f"file:{quote(os.fspath(path))}?mode=ro", uri=True)
        try:
            connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
            connection.execute("PRAGMA temp_store = MEMORY")  # phones and persons leave no trace
            yield connection
        finally:
            connection.close()
    except dbapi.Error as fault:
        raise StoreError(f"{path} cannot be read as a store: {fault}") from fault


@contextmanager
def writer(url: str) -> "Iterator[dbapi.Connection]":
    """A connection for `transaction`, one or many.

    Raises:
        StoreError: there is no store at `url`, or its schema is not the newest.
        StoreUnavailable: what was being written is not.
    """
    path = database_path(url)
    if not path.exists():
        raise StoreError(f"there is no store at {path}; has the daemon run yet?")
    try:
        connection = dbapi.connect(os.fspath(path), isolation_level=None)
        try:
            connection.execute(f"PRAGMA synchronous = {synchronous(journal_mode())}")
            # As the daemon does: else each small line would carry its whole log into the file.
            connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
            must_be_up_to_date(connection)
            yield connection
        finally:
            connection.close()
    except dbapi.Error as fault:
        raise StoreUnavailable(f"{path} cannot be written: {fault}") from fault


@contextmanager
def transaction(
    connection: "dbapi.Connection", patience_s: float = _PATIENCE_S
) -> "Iterator[None]":
    """One small transaction of a `writer`, durable when the block ends."""
    _begin(connection, patience_s)
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls back when the disk is full
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _begin(connection: "dbapi.Connection", patience_s: float) -> None:
    """Take the turn in one of the moments between two batches of a busy daemon.

    SQLite itself asks ten times a second after a while, and under full load hardly meets one.
    """
    deadline_s = time.monotonic() + patience_s
    connection.execute("PRAGMA busy_timeout = 0")
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            break
        except dbapi.OperationalError as fault:
            if "locked" not in str(fault) or time.monotonic() >= deadline_s:
                raise
            time.sleep(_ASK_AGAIN_S)
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")


def give_way(since_s: float) -> None:
    """Let the daemon have its turn between two transactions; since_s: monotonic, when one began."""
    time.sleep(max(_REST_MIN_S, time.monotonic() - since_s))


@contextmanager
def writing(url: str, patience_s: float = _PATIENCE_S) -> "Iterator[dbapi.Connection]":
    """One small transaction, durable when the block ends; raises as `writer` does.

    patience_s: how long to wait for the turn; behind a dead disk it never comes.
    """
    with writer(url) as connection, transaction(connection, patience_s):
        yield connection


def must_be_up_to_date(connection: "dbapi.Connection") -> None:
    """Raises StoreError where the store lacks a step of the schema."""
    missing = migrations.pending(Database(connection))
    if missing:
        raise StoreError(
            f"the store lacks {missing[0].name}; start the daemon once, which brings it up to date"
        )
