"""smsd in full dress: shipped policy, register, synchronous = FULL, metrics and logs on."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.driver import FIRST_DOCUMENT, Load, Result, driving
from benchmarks.machine import resident_mib

_CONFIG = """\
[policy]
file = "{policy}"
[store]
url = "sqlite:///{folder}/smsd.db"
[register]
file = "{register}"
[desk]
listen = "127.0.0.1:0"
[[smsc]]
name = "driver"
port = {port}
password = "secret"
window = 5000
"""
_POLICY = Path(__file__).parents[1] / "rules" / "policies" / "8103.toml"
_STOP_S = 30


class Dressed(NamedTuple):
    """A run of the daemon. resident_mib: of its two processes together, at the end."""

    result: Result
    resident_mib: float


def import_register(folder: Path, people: int) -> tuple[Path, float]:
    """A register of adults under 65, so that every first request is granted; its seconds."""
    file, register = folder / "people.csv", folder / "register.db"
    with file.open("w", encoding="utf-8") as out:
        out.write("person,document,birth_date\n")
        out.writelines(f"P{n},AZE{FIRST_DOCUMENT + n},1985-06-01\n" for n in range(people))
    config = folder / "import.toml"
    config.write_text(_CONFIG.format(policy=_POLICY, folder=folder, register=register, port=1))
    command = [sys.executable, "-m", "smsd", "registry", "import", str(file)]
    started = time.monotonic()
    subprocess.run([*command, "--config", str(config)], check=True, stdout=subprocess.DEVNULL)
    elapsed_s = time.monotonic() - started
    file.unlink()
    return register, elapsed_s


def measure(driver: Path, load: Load, register: Path) -> Dressed:
    """One run on an empty store."""
    with tempfile.TemporaryDirectory(prefix="smsd-bench-") as name, driving(driver, load) as drive:
        folder = Path(name)
        config = folder / "config.toml"
        config.write_text(
            _CONFIG.format(policy=_POLICY, folder=folder, register=register, port=drive.port)
        )
        with _daemon(folder, config) as pid:
            result = drive.result()
            return Dressed(result, resident_mib(pid))


@contextmanager
def _daemon(folder: Path, config: Path) -> Iterator[int]:
    with (folder / "daemon.log").open("wb") as log:
        command = [sys.executable, "-m", "smsd", "run", "--config", str(config)]
        process = subprocess.Popen(command, stderr=log)
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(_STOP_S)
