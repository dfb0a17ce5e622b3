"""Open dashboards without a browser: `python -m benchmarks.onlookers PORT COUNT`.

Each asks for what the page asks for, when it does, and parses all of it: its stream of snapshots,
and the history behind its charts. They share one process with the lowest priority, since on a
machine of their own they would take nothing from the daemon's. Says "watching" on standard error
once all of them saw something. Ends when the daemon hangs up, with a line of JSON: the snapshots
that each saw.
"""

import http.client
import json
import os
import sys
import threading
import time
from contextlib import suppress

_ANSWER_S = 10.0
_LOOK_S = 0.02
_START_S = 60.0
_NICEST = 19
_CHARTS_S = 5.0
_PAGES = ("/", "/history.json?range=5m")


class Onlooker(threading.Thread):
    """One of them. snapshots: that it saw."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self.snapshots = 0
        self.watches = threading.Event()

    def run(self) -> None:
        """Watch until the daemon hangs up."""
        stream = self._opened()
        threading.Thread(target=self._keep_charts, daemon=True).start()
        with suppress(OSError, http.client.HTTPException):
            for line in stream:
                if line.startswith(b"data: "):
                    json.loads(line.removeprefix(b"data: "))
                    self.snapshots += 1
                    self.watches.set()

    def _opened(self) -> http.client.HTTPResponse:
        """The stream, as soon as the daemon listens."""
        deadline = time.monotonic() + _START_S
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_ANSWER_S)
            try:
                connection.request("GET", "/live", headers={"Accept": "text/event-stream"})
                answer = connection.getresponse()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_LOOK_S)
            else:
                if answer.status != 200:
                    raise SystemExit(f"/live answers {answer.status}")
                return answer

    def _keep_charts(self) -> None:
        """The page once, and its charts as often as it draws them anew."""
        page, charts = _PAGES
        with suppress(OSError, http.client.HTTPException, ValueError):
            self._get(page)
            while self.is_alive():
                json.loads(self._get(charts))
                time.sleep(_CHARTS_S)

    def _get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_ANSWER_S)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()


def main() -> None:
    """Watch, and tell what was seen."""
    port, count = map(int, sys.argv[1:])
    os.nice(_NICEST)
    onlookers = [Onlooker(port) for _ in range(count)]
    for each in onlookers:
        each.start()
    if all(each.watches.wait(_START_S) for each in onlookers):
        print("watching", file=sys.stderr, flush=True)
    for each in onlookers:
        each.join()
    print(json.dumps([each.snapshots for each in onlookers]))


if __name__ == "__main__":
    main()
