"""Memory of the daemon and its writer, sampled while they work."""

import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

_EVERY_S = 0.25
_MIB = 1_048_576


class Memory(NamedTuple):
    """MiB of one process: resident, and proportional (what is shared counts by its share)."""

    resident: float
    proportional: float


def of(pid: int) -> list[Memory]:
    """Of a process and its children, the process first; those that are gone are left out."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found: list[Memory] = []
    with suppress(FileNotFoundError, ProcessLookupError):
        pids = (str(pid), *children.read_text(encoding="ascii").split())
        found.extend(_read(Path(f"/proc/{each}/smaps_rollup")) for each in pids)
    return found


def resident_mib(pid: int) -> float:
    """Resident memory of a process and its children; what they share counts twice."""
    return sum(each.resident for each in of(pid))


def _read(file: Path) -> Memory:
    lines = file.read_text(encoding="ascii").splitlines()[1:]
    kib = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return Memory(kib["Rss"] * 1024 / _MIB, kib["Pss"] * 1024 / _MIB)


class Watch:
    """Samples until the `with` ends. samples: seconds, and resident MiB of the processes."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.samples: list[tuple[float, float]] = []

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        started = time.monotonic()
        while not self._over.wait(_EVERY_S):
            resident = resident_mib(self._pid)
            if resident:
                self.samples.append((time.monotonic() - started, resident))

    @property
    def peak_mib(self) -> float:
        """The most that was resident."""
        return max((mib for _, mib in self.samples), default=0.0)

    @property
    def growth_mib(self) -> float:
        """From the first half of the samples to the peak: what a leak would show."""
        half = [mib for _, mib in self.samples[: len(self.samples) // 2 + 1]]
        return self.peak_mib - max(half, default=0.0)
