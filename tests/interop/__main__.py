"""`make interop`: what smsd and SMPP peers written by others can do with each other."""

import sys
import tempfile
from pathlib import Path

import click
from matrix import played, remarks, table
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rows import ROWS
from verdicts import Outcome

_COLUMNS_MIN = 124  # A narrower table cannot be read.


@click.command()
@click.option("--only", default="", help="Rows whose name holds this.")
def main(only: str) -> None:
    """Play every row whose peer is installed, and print the matrix.

    ✓ works, and how the peer sends long texts; – the peer cannot; ✗ failed; · not installed.
    The exit code is 1 if something failed.
    """
    rows = [row for row in ROWS if only.lower() in row.id.lower()]
    results = []
    with (
        tempfile.TemporaryDirectory(prefix="smsd-interop-") as name,
        Progress(transient=True, console=Console(stderr=True)) as progress,
    ):
        for row in progress.track(rows, description="playing"):
            folder = Path(name, row.id)
            folder.mkdir()
            results.append(played(row, folder))
    console = Console()
    console.width = max(console.width, _COLUMNS_MIN)
    console.print(table(results))
    for line in remarks(results):
        console.print(escape(line), highlight=False)
    outcomes = {cell.outcome for _, _, cells in results for cell in cells.values()}
    sys.exit(Outcome.FAILED in outcomes)


if __name__ == "__main__":
    main()
