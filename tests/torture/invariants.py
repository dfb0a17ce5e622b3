"""What must hold whatever was killed or cut, asked of the store and of the SMSCs' ledger."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from storm_smsc import Ledger, Sms

from storage.sqlite_library import dbapi

ACKNOWLEDGED = "every acknowledged deliver_sm has its row"
REPLIED_FROM_STORE = "every reply sent has its row, and that its decision"
ONE_A_DAY = "at most one code-2 permit per person and day"
ANSWERED = "every stored message gets its reply"
NOT_TWICE = "no reply twice, except a resend that is marked"
REPRODUCED = "stored facts and policy reproduce each decision"
SOUND = "the file is sound"
SAID = "the gateway says what an SMSC expects"

_UNANSWERED = (
    "SELECT count(*) FROM message LEFT JOIN reply ON reply.message = message.id"
    " WHERE reply.id IS NULL AND outcome NOT IN ('repeated', 'silent')"
)
_UNDECIDED = (
    "SELECT count(*) FROM message LEFT JOIN decision ON decision.message = message.id"
    " WHERE decision.serial IS NULL AND outcome = 'decided'"
)
# The policy of the torture renews: whose permit ended before its reply left is decided anew.
_UNRENEWED = (
    "SELECT count(*) FROM reply JOIN decision ON decision.message = reply.message"
    " WHERE state = 3 AND verdict = 'grant' AND coalesce(ended_us, 0) = 0 AND NOT EXISTS ("
    "SELECT 1 FROM message AS renewal WHERE renewal.repeat_of = reply.message"
    " AND renewal.outcome <> 'repeated')"
)
# Not by the index, which may be what is missing.
_TWICE = (
    "SELECT count(*) FROM (SELECT 1 FROM decision NOT INDEXED WHERE verdict = 'grant'"
    " AND code = '2' AND ended_us IS NULL GROUP BY holder, day HAVING count(*) > 1)"
)


class Broken(Exception):
    """An invariant does not hold. The message names it, and how often; never who."""

    def __init__(self, invariant: str, count: int) -> None:
        super().__init__(f"{invariant}: broken {count} times")
        self.invariant = invariant


class Examiner:
    """Holds a store against a ledger. What was read once is remembered: rows never change back."""

    def __init__(self, store: Path, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger
        self._stored: Counter[Sms] = Counter()
        self._replies: Counter[Sms] = Counter()
        self._marked: set[Sms] = set()
        self._expired: set[Sms] = set()
        self._last_id = 0

    def _connect(self) -> "dbapi.Connection":
        return dbapi.connect(f"file:{os.fspath(self._store)}?mode=ro", uri=True)

    @property
    def unsent_count(self) -> int:
        """Replies that have no outcome yet."""
        connection = self._connect()
        try:
            row = connection.execute("SELECT count(*) FROM reply WHERE state = 0").fetchone()
        finally:
            connection.close()
        return int(row[0])

    def examine(self) -> None:
        """Raise `Broken` for the first invariant that does not hold. Once all is quiet."""
        ledger = self._ledger
        _require(SAID, len(ledger.strange))
        connection = self._connect()
        try:
            self._read(connection)
            queries = {query: connection.execute(query).fetchone()[0] for query in _QUERIES}
        finally:
            connection.close()
        _require(ACKNOWLEDGED, (ledger.acknowledged - self._stored).total())
        _require(REPLIED_FROM_STORE, len(ledger.submitted.keys() - self._replies.keys()))
        _require(ANSWERED, len(self._replies.keys() - self._expired - ledger.submitted.keys()))
        excess = ledger.submitted - self._replies
        _require(NOT_TWICE, len(excess.keys() - self._marked))
        for query, invariant in _QUERIES.items():
            _require(invariant, queries[query])

    def _read(self, connection: "dbapi.Connection") -> None:
        """Take note of the rows that are new."""
        since = (self._last_id,)
        for number, phone, text in connection.execute(
            "SELECT id, phone, text FROM message WHERE id > ? ORDER BY id", since
        ):
            self._stored[Sms(phone, text)] += 1
            self._last_id = number
        for phone, text in connection.execute("SELECT phone, text FROM reply WHERE id > ?", since):
            self._replies[Sms(phone, text)] += 1
        self._marked = {
            Sms(phone, text)
            for phone, text in connection.execute("SELECT phone, text FROM reply WHERE resent = 1")
        }
        self._expired = {
            Sms(phone, text)
            for phone, text in connection.execute("SELECT phone, text FROM reply WHERE state = 3")
        }

    def examine_closely(self, config: Path) -> None:
        """What takes longer: the file page by page, and every decision anew."""
        connection = self._connect()
        try:
            verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
        finally:
            connection.close()
        _require(SOUND, int(verdict != "ok"))
        command = ["policy", "replay", "--verify", "--since", "7d", "--config", str(config)]
        done = subprocess.run(
            [sys.executable, "-m", "smsd", *command], capture_output=True, check=False
        )
        _require(REPRODUCED, done.returncode)


_QUERIES = {
    _UNANSWERED: ANSWERED,
    _UNRENEWED: ANSWERED,
    _UNDECIDED: REPLIED_FROM_STORE,
    _TWICE: ONE_A_DAY,
}


def _require(invariant: str, broken: int) -> None:
    if broken:
        raise Broken(invariant, broken)
