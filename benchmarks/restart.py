"""Ready after SIGKILL: with permits of today, replies that wait, and an SMSC that sends on."""

import os
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen
from zoneinfo import ZoneInfo

from benchmarks import gateway, memory, stored
from benchmarks.driver import FIRST_DOCUMENT
from benchmarks.machine import free_ports
from benchmarks.memory import Memory

_HEADER = struct.Struct(">IIII")
_BIND_TRANSCEIVER, _SUBMIT_SM, _DELIVER_SM, _RESPONSE = 0x9, 0x4, 0x5, 0x80000000
_UNDER_WAY = 20_000  # SMS that the SMSC sends before the kill, which comes amid them
_LOAD_MAX_S = 300
_POLL_S = 0.005
_ZONE = ZoneInfo("Asia/Baku")  # of the shipped policy


class Restarted(NamedTuple):
    """Seconds from the start after SIGKILL. memory: of daemon and writer, once all was sent."""

    permits: int
    unsent: int
    build_s: float
    first_ready_s: float
    ready_s: float
    first_reply_s: float
    all_replies_s: float
    memory: list[Memory]


class _Smsc:
    """Takes one bind after the other. `silent`: it answers no submit_sm."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.silent = True
        self.acknowledged = 0
        self.phones: set[bytes] = set()  # that got a reply, since the latest bind
        self.first_reply_at: float | None = None
        self.link: socket.socket | None = None
        threading.Thread(target=self._serve, daemon=True).start()

    def send(self, count: int) -> None:
        """So many SMS, as fast as they are read."""
        assert self.link is not None
        for number in range(count):
            phone, text = b"%d" % (994500000000 + number), b"2 AZE %d" % (FIRST_DOCUMENT + number)
            body = b"\0\1\1" + phone + b"\0\0\x018103\0" + bytes(9) + bytes([len(text)]) + text
            self.link.sendall(_HEADER.pack(16 + len(body), _DELIVER_SM, 0, number + 1) + body)

    def _serve(self) -> None:
        while True:
            try:
                link, _ = self._server.accept()
            except OSError:
                return
            self.phones, self.first_reply_at, self.link = set(), None, link
            with suppress(ConnectionError):
                self._speak(link)
            link.close()

    def _speak(self, link: socket.socket) -> None:
        held = b""
        while octets := link.recv(1 << 18):
            held, at, out = held + octets, 0, []
            while len(held) - at >= 16:
                length, command, _, sequence = _HEADER.unpack_from(held, at)
                if len(held) - at < length:
                    break
                if command == _SUBMIT_SM:
                    self._note(held[at + 16 : at + length])
                if command == _DELIVER_SM | _RESPONSE:
                    self.acknowledged += 1
                elif command < _RESPONSE and not (self.silent and command == _SUBMIT_SM):
                    tail = b"smsc\0" if command in (_BIND_TRANSCEIVER, _SUBMIT_SM) else b""
                    out.append(_HEADER.pack(16 + len(tail), command | _RESPONSE, 0, sequence))
                    out.append(tail)
                at += length
            held = held[at:]
            link.sendall(b"".join(out))

    def _note(self, body: bytes) -> None:
        if self.first_reply_at is None:
            self.first_reply_at = time.monotonic()
        # service_type, TON, NPI, source_addr, TON, NPI, destination_addr.
        source_end = body.index(b"\0", body.index(b"\0") + 3)
        self.phones.add(body[source_end + 3 : body.index(b"\0", source_end + 3)])

    def close(self) -> None:
        """Take no more binds."""
        self._server.close()


def measure(
    register: Path, permits: int, unsent: int, progress: Callable[[int], None]
) -> Restarted:
    """Kill the daemon while SMS come in and replies wait, and start it again."""
    with tempfile.TemporaryDirectory(prefix="smsd-bench-", dir=register.parent) as name:
        folder = Path(name)
        started = time.monotonic()
        stored.build(folder / "smsd.db", _today(permits, unsent), progress)
        build_s = time.monotonic() - started
        smsc = _Smsc()
        (desk,) = free_ports(1)
        config = gateway.configure(folder, register, smsc.port, folder / "smsd.db", desk)
        try:
            with gateway.running(config) as daemon:
                first_ready_s = _ready_s(desk)
                threading.Thread(target=_send, args=(smsc,), daemon=True).start()
                _wait(lambda: smsc.acknowledged >= _UNDER_WAY // 2)
                daemon.kill()
                os.waitid(os.P_PID, daemon.pid, os.WEXITED | os.WNOWAIT)
            smsc.silent = False
            # Every SMS that was acknowledged waits for its reply too.
            waiting = unsent + smsc.acknowledged
            with gateway.running(config) as daemon:
                started = time.monotonic()
                ready_s = _ready_s(desk)
                _wait(lambda: len(smsc.phones) >= waiting)
                all_replies_s = time.monotonic() - started
                assert smsc.first_reply_at is not None
                first_reply_s = smsc.first_reply_at - started
                held = memory.of(daemon.pid)
        finally:
            smsc.close()
    return Restarted(
        permits, unsent, build_s, first_ready_s, ready_s, first_reply_s, all_replies_s, held
    )


def _today(permits: int, unsent: int) -> list[stored.Past]:
    """Permits since midnight, and last of all those whose replies wait."""
    now = datetime.now(tz=_ZONE)
    now_us = int(now.timestamp() * 1_000_000)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    midnight_us = int(midnight.timestamp() * 1_000_000)
    late_us = now_us - min(60_000_000, (now_us - midnight_us) // 2)
    return [
        stored.Past(permits - unsent, midnight_us, late_us),
        stored.Past(unsent, late_us, now_us, sent=False),
    ]


def _send(smsc: _Smsc) -> None:
    with suppress(OSError):  # the daemon was killed
        smsc.send(_UNDER_WAY)


def _ready_s(desk: int) -> float:
    """How long until /readyz says yes, counted from now."""
    started = time.monotonic()

    def ready() -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{desk}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, ConnectionError):
            return False

    _wait(ready)
    return time.monotonic() - started


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _LOAD_MAX_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the daemon did not do within minutes what it was waited for")
        time.sleep(_POLL_S)
