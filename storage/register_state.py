"""How large the imported register is, and how old."""

from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from storage.registry import read_register
from storage.sqlite_library import dbapi

__all__ = ["RegisterState", "register_state"]


class RegisterState(NamedTuple):
    """How many documents it knows, and when it was imported, Unix seconds."""

    documents: int
    imported_s: float


def register_state(path: Path) -> RegisterState | None:
    """What lies at `path`; None: nothing that can be read.

    Slow the first time for a register of an smsd that wrote no summary.
    """
    try:
        status = path.stat()
        documents = _documents(path, status.st_ino, status.st_mtime_ns)
    except (OSError, dbapi.Error):
        return None
    return RegisterState(documents, status.st_mtime)


@lru_cache(maxsize=1)
def _documents(path: Path, _inode: int, _changed_ns: int) -> int:
    with closing(read_register(path)) as connection:
        execute = connection.execute
        try:
            row = execute("SELECT documents FROM summary").fetchone()
        except dbapi.OperationalError:  # it has none
            row = execute("SELECT count(*) FROM holder").fetchone()
    return int(row[0])
