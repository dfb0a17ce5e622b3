"""The register: how long an import takes, and a look-up."""

import random
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.driver import FIRST_DOCUMENT
from benchmarks.gateway import configure
from storage import Register

_ASKED = 20_000  # documents; their pages are read once before they are timed
_BATCHES = (1, 100, 2_000)
_ROUNDS = 5


class LookUp(NamedTuple):
    """Microseconds a document, asked for in batches of a size; median and bounds of rounds."""

    batch: int
    median_us: float
    lowest_us: float
    highest_us: float


def import_people(folder: Path, people: int) -> tuple[Path, float]:
    """A register of adults under 65, so that every first request is granted; its seconds.

    `smsd registry import` shows its progress on a terminal.
    """
    file, register = folder / "people.csv", folder / "register.db"
    with file.open("w", encoding="utf-8") as out:
        out.write("person,document,birth_date\n")
        out.writelines(f"P{n},AZE{FIRST_DOCUMENT + n},1985-06-01\n" for n in range(people))
    config = configure(folder, register, port=1, store=folder / "unused.db")
    command = [sys.executable, "-m", "smsd", "registry", "import", str(file)]
    started = time.monotonic()
    subprocess.run([*command, "--config", str(config)], check=True, stdout=subprocess.DEVNULL)
    elapsed_s = time.monotonic() - started
    file.unlink()
    return register, elapsed_s


def look_up(register: Path, people: int) -> list[LookUp]:
    """Time look-ups of documents all over the register, warm, by the writer's own code."""
    picked = random.Random(8103).sample(range(people), min(people, _ASKED))
    documents = [f"AZE{FIRST_DOCUMENT + n}" for n in picked]
    reader = Register(register)
    reader.refresh()
    try:
        assert len(reader.look_up(documents)) == len(documents)
        return [_timed(reader, documents, batch) for batch in _BATCHES]
    finally:
        reader.close()


def _timed(reader: Register, documents: list[str], batch: int) -> LookUp:
    steps = [documents[at : at + batch] for at in range(0, len(documents), batch)]
    rounds_us = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        for step in steps:
            reader.look_up(step)
        rounds_us.append((time.perf_counter() - started) * 1e6 / len(documents))
    return LookUp(batch, median(rounds_us), min(rounds_us), max(rounds_us))
