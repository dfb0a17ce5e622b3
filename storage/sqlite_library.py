"""Which SQLite this process uses, and whether its write-ahead log can be trusted.

SQLite 3.7.0 to 3.51.2 can lose committed transactions when a WAL is reset under a
checkpoint. `pysqlite3` brings a newer library; stock Python may link one with the fault.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3 as dbapi
else:
    try:
        import pysqlite3 as dbapi
    except ImportError:  # a platform without a pysqlite3 wheel
        import sqlite3 as dbapi

__all__ = ["dbapi", "journal_mode", "sqlite_version", "synchronous"]

_WAL_SOUND_SINCE = (3, 51, 3)
_WAL_INTRODUCED = (3, 7, 0)

sqlite_version: str = dbapi.sqlite_version


def journal_mode(version: str = sqlite_version) -> str:
    """The journal mode that keeps every committed transaction on this SQLite version."""
    number = tuple(int(part) for part in version.split("."))
    return "DELETE" if _WAL_INTRODUCED <= number < _WAL_SOUND_SINCE else "WAL"


def synchronous(mode: str) -> str:
    """What a connection must sync in a journal mode, so that a power cut undoes no commit.

    With a rollback journal the commit is the deletion of the journal: until its folder is synced
    too, which FULL leaves out, the journal may be back after a power cut and take the commit away.
    """
    return "FULL" if mode == "WAL" else "EXTRA"
