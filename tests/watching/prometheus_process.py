"""A real Prometheus in a process of its own: a folder for its data, a loopback port, its API."""

import json
import queue
import re
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from daemon_process import WAIT_S
from watched_files import ALERTS

CONFIG = """\
global:
  scrape_interval: 200ms
  scrape_timeout: 200ms
  evaluation_interval: 200ms
rule_files: ["{rules}"]
scrape_configs:
  - job_name: smsd
    static_configs: [{{targets: ["{target}"]}}]
"""
_LISTENS = re.compile(r'Listening on" address=(\S+)')
_LOOK_S = 0.05
_READY = "Server is ready to receive web requests"


class Prometheus:
    """Scrapes one daemon five times a second; a context manager that ends it."""

    def __init__(self, folder: Path, target: str) -> None:
        config = folder / "prometheus.yml"
        config.write_text(CONFIG.format(rules=ALERTS, target=target), encoding="utf-8")
        self._process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                "--storage.tsdb.retention.size=100MB",
                "--web.listen-address=127.0.0.1:0",
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.address = ""

    def __enter__(self) -> Self:
        self.address = self._wait_for(_LISTENS)[1]
        self._wait_for(re.compile(_READY))
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(WAIT_S)
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._said.put(line)

    def _wait_for(self, wanted: re.Pattern[str]) -> re.Match[str]:
        """The next line of its log that says so."""
        while True:
            if found := wanted.search(self._said.get(timeout=WAIT_S)):
                return found

    def ask(self, path: str, **query: str) -> Any:
        """`data` of what its HTTP API answers."""
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=WAIT_S) as answer:
            told = json.load(answer)
        assert told["status"] == "success"
        return told["data"]

    def until(self, path: str, holds: Callable[[Any], bool], **query: str) -> Any:
        """Ask until it holds; nobody is told when a scrape or an evaluation is done."""
        deadline = time.monotonic() + WAIT_S
        while not holds(data := self.ask(path, **query)):
            assert time.monotonic() < deadline, f"{path} {query}: {data}"
            time.sleep(_LOOK_S)
        return data

    def values(self, expression: str) -> list[float]:
        """What an expression has for values now."""
        return _values(self.ask("query", query=expression))

    def comes_to(self, expression: str, values: list[float]) -> None:
        """Wait until an expression has these values."""
        self.until("query", lambda data: _values(data) == values, query=expression)


def _values(data: Any) -> list[float]:
    return [float(each["value"][1]) for each in data["result"]]
