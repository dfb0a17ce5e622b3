"""Audit lines that wait beside the store: none lost, none twice, in order, and only so many."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from decisions_stored import NOON_US

from storage import SqliteStore, StoreUnavailable
from storage import audit as lines
from storage.audit_waiting import AuditNote, Kept, WaitingAudit
from storage.sqlite_library import dbapi

MANY = 30


def note(number: int) -> AuditNote:
    """A check."""
    return AuditNote(NOON_US + number, "officer", "check", f"check {number}", "", "AZE1111111")


@pytest.fixture
def audit(url: str, store: SqliteStore) -> WaitingAudit:
    """Of a store that is there."""
    return WaitingAudit(url, MANY)


@pytest.fixture
def waiting_file(tmp_path: Path) -> Path:
    """Where lines wait."""
    return tmp_path / "smsd.db.audit-waiting"


@contextmanager
def locked(store: SqliteStore) -> Iterator[None]:
    """Somebody else holds the write lock."""
    other = dbapi.connect(os.fspath(store.path), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


def subjects(url: str) -> list[str]:
    """What stands in the audit."""
    return [line.subject for line in lines.since(url, 0)]


def test_where_the_store_takes_it_a_line_is_there_at_once(
    url: str, audit: WaitingAudit, waiting_file: Path
) -> None:
    """And no file is made."""
    assert audit.note(note(1)) is Kept.STORE
    assert subjects(url) == ["check 1"]
    assert not waiting_file.exists()


def test_what_waited_goes_in_once_and_in_order(
    url: str, store: SqliteStore, audit: WaitingAudit, waiting_file: Path
) -> None:
    """What comes while others wait goes behind them, even when the store is free again."""
    with locked(store):
        assert [audit.note(note(number)) for number in (1, 2)] == [Kept.FILE] * 2
        assert audit.drain() == 0
    assert waiting_file.stat().st_mode & 0o777 == 0o600
    assert audit.note(note(3)) is Kept.FILE
    assert subjects(url) == []
    assert (audit.drain(), audit.drain(), audit.waiting) == (3, 0, 0)
    assert audit.note(note(4)) is Kept.STORE
    assert subjects(url) == [f"check {number}" for number in (1, 2, 3, 4)]
    assert not waiting_file.exists()


@pytest.mark.parametrize("step", [MANY - 1, MANY, MANY + 1])
def test_more_than_a_step_goes_in_whole(
    url: str, store: SqliteStore, audit: WaitingAudit, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """A step at a time, so that the daemon has its turn, and who notes something meanwhile his."""
    monkeypatch.setattr("storage.audit_waiting._LINES_PER_STEP", step)
    with locked(store):
        for number in range(MANY):
            audit.note(note(number))
    assert audit.drain() == min(step, MANY)
    assert audit.waiting == max(0, MANY - step)
    audit.drain()
    assert subjects(url) == [f"check {number}" for number in range(MANY)]
    assert audit.waiting == 0


@pytest.mark.parametrize("torn", [b"", b'[15, "offi'])
def test_a_restart_finds_what_waits(
    url: str, store: SqliteStore, audit: WaitingAudit, waiting_file: Path, torn: bytes
) -> None:
    """Half a line, of which nobody was told, is no line; the next goes behind the whole ones."""
    with locked(store):
        audit.note(note(1))
        with waiting_file.open("ab") as file:
            file.write(torn)
        again = WaitingAudit(url, MANY)
        assert again.waiting == 1
        again.note(note(2))
    assert again.drain() == 2
    assert subjects(url) == ["check 1", "check 2"]


def test_a_crash_between_the_commit_and_the_end_of_the_file_repeats_nothing(
    url: str, store: SqliteStore, audit: WaitingAudit, waiting_file: Path
) -> None:
    """The store knows how far this very file went; a later file begins anew."""
    with locked(store):
        audit.note(note(1))
    left = waiting_file.read_bytes()
    audit.drain()
    waiting_file.write_bytes(left)
    again = WaitingAudit(url, MANY)
    with locked(store):
        again.note(note(2))
    again.drain()
    assert subjects(url) == ["check 1", "check 2"]
    with locked(store):
        again.note(note(3))
    again.drain()
    assert subjects(url) == ["check 1", "check 2", "check 3"]


def test_where_not_even_the_file_can_be_written_memory_keeps_it(
    url: str, store: SqliteStore, audit: WaitingAudit, waiting_file: Path
) -> None:
    """Said as such; in its order it goes to the file, or the store, once either can be written."""
    waiting_file.mkdir()
    with locked(store):
        assert [audit.note(note(number)) for number in (1, 2)] == [Kept.MEMORY] * 2
        waiting_file.rmdir()
        assert audit.note(note(3)) is Kept.MEMORY
        audit.drain()
        assert audit.note(note(4)) is Kept.FILE
    audit.drain()
    assert subjects(url) == [f"check {number}" for number in (1, 2, 3, 4)]


def test_only_so_many_may_wait(url: str, store: SqliteStore) -> None:
    """What cannot be noted must not happen; once some went in, there is room again."""
    audit = WaitingAudit(url, 2)
    with locked(store):
        audit.note(note(1))
        audit.note(note(2))
        with pytest.raises(StoreUnavailable, match="too many lines of the audit"):
            audit.note(note(3))
    audit.drain()
    assert audit.note(note(3)) is Kept.STORE
    assert len(subjects(url)) == 3


@pytest.mark.parametrize("octets", [b"\xff\n", b"{\n", b'"name"\nnull\n', b'"name"\n[1]\n'])
def test_a_file_that_is_damaged_is_told_and_left_alone(
    url: str, store: SqliteStore, waiting_file: Path, octets: bytes
) -> None:
    """It holds lines that stand nowhere else: somebody must see to it."""
    waiting_file.write_bytes(octets)
    with pytest.raises(StoreUnavailable, match="is damaged; keep it elsewhere"):
        WaitingAudit(url, MANY)
    assert waiting_file.read_bytes() == octets
