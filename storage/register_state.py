"""How large the imported register is, and how old."""

import os
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from storage.sqlite_library import dbapi

__all__ = ["RegisterState", "register_state"]


class RegisterState(NamedTuple):
    """How many documents it knows, and when it was imported, Unix seconds."""

    documents: int
    imported_s: float


def register_state(path: Path) -> RegisterState | None:
    """What lies at `path`; None: nothing that can be read. Slow the first time after an import."""
    try:
        status = path.stat()
        documents = _count(path, status.st_ino, status.st_mtime_ns)
    except (OSError, dbapi.Error):
        return None
    return RegisterState(documents, status.st_mtime)


@lru_cache(maxsize=1)
def _count(path: Path, _inode: int, _changed_ns: int) -> int:
    uri = f"file:{quote(os.fspath(path))}?mode=ro&immutable=1"
    with closing(dbapi.connect(uri, uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM holder").fetchone()[0])
