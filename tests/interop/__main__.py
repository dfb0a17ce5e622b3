"""`make interop`: what smsd and SMPP peers written by others can do with each other."""

import sys
import tempfile
from pathlib import Path

import click
from matrix import play, remarks, skipped, table
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rows import ROWS
from verdicts import Outcome


@click.command()
@click.option("--only", default="", help="Rows whose name holds this.")
def main(only: str) -> None:
    """Play every row whose peer is installed, and print the matrix; exit code 1: a failure."""
    rows = [row for row in ROWS if only.lower() in row.id.lower()]
    results = []
    with (
        tempfile.TemporaryDirectory(prefix="smsd-interop-") as name,
        Progress(transient=True, console=Console(stderr=True)) as progress,
    ):
        for at, row in progress.track(list(enumerate(rows)), description="playing"):
            folder = Path(name, str(at))
            folder.mkdir()
            missing = row.missing()
            results.append((row, skipped(missing) if missing else play(row, folder)))
    console = Console()
    console.print(table(results))
    for line in remarks(results):
        console.print(escape(line))
    outcomes = {cell.outcome for _, cells in results for cell in cells.values()}
    sys.exit(Outcome.FAILED in outcomes)


if __name__ == "__main__":
    main()
