"""Whether the audit is as it was written: a walk along its chain, beside a running daemon."""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from storage.audit_chain import BEGINNING, about_digest, link
from storage.beside import must_be_up_to_date, reading
from storage.sqlite_library import dbapi

__all__ = ["Flaw", "Verdict", "verify"]

# A long read would hold up checkpoints: so many lines at a time.
_PAGE_LINES = 5_000

_SELECT_CHAIN = (
    "SELECT audit.id, at_us, who, action, subject, reason, about_digest, hash, salt, about"
    " FROM audit LEFT JOIN audit_about ON audit_about.audit = audit.id"
    " WHERE audit.id > ? ORDER BY audit.id LIMIT ?"
)


class Flaw(StrEnum):
    """How a line can be wrong."""

    ALTERED = "altered"
    MISSING = "missing"
    OUT_OF_ORDER = "out of order"


class Verdict(NamedTuple):
    """What became of a walk along the chain.

    lines: how many are sound, from the first on. hash: of the last of them. flaw: of the line
    with the number `line`, which comes next; None: all are sound. stands_at: where that line
    was put instead, when it is out of order. head_met: whether one of the sound lines has the
    hash that was asked for; None: none was.
    """

    lines: int
    hash: str
    flaw: Flaw | None = None
    line: int = 0
    stands_at: int = 0
    head_met: bool | None = None

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return self.flaw is None and self.head_met is not False


class _Link(NamedTuple):
    """A line with all that the chain is made of."""

    id: int
    at_us: int
    who: str
    action: str
    subject: str
    reason: str
    about_digest: str
    hash: str
    salt: bytes | None
    about: str | None

    def hash_behind(self, before: str, number: int) -> str:
        """What its hash must be as line `number`, behind the line with the hash `before`."""
        return link(before, number, *self[1:7])

    @property
    def about_is_true(self) -> bool:
        """Whether it is about whom it was written about, or that has been erased."""
        if self.salt is None or self.about is None:
            return True
        return about_digest(self.salt, self.about) == self.about_digest


def verify(
    url: str, noted: str | None = None, progress: Callable[[int, int], None] | None = None
) -> Verdict:
    """Walk the chain to the first line that is wrong.

    A chain whose end was cut off is sound in itself. noted: the hash of a line that was kept
    elsewhere, by which that shows. progress: is told how many lines of how many are done.

    Raises:
        StoreError: the store cannot be read, or its schema is not the newest.
    """
    count, hash_, met = 0, BEGINNING, False
    with reading(url) as connection:
        must_be_up_to_date(connection)
        total = int(connection.execute("SELECT count(*) FROM audit").fetchone()[0])
        while page := _page(connection, count):
            for line in page:
                if flaw := _flaw(line, count + 1, hash_):
                    stands_at = _stands_at(connection, count + 1, hash_)
                    if stands_at:
                        flaw = Flaw.OUT_OF_ORDER
                    asked = None if noted is None else met
                    return Verdict(count, hash_, flaw, count + 1, stands_at, asked)
                count, hash_ = line.id, line.hash
                met = met or hash_ == noted
            if progress is not None:
                progress(count, max(count, total))
    return Verdict(count, hash_, head_met=None if noted is None else met)


def _page(connection: "dbapi.Connection", after: int) -> list[_Link]:
    return [_Link(*row) for row in connection.execute(_SELECT_CHAIN, (after, _PAGE_LINES))]


def _flaw(line: _Link, number: int, before: str) -> Flaw | None:
    """What is wrong with the line that stands where the one with this number should."""
    if line.id != number:
        return Flaw.MISSING
    if line.hash_behind(before, number) != line.hash or not line.about_is_true:
        return Flaw.ALTERED
    return None


def _stands_at(connection: "dbapi.Connection", number: int, before: str) -> int:
    """The place of the line that should have this number, somewhere behind; 0: it is nowhere."""
    after = number
    while page := _page(connection, after):
        for line in page:
            if line.hash_behind(before, number) == line.hash:
                return line.id
        after = page[-1].id
    return 0
