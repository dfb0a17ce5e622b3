"""The test's end of `failing_disk.c`: which of the store's disk calls fail, and for how long."""

import errno
import mmap
import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).with_suffix(".c")
_NUMBERS = struct.Struct("@6l")  # calls, fail_at, persistent, error, hits, process
_STORE = struct.Struct("@1024s")
SUFFIXES = ("", "-wal", "-journal")


class Fault(NamedTuple):
    """How a disk fails. error: of `errno`; 0: it writes half, and says so."""

    error: int
    persistent: bool


FAULTS = {
    "io-error-once": Fault(errno.EIO, persistent=False),
    "io-error-until-mended": Fault(errno.EIO, persistent=True),
    "full-until-mended": Fault(errno.ENOSPC, persistent=True),
    "short-write-once": Fault(0, persistent=False),
}


class NoCompiler(Exception):
    """The disk cannot be built here; the message says why."""


def build(folder: Path) -> Path:
    """The library for LD_PRELOAD, made in `folder`."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise NoCompiler("a failing disk needs a C compiler, cc")
    library = folder / "failing_disk.so"
    subprocess.run(
        [compiler, "-O1", "-Wall", "-Werror", "-shared", "-fPIC", SOURCE, "-o", library, "-ldl"],
        check=True,
    )
    return library


class FailingDisk:
    """A disk under one store, for all processes that are started with its `environment`."""

    def __init__(self, control: Path, store: Path) -> None:
        """`control` is made, or shared with the process that made it."""
        self.control = control
        self._store = store
        control.touch()
        with control.open("r+b") as file:
            file.truncate(_NUMBERS.size + _STORE.size)
            self._memory = mmap.mmap(file.fileno(), 0)
        _STORE.pack_into(self._memory, _NUMBERS.size, os.fsencode(store.resolve()))

    def environment(self, library: Path, remembers: bool = False) -> dict[str, str]:
        """What a process must be started with; `remembers`: see `durable`."""
        variables = {"LD_PRELOAD": str(library), "FAILING_DISK": str(self.control)}
        return variables | ({"FAILING_DISK_MEMORY": "1"} if remembers else {})

    def fail(self, nth: int, fault: Fault, process: int = 0) -> None:
        """Let the n-th call from now on fail, and with a persistent fault all after it.

        process: the id of the one whose calls are counted and fail; 0: all of them.
        """
        _NUMBERS.pack_into(self._memory, 0, 0, nth, fault.persistent, fault.error, 0, process)

    def mend(self) -> None:
        """The disk is as good as new; `calls` and `hits` stay."""
        calls, _, *rest = _NUMBERS.unpack_from(self._memory)
        _NUMBERS.pack_into(self._memory, 0, calls, 0, *rest)

    @property
    def calls(self) -> int:
        """Calls since `fail`, those that failed among them."""
        return int(_NUMBERS.unpack_from(self._memory)[0])

    @property
    def hits(self) -> int:
        """Calls that failed."""
        return int(_NUMBERS.unpack_from(self._memory)[4])

    def all_is_durable(self) -> None:
        """What the files hold now, no power cut takes away."""
        for suffix in SUFFIXES:
            source = Path(f"{self._store}{suffix}")
            durable = Path(f"{source}.durable")
            durable.unlink(missing_ok=True)
            if source.exists():
                shutil.copyfile(source, durable)

    def durable(self, folder: Path) -> Path:
        """The store as a power cut at this instant would leave it, laid into `folder`."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for suffix in SUFFIXES:
            source = Path(f"{self._store}{suffix}.durable")
            if source.exists():
                shutil.copyfile(source, folder / f"{self._store.name}{suffix}")
        return folder / self._store.name
