"""Lines of the audit that wait in a file beside the store while the store cannot be written.

Who checks a permit in the street is answered all the same, and the line is not lost: it is synced
to the file before the answer, and goes into the audit once, in its order, when the store takes
writes again. How many of the file's lines are there already stands in the store itself, written in
the same transaction, so a crash at any point repeats none.
"""

import json
import os
import secrets
import threading
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from storage import audit
from storage.beside import HURRY_S, writing
from storage.sqlite import database_path
from storage.store import StoreError, StoreUnavailable

__all__ = ["AuditNote", "Kept", "WaitingAudit"]

_LINES_PER_STEP = 500  # the daemon waits 2 s for its turn; each of ours takes milliseconds
_NAME_OCTETS = 8


class AuditNote(NamedTuple):
    """A line that is to stand in the audit; see `storage.audit.write`.

    about: a phone or document, which can be erased.
    """

    at_us: int
    who: str
    action: str
    subject: str
    reason: str = ""
    about: str = ""


class Kept(Enum):
    """Where a line is now."""

    STORE = "store"
    FILE = "file"  # synced; goes into the store later
    MEMORY = "memory"  # neither could be written: a crash would lose it


class WaitingAudit:
    """The audit of one store, for whoever must not wait for it; any thread may call.

    lines_max: more than so many may not wait.
    """

    def __init__(self, url: str, lines_max: int) -> None:
        self._url = url
        self._lines_max = lines_max
        self._path = Path(f"{database_path(url)}.audit-waiting")
        self._lock = threading.Lock()
        self._in_memory: list[AuditNote] = []
        self._in_file = self._count()

    @property
    def waiting(self) -> int:
        """How many lines are not in the audit yet."""
        return self._in_file + len(self._in_memory)

    def note(self, note: AuditNote) -> Kept:
        """Keep a line where that can be done at once.

        Raises:
            StoreUnavailable: too many wait; what the line tells of must not happen.
        """
        with self._lock:
            if not self.waiting and self._into_store([note]):
                return Kept.STORE
            if self.waiting >= self._lines_max:
                raise StoreUnavailable("too many lines of the audit wait to be written")
            if not self._in_memory and self._into_file([note]):
                return Kept.FILE
            self._in_memory.append(note)  # in its order, behind those that were turned away
            return Kept.MEMORY

    def drain(self) -> int:
        """Bring the first that wait into the audit, if the store takes them; how many lines went.

        A step at a time: between two of them the daemon has its turn, and who notes something his.
        """
        with self._lock:
            before = self.waiting
            if self._in_memory and self._into_file(self._in_memory):
                self._in_memory = []
            if self._in_file:
                self._drain_file()
            if not self._in_file and self._in_memory and self._into_store(self._in_memory):
                self._in_memory = []
            return before - self.waiting

    def _into_store(self, notes: list[AuditNote]) -> bool:
        try:
            with writing(self._url, HURRY_S) as connection:
                for note in notes:
                    audit.write(connection, *note)
        except StoreError:
            return False
        return True

    def _into_file(self, notes: list[AuditNote]) -> bool:
        """Append whole lines and sync them; of what could be written in part nothing stays."""
        lines = [json.dumps(note, ensure_ascii=False) for note in notes]
        try:
            with open(self._path, "ab", opener=_private) as file:
                end = file.seek(0, os.SEEK_END)
                if not end:  # its name tells it from the one before, which had lines of its own
                    _make_durable(self._path.parent)
                    lines = [json.dumps(secrets.token_hex(_NAME_OCTETS)), *lines]
                try:
                    file.write("".join(f"{line}\n" for line in lines).encode())
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    _cut(file.fileno(), end)
                    raise
        except OSError:
            return False
        self._in_file += len(notes)
        return True

    def _drain_file(self) -> None:
        try:
            name, lines = self._read()
            with writing(self._url, HURRY_S) as connection:
                row = connection.execute("SELECT journal, lines FROM audit_journal").fetchone()
                done = int(row[1]) if row[0] == name else 0
                some = lines[done : done + _LINES_PER_STEP]
                for line in some:
                    audit.write(connection, *_noted(line))
                there = (name, done + len(some))
                connection.execute("UPDATE audit_journal SET journal = ?, lines = ?", there)
            self._in_file = len(lines) - there[1]
            if not self._in_file:
                self._path.unlink()
        except (StoreError, OSError):
            return  # what was read and is in the audit is not written there again

    def _read(self) -> tuple[str, list[str]]:
        """The file's name within it, and its whole lines: a crash may have cut the last one."""
        *lines, _torn = self._path.read_bytes().decode().split("\n")
        return (str(json.loads(lines[0])), lines[1:]) if lines else ("", [])

    def _count(self) -> int:
        """How many lines an earlier daemon left; a torn one, never answered for, is cut off."""
        try:
            _, lines = self._read()
            for line in lines:
                _noted(line)
            os.truncate(self._path, self._path.read_bytes().rfind(b"\n") + 1)
        except FileNotFoundError:
            return 0
        except OSError as fault:
            raise StoreUnavailable(f"{self._path}: {fault.strerror}") from fault
        except (ValueError, TypeError) as fault:
            raise StoreUnavailable(
                f"{self._path} is damaged; keep it elsewhere, since it holds lines of the audit,"
                " and start again"
            ) from fault
        return len(lines)


def _noted(line: str) -> AuditNote:
    return AuditNote(*json.loads(line))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _cut(descriptor: int, end: int) -> None:
    with suppress(OSError):
        os.ftruncate(descriptor, end)


def _make_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
