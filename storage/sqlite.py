"""The embedded store: SQLite, one writing connection, FULL sync, one file and its WAL."""

import fcntl
import json
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlite_utils import Database

from rules import CompiledPolicy, HeldPermit
from storage import facts as recorded_facts
from storage.migrations import migrations
from storage.records import DecisionRow, InboundMessage, Reply, ReplyOutcome
from storage.sqlite_library import dbapi, journal_mode
from storage.store import StoreConflict, StoreError, StoreInUse, StoreUnavailable

_BUSY_TIMEOUT_MS = 2_000
_CACHE_KIB = 65_536

_INSERT_MESSAGE = "INSERT INTO message VALUES (?,?,?,?,?,?,?,?,?,?)"
_INSERT_DECISION = "INSERT INTO decision VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
_INSERT_REPLY = (
    "INSERT INTO reply (id, message, smsc, phone, text, not_after_us, state) VALUES (?,?,?,?,?,?,0)"
)
_SETTLE_REPLY = (
    "UPDATE reply SET state = ?, settled_at_us = ?, smsc_message_id = ?, status = ?, resent = ?"
    " WHERE id = ?"
)
# One statement for a whole batch: each one costs 8 µs before it reads its first row.
_SELECT_PERMITS = (
    "SELECT holder, serial, code, valid_from_us, valid_until_us, day FROM decision"
    " WHERE holder IN (SELECT value FROM json_each(?)) AND valid_until_us > ?"
    " AND verdict = 'grant' ORDER BY valid_until_us"
)
# CROSS JOIN keeps SQLite from starting with the outbox, which may be long after an outage.
_SELECT_TWINS = (
    "SELECT message.phone, message.text, message.id FROM json_each(?) AS wanted"
    " CROSS JOIN message ON message.phone = wanted.value AND message.id > ?"
    " CROSS JOIN reply ON reply.id = message.id"
    " WHERE reply.state = 0 ORDER BY message.id"
)
_SELECT_UNSENT = (
    "SELECT reply.id, reply.phone, reply.text, not_after_us, received_at_us, resent"
    " FROM reply JOIN message ON message.id = reply.message"
    " WHERE reply.smsc = ? AND reply.id > ? AND state = 0 ORDER BY reply.id LIMIT ?"
)
_INSERT_PART = (
    "INSERT INTO part VALUES (?,?,?,?,?,?) ON CONFLICT DO UPDATE"
    " SET octets = excluded.octets, received_at_us = excluded.received_at_us"
)
_SELECT_PARTS = (
    "SELECT octets FROM part WHERE phone = ? AND reference = ? AND total = ? ORDER BY number"
)
_DELETE_PARTS = "DELETE FROM part WHERE phone = ? AND reference = ? AND total = ?"
_PART_LIFETIME_US = 3_600_000_000
# Only recent SMS can have a reply on its way; without a bound a busy phone's history is read.
_TWIN_MESSAGES_BACK = 5_000_000


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

    def __init__(self, url: str) -> None:
        self.path = database_path(url)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(self.path)
        except OSError as fault:
            raise StoreUnavailable(
                f"{self.path}: {fault.strerror}; is the folder writable?"
            ) from fault
        try:
            self._connection = _open(self.path)
        except dbapi.Error as fault:
            self._lock.close()
            raise StoreUnavailable(f"{self.path} cannot be opened as a store: {fault}") from fault
        cursor = self._connection.execute("SELECT id, name FROM smsc")
        self._smsc_ids: dict[str, int] = {name: number for number, name in cursor}
        self._policy_ids: dict[str, int] = {}
        self._last_id = self._maximum(
            "SELECT max(id) FROM (SELECT max(id) AS id FROM message"
            " UNION ALL SELECT max(id) FROM reply)"
        )
        self._last_serial = self._maximum("SELECT max(serial) FROM decision")

    def _maximum(self, query: str) -> int:
        return int(self._connection.execute(query).fetchone()[0] or 0)

    @property
    def journal_mode(self) -> str:
        """WAL, or DELETE on an SQLite whose WAL has the reset fault."""
        return str(self._connection.execute("PRAGMA journal_mode").fetchone()[0]).upper()

    @contextmanager
    def transaction(self, policy: CompiledPolicy) -> Iterator["SqliteTransaction"]:
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

    def unsent(self, smsc: str, after_id: int, limit: int) -> list[Reply]:
        """See `storage.store.Store.unsent`."""
        query = self._connection.execute
        try:
            row = query("SELECT id FROM smsc WHERE name = ?", (smsc,)).fetchone()
            rows = query(_SELECT_UNSENT, (row[0], after_id, limit)).fetchall() if row else []
        except dbapi.Error as fault:
            raise StoreUnavailable(str(fault)) from fault
        return [
            Reply(number, smsc, phone, text, not_after_us, received_at_us, bool(resent))
            for number, phone, text, not_after_us, received_at_us, resent in rows
        ]

    def unsent_count(self, smsc: str) -> int:
        """See `storage.store.Store.unsent_count`."""
        row = self._connection.execute(
            "SELECT count(*) FROM reply JOIN smsc ON smsc.id = reply.smsc"
            " WHERE smsc.name = ? AND state = 0",
            (smsc,),
        ).fetchone()
        return int(row[0])

    def close(self) -> None:
        """See `storage.store.Store.close`."""
        self._connection.close()
        self._lock.close()

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


