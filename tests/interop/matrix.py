"""Play a row, and lay rows side by side."""

from pathlib import Path

import as_esme
import as_smsc
from rich.table import Table
from rows import Row
from verdicts import Cell, Column, Outcome, judge

_MARKS = {
    Outcome.DONE: "[green]✓[/]",
    Outcome.LACKING: "[yellow]–[/]",
    Outcome.FAILED: "[red]✗[/]",
    Outcome.SKIPPED: "[dim]·[/]",
}


def play(row: Row, folder: Path) -> dict[Column, Cell]:
    """All columns of a row, in the order of `Column`; `folder` gets store and capture."""
    stage = as_smsc if row.is_smsc else as_esme
    with stage.playing(row.command, folder, row.lacks) as part:
        cells = judge(part.steps(), row.lacks)
    return {column: cells[column] for column in Column}


def skipped(reason: str) -> dict[Column, Cell]:
    """A row that cannot be played on this machine."""
    return {column: Cell(Outcome.SKIPPED, reason) for column in Column}


def table(results: list[tuple[Row, dict[Column, Cell]]]) -> Table:
    """A line for each row, a mark for each column."""
    drawn = Table(title="smsd and SMPP peers written by others", title_justify="left")
    drawn.add_column("peer")
    drawn.add_column("is")
    for column in Column:
        drawn.add_column(column, justify="center")
    for row, cells in results:
        marks = [_shown(cells[column]) for column in Column]
        drawn.add_row(row.name, "SMSC" if row.is_smsc else "ESME", *marks)
    return drawn


def _shown(cell: Cell) -> str:
    how = cell.words if cell.outcome is Outcome.DONE else ""
    return f"{_MARKS[cell.outcome]} {how}".strip()


def remarks(results: list[tuple[Row, dict[Column, Cell]]]) -> list[str]:
    """What lies behind every mark that is not plain: lacks, failures, skipped rows."""
    said = []
    for row, cells in results:
        for column, (outcome, words) in cells.items():
            line = f"{row.id}: {words}" if outcome is Outcome.SKIPPED else ""
            if outcome in (Outcome.LACKING, Outcome.FAILED):
                line = f"{row.id}, {column}: {outcome}: {words}"
            if line and line not in said:
                said.append(line)
    return said
