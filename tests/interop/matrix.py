"""Play a row, and lay rows side by side."""

from pathlib import Path
from typing import NamedTuple

import as_esme
import as_smsc
from rich import box
from rich.table import Table
from rows import Row
from verdicts import AMISS, Cell, Column, NotInstalled, Outcome, judge

_SIGNS = {Outcome.DONE: "✓", Outcome.LACKING: "–", Outcome.FAILED: "✗", Outcome.SKIPPED: "·"}
_STYLES = {
    Outcome.DONE: "green",
    Outcome.LACKING: "yellow",
    Outcome.FAILED: "red",
    Outcome.SKIPPED: "dim",
}


class Played(NamedTuple):
    """A row, the version it was played with, and what became of each column."""

    row: Row
    version: str
    cells: dict[Column, Cell]


def play(row: Row, folder: Path) -> dict[Column, Cell]:
    """All columns of a row; `folder` gets its store, logs and capture. Raises NotInstalled."""
    row.version()
    stage = as_smsc if row.is_smsc else as_esme
    with stage.playing(row.command, folder, row.lacks) as part:
        cells = judge(part.steps(), row.lacks)
    return {column: cells[column] for column in Column}


def played(row: Row, folder: Path) -> Played:
    """The same for the table: a peer that is not here, or does not start, has all columns alike."""
    try:
        version = row.version()
    except NotInstalled as reason:
        return Played(row, "", dict.fromkeys(Column, Cell(Outcome.SKIPPED, str(reason))))
    try:
        return Played(row, version, play(row, folder))
    except AMISS as fault:
        return Played(row, version, dict.fromkeys(Column, Cell(Outcome.FAILED, str(fault))))


def table(results: list[Played]) -> Table:
    """A line for each row, a mark for each column."""
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    drawn.add_column("peer", no_wrap=True)
    drawn.add_column("as")
    for column in Column:
        drawn.add_column(column, no_wrap=column in (Column.LONG_MO, Column.LONG_MT))
    for row, version, cells in results:
        marks = [_shown(cells[column]) for column in Column]
        drawn.add_row(f"{row.name} {version}", "SMSC" if row.is_smsc else "ESME", *marks)
    return drawn


def remarks(results: list[Played]) -> list[str]:
    """What lies behind every mark that is not plain: lacks, failures, what is not installed."""
    said: dict[str, None] = {}  # in their order, each once
    for row, _, cells in results:
        all_alike = len(set(cells.values())) == 1
        for column, (outcome, words) in cells.items():
            if outcome is not Outcome.DONE:
                where = row.id if all_alike else f"{row.id}, {column}"
                said[f"{_SIGNS[outcome]} {where}: {words}"] = None
    return list(said)


def _shown(cell: Cell) -> str:
    how = cell.words if cell.outcome is Outcome.DONE else ""
    return f"[{_STYLES[cell.outcome]}]{_SIGNS[cell.outcome]}[/] {how}".strip()
