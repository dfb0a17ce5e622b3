"""`make fuzz`: hostile octets, guided by coverage, against all that reads SMPP."""

import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from smsd.smpp.pdu import Command, Tag
from tests.fuzz import targets
from tests.fuzz.mutations import INPUT_OCTETS_MAX
from tests.fuzz.seeds import CORPUS

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-fuzz" / "bin" / "python"
OWN = ROOT / ".fuzz"  # not in git: what grew and what was found

_INPUT_TIMEOUT_S = 10
_MEMORY_MB = 1_024
_STATUS = re.compile(r"#(\d+)\s+\w+\s+cov: (\d+) ft: \d+ corp: (\d+)/")


class Hunted(NamedTuple):
    """How a hunt went: inputs tried, edges of our code met, inputs worth keeping; what was found.

    ``told`` is the end of what libFuzzer said, the traceback of a find included.
    """

    executions: int
    edges: int
    corpus: int
    found: list[Path]
    returncode: int
    told: str


OnStatus = Callable[[int, int, int], None]


def hunt(
    seconds: int,
    seed: int,
    own: Path = OWN,
    runs: int = -1,
    on_status: OnStatus = lambda *_: None,
) -> Hunted:
    """Fuzz for so long, or for so many ``runs``; ``own`` keeps what grows and what is found."""
    found = own / "found"
    found.mkdir(parents=True, exist_ok=True)
    before = set(found.iterdir())
    with subprocess.Popen(
        _command(own, {"max_total_time": seconds, "runs": runs, "seed": seed}),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as child:
        assert child.stdout is not None
        numbers, told = _listen(child.stdout, on_status)
    news = sorted(set(found.iterdir()) - before)
    return Hunted(*numbers, news, child.returncode, told)


def _command(own: Path, options: dict[str, int]) -> list[str]:
    """libFuzzer with its options; what it keeps goes to the first of its two folders."""
    grown, words = own / "grown", own / "words"
    grown.mkdir(exist_ok=True)
    words.write_text("\n".join(_words()) + "\n", encoding="ascii")
    bounds = {"max_len": INPUT_OCTETS_MAX, "timeout": _INPUT_TIMEOUT_S, "rss_limit_mb": _MEMORY_MB}
    flags = [f"-{name}={value}" for name, value in (options | bounds).items()]
    files = [f"-dict={words}", f"-artifact_prefix={own}/found/", str(grown), str(CORPUS)]
    return [str(PYTHON), "-m", "tests.fuzz.hunt", *flags, *files]


def _listen(lines: Iterable[str], on_status: OnStatus) -> tuple[tuple[int, int, int], str]:
    """The last numbers that libFuzzer told, and its last words."""
    told: deque[str] = deque(maxlen=60)
    numbers = (0, 0, 0)
    for line in lines:
        told.append(line)
        status = _STATUS.search(line)
        if status:
            executions, edges, corpus = map(int, status.groups())
            numbers = (executions, edges, corpus)
            on_status(*numbers)
    return numbers, "".join(told)


def _words() -> list[str]:
    """A dictionary for libFuzzer: each command_id, and each tag of a TLV."""
    words = [int(command).to_bytes(4, "big") for command in Command]
    words += [int(tag).to_bytes(2, "big") for tag in Tag]
    return ['"' + "".join(f"\\x{octet:02x}" for octet in word) + '"' for word in words]


@click.command()
@click.option("--seconds", default=600, show_default=True, help="How long to try.")
@click.option("--seed", default=0, help="Of the random choices; 0: another each time.")
@click.option(
    "--replay",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Feed this one input, and show what escapes.",
)
def main(seconds: int, seed: int, replay: Path | None) -> None:
    """Feed hostile octets to framing, codec, session, texts, parts and receipts.

    Exit code 1 when something escaped that is not documented; the input is kept for --replay.
    """
    if replay is not None:
        octets = replay.read_bytes()
        click.echo(targets.explain(octets))
        targets.run(octets)
        click.echo("nothing escaped")
        return
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("begins", total=seconds)

        def on_status(executions: int, edges: int, corpus: int) -> None:
            told = f"{executions:,} inputs, {edges:,} edges, {corpus:,} kept"
            progress.update(task, description=told, completed=progress.tasks[0].elapsed)

        hunted = hunt(seconds, seed, on_status=on_status)
    click.echo(
        f"{hunted.executions:,} inputs in {seconds} s; they met {hunted.edges:,} edges of our code,"
        f" {hunted.corpus:,} of them are kept in {OWN.name}/grown"
    )
    if hunted.returncode:
        click.echo(hunted.told)
    for path in hunted.found:
        click.echo(f'found: make fuzz ARGS="--replay {path.relative_to(ROOT)}"')
    sys.exit(bool(hunted.returncode))


if __name__ == "__main__":
    main()
