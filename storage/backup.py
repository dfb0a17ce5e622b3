"""A copy of the store while it is written to: whole, checked, and never half there."""

import os
from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from storage.sqlite_library import dbapi
from storage.store import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["back_up", "damage", "discard", "row_counts", "tables"]

_STEP_PAGES = 1_024  # 4 MiB: some milliseconds, so that a bar moves and Ctrl-C is heard
_RESTARTS_MAX = 20
_SIDECARS = ("", "-journal", "-wal", "-shm")


def back_up(
    source: "dbapi.Connection", target: Path, progress: Callable[[int, int], None] | None = None
) -> int:
    """Copy what a connection sees into a new file, which appears only when it is good.

    It is written as TARGET.new, fsynced, checked, then renamed; readable by its owner alone.
    progress: is told how many pages of how many are copied; what it raises ends the copying.

    Returns:
        The size of the copy in bytes.

    Raises:
        StoreError: `target` is there already, or the copy is damaged.
        StoreUnavailable: it cannot be written, or the store cannot be read.
    """
    new = Path(f"{target}.new")
    _refuse_existing(target)
    _create(new)
    try:
        _copy(source, new, progress or (lambda _done, _total: None))
        _flush(new)
        _check(new)
        size = new.stat().st_size
        _refuse_existing(target)
        new.rename(target)
        _flush(target.parent)
    except dbapi.Error as fault:
        raise _unwritten(target, str(fault)) from fault
    except OSError as fault:
        raise _unwritten(target, fault.strerror or str(fault)) from fault
    finally:
        discard(new)
    return size


def discard(new: Path) -> None:
    """Remove a copy that was not finished, and what SQLite keeps beside it."""
    for suffix in _SIDECARS:
        with suppress(OSError):
            Path(f"{new}{suffix}").unlink(missing_ok=True)


def damage(connection: "dbapi.Connection", most: int) -> int:
    """How many damaged places SQLite finds in a file, at most about `most`. Reads all of it."""
    count = 0
    try:
        for (said,) in connection.execute(f"PRAGMA integrity_check({most:d})"):
            count += said != "ok"
    except dbapi.OperationalError:
        raise  # busy, or the disk fails: that says nothing about the file
    except dbapi.DatabaseError:
        count += 1  # so damaged that SQLite cannot go on looking
    return count


def tables(connection: "dbapi.Connection") -> list[str]:
    """The tables that hold rows of ours, by name; not what SQLite and the migrations note."""
    rows = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'"
        " AND name <> '_sqlite_migrations' ORDER BY name"
    )
    return [str(name) for (name,) in rows]


def row_counts(connection: "dbapi.Connection") -> dict[str, int]:
    """By table, how many rows it has."""
    count = 'SELECT count(*) FROM "{}"'
    return {
        table: int(connection.execute(count.format(table)).fetchone()[0])
        for table in tables(connection)
    }


def _refuse_existing(target: Path) -> None:
    if os.path.lexists(target):
        raise StoreError(f"{target} is there already; name another file, or move that one away")


def _create(new: Path) -> None:
    """An empty file of this backup's own: phones and persons are nobody else's business."""
    try:
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError as fault:
        raise StoreError(
            f"{new} is in the way: another backup is writing it, or one was cut off;"
            " if none runs, remove it"
        ) from fault
    except OSError as fault:
        raise _unwritten(new, fault.strerror or str(fault)) from fault


def _unwritten(target: Path, reason: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"the backup could not be written: {reason}; free space in {target.parent}, or name a"
        " file on another disk"
    )


def _copy(source: "dbapi.Connection", new: Path, progress: Callable[[int, int], None]) -> None:
    left: int | None = None
    restarts = 0

    def copied(_status: int, remaining: int, total: int) -> None:
        nonlocal left, restarts
        restarts += left is not None and remaining >= left > 0
        left = remaining
        if restarts > _RESTARTS_MAX:
            raise StoreUnavailable(
                "the store is written too often to be copied by an SQLite that cannot use a"
                " write-ahead log; stop the daemon for the backup, or install pysqlite3"
            )
        progress(total - remaining, total)

    with _snapshot(source), _opened(new, "rw") as copy:
        copy.execute("PRAGMA journal_mode = OFF")  # a cut-off copy is removed, not mended
        copy.execute("PRAGMA synchronous = OFF")  # synced once, when it is whole
        source.backup(copy, pages=_STEP_PAGES, progress=copied)
    with _opened(new, "rw") as copy:
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, to be carried anywhere


@contextmanager
def _snapshot(source: "dbapi.Connection") -> "Iterator[None]":
    """Let the copy be of one moment.

    Without a snapshot every commit of the daemon would start the copy anew. Without a write-ahead
    log a snapshot would keep the daemon from committing, so there the copy does start anew.
    """
    if source.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        yield
        return
    source.execute("BEGIN")
    try:
        source.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        yield
    finally:
        source.execute("ROLLBACK")


def _check(new: Path) -> None:
    with _opened(new, "ro") as copy:
        damaged = damage(copy, 1)
    if damaged:
        raise StoreError(
            "the copy is damaged and was not kept, so the store or the disk may be damaged;"
            " run: smsd store verify"
        )


@contextmanager
def _opened(file: Path, mode: str) -> "Iterator[dbapi.Connection]":
    uri = f"file:{quote(os.fspath(file))}?mode={mode}"
    connection = dbapi.connect(uri, uri=True, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def _flush(path: Path) -> None:
    """Make a file's content, or a folder's names, outlive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
