"""An SMSC that does nothing but load: floods the ESME that binds to it, and times the replies.

Runs in a process of its own: `python -m benchmarks.smsc_driver`. Written for speed, on
struct and one blocking socket, so that the daemon is what is measured; it shares no code
with the daemon, so it also checks the wire in passing.

Closed loop: `window` SMS are without a reply at any time. Open loop: SMS leave at `rate`
per second whatever the daemon does, and latency counts from when each was due.
"""

import argparse
import json
import select
import socket
import struct
import sys
import time
from typing import NamedTuple

_HEADER = struct.Struct(">IIII")
_DELIVER_SM, _DELIVER_SM_RESP = 0x00000005, 0x80000005
_SUBMIT_SM, _SUBMIT_SM_RESP = 0x00000004, 0x80000004
_BINDS = {0x00000001, 0x00000002, 0x00000009}
_ENQUIRE_LINK, _UNBIND = 0x00000015, 0x00000006
_RESPONSE = 0x80000000
_READ_BYTES = 1 << 18
_BURST_MAX = 500
# submit_sm from "8103": 16 header, 1 service_type, 2 TON and NPI, 5 source_addr, 2 TON and NPI.
_DESTINATION = slice(26, 38)
_FIRST_PHONE = 994_500_000_000
_FIRST_DOCUMENT = 10_000_000


class Result(NamedTuple):
    """What one run measured. Seconds and counts; latencies sorted."""

    replies: int
    elapsed_s: float
    latencies_s: list[float]
    refused: int  # deliver_sm answered with an error


def deliver_sm(number: int) -> bytes:
    """The SMS of phone `number`: a request for a document that no other phone asks for."""
    text = b"2 AZE %d" % (_FIRST_DOCUMENT + number)
    phone = b"%d" % (_FIRST_PHONE + number)
    body = b"\0\1\1" + phone + b"\0\0\1" + b"8103\0" + b"\0\0\0\0\0\0\0\0\0" + b"\0"
    body = body[:-1] + bytes([len(text)]) + text
    return _HEADER.pack(16 + len(body), _DELIVER_SM, 0, number % 0x7FFFFFFE + 1) + body


class Driver:
    """One bound ESME under load."""

    def __init__(self, connection: socket.socket, messages: int, warm_up: int) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection
        self._messages = messages
        self._warm_up = warm_up
        self._pdus = [deliver_sm(number) for number in range(messages)]
        self._sent_at = [0.0] * messages
        self._latencies: list[float] = []
        self._buffer = b""
        self._sent = 0
        self.replied = 0
        self.refused = 0
        self._message_id = 0

    def await_bind(self) -> None:
        """Answer binds until one is there."""
        while not self._read():
            pass

    def closed_loop(self, window: int) -> Result:
        """Keep `window` SMS without a reply until all are answered."""
        started = 0.0
        while self.replied + self.refused < self._messages:
            if not started and self.replied >= self._warm_up:
                started = time.perf_counter()
                counted_from = self.replied
            room = min(
                window - (self._sent - self.replied - self.refused), self._messages - self._sent
            )
            if room > 0:
                self._send(min(room, _BURST_MAX), time.perf_counter())
                if room > _BURST_MAX:
                    self._read(timeout_s=0)
                    continue
            self._read()
        elapsed_s = time.perf_counter() - started
        return Result(self.replied - counted_from, elapsed_s, sorted(self._latencies), self.refused)

    def open_loop(self, rate: float) -> Result:
        """Send `rate` SMS a second, evenly."""
        started = time.perf_counter()
        while self.replied + self.refused < self._messages:
            now = time.perf_counter()
            due = min(self._messages, int((now - started) * rate) + 1)
            while self._sent < due:
                self._send(1, started + self._sent / rate)
            self._read(timeout_s=max(0.0, started + self._sent / rate - time.perf_counter()))
        elapsed_s = time.perf_counter() - started
        return Result(self.replied, elapsed_s, sorted(self._latencies), self.refused)

    def _send(self, count: int, at: float) -> None:
        first, last = self._sent, self._sent + count
        self._sent_at[first:last] = [at] * count
        self._sent = last
        self._connection.sendall(b"".join(self._pdus[first:last]))

    def _read(self, timeout_s: float | None = None) -> bool:
        """Take what came and answer it; whether the peer bound. Waits no longer than told."""
        if timeout_s is not None and not select.select([self._connection], [], [], timeout_s)[0]:
            return False
        data = self._connection.recv(_READ_BYTES)
        if not data:
            raise ConnectionError("the ESME closed the connection")
        now = time.perf_counter()
        data = self._buffer + data
        position, end = 0, len(data)
        bound = False
        answers = []
        unpack, pack = _HEADER.unpack_from, _HEADER.pack
        while end - position >= 16:
            length, command, status, sequence = unpack(data, position)
            if end - position < length:
                break
            if command == _SUBMIT_SM:
                self._note_reply(data[position : position + length], now)
                self._message_id += 1
                message_id = b"%x\0" % self._message_id
                answers.append(
                    pack(16 + len(message_id), _SUBMIT_SM_RESP, 0, sequence) + message_id
                )
            elif command == _DELIVER_SM_RESP:
                self.refused += bool(status)
            elif command in _BINDS:
                answers.append(pack(22, command | _RESPONSE, 0, sequence) + b"bench\0")
                bound = True
            elif command in (_ENQUIRE_LINK, _UNBIND):
                answers.append(pack(16, command | _RESPONSE, 0, sequence))
            position += length
        self._buffer = data[position:]
        if answers:
            self._connection.sendall(b"".join(answers))
        return bound

    def _note_reply(self, submit_sm: bytes, now: float) -> None:
        number = int(submit_sm[_DESTINATION]) - _FIRST_PHONE
        # Of a reply in two segments the last one counts: until then the phone shows nothing.
        if submit_sm[38 + 1] & 0x40 and not _is_last_segment(submit_sm):
            return
        self.replied += 1
        if number >= self._warm_up:
            self._latencies.append(now - self._sent_at[number])


def _is_last_segment(submit_sm: bytes) -> bool:
    start = submit_sm.find(b"\x05\x00\x03", 40)
    return submit_sm[start + 4] == submit_sm[start + 5]


def main() -> None:
    """Listen, print the port as JSON, load the first ESME that binds, print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, required=True)
    parser.add_argument("--warm-up", type=int, default=0)
    parser.add_argument("--window", type=int, default=1_000)
    parser.add_argument("--rate", type=float, help="open loop at so many SMS/s")
    arguments = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(json.dumps({"port": server.getsockname()[1]}), flush=True)
        connection, _ = server.accept()
        with connection:
            driver = Driver(connection, arguments.messages, arguments.warm_up)
            driver.await_bind()
            if arguments.rate:
                result = driver.open_loop(arguments.rate)
            else:
                result = driver.closed_loop(arguments.window)
    json.dump(result._asdict(), sys.stdout)


if __name__ == "__main__":
    main()
