"""What a figure was measured on; a figure without it is worth nothing."""

import os
import platform
import socket
from collections.abc import Mapping
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


def in_words(described: Mapping[str, str | int]) -> str:
    """The same on one line."""
    words = (
        "{cpu}, {cores} cores, {memory_gib} GiB, Linux {kernel}, Python {python}, SQLite {sqlite}"
    )
    return words.format_map(described)


def _memory_gib() -> int:
    kib = _first("/proc/meminfo", "MemTotal").split()
    return round(int(kib[0]) / 1024 / 1024) if kib else 0


def free_ports(count: int) -> list[int]:
    """TCP ports that nobody on this machine listens to."""
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(server.getsockname()[1]) for server in servers]
    for server in servers:
        server.close()
    return ports


def _first(file: str, key: str) -> str:
    """The value of the first `key: value` line of a file; empty where there is none."""
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "")