class SqliteTransaction:
    """One batch. Messages and replies are gathered and written together, at half the price."""

    def __init__(self, store: SqliteStore, policy: CompiledPolicy) -> None:
        self._store = store
        self._policy = policy
        self._execute = store.connection.execute
        self._messages: list[tuple[object, ...]] = []
        self._replies: list[tuple[object, ...]] = []

    def unsent_twins(self, messages: Sequence[InboundMessage]) -> dict[tuple[str, str], int]:
        """See `storage.store.Transaction.unsent_twins`."""
        phones = json.dumps([message.phone for message in messages])
        oldest = self._store.last_id - _TWIN_MESSAGES_BACK
        rows = self._execute(_SELECT_TWINS, (phones, oldest))
        return {(phone, text): number for phone, text, number in rows}

    def add_part(self, message: InboundMessage) -> bytes | None:
        """See `storage.store.Transaction.add_part`."""
        part = message.part
        if part is None:
            return message.octets
        phone, at_us = message.phone, message.received_at_us
        # References come round; a stray part of an old SMS must not complete a new one.
        self._execute(
            "DELETE FROM part WHERE phone = ? AND received_at_us < ?",
            (phone, at_us - _PART_LIFETIME_US),
        )
        key = (phone, part.reference, part.total)
        self._execute(_INSERT_PART, (*key, part.number, message.octets, at_us))
        rows = self._execute(_SELECT_PARTS, key).fetchall()
        if len(rows) < part.total:
            return None
        self._execute(_DELETE_PARTS, key)
        return b"".join(row[0] for row in rows)

    def permits(self, holders: Collection[str], since_us: int) -> dict[str, tuple[HeldPermit, ...]]:
        """See `storage.store.Transaction.permits`."""
        found: dict[str, tuple[HeldPermit, ...]] = {}
        for holder, *permit in self._execute(
            _SELECT_PERMITS, (json.dumps(list(holders)), since_us)
        ):
            found[holder] = (*found.get(holder, ()), HeldPermit(*permit))
        return found

    def next_serial(self) -> int:
        """See `storage.store.Transaction.next_serial`."""
        return self._store.take_serial()

    def add_message(
        self, message: InboundMessage, outcome: str, repeat_of: int | None = None
    ) -> int:
        """See `storage.store.Transaction.add_message`."""
        number = self._store.take_id()
        self._messages.append(
            (
                number,
                message.received_at_us,
                self._store.smsc_id(message.smsc),
                message.phone,
                message.short_number,
                message.data_coding,
                message.text,
                None if message.sound else message.octets,
                outcome,
                repeat_of,
            )
        )
        return number

    def add_decisions(self, rows: Sequence[DecisionRow]) -> None:
        """See `storage.store.Transaction.add_decisions`."""
        if not rows:
            return
        policy_id = self._store.policy_id(self._policy, rows[0].decision.at_us)
        values = [_decision_values(row, policy_id) for row in rows]
        try:
            self._store.connection.executemany(_INSERT_DECISION, values)
        except dbapi.IntegrityError as conflict:
            raise StoreConflict(str(conflict)) from conflict

    def add_reply(
        self, message_id: int, message: InboundMessage, text: str, not_after_us: int
    ) -> Reply:
        """See `storage.store.Transaction.add_reply`."""
        smsc, phone = message.smsc, message.phone
        self._replies.append(
            (message_id, message_id, self._store.smsc_id(smsc), phone, text, not_after_us)
        )
        return Reply(message_id, smsc, phone, text, not_after_us, message.received_at_us)

    def settle(self, outcomes: Sequence[ReplyOutcome]) -> None:
        """See `storage.store.Transaction.settle`."""
        self._store.connection.executemany(
            _SETTLE_REPLY,
            [
                (o.state, o.at_us, o.smsc_message_id, o.status, o.resent, o.reply_id)
                for o in outcomes
            ],
        )

    def flush(self) -> None:
        """Write what was gathered; the store calls it before COMMIT."""
        executemany = self._store.connection.executemany
        if self._messages:
            executemany(_INSERT_MESSAGE, self._messages)
        if self._replies:
            executemany(_INSERT_REPLY, self._replies)


def _decision_values(row: DecisionRow, policy_id: int) -> tuple[object, ...]:
    """A decision in the order of the table's columns."""
    message_id, holder, decision, facts = row
    quota_name, _, quota_slot = decision.quota or (None, None, None)
    return (
        decision.serial,
        message_id,
        decision.at_us,
        holder,
        decision.document.text,
        decision.code,
        decision.verdict.value,
        decision.rule,
        policy_id,
        recorded_facts.to_json(facts),
        decision.permit,
        decision.valid_from_us,
        decision.valid_until_us,
        decision.day,
        quota_name,
        quota_slot,
    )


def _lock(path: Path) -> IO[bytes]:
    """Hold `path`.lock until the process ends, however it ends."""
    handle = Path(f"{path}.lock").open("ab")  # noqa: SIM115 - the lock lives as long as the store
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise StoreInUse(
            f"{path} is in use by another smsd; stop that one or name another file in store.url"
        ) from None
    return handle


def _open(path: Path) -> "dbapi.Connection":
    """The writing connection, migrated and with its pragmas set."""
    connection = dbapi.connect(
        os.fspath(path), isolation_level=None, check_same_thread=False, cached_statements=64
    )
    for pragma in (
        f"journal_mode = {journal_mode()}",
        "synchronous = FULL",
        f"busy_timeout = {_BUSY_TIMEOUT_MS}",
        f"cache_size = -{_CACHE_KIB}",
        "temp_store = MEMORY",
        "trusted_schema = OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")
    migrations.apply(Database(connection))
    return connection
