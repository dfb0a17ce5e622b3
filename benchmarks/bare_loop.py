"""The limit: Twisted, struct, one table with FULL sync, no rules; a static text for every SMS.

It does what no gateway can leave out: decodes every field of a deliver_sm, stores a row before it
acknowledges, submits a reply, and settles the row once the SMSC has taken that.
`python -m benchmarks.bare_loop PORT FOLDER` binds to the driver and answers until it hangs up.
"""

import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from twisted.internet import reactor as _installed
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol

from benchmarks.driver import Load, Result, driving
from storage.sqlite_library import dbapi

_HEADER = struct.Struct(">IIII")
_SUBMIT_SM, _DELIVER_SM, _BIND_TRANSCEIVER, _ENQUIRE_LINK = 0x4, 0x5, 0x9, 0x15
_RESPONSE = 0x80000000
_TEXT = b"Permit granted (code 2): 06.04 15:27-17:27. Reference 4MEGFN."
_SCHEMA = """
CREATE TABLE sms (
    id INTEGER PRIMARY KEY, phone TEXT, short_number TEXT, data_coding INTEGER, text TEXT,
    message_id TEXT  -- of its reply, once the SMSC has taken it
)
"""
_reactor: Any = _installed


class _DeliverSm(NamedTuple):
    service_type: str
    source_ton: int
    source_npi: int
    source_addr: str
    destination_ton: int
    destination_npi: int
    destination_addr: str
    esm_class: int
    protocol_id: int
    priority_flag: int
    schedule_delivery_time: str
    validity_period: str
    registered_delivery: int
    replace_if_present: int
    data_coding: int
    sm_default_msg_id: int
    short_message: bytes


def _c_octets(body: bytes, at: int) -> tuple[str, int]:
    """A C-octet string, and where the next field begins."""
    end = body.index(b"\0", at)
    return body[at:end].decode("ascii"), end + 1


def _decode(body: bytes) -> _DeliverSm:
    service_type, at = _c_octets(body, 0)
    source_ton, source_npi = body[at : at + 2]
    source, at = _c_octets(body, at + 2)
    destination_ton, destination_npi = body[at : at + 2]
    destination, at = _c_octets(body, at + 2)
    esm_class, protocol_id, priority = body[at : at + 3]
    schedule, at = _c_octets(body, at + 3)
    validity, at = _c_octets(body, at)
    registered, replace, data_coding, default_id, length = body[at : at + 5]
    return _DeliverSm(
        service_type,
        source_ton,
        source_npi,
        source,
        destination_ton,
        destination_npi,
        destination,
        esm_class,
        protocol_id,
        priority,
        schedule,
        validity,
        registered,
        replace,
        data_coding,
        default_id,
        body[at + 5 : at + 5 + length],
    )


class _BareLoop(Protocol):
    transport: Any

    def __init__(self, folder: str) -> None:
        self._held = b""
        self._last_id = 0  # of a row; its submit_sm has the next number as its sequence
        self._database = dbapi.connect(f"{folder}/bare.db", isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.execute(_SCHEMA)

    def connectionMade(self) -> None:  # noqa: N802
        self.transport.setTcpNoDelay(True)
        body = b"bare\0secret\0\0\x34\0\0\0"
        self.transport.write(_HEADER.pack(16 + len(body), _BIND_TRANSCEIVER, 0, 1) + body)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        held, at = self._held + data, 0
        rows: list[tuple[int, str, str, int, str]] = []
        settled: list[tuple[str, int]] = []
        out: list[bytes] = []
        while len(held) - at >= 16:
            length, command, _, sequence = _HEADER.unpack_from(held, at)
            if len(held) - at < length:
                break
            body = held[at + 16 : at + length]
            if command == _DELIVER_SM:
                self._take(_decode(body), sequence, rows, out)
            elif command == _SUBMIT_SM | _RESPONSE:
                settled.append((_c_octets(body, 0)[0], sequence - 1))
            elif command == _ENQUIRE_LINK:
                out.append(_HEADER.pack(16, command | _RESPONSE, 0, sequence))
            at += length
        self._held = held[at:]
        if rows or settled:
            self._store(rows, settled)
        self.transport.write(b"".join(out))

    def _take(
        self,
        sms: _DeliverSm,
        sequence: int,
        rows: list[tuple[int, str, str, int, str]],
        out: list[bytes],
    ) -> None:
        """Note the row to store, and what may be sent afterwards."""
        self._last_id += 1
        text = sms.short_message.decode("ascii")
        rows.append((self._last_id, sms.source_addr, sms.destination_addr, sms.data_coding, text))
        out.append(_HEADER.pack(17, _DELIVER_SM | _RESPONSE, 0, sequence) + b"\0")
        addresses = f"\0\0\1{sms.destination_addr}\0\1\1{sms.source_addr}\0".encode("ascii")
        body = addresses + bytes(9) + b"%c" % len(_TEXT) + _TEXT
        out.append(_HEADER.pack(16 + len(body), _SUBMIT_SM, 0, self._last_id + 1) + body)

    def _store(
        self, rows: list[tuple[int, str, str, int, str]], settled: list[tuple[str, int]]
    ) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        self._database.executemany("INSERT INTO sms VALUES (?,?,?,?,?,NULL)", rows)
        self._database.executemany("UPDATE sms SET message_id = ? WHERE id = ?", settled)
        self._database.execute("COMMIT")

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
