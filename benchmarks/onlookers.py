"""Open dashboards without a browser, in turns: `python -m benchmarks.onlookers PORT COUNT TURN_S`.

Each asks for what the page asks for, when it does, and parses all of it: its stream of snapshots,
and the history behind its charts. They share one process with the lowest priority, since on a
machine of their own they would take nothing from the daemon's. They watch for a turn and are away
for one, until the daemon is gone. Each turn is a line of JSON: from when on all of them saw
something until they left, UTC microseconds, and the snapshots that each saw.
"""

import http.client
import json
import os
import socket
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
    """One of them, as long as it is not told to leave. snapshots: that it saw."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._stream = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_S)
        self._left = threading.Event()
        self.snapshots = 0
        self.watches = threading.Event()

    def run(self) -> None:
        """Watch until one of both hangs up."""
        threading.Thread(target=self._keep_charts, daemon=True).start()
        with suppress(OSError, ValueError, http.client.HTTPException):
            self._stream.request("GET", "/live", headers={"Accept": "text/event-stream"})
            answer = self._stream.getresponse()
            if answer.status != 200:
                raise SystemExit(f"/live answers {answer.status}")
            for line in answer:
                if line.startswith(b"data: "):
                    json.loads(line.removeprefix(b"data: "))
                    self.snapshots += 1
                    self.watches.set()

    def leave(self) -> None:
        """Close the page."""
        self._left.set()
        with suppress(OSError):
            assert self._stream.sock is not None
            self._stream.sock.shutdown(socket.SHUT_RDWR)

    def _keep_charts(self) -> None:
        """The page once, and its charts as often as it draws them anew."""
        page, charts = _PAGES
        with suppress(OSError, http.client.HTTPException, ValueError):
            self._get(page)
            while not self._left.is_set():
                json.loads(self._get(charts))
                self._left.wait(_CHARTS_S)

    def _get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_ANSWER_S)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()


def turn(port: int, count: int, turn_s: float) -> list[int] | None:
    """Watch for a turn; None: the daemon is gone."""
    onlookers = [Onlooker(port) for _ in range(count)]
    for each in onlookers:
        each.start()
    if not all(each.watches.wait(_ANSWER_S) for each in onlookers):
        return None
    from_us = time.time_ns() // 1_000
    onlookers[0].join(turn_s)
    until_us = time.time_ns() // 1_000
    gone = not onlookers[0].is_alive()
    for each in onlookers:
        each.leave()
        each.join()
    return None if gone else [from_us, until_us, *(each.snapshots for each in onlookers)]


def await_daemon(port: int) -> None:
    """Return as soon as it listens."""
    deadline = time.monotonic() + _START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), _ANSWER_S).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_S)


def main() -> None:
    """Watch in turns, and tell of each."""
    port, count, turn_s = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    os.nice(_NICEST)
    await_daemon(port)
    while (told := turn(port, count, turn_s)) is not None:
        print(json.dumps(told), flush=True)
        time.sleep(turn_s)


if __name__ == "__main__":
    main()
