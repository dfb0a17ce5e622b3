"""`make torture`: kill and cut the gateway at random instants; show that a loss is seen."""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import click
from invariants import Broken
from power import CutDisk, NoPower
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rounds import Survived, Torture

PLANTED = ("acknowledge-before-commit", "dropped-index", "forgotten-reload")


class Verdict(NamedTuple):
    """One line of the table. broken: the invariant that did not hold, or why there was no try."""

    what: str
    rounds: int
    acknowledged: int
    replies: int
    broken: str
    as_expected: bool


class _Trial:
    def __init__(self, what: str, seed: int, progress: Progress) -> None:
        self._what = what
        self._seed = seed
        self._progress = progress
        self._survived = Survived(0, 0, 0)

    def run(self, rounds: int, fault: str | None, cut: bool) -> Verdict:
        """All rounds, or those until an invariant breaks; a planted fault must break one."""
        task = self._progress.add_task(self._what, total=rounds)

        def on_round(survived: Survived) -> None:
            self._survived = survived
            self._progress.update(task, completed=survived.rounds)

        broken, as_expected = "", fault is None
        try:
            self._endure(rounds, fault, cut, on_round)
        except Broken as found:
            broken, as_expected = str(found), fault is not None
        except NoPower as reason:
            broken, as_expected = f"skipped: {reason}", True
        return Verdict(self._what, *self._survived, broken, as_expected)

    def _endure(
        self, rounds: int, fault: str | None, cut: bool, on_round: Callable[[Survived], None]
    ) -> None:
        with tempfile.TemporaryDirectory(prefix="smsd-torture-") as name:
            if not cut:
                with Torture(_folder(name), self._seed, fault) as torture:
                    torture.kill_rounds(rounds, on_round)
                return
            with (
                CutDisk(Path(name)) as disk,
                Torture(disk.mount_point, self._seed, fault) as torture,
            ):
                torture.cut_rounds(disk, rounds, on_round)


def _folder(name: str) -> Path:
    folder = Path(name, "store")
    folder.mkdir()
    return folder


@click.command()
@click.option("--rounds", default=300, show_default=True, help="SIGKILLs.")
@click.option("--cuts", default=25, show_default=True, help="Power cuts; 0: none.")
@click.option("--planted-rounds", default=20, show_default=True, help="For a planted fault.")
@click.option("--seed", default=None, type=int, help="Of the random choices; default: the time.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def main(rounds: int, cuts: int, planted_rounds: int, seed: int | None, as_json: bool) -> None:
    """Kill the gateway under load until it loses something; it must not.

    Then do the same to builds with one planted fault each: these must be caught.
    """
    seed = int(time.time()) if seed is None else seed
    verdicts = []
    with Progress(console=Console(stderr=True)) as progress:

        def trial(what: str, rounds: int, fault: str | None = None, cut: bool = False) -> None:
            if rounds:
                verdicts.append(_Trial(what, seed, progress).run(rounds, fault, cut))

        trial("SIGKILL: the daemon, its writer, or both", rounds)
        trial("power cut", cuts, cut=True)
        trial("power cut, control: synchronous = NORMAL", cuts, "normal-sync", cut=True)
        for fault in PLANTED:
            trial(f"planted: {fault}", planted_rounds, fault)
    if as_json:
        report = {"seed": seed, "verdicts": [verdict._asdict() for verdict in verdicts]}
        click.echo(json.dumps(report, indent=2))
    else:
        _print(verdicts, seed)
    sys.exit(not all(verdict.as_expected for verdict in verdicts))


def _print(verdicts: list[Verdict], seed: int) -> None:
    table = Table(title=f"What was done to smsd (seed {seed})")
    for heading in ("trial", "rounds survived", "SMS acknowledged", "replies", "what broke", ""):
        table.add_column(heading, justify="right" if heading[:1] in "rS" else "left")
    for verdict in verdicts:
        table.add_row(
            verdict.what,
            f"{verdict.rounds:,}",
            f"{verdict.acknowledged:,}",
            f"{verdict.replies:,}",
            verdict.broken or "nothing",
            "as it must be" if verdict.as_expected else "[red]NOT as it must be",
        )
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
