"""The population register: which person holds which document, and their date of birth.

It lives in a SQLite file of its own beside the store. An import writes a new file and
renames it over the old one, so that a reader sees the old register or the new one, never
half of either, and ten million rows never pass through the store's log.
"""

import csv
import fcntl
import json
import os
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import date
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple
from urllib.parse import quote

from storage.records import Citizen
from storage.sqlite_library import dbapi
from storage.store import StoreError, StoreInUse, StoreUnavailable

HEADER = ("person", "document", "birth_date")
OPTIONAL = ("region", "quarantine_until")
"""Columns that a register may have besides; without one, nobody knows what it would say."""

PROBLEMS_MAX = 1_000
_SCHEMA = """
CREATE TABLE holder (
    document      TEXT PRIMARY KEY,     -- canonical, for example AZE1111111
    person        TEXT NOT NULL,        -- the register's own key for a person
    birth_ordinal INTEGER NOT NULL,     -- days since 0001-01-01, which is 1
    region        TEXT,                 -- of residence; NULL: the register does not say
    quarantine_until_day INTEGER        -- the first free day; 0: in none; NULL: it does not say
) STRICT, WITHOUT ROWID
"""
# So that nobody has to count ten million rows to know how many there are.
_SUMMARY_SCHEMA = """
CREATE TABLE summary (
    documents INTEGER NOT NULL          -- rows of holder
) STRICT
"""
# One statement for a whole batch: each one costs 2 µs before it reads its first row. CROSS JOIN
# keeps SQLite from sorting the documents into a table of its own first.
_SELECT_HOLDERS = (
    "SELECT document, person, birth_ordinal, region, quarantine_until_day"
    " FROM json_each(?) AS wanted CROSS JOIN holder ON holder.document = wanted.value"
)
_SELECT_HOLDER = (
    "SELECT person, birth_ordinal, region, quarantine_until_day FROM holder WHERE document = ?"
)
_CACHE_KIB = (
    8_192  # room for the upper pages of a register of ten million; the rest is the kernel's
)
_ROWS_PER_STEP = 20_000
# A third of what a NamedTuple's own constructor takes, for every SMS.
_new = tuple.__new__
_INSERT_HOLDER = "INSERT INTO holder VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING"
_IMPORT_CACHE_KIB = 262_144  # documents come in any order, and each belongs on a page of its own
# Who has two dates of birth. SQLite sorts this on disk; a dict of ten million people takes 1.5 GB.
_SELECT_TWICE_BORN = (
    "SELECT person FROM holder GROUP BY person HAVING min(birth_ordinal) < max(birth_ordinal)"
    " LIMIT ?"
)
_PERSON_CHARACTERS_MAX = 64
_REGION_CHARACTERS_MAX = 40
_OLDEST_BIRTH = date(1880, 1, 1)
# What errors="surrogateescape" makes of octets that are no UTF-8.
_UNDECODED = re.compile("[\udc80-\udcff]")


_Row = tuple[int, str, str, int, str | None, int | None]
"""line, document, person, birth_ordinal, region, quarantine_until_day"""


class Problem(NamedTuple):
    """A line of an import file that cannot be taken. Never quotes the line: it is personal."""

    line: int
    message: str


class ImportRefused(StoreError):
    """The file has bad lines; nothing was imported."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} bad lines; nothing was imported")
        self.problems = problems


class Register:
    """Looks documents up in the newest imported register. For one thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: dbapi.Connection | None = None
        self._seen: tuple[int, int] | None = None

    def refresh(self) -> None:
        """Open the file that is there now; cheap when it is the one already open.

        Raises:
            StoreUnavailable: no register has been imported, or it cannot be read.
        """
        try:
            status = self.path.stat()
            seen = (status.st_ino, status.st_mtime_ns)
            if seen != self._seen:
                self.close()
                self._connection = read_register(self.path)
                self._connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
                self._connection.execute(_SELECT_HOLDERS, ("[]",))  # has it all columns?
                self._seen = seen
        except (OSError, dbapi.Error) as fault:
            raise StoreUnavailable(
                f"the register {self.path} cannot be read ({fault});"
                " import one with: smsd registry import FILE.csv"
            ) from fault

    def look_up(self, documents: Collection[str]) -> dict[str, Citizen]:
        """Who holds each of `documents` (canonical form); those it does not know are left out."""
        assert self._connection is not None, "refresh() comes first"
        execute = self._connection.execute
        if len(documents) == 1:  # at rest a batch is one SMS
            [document] = documents
            row = execute(_SELECT_HOLDER, (document,)).fetchone()
            return {document: _new(Citizen, row)} if row else {}
        rows = execute(_SELECT_HOLDERS, (json.dumps(list(documents)),))
        return {row[0]: _new(Citizen, row[1:]) for row in rows}

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._seen = None


