"""A foreign peer: a script in its own language that plays its part and tells what it saw.

An ESME is started with the port of an SMSC. It binds as transceiver, first with the password
`wrong`, which must be refused, then with `secret`; sends an enquire_link; sends every text back to
its phone and asks for a receipt, until the text `bye`, after which it unbinds. Then it binds again,
until it is unbound, and ends with 0.

An SMSC is started with pairs of phone and text as JSON, and tells the port it took. It accepts the
bind of `smsd` with `secret`; sends an enquire_link; hands over text by text, awaits the reply to
each, and reports the first as delivered. Then it unbinds, lets `smsd` bind again, serves until it
is unbound, and ends with 0.

Both join what comes in parts themselves, cut what is long, and answer enquire_link and unbind. What
they see is a JSON object a line, named by its key `saw`:

=========  ==================================  ===============================================
listening  port                                SMSC: ready for a bind
text       phone, number, text, parts          a whole text came, between these two
taken      id                                  the other end took a whole text; a part's id
receipt    id, state                           ESME: a delivery receipt came
reported   status                              SMSC: the receipt was answered
=========  ==================================  ===============================================
"""

import json
import subprocess
import threading
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any, Self

from tap import WAIT_S

PEERS = Path(__file__).with_name("peers")


class PeerFailed(AssertionError):
    """The script ended or was silent; its last words."""


class Peer:
    """The running script. A context manager that ends it."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            cwd=PEERS,
        )
        self._seen: list[dict[str, Any]] = []
        self._said: list[str] = []
        self._ended = False
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reader.join()

    def next(self, saw: str, ids: Container[str] | None = None) -> dict[str, Any]:
        """The next thing of that name, with one of these ids if any, that nobody asked for yet."""

        def first() -> dict[str, Any] | None:
            found = (each for each in self._seen if each["saw"] == saw)
            return next((each for each in found if ids is None or each["id"] in ids), None)

        with self._news:
            self._news.wait_for(lambda: self._ended or first() is not None, WAIT_S)
            if (seen := first()) is not None:
                self._seen.remove(seen)
                return seen
        how = "ended" if self._ended else "was silent"
        what = saw if ids is None else f"{saw} with one of {ids}"
        raise PeerFailed(f"it {how} before it saw {what}: {self.last_words or self._seen[:5]}")

    def end(self) -> int:
        """Its exit code: that all is over it sees by the unbind, else by the end of its input."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            return self._process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            raise PeerFailed(f"it does not end: {self.last_words}") from None

    @property
    def last_words(self) -> str:
        """What it wrote that is no JSON, shortened."""
        return " / ".join(self._said[-5:])

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                if line.startswith("{"):
                    self._seen.append(json.loads(line))
                else:
                    self._said.append(line.strip())
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()
