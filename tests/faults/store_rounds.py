"""A store alone on a failing disk: one life for each call that can fail, examined at its end.

`python store_rounds.py CONTROL FOLDER JOURNAL FAULT`, started with the disk's environment and with
tests/torture on the path. Prints as JSON what it came through; ends with a traceback where
something does not hold.
"""

import itertools
import json
import shutil
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import storm_smsc
from failing_disk import FAULTS, FailingDisk, Fault
from invariants import Examiner

import rules
import storage.sqlite
from rules import CompiledPolicy
from rules.analysis.recorded import reproduces
from smsd.gateway.adjudicate import Law
from smsd.gateway.writer import Batch, Done, Page, Writer
from storage import InboundMessage, InboundPart, Reply, ReplyOutcome, ReplyState, SqliteStore
from storage.recorded import recording
from storage.sqlite_library import dbapi
from storage.upkeep import CHECKS, verify

POLICY_FILE = Path(rules.__file__).parent / "policies" / "8103.toml"
NOON_US = int(datetime(2020, 4, 6, 8, 0, tzinfo=UTC).timestamp()) * 1_000_000
MINUTE_US = 60_000_000
PHONE = 994_500_000_000
_CHECKPOINT_PAGES = 8  # so that a round of a few batches goes through checkpoints as well
_OUTBOX = [Page("one", 0, 1_000), Page("one", 0, 1_000, urgent=True)]
_REFUSALS = 2  # of a batch, before a disk that stays away is mended
_Rows = Counter[tuple[str, str]]  # phone and text

_BATCHES: tuple[tuple[tuple[int, str], ...], ...] = (
    ((1, "2 AZE 1111111"),),
    ((2, "2 AZE 2222222"), (3, "2 AZE 1111111"), (1, "return"), (4, "hello")),
    ((5, "2 AZE 3333333, AZE 4444444"), (6, "1 AZE 5555555"), (2, "2 AZE 2222222")),
    tuple((100 + number, f"{number % 3 + 1} AZE {6_000_000 + number}") for number in range(12)),
    ((7, "2 AZE 3333333"), (1, "2 AZE 1111111")),
)
_PARTED = ("2 AZE 777", "7777")


def _batches() -> list[list[InboundMessage]]:
    """SMS of all kinds, and a long one whose parts come in two batches."""
    made = []
    for minute, batch in enumerate(_BATCHES):
        at_us = NOON_US + minute * MINUTE_US
        made.append([_sms(PHONE + phone, text, at_us) for phone, text in batch])
    for number, text in enumerate(_PARTED, 1):
        long = _sms(PHONE + 9, text, NOON_US + number * MINUTE_US)
        made[number].append(long._replace(part=InboundPart(7, len(_PARTED), number)))
    return made


def _sms(phone: int, text: str, at_us: int) -> InboundMessage:
    return InboundMessage(
        at_us, "one", str(phone), "8103", 0, text.encode(), text, True, None, "sms"
    )


def _shown(messages: list[InboundMessage]) -> _Rows:
    """The rows that these SMS lead to: a long one has its own once its last part is there."""
    rows: _Rows = Counter()
    for message in messages:
        if message.part is None:
            rows[message.phone, message.text] += 1
        elif message.part.number == message.part.total:
            rows[message.phone, "".join(_PARTED)] += 1
    return rows


def _rows(connection: "dbapi.Connection") -> _Rows:
    return Counter(connection.execute("SELECT phone, text FROM message").fetchall())


class Survived(NamedTuple):
    """What was gone through. refusals: batches that were not stored; cuts: power cuts."""

    lives: int
    refusals: int
    cuts: int


