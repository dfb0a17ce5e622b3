"""The real daemon in a process of its own, on a fresh store, against the driver."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.smsc_driver import _FIRST_DOCUMENT, Result

_CONFIG = """\
[policy]
file = "{policy}"
[store]
url = "sqlite:///{folder}/smsd.db"
[register]
file = "{folder}/register.db"
[desk]
listen = "127.0.0.1:0"
[[smsc]]
name = "driver"
port = {port}
password = "secret"
window = 5000
"""
_POLICY = Path(__file__).parents[1] / "rules" / "policies" / "8103.toml"
_STOP_S = 10


class Load(NamedTuple):
    """What the driver does to the daemon; see `benchmarks.smsc_driver`."""

    messages: int
    warm_up: int = 0
    window: int = 1_000
    rate: float | None = None

    def options(self) -> list[str]:
        """As the driver's command line."""
        options = {"--messages": self.messages, "--warm-up": self.warm_up, "--window": self.window}
        words = [str(word) for pair in options.items() for word in pair]
        return words + (["--rate", str(self.rate)] if self.rate else [])


def measure(load: Load, people: int) -> Result:
    """One run: import a register of `people`, start both processes, load, stop."""
    with tempfile.TemporaryDirectory(prefix="smsd-bench-") as name:
        folder = Path(name)
        with _driver(load) as (driver, port):
            config = folder / "config.toml"
            config.write_text(_CONFIG.format(policy=_POLICY, folder=folder, port=port))
            _import_register(folder, config, people)
            with _daemon(folder, config):
                output, _ = driver.communicate()
    return Result(**json.loads(output))


def _import_register(folder: Path, config: Path, people: int) -> None:
    """Everybody is an adult under 65, so that every first request is granted."""
    file = folder / "people.csv"
    with file.open("w", encoding="utf-8") as out:
        out.write("person,document,birth_date\n")
        out.writelines(f"P{n},AZE{_FIRST_DOCUMENT + n},1985-06-01\n" for n in range(people))
    command = [sys.executable, "-m", "smsd", "registry", "import", str(file)]
    subprocess.run([*command, "--config", str(config)], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def _driver(load: Load) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    command = [sys.executable, "-m", "benchmarks.smsc_driver", *load.options()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())["port"]
        finally:
            process.kill()


@contextmanager
def _daemon(folder: Path, config: Path) -> Iterator[None]:
    with (folder / "daemon.log").open("wb") as log:
        command = [sys.executable, "-m", "smsd", "run", "--config", str(config)]
        process = subprocess.Popen(command, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(_STOP_S)
