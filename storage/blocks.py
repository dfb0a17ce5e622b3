"""Persons who are refused, wholly or from one code, until a day."""

from typing import NamedTuple

from storage import audit
from storage.beside import reading, writing
from storage.store import StoreError

__all__ = ["BlockRow", "add_block", "blocks_of", "list_blocks", "remove_block"]

_SELECT = (
    "SELECT id, holder, document, code, until_day, reason, added_by, added_at_us,"
    " removed_by, removed_at_us, removal_reason FROM block"
)


class BlockRow(NamedTuple):
    """One block.

    code: empty: all. until_day: the first free civil day, date ordinal. removed_by: None: it
    was not lifted.
    """

    id: int
    holder: str
    document: str
    code: str
    until_day: int
    reason: str
    added_by: str
    added_at_us: int
    removed_by: str | None
    removed_at_us: int | None
    removal_reason: str | None


def add_block(
    url: str,
    holder: str,
    document: str,
    code: str,
    until_day: int,
    who: str,
    reason: str,
    at_us: int,
) -> int:
    """Block a holder (as decisions name one) from the next batch on; returns its number."""
    with writing(url) as connection:
        cursor = connection.execute(
            "INSERT INTO block (holder, document, code, until_day, reason, added_by, added_at_us)"
            " VALUES (?,?,?,?,?,?,?)",
            (holder, document, code, until_day, reason, who, at_us),
        )
        number = int(cursor.lastrowid or 0)
        audit.write(connection, at_us, who, "block_add", f"block {number}", reason, document)
    return number


def remove_block(url: str, number: int, who: str, reason: str, at_us: int) -> None:
    """Lift a block; its row stays.

    Raises:
        StoreError: there is none with this number that stands.
    """
    with writing(url) as connection:
        row = connection.execute(
            "UPDATE block SET removed_by = ?, removed_at_us = ?, removal_reason = ?"
            " WHERE id = ? AND removed_at_us IS NULL RETURNING document",
            (who, at_us, reason, number),
        ).fetchone()
        if row is None:
            raise StoreError(f"there is no block {number} that stands; see smsd block list")
        audit.write(connection, at_us, who, "block_remove", f"block {number}", reason, row[0])


def blocks_of(url: str, holder: str, today: int) -> list[BlockRow]:
    """The blocks of a holder that stand, newest first."""
    with reading(url) as connection:
        rows = connection.execute(
            f"{_SELECT} INDEXED BY block_holder"
            " WHERE holder = ? AND removed_at_us IS NULL AND until_day > ? ORDER BY id DESC",
            (holder, today),
        )
        return [BlockRow(*row) for row in rows]


def list_blocks(url: str, today: int, ended: bool) -> list[BlockRow]:
    """The blocks, newest first; ended: also those that ended before `today` or were lifted."""
    with reading(url) as connection:
        rows = connection.execute(
            f"{_SELECT} WHERE ? OR (removed_at_us IS NULL AND until_day > ?) ORDER BY id DESC",
            (ended, today),
        )
        return [BlockRow(*row) for row in rows]
