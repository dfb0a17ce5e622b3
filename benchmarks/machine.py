"""What a figure was measured on; a figure without it is worth nothing."""

import os
import platform
from pathlib import Path

from storage.sqlite_library import sqlite_version


def describe() -> dict[str, str | int]:
    """The machine, in words and numbers."""
    return {
        "cpu": _first("/proc/cpuinfo", "model name") or platform.processor() or "unknown",
        "cores": os.cpu_count() or 0,
        "memory_gib": _memory_gib(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sqlite": sqlite_version,
    }


def _memory_gib() -> int:
    kib = _first("/proc/meminfo", "MemTotal").split()
    return round(int(kib[0]) / 1024 / 1024) if kib else 0


def resident_mib(pid: int) -> float:
    """Resident memory of a process and its children; what they share counts twice."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    sizes = [_first(f"/proc/{each}/status", "VmRSS").split() for each in (pid, *children)]
    return sum(int(size[0]) for size in sizes if size) / 1024


def _first(file: str, key: str) -> str:
    """The value of the first `key: value` line of a file; empty where there is none."""
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "")
