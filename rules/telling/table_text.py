"""A decision table as plain text for a terminal."""

from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table as Columns
from rich.text import Text

from rules.telling.table_rows import Table
from rules.telling.table_sections import Cell, Grid, identity, notes, sections
from rules.telling.words import printable, words_for

__all__ = ["COLUMNS_MAX", "table_text"]

COLUMNS_MAX = 100


def table_text(table: Table) -> str:
    """The whole table in lines of at most 100 columns, without colours."""
    out = StringIO()
    console = Console(file=out, width=COLUMNS_MAX, color_system=None, force_terminal=False)
    _heading(console, f"{words_for(table.language)('labels.table')}: {table.title}", "═")
    _print(console, _pairs([(name, _text(value)) for name, value in identity(table)]))
    console.print()
    for note in notes(table):
        console.print(_text(note))
    for section in sections(table):
        state = f" ({section.state})" if section.state else ""
        _heading(console, section.heading + state, "═" if section.state else "─")
        for grid in section.grids:
            if grid.caption != section.heading:
                console.print()
                console.print(_text(grid.caption))
            if grid.wide:
                _blocks(console, grid)
            else:
                _print(console, _columns(grid))
    return "\n".join(line.rstrip() for line in out.getvalue().strip().splitlines()) + "\n"


def _heading(console: Console, text: str, rule: str) -> None:
    told = _text(text)
    console.print()
    console.print(told)
    console.print(rule * min(told.cell_len, COLUMNS_MAX))


def _blocks(console: Console, grid: Grid) -> None:
    """Each row as a block of names and values, under its first two cells."""
    for row in grid.rows:
        title, rest = row[: grid.header + 1], zip(grid.columns, row, strict=True)
        console.print()
        console.print(_text("  ".join(cell.lines[0] for cell in title)))
        _print(console, _pairs([(n, _joined(c)) for n, c in list(rest)[grid.header + 1 :]]))


def _pairs(rows: list[tuple[str, Text]]) -> Columns:
    pairs = Columns(box=None, show_header=False, pad_edge=True, padding=(0, 2))
    pairs.add_column(no_wrap=True)
    pairs.add_column(overflow="fold")
    for name, value in rows:
        pairs.add_row(_text(name), value)
    return pairs


def _columns(grid: Grid) -> Columns:
    columns = Columns(box=box.SIMPLE_HEAD, show_edge=False)
    for name in grid.columns:
        columns.add_column(_text(name), overflow="fold")
    for row in grid.rows:
        columns.add_row(*map(_joined, row))
    return columns


def _print(console: Console, columns: Columns) -> None:
    console.print(columns, crop=True)


def _joined(cell: Cell) -> Text:
    return Text("\n").join(map(_text, cell.lines))


def _text(text: str) -> Text:
    """Text without marks: a file may not move the reader's cursor, nor speak rich's markup."""
    return Text(printable(text))
