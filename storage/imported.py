"""What the register holds, without counting it."""

from pathlib import Path
from typing import NamedTuple

from storage.registry import read_register
from storage.sqlite_library import dbapi

__all__ = ["Imported", "last_import"]


class Imported(NamedTuple):
    """An import: Unix seconds of its end, and how many documents it brought.

    documents: None for a register of an smsd that did not write that down.
    """

    at_s: float
    documents: int | None


def last_import(path: Path) -> Imported | None:
    """What was imported into `path` last; None: nothing was."""
    try:
        at_s = path.stat().st_mtime
    except OSError:
        return None
    try:
        connection = read_register(path)
        try:
            [(documents,)] = connection.execute("SELECT documents FROM summary")
        finally:
            connection.close()
    except (ValueError, dbapi.Error):
        return Imported(at_s, None)
    return Imported(at_s, int(documents))
