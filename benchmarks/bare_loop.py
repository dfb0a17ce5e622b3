"""The limit: Twisted, struct, one table with FULL sync, no rules; a static text for every SMS.

`python -m benchmarks.bare_loop PORT FOLDER` binds to the driver and answers until it hangs up.
"""

import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _installed
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol

from benchmarks.driver import Load, Result, driving
from storage.sqlite_library import dbapi

_HEADER = struct.Struct(">IIII")
_TEXT = b"Permit granted (code 2): 06.04 15:27-17:27. Reference 4MEGFN."
_reactor: Any = _installed


class _BareLoop(Protocol):
    transport: Any

    def __init__(self, folder: str) -> None:
        self._held = b""
        self._sequence = 1
        self._execute = dbapi.connect(f"{folder}/bare.db", isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            self._execute.execute(f"PRAGMA {pragma}")
        self._execute.execute("CREATE TABLE sms (id INTEGER PRIMARY KEY, phone TEXT, text TEXT)")

    def connectionMade(self) -> None:  # noqa: N802
        self.transport.setTcpNoDelay(True)
        body = b"bare\0secret\0\0\x34\0\0\0"
        self.transport.write(_HEADER.pack(16 + len(body), 0x9, 0, 1) + body)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        held, at = self._held + data, 0
        rows, out = [], []
        while len(held) - at >= 16:
            length, command, _, sequence = _HEADER.unpack_from(held, at)
            if len(held) - at < length:
                break
            if command == 0x5:
                end = held.index(b"\0", at + 19)
                phone = held[at + 19 : end]
                rows.append((phone.decode("ascii"), held[end + 18 : at + length].decode("ascii")))
                out.append(_HEADER.pack(17, 0x80000005, 0, sequence) + b"\0")
                self._sequence += 1
                body = b"\0\0\x018103\0\1\1" + phone + bytes(10) + b"%c" % len(_TEXT) + _TEXT
                out.append(_HEADER.pack(16 + len(body), 0x4, 0, self._sequence) + body)
            at += length
        self._held = held[at:]
        if rows:
            self._execute.execute("BEGIN IMMEDIATE")
            self._execute.executemany("INSERT INTO sms (phone, text) VALUES (?,?)", rows)
            self._execute.execute("COMMIT")
            self.transport.write(b"".join(out))

    def connectionLost(self, *_: object) -> None:  # noqa: N802
        _reactor.stop()


def measure(driver: Path, load: Load) -> Result:
    """One run in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="smsd-bench-") as name, driving(driver, load) as drive:
        command = [sys.executable, "-m", "benchmarks.bare_loop", str(drive.port), name]
        with subprocess.Popen(command) as process:
            try:
                return drive.result()
            finally:
                process.kill()


def main() -> None:
    """Bind to the driver on the port of the command line."""
    port, folder = sys.argv[1:]
    endpoint = TCP4ClientEndpoint(_reactor, "127.0.0.1", int(port))
    connectProtocol(endpoint, _BareLoop(folder))
    _reactor.run()


if __name__ == "__main__":
    main()
