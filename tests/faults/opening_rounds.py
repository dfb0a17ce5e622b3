"""Opening a store on a failing disk: one attempt for each call that can fail, and one after it.

`python opening_rounds.py CONTROL FOLDER AGE FAULT`, started with the disk's environment. AGE: new,
where there is no file yet; grown, where the first version left one that has rows. Prints as JSON
how many attempts there were and how many were refused.
"""

import itertools
import json
import shutil
import sys
from pathlib import Path

from failing_disk import FAULTS, FailingDisk, Fault
from sqlite_utils import Database, Migrations

from storage import SqliteStore, StoreUnavailable
from storage.migrations import m0001_message_decision_reply, migrations
from storage.sqlite_library import dbapi
from storage.upkeep import CHECKS, verify

_ROWS = 300  # so many that the copy before the migration takes many writes
_OLD_ROWS = (
    "INSERT INTO smsc VALUES (1, 'one')",
    "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {rows})"
    " INSERT INTO message SELECT id, 1586160000000000 + id, 1, '994500000001', '8103', 0, 'hello',"
    " NULL, 'no_code', NULL FROM n",
    "INSERT INTO reply (id, message, smsc, phone, text, not_after_us, state)"
    " SELECT id, id, 1, phone, 'help', 1586170000000000, 0 FROM message",
)


def first_version(path: Path) -> None:
    """A store as the first version left it."""
    connection = dbapi.connect(str(path), isolation_level=None)
    first = Migrations("smsd")
    first(name="m0001_message_decision_reply")(m0001_message_decision_reply.step)
    first.apply(Database(connection))
    for statement in _OLD_ROWS:
        connection.execute(statement.format(rows=_ROWS))
    connection.close()


def open_all(disk: FailingDisk, folder: Path, age: str, fault: Fault) -> dict[str, int]:
    """Let the first call fail, then in a fresh folder the second, until none is left to fail."""
    grown = folder / "first-version.db"
    first_version(grown)
    path = folder / "store" / "smsd.db"
    url = f"sqlite:///{path}"
    refused = 0
    for nth in itertools.count(1):
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.mkdir()
        if age == "grown":
            shutil.copyfile(grown, path)
        disk.fail(nth, fault)
        try:
            SqliteStore(url).close()
        except StoreUnavailable:
            refused += 1
        hits = disk.hits
        disk.mend()
        store = SqliteStore(url)
        assert not migrations.pending(Database(store.connection)), f"when call {nth} failed"
        waiting = store.unsent("one", 0, 2 * _ROWS)
        assert len(waiting) == (_ROWS if age == "grown" else 0), f"when call {nth} failed"
        store.close()
        assert verify(url, lambda _: None) == dict.fromkeys(CHECKS, 0)
        if not hits:
            return {"attempts": nth - 1, "refused": refused}
    raise AssertionError("unreachable")


def main() -> None:
    """See the module."""
    control, folder, age, fault = sys.argv[1:]
    place = Path(folder)
    disk = FailingDisk(Path(control), place / "store" / "smsd.db")
    json.dump(open_all(disk, place, age, FAULTS[fault]), sys.stdout)


if __name__ == "__main__":
    main()
