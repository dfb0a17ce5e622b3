"""A disk whose power can be cut: an ext4 image on a loop device, shut down by the kernel."""

import fcntl
import os
import struct
import subprocess
from pathlib import Path

_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN: _IOR('X', 125, __u32)
_NO_LOG_FLUSH = 2  # what the journal holds in memory is lost too
_IMAGE_MIB = 256


class NoPower(Exception):
    """There is nothing to cut here; the message says why."""


class CutDisk:
    """A mounted ext4 image. A context manager; needs root and loop devices."""

    def __init__(self, folder: Path) -> None:
        self._image = folder / "disk.img"
        self.mount_point = folder / "disk"

    def __enter__(self) -> "CutDisk":
        if os.geteuid() != 0:
            raise NoPower("mounting a disk to cut its power needs root")
        with self._image.open("wb") as image:
            image.truncate(_IMAGE_MIB << 20)
        self.mount_point.mkdir()
        try:
            _run("mkfs.ext4", "-q", "-F", str(self._image))
            self._mount()
        except (OSError, subprocess.CalledProcessError) as fault:
            raise NoPower(f"no loop device can be mounted here ({fault})") from fault
        return self

    def __exit__(self, *_: object) -> None:
        _run("umount", str(self.mount_point))

    def cut(self) -> None:
        """From now on nothing reaches the disk, and what was not synced is gone."""
        handle = os.open(self.mount_point, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(handle)

    def mount_again(self) -> None:
        """The power is back. Nobody may have a file open."""
        _run("umount", str(self.mount_point))
        self._mount()

    def _mount(self) -> None:
        _run("mount", "-o", "loop", str(self._image), str(self.mount_point))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
