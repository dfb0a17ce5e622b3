"""The real daemon in a process of its own: started, told what to do, waited for by its log."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import rules

POLICY_FILE = Path(rules.__file__).parent / "policies" / "8103.toml"
WAIT_S = 30.0

SMSC = """\
[[smsc]]
name = "{name}"
port = {port}
password = "{password}"
reconnect_delay_min_s = 0.05
reconnect_delay_max_s = 0.2
reconnect_refused_delay_s = 0.2
retry_delay_s = 0.05
{more}
"""


def smsc_section(
    port: int, name: str = "simulator", password: str = "secret", more: str = ""
) -> str:
    """A [[smsc]] that comes back quickly."""
    return SMSC.format(name=name, port=port, password=password, more=more)


def write_config(
    folder: Path,
    smscs: Iterable[str],
    mode: str = "off",
    limits: str = "",
    store: Path | None = None,
    desk: str = "",
) -> Path:
    """A configuration on free ports, with its store in `folder`. limits, desk: more lines there."""
    file = folder / "config.toml"
    file.write_text(
        f'[policy]\nfile = "{POLICY_FILE}"\n'
        f'[store]\nurl = "sqlite:///{store or folder / "smsd.db"}"\n'
        f'[register]\nmode = "{mode}"\nfile = "{folder}/register.db"\n'
        f'[desk]\nlisten = "127.0.0.1:0"\n{desk}\n'
        f"[limits]\nstore_retry_s = 0.05\n{limits}\n" + "\n".join(smscs),
        encoding="utf-8",
    )
    return file


class Daemon:
    """`smsd run`, and what it logs. A context manager that ends it."""

    def __init__(
        self, config: Path, *options: str, program: Sequence[str] = ("-m", "smsd")
    ) -> None:
        command = [sys.executable, *program, "run", "--config", str(config), *options]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        self._news: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            try:
                self._news.put(json.loads(line))
            except ValueError:
                continue
        self._news.put(None)

    def wait_for(self, event: str, **fields: object) -> dict[str, Any]:
        """The next log line with this event and these fields."""
        while True:
            news = self._news.get(timeout=WAIT_S)
            assert news is not None, f"ended before {event}:\n{self.log}"
            if news["event"] == event and fields.items() <= news.items():
                return news

    def news(self) -> Iterator[dict[str, Any]]:
        """The log lines that have come and were not waited for."""
        while not self._news.empty():
            line = self._news.get_nowait()
            if line is not None:
                yield line

    @property
    def log(self) -> str:
        """All it wrote."""
        return "".join(self.lines)

    def terminate(self) -> int:
        """SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """Its exit code, once it has one and its log is read."""
        code = self.process.wait(WAIT_S)
        self._reader.join(WAIT_S)
        return code


def fetch(address: str, page: str) -> tuple[int, str]:
    """Status and body of a page of the desk."""
    try:
        with urllib.request.urlopen(f"http://{address}/{page}", timeout=WAIT_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as fault:
        return fault.code, fault.read().decode()


def metric(address: str, name: str, labels: Mapping[str, str] | None = None) -> float:
    """One sample of /metrics; 0 where there is none."""
    wanted = ",".join(f'{key}="{value}"' for key, value in sorted((labels or {}).items()))
    start = f"{name}{{{wanted}}} " if wanted else f"{name} "
    for line in fetch(address, "metrics")[1].splitlines():
        if line.startswith(start):
            return float(line.removeprefix(start))
    return 0.0
