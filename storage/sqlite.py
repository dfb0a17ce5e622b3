"""The embedded store: SQLite, one writing connection, FULL sync, one file and its WAL."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from rules import CompiledPolicy
from storage import sqlite_parts, sqlite_receipts
from storage.migrating import migrate
from storage.records import Reply, Sweep
from storage.sqlite_library import dbapi, journal_mode, synchronous
from storage.sqlite_reach import Reach
from storage.sqlite_transaction import SqliteTransaction
from storage.store import StoreError, StoreInUse, StoreUnavailable

_BUSY_TIMEOUT_MS = 2_000
_CACHE_KIB = 65_536
# 64 MiB: pages that many batches change are carried into the file once, not at each COMMIT.
WAL_PAGES = 16_000
# A full disk may still have room for a page; an SMS takes about a dozen.
_PROOF_PAGES = 16
# `owner_pid` holds the lock of a daemon that was killed for some microseconds, to see that.
_LOCK_PAUSES_S = (0.0, 0.02, 0.1)
# The writer of a daemon that was killed finishes its batch first.
_ORPHAN_PAUSES_S = (0.1,) * 50

# INDEXED BY: with statistics of an operator's ANALYZE, SQLite may choose to read all replies.
_UNSENT = (
    "SELECT reply.id, reply.phone, reply.text, not_after_us, received_at_us, resent,"
    " starts_permit, urgent, coalesce(retried, 0)"
    " FROM reply INDEXED BY {index} JOIN message ON message.id = reply.message"
    " WHERE reply.smsc = ? AND urgent = ? AND {order} > ? AND state = 0{only}"
    " ORDER BY {order} LIMIT ?"
)
_SELECT_UNSENT = _UNSENT.format(index="reply_unsent", order="reply.id", only=" AND retried IS NULL")
_SELECT_RETRIED = _UNSENT.format(index="reply_retried", order="retried", only="")


def database_path(url: str) -> Path:
    """The file behind `sqlite:///relative/path` or `sqlite:////absolute/path`."""
    scheme, separator, path = url.partition(":///")
    if scheme != "sqlite" or not separator or not path:
        raise StoreError(f"store.url is {url!r}; allowed: sqlite:///PATH")
    return Path(path)


class SqliteStore:
    """A `storage.store.Store` in one file.

    Opening takes the file's lock (a second daemon gets `StoreInUse`), applies missing
    migrations and sets the pragmas. The connection belongs to one thread at a time.
    """

    def __init__(self, url: str, lock_fd: int | None = None) -> None:
        """Open the store; `lock_fd` is a lock that another process took and shares."""
        self.path = database_path(url)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(self.path) if lock_fd is None else os.fdopen(lock_fd, "ab")
        except OSError as fault:
            raise StoreUnavailable(
                f"{self.path}: {fault.strerror}; is the folder writable?"
            ) from fault
        self._lock_shared = lock_fd is not None
        try:
            self._connection = _open(self.path)
        except dbapi.Error as fault:
            self._lock.close()
            raise StoreUnavailable(f"{self.path} cannot be opened as a store: {fault}") from fault
        except StoreError:
            self._lock.close()
            raise
        cursor = self._connection.execute("SELECT id, name FROM smsc")
        self._smsc_ids: dict[str, int] = {name: number for number, name in cursor}
        self._policy_ids: dict[str, int] = {}
        self._last_id = self._maximum(
            "SELECT max(id) FROM (SELECT max(id) AS id FROM message"
            " UNION ALL SELECT max(id) FROM reply)"
        )
        self._last_serial = self._maximum("SELECT max(serial) FROM decision")
        self.reach = Reach(self._connection)

    def _maximum(self, query: str) -> int:
        return int(self._connection.execute(query).fetchone()[0] or 0)

    @property
    def journal_mode(self) -> str:
        """WAL, or DELETE on an SQLite whose WAL has the reset fault."""
        return str(self._connection.execute("PRAGMA journal_mode").fetchone()[0]).upper()

    @contextmanager
    def transaction(self, policy: CompiledPolicy) -> Iterator[SqliteTransaction]:
        """See `storage.store.Store.transaction`."""
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
        except dbapi.Error as fault:
            raise StoreUnavailable(str(fault)) from fault
        try:
            transaction = SqliteTransaction(self, policy)
            yield transaction
            transaction.flush()
            connection.execute("COMMIT")
        except BaseException as fault:
            self._roll_back()
            if isinstance(fault, dbapi.Error):
                raise StoreUnavailable(str(fault)) from fault
            raise

    def _roll_back(self) -> None:
        """Undo the transaction, and with it the ids and names it had made known."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._smsc_ids.clear()
        self._policy_ids.clear()
        self.reach.forget()

    def due(self, sweep: Sweep) -> bool:
        """See `storage.store.Store.due`."""
        connection = self._connection
        try:
            return sqlite_parts.any_due(connection, sweep) or sqlite_receipts.any_due(
                connection, sweep
            )
        except dbapi.Error as fault:
            raise StoreUnavailable(str(fault)) from fault

    def unsent(
        self, smsc: str, after: int, limit: int, urgent: bool = False, retried: bool = False
    ) -> list[Reply]:
        """See `storage.store.Store.unsent`."""
        query = self._connection.execute
        try:
            row = query("SELECT id FROM smsc WHERE name = ?", (smsc,)).fetchone()
            asked = (row and row[0], int(urgent), after, limit)
            select = _SELECT_RETRIED if retried else _SELECT_UNSENT
            rows = query(select, asked).fetchall() if row else []
        except dbapi.Error as fault:
            raise StoreUnavailable(str(fault)) from fault
        return [
            Reply._make((row[0], smsc, *row[1:5], *map(bool, row[5:8]), row[8])) for row in rows
        ]

    def unsent_count(self, smsc: str) -> int:
        """See `storage.store.Store.unsent_count`."""
        row = self._connection.execute(
            "SELECT count(*) FROM reply JOIN smsc ON smsc.id = reply.smsc"
            " WHERE smsc.name = ? AND state = 0",
            (smsc,),
        ).fetchone()
        return int(row[0])

    def prove_writable(self) -> None:
        """See `storage.store.Store.prove_writable`."""
        try:
            for _ in range(_PROOF_PAGES):
                # Writes its page whether or not the number changes, which an UPDATE does not.
                self._connection.execute("PRAGMA user_version = 0")
        except dbapi.Error as fault:
            raise StoreUnavailable(str(fault)) from fault

    def close(self) -> None:
        """See `storage.store.Store.close`."""
        self._connection.close()
        if not self._lock.closed and not self._lock_shared:
            self._lock.truncate(0)  # whoever asks for the owner must not signal a stranger
        self._lock.close()

    def hand_over(self) -> int:
        """Close all but the lock, whose descriptor another process takes; `close` still ends it."""
        self._connection.close()
        return self._lock.fileno()

    def smsc_id(self, name: str) -> int:
        """The number that stands for an SMSC's name; new names get one."""
        number = self._smsc_ids.get(name)
        if number is None:
            execute = self._connection.execute
            execute("INSERT INTO smsc (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
            number = int(execute("SELECT id FROM smsc WHERE name = ?", (name,)).fetchone()[0])
            self._smsc_ids[name] = number
        return number

    def policy_id(self, policy: CompiledPolicy, at_us: int) -> int:
        """The number that stands for a policy; a new one is stored whole."""
        number = self._policy_ids.get(policy.digest)
        if number is None:
            execute = self._connection.execute
            execute(
                "INSERT INTO policy (digest, source, loaded_at_us) VALUES (?,?,?)"
                " ON CONFLICT DO NOTHING",
                (policy.digest, policy.source, at_us),
            )
            row = execute("SELECT id FROM policy WHERE digest = ?", (policy.digest,)).fetchone()
            number = int(row[0])
            self._policy_ids[policy.digest] = number
        return number

    @property
    def last_id(self) -> int:
        """The newest id of a message or reply."""
        return self._last_id

    def take_id(self) -> int:
        """A fresh id for a message or reply. Numbers of a rolled-back batch are not reused."""
        self._last_id += 1
        return self._last_id

    def take_serial(self) -> int:
        """A fresh serial for a decision."""
        self._last_serial += 1
        return self._last_serial

    @property
    def connection(self) -> "dbapi.Connection":
        """The writing connection, for this package only."""
        return self._connection


def _lock(path: Path) -> IO[bytes]:
    """Hold `path`.lock until the process ends, however it ends."""
    handle = Path(f"{path}.lock").open("ab")  # noqa: SIM115 - the lock lives as long as the store
    if not any(_locked(handle, pause_s) for pause_s in _LOCK_PAUSES_S) and not (
        _orphaned(path) and any(_locked(handle, pause_s) for pause_s in _ORPHAN_PAUSES_S)
    ):
        handle.close()
        raise StoreInUse(
            f"{path} is in use by another smsd; stop that one or name another file in store.url"
        )
    handle.truncate(0)
    handle.write(str(os.getpid()).encode())
    handle.flush()
    return handle


def _orphaned(path: Path) -> bool:
    """Whether the daemon that took the lock is gone, and only its writer still holds it."""
    try:
        os.kill(int(Path(f"{path}.lock").read_bytes() or 0), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError):
        pass
    return False


def _locked(handle: IO[bytes], pause_s: float) -> bool:
    """Try once, after a pause."""
    time.sleep(pause_s)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def owner_pid(url: str) -> int | None:
    """The process of the daemon that owns the store, for signals to it; None: none does."""
    try:
        with Path(f"{database_path(url)}.lock").open("rb") as handle:
            if not handle.read():
                return None
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                handle.seek(0)
                return int(handle.read() or 0) or None
    except OSError:
        pass
    return None


def _open(path: Path) -> "dbapi.Connection":
    """The writing connection, migrated and with its pragmas set."""
    connection = dbapi.connect(
        os.fspath(path), isolation_level=None, check_same_thread=False, cached_statements=64
    )
    mode = journal_mode()
    try:
        for pragma in (
            f"journal_mode = {mode}",
            f"synchronous = {synchronous(mode)}",
            f"busy_timeout = {_BUSY_TIMEOUT_MS}",
            f"cache_size = -{_CACHE_KIB}",
            "temp_store = MEMORY",
            "trusted_schema = OFF",
            f"wal_autocheckpoint = {WAL_PAGES}",
        ):
            connection.execute(f"PRAGMA {pragma}")
        migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection
