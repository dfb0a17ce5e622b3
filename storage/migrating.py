"""Bringing a store up to date: a copy of what it held first, then the missing steps."""

import os
from pathlib import Path
from urllib.parse import quote

import structlog
from sqlite_utils import Database

from storage.backup import back_up, discard, row_counts, tables
from storage.migrations import migrations
from storage.sqlite_library import dbapi
from storage.store import StoreError, StoreUnavailable

__all__ = ["migrate"]

_log = structlog.get_logger("smsd.store")


def migrate(connection: "dbapi.Connection", path: Path) -> None:
    """Apply the steps that the file at `path` lacks; whoever calls holds the store's lock.

    A store that has rows is backed up before, once, as `path`.before- and the number of the
    first missing step.

    Raises:
        StoreError: there is no such backup, so no step was applied and the store is as it was.
    """
    database = Database(connection)
    missing = [step.name for step in migrations.pending(database)]
    grown = bool(missing) and _has_rows(connection)
    if grown:
        number = missing[0].partition("_")[0]
        try:
            _back_up_once(connection, Path(f"{path}.before-{number}"), missing)
        except StoreError as fault:
            kind = StoreUnavailable if isinstance(fault, StoreUnavailable) else StoreError
            raise kind(
                f"{path} needs {', '.join(missing)} and was left as it is, since it must be backed"
                f" up first: {fault}"
            ) from fault
    migrations.apply(database)
    if grown:
        _log.info("store_migrated", steps=missing)


def _back_up_once(connection: "dbapi.Connection", target: Path, missing: list[str]) -> None:
    if os.path.lexists(target):
        _must_hold_the_same(connection, target)
        _log.info("migration_backup_kept", file=str(target), before=missing)
        return
    discard(Path(f"{target}.new"))  # of a daemon that ended in between; ours is the lock
    _log.info("migration_backup_begins", file=str(target), before=missing)
    size = back_up(connection, target)
    _log.info("migration_backup_made", file=str(target), bytes=size)


def _has_rows(connection: "dbapi.Connection") -> bool:
    return any(
        connection.execute(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone()  # noqa: S608
        for table in tables(connection)
    )


def _must_hold_the_same(connection: "dbapi.Connection", target: Path) -> None:
    """A start that was cut off left it; or the store was put back and has lived on since."""
    try:
        copy = dbapi.connect(f"file:{quote(os.fspath(target))}?mode=ro", uri=True)
        try:
            same = row_counts(copy) == row_counts(connection)
        finally:
            copy.close()
    except dbapi.Error:
        same = False
    if not same:
        raise StoreError(f"{target} holds something else; move it away and start again")