class Life:
    """One store from its opening to its end, on a disk that fails once or until mended."""

    def __init__(
        self,
        path: Path,
        journal: str,
        disk: FailingDisk,
        fault: Fault,
        policy: CompiledPolicy,
    ) -> None:
        self._path = path
        self._fault = fault
        self._journal = journal
        self._disk = disk
        self._policy = policy
        self._ledger = storm_smsc.Ledger()
        self._acknowledged: _Rows = Counter()
        self._doubtful: _Rows = Counter()  # put off, and stored all the same
        self._outcomes: list[ReplyOutcome] = []
        self.refusals = 0
        self.cuts = 0

    def live(self, nth: int) -> None:
        """Let the n-th call fail; write all batches, each until it is stored; then look."""
        self._store = store = SqliteStore(f"sqlite:///{self._path}")
        store.connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        writer = Writer(store, None, Law(self._policy), time.monotonic)
        self._disk.all_is_durable()
        self._disk.fail(nth, self._fault)
        for messages in _batches():
            self._write(writer, messages)
        self._write(writer, [])
        writer.close()
        self._disk.mend()
        self._cut(Counter())
        self._examine()

    def _write(self, writer: Writer, messages: list[InboundMessage]) -> None:
        for attempt in itertools.count(1):
            done = writer.write(Batch(messages, self._outcomes, _OUTBOX))
            assert not done.refused, "a fault of the disk was taken for a bug"
            if done.replies is not None:
                break
            self.refusals += 1
            assert done.fault
            assert attempt <= _REFUSALS, "the disk is back, and the store is not"
            if attempt == _REFUSALS:
                self._disk.mend()
            self._cut(_shown(messages))
            if not self._fault.persistent or attempt == _REFUSALS:
                self._look_for_rows_put_off(_shown(messages))
        self._take_note(messages, done)
        if self._disk.hits and not self.cuts:
            self._cut(Counter())

    def _look_for_rows_put_off(self, shown: _Rows) -> None:
        """With a log, nothing of a batch that was put off is there; without, all of it may be.

        A rollback journal is deleted, which is the commit, before the sync of its folder can fail.
        """
        found = _rows(self._store.connection) - self._acknowledged - self._doubtful
        if found:
            assert self._journal == "DELETE", "put off, and stored all the same"
            assert found == shown, "half of a batch is stored"
            self._doubtful += found

    def _take_note(self, messages: list[InboundMessage], done: Done) -> None:
        """What an SMSC would know now: its SMS are taken over, and the replies go out."""
        shown = _shown(messages)
        self._acknowledged += shown
        # As after a recovery: what a batch left there that was put off is among them.
        replies = [reply for page in done.pages for reply in page if isinstance(reply, Reply)]
        assert {*(done.replies or ())} <= {*replies}
        for (phone, text), count in shown.items():
            self._ledger.acknowledged[storm_smsc.Sms(phone, text)] += count
        for reply in replies:
            self._ledger.submitted[storm_smsc.Sms(reply.phone, reply.text)] += 1
        self._outcomes = [
            ReplyOutcome(reply.id, ReplyState.SENT, reply.received_at_us, "id", 0, False)
            for reply in replies
        ]

    def _cut(self, under_way: _Rows) -> None:
        """A power cut: what was acknowledged is there, what was under way wholly or not at all."""
        self.cuts += 1
        left = self._disk.durable(self._path.parents[1] / "cut")
        store = SqliteStore(f"sqlite:///{left}")
        found = _rows(store.connection)
        store.close()
        assert not self._acknowledged - found, "acknowledged, and gone with the power"
        surplus = found - self._acknowledged - self._doubtful
        assert surplus in (Counter(), under_way), "half of a batch is durable"

    def _examine(self) -> None:
        """The store as its next daemon finds it: whole, complete, and right in what it decided."""
        url = f"sqlite:///{self._path}"
        store = SqliteStore(url)
        assert not _rows(store.connection) - self._acknowledged - self._doubtful
        store.close()
        assert verify(url, lambda _: None) == dict.fromkeys(CHECKS, 0)
        examiner = Examiner(self._path, self._ledger)
        examiner.examine()
        assert examiner.unsent_count == 0, "an outcome was lost"
        for message in recording(url, NOON_US).messages():
            for decision in message.decisions:
                assert not reproduces(decision, message, self._policy)


def come_through(disk: FailingDisk, folder: Path, journal: str, fault: Fault) -> Survived:
    """Let the first call fail, in another life the second, and so on until none is left to fail."""
    policy = rules.compile_policy(rules.load(POLICY_FILE), trial=False)
    template = folder / "template" / "smsd.db"
    SqliteStore(f"sqlite:///{template}").close()
    path = folder / "store" / "smsd.db"
    refusals = cuts = 0
    for nth in itertools.count(1):
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.mkdir()
        shutil.copyfile(template, path)
        life = Life(path, journal, disk, fault, policy)
        try:
            life.live(nth)
        except Exception as broken:
            raise AssertionError(f"when call {nth} failed") from broken
        refusals += life.refusals
        cuts += life.cuts
        if not disk.hits:
            return Survived(nth - 1, refusals, cuts)
    raise AssertionError("unreachable")


def main() -> None:
    """See the module."""
    control, folder, journal, fault = sys.argv[1:]
    # As on an SQLite whose write-ahead log cannot be trusted.
    storage.sqlite.journal_mode = lambda: journal
    place = Path(folder)
    disk = FailingDisk(Path(control), place / "store" / "smsd.db")
    json.dump(come_through(disk, place, journal, FAULTS[fault])._asdict(), sys.stdout)


if __name__ == "__main__":
    main()