def read_register(path: Path) -> "dbapi.Connection":
    """A connection to a register, which never changes: another one comes in its place."""
    return dbapi.connect(
        f"file:{quote(os.fspath(path))}?mode=ro&immutable=1", uri=True, check_same_thread=False
    )


def import_csv(
    source: IO[str],
    target: Path,
    canonical: Callable[[str], str | None],
    today: date,
    progress: Callable[[int], None] = lambda _rows: None,
) -> int:
    """Replace the register at `target` by the rows of a CSV file; returns how many.

    Args:
        source: text with the header `person,document,birth_date`, perhaps followed by `region`
            and `quarantine_until` (the first free day; empty: in none), ISO dates; opened with
            errors="surrogateescape", so that octets that are no UTF-8 are told by their line;
            seekable, since a conflict is named by a second reading.
        canonical: a printed document number to its canonical form, None when it is none.
        today: no birth date may lie after it.
        progress: called with the number of rows read so far.

    Raises:
        ImportRefused: with every bad line, at most `PROBLEMS_MAX`; the old register stays.
        StoreInUse: another import into `target` is under way.
        StoreUnavailable: the new file cannot be written.
    """
    fresh = target.with_name(target.name + ".new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target):
            try:
                rows = _write(fresh, source, canonical, today, progress)
                fresh.replace(target)
            finally:
                fresh.unlink(missing_ok=True)
            _make_durable(target.parent)
    except (OSError, dbapi.Error) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else fault
        raise StoreUnavailable(f"the register {target} cannot be written: {reason}") from fault
    return rows


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Keep other imports into `target` out: two would write one new file, and rename it torn."""
    with target.with_name(target.name + ".lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreInUse(f"another import into {target} is under way") from None
        yield


def _write(
    fresh: Path,
    source: IO[str],
    canonical: Callable[[str], str | None],
    today: date,
    progress: Callable[[int], None],
) -> int:
    """Make `fresh` a whole and durable register of the rows of `source`."""
    fresh.unlink(missing_ok=True)
    connection = dbapi.connect(os.fspath(fresh), isolation_level=None)
    try:
        rows = _load(connection, source, canonical, today, progress)
    finally:
        connection.close()
    _make_durable(fresh)
    return rows


def _load(
    connection: "dbapi.Connection",
    source: IO[str],
    canonical: Callable[[str], str | None],
    today: date,
    progress: Callable[[int], None],
) -> int:
    # The file is private until its rename, so a crash may leave it torn.
    connection.execute("PRAGMA journal_mode = MEMORY")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(f"PRAGMA cache_size = -{_IMPORT_CACHE_KIB}")
    connection.execute(_SCHEMA)
    connection.execute("BEGIN")
    checked = _Checked(source, canonical, today)
    count = 0
    rows = checked.rows()
    while step := list(islice(rows, _ROWS_PER_STEP)):
        _insert(connection, step, checked)
        count += len(step)
        progress(count)
    _refuse_twice_born(connection, source, checked)
    if not count and not checked.problems:
        checked.refuse(1, "the file has no rows; an empty register would refuse everybody")
    if checked.problems:
        raise ImportRefused(sorted(checked.problems))
    connection.execute(_SUMMARY_SCHEMA)
    connection.execute("INSERT INTO summary VALUES (?)", (count,))
    connection.execute("COMMIT")
    return count


def _insert(connection: "dbapi.Connection", step: "list[_Row]", checked: "_Checked") -> None:
    """Insert a step's rows; one by one only where a document stands there twice."""
    before = connection.total_changes
    connection.execute("SAVEPOINT step")
    connection.executemany(_INSERT_HOLDER, [row[1:] for row in step])
    if connection.total_changes - before < len(step):
        connection.execute("ROLLBACK TO step")
        for line, *holder in step:
            if not connection.execute(_INSERT_HOLDER, holder).rowcount:
                checked.refuse(line, "this document stands on an earlier line too")
    connection.execute("RELEASE step")


def _refuse_twice_born(
    connection: "dbapi.Connection", source: IO[str], checked: "_Checked"
) -> None:
    """Name the lines that give a person another date of birth; reads the file again for it."""
    twice_born = {person for (person,) in connection.execute(_SELECT_TWICE_BORN, (PROBLEMS_MAX,))}
    if not twice_born:
        return
    source.seek(0)
    births: dict[str, int] = {}
    for line, _, person, birth_ordinal, *_ in checked.again().rows():
        if person in twice_born and births.setdefault(person, birth_ordinal) != birth_ordinal:
            checked.refuse(line, "this person has another birth_date on an earlier line")


class _Checked:
    """The rows of a register file that are sound, and the problems of the others."""

    def __init__(
        self, source: IO[str], canonical: Callable[[str], str | None], today: date
    ) -> None:
        self._source = source
        self._canonical = canonical
        self._today = today
        self._columns: tuple[str, ...] = HEADER
        self.problems: list[Problem] = []

    def again(self) -> "_Checked":
        """The same file from its beginning, whose problems are known already."""
        return _Checked(self._source, self._canonical, self._today)

    def refuse(self, line: int, message: str) -> None:
        """Note a bad line; stop at the limit, since nobody reads further."""
        self.problems.append(Problem(line, message))
        if len(self.problems) >= PROBLEMS_MAX:
            raise ImportRefused(self.problems)

    def rows(self) -> "Iterator[_Row]":
        """The sound rows."""
        records = self._records()
        _, header = next(records, (1, []))
        self._columns = tuple(name.strip().lower().removeprefix("\ufeff") for name in header)
        more = self._columns[len(HEADER) :]
        if self._columns[: len(HEADER)] != HEADER or list(more) != [
            c for c in OPTIONAL if c in more
        ]:
            allowed = f"{','.join(HEADER)}, perhaps followed by {' and '.join(OPTIONAL)}"
            self.refuse(1, f"the header must be {allowed}")
            return
        for line, row in records:
            if row and (fields := self._fields(line, row)):
                yield (line, *fields)

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Each record that is CSV and UTF-8, with the line on which it begins."""
        reader = csv.reader(self._source, strict=True)
        while True:
            line = (
                reader.line_num + 1
            )  # line_num is where a record ends, and quoted ones span lines
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as fault:
                self.refuse(line, f"not CSV: {fault}")
                continue
            if _UNDECODED.search("".join(row)):
                self.refuse(line, "not UTF-8 text")
                continue
            yield line, row

    def _fields(
        self, line: int, row: list[str]
    ) -> tuple[str, str, int, str | None, int | None] | None:
        columns = self._columns
        if len(row) != len(columns):
            self.refuse(line, f"{len(row)} columns; {len(columns)} are needed: {','.join(columns)}")
            return None
        person, printed, birth, *more = (field.strip() for field in row)
        if not 0 < len(person) <= _PERSON_CHARACTERS_MAX:
            self.refuse(line, f"person must have 1 to {_PERSON_CHARACTERS_MAX} characters")
            return None
        document = self._canonical(printed)
        if document is None:
            self.refuse(line, "document is none of the kinds that the policy names")
            return None
        try:
            born = date.fromisoformat(birth)
        except ValueError:
            self.refuse(line, "birth_date must be an ISO date, for example 1980-02-29")
            return None
        if not _OLDEST_BIRTH <= born <= self._today:
            self.refuse(line, f"birth_date must lie between {_OLDEST_BIRTH} and {self._today}")
            return None
        known = dict(zip(columns[len(HEADER) :], more, strict=True))
        region = known.get("region") or None
        if region and len(region) > _REGION_CHARACTERS_MAX:
            self.refuse(line, f"region must have at most {_REGION_CHARACTERS_MAX} characters")
            return None
        try:
            until = _quarantine_until_day(known.get("quarantine_until"))
        except ValueError:
            self.refuse(line, "quarantine_until must be empty or an ISO date, like 2020-07-20")
            return None
        return document, person, born.toordinal(), region, until


def _quarantine_until_day(written: str | None) -> int | None:
    """None: the register has no such column; 0: in none; else the ordinal of the first free day."""
    if written is None:
        return None
    return date.fromisoformat(written).toordinal() if written else 0


def _make_durable(path: Path) -> None:
    """fsync a file, or a folder's entries."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
