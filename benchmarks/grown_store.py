"""The rate of the daemon on a store of many weeks, over its rate on an empty one."""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import gateway, stored
from benchmarks.driver import CannotMeasure, Load

_DAYS = 43  # in which a nation sends 36 million
_MESSAGE_BYTES = 600  # 430 in the store, the rest while its indexes are sorted


class Grown(NamedTuple):
    """Replies/s, each run in its order. build_s: to make the past, file_bytes: what it takes."""

    messages: int
    empty: list[float]
    grown: list[float]
    build_s: float
    file_bytes: int

    @property
    def ratio(self) -> float:
        """Of the median rates."""
        return median(self.grown) / median(self.empty)


def measure(
    driver: Path,
    register: Path,
    load: Load,
    messages: int,
    runs: int,
    progress: Callable[[int], None],
) -> Grown:
    """Run in turns on a store of so many messages and on an empty one.

    The old store keeps what each run adds, so every round has people of its own.
    """
    _check_room(register.parent, messages)
    people = load.people // runs
    load = load._replace(messages=min(load.messages, people), people=people)
    empty, grown = [], []
    with tempfile.TemporaryDirectory(prefix="smsd-bench-", dir=register.parent) as name:
        store = Path(name) / "smsd.db"
        now_us = time.time_ns() // 1_000
        past = stored.Past(messages, now_us - _DAYS * 86_400_000_000, now_us)
        started = time.monotonic()
        stored.build(store, [past], progress)
        build_s = time.monotonic() - started
        file_bytes = store.stat().st_size
        for turn in range(runs):
            own = load._replace(first=turn * people)
            grown.append(gateway.measure(driver, own, register, store).result.rate)
            empty.append(gateway.measure(driver, own, register).result.rate)
    return Grown(messages, empty, grown, build_s, file_bytes)


def _check_room(folder: Path, messages: int) -> None:
    needed, free = messages * _MESSAGE_BYTES, shutil.disk_usage(folder).free
    if needed > free:
        raise CannotMeasure(
            f"{messages:,} messages need {needed / 1e9:.1f} GB in {folder.parent},"
            f" {free / 1e9:.1f} are free (TMPDIR names another place)"
        )
