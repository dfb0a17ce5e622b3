"""How large the store is, and how much room is left for it."""

import os
from pathlib import Path
from typing import NamedTuple

from storage.sqlite import database_path

__all__ = ["Disk", "measure"]


class Disk(NamedTuple):
    """Octets. total: of the file system; 0: not known."""

    store: int = 0
    wal: int = 0
    free: int = 0
    total: int = 0


def measure(url: str) -> Disk:
    """How large the store is now."""
    path = database_path(url)
    try:
        room = os.statvfs(path.parent)
    except OSError:  # the disk is gone, and commits tell of that
        return Disk()
    block = room.f_frsize
    return Disk(
        _size(path), _size(Path(f"{path}-wal")), room.f_bavail * block, room.f_blocks * block
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
