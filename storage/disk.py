"""What the store takes of its disk, and what is left there; asked beside the reactor."""

import os
from pathlib import Path
from typing import NamedTuple

from storage.sqlite import database_path

__all__ = ["Space", "space"]


class Space(NamedTuple):
    """Octets: of the store's file and its write-ahead log, and of the disk on which they lie.

    free: what a process that is not root may still fill.
    """

    file_bytes: int
    wal_bytes: int
    free_bytes: int
    total_bytes: int


def space(url: str) -> Space | None:
    """As it is now; None where the disk does not answer: commits tell of that."""
    path = database_path(url)
    try:
        disk = os.statvfs(path.parent)
    except OSError:
        return None
    sizes = _octets(path), _octets(Path(f"{path}-wal"))
    return Space(*sizes, disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize)


def _octets(path: Path) -> int:
    """Of a file; 0 where there is none, such as a log that was carried over."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
