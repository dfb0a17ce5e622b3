"""smsd in full dress: shipped policy, register, synchronous = FULL, metrics and logs on."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.driver import Load, Result, driving
from benchmarks.memory import Watch, resident_mib

POLICY = Path(__file__).parents[1] / "rules" / "policies" / "8103.toml"
WINDOW = 5_000
_CONFIG = """\
[policy]
file = "{policy}"
[store]
url = "sqlite:///{store}"
[register]
file = "{register}"
[desk]
listen = "127.0.0.1:{desk_port}"
[[smsc]]
name = "driver"
port = {port}
password = "secret"
window = {window}
"""
_STOP_S = 30


class Dressed(NamedTuple):
    """A run of the daemon. MiB resident of its two processes together.

    end: after the run. peak: during it. growth: from its first half to the peak.
    """

    result: Result
    end_mib: float
    peak_mib: float
    growth_mib: float


def configure(
    folder: Path, register: Path, port: int, store: Path, desk_port: int = 0, window: int = WINDOW
) -> Path:
    """A config.toml in `folder`, for an SMSC on `port`."""
    config = folder / "config.toml"
    config.write_text(
        _CONFIG.format(
            policy=POLICY,
            store=store,
            register=register,
            desk_port=desk_port,
            port=port,
            window=window,
        )
    )
    return config


@contextmanager
def running(config: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The daemon; its log is `daemon.log` beside `config`. Whoever kills it first may."""
    with (config.parent / "daemon.log").open("ab") as log:
        command = [sys.executable, "-m", "smsd", "run", "--config", str(config)]
        process = subprocess.Popen(command, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(_STOP_S)


def measure(
    driver: Path,
    load: Load,
    register: Path,
    store: Path | None = None,
    window: int = WINDOW,
    desk_port: int = 0,
) -> Dressed:
    """One run, on an empty store unless one is given; at most `window` replies are on their way."""
    with tempfile.TemporaryDirectory(prefix="smsd-bench-") as name, driving(driver, load) as drive:
        folder = Path(name)
        store = store or folder / "smsd.db"
        config = configure(folder, register, drive.port, store, desk_port, window)
        with running(config) as process, Watch(process.pid) as watch:
            result = drive.result()
            end_mib = resident_mib(process.pid)
        return Dressed(result, end_mib, max(end_mib, watch.peak_mib), watch.growth_mib)
