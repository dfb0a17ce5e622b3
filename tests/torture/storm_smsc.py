"""The SMSCs of the storm: they flood, are hung up on, send again, and remember what they were told.

Two listeners, north and south, in one thread and with a codec of their own, so that a fault of
ours in `smsd.smpp` cannot hide itself. What they remember is the ledger that the store is held
against.
"""

import random
import selectors
import socket
import struct
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import NamedTuple

HEADER = struct.Struct(">IIII")
SUBMIT_SM, DELIVER_SM, UNBIND, ENQUIRE_LINK = 0x4, 0x5, 0x6, 0x15
BIND_TRANSCEIVER = 0x9
RESPONSE = 0x80000000
# SMPP 3.4 §5.1.3: what a gateway may say when it wants an SMS again later.
TEMPORARY = {0x08: "ESME_RSYSERR", 0x14: "ESME_RMSGQFUL", 0x64: "ESME_RX_T_APPN"}
_READ_BYTES = 1 << 16
_WINDOW = 300  # deliver_sm awaiting their response, for each link


class Sms(NamedTuple):
    """What a phone sent. The pair is what the store is asked for."""

    phone: str
    text: str


class Ledger:
    """What the gateway said. All of it must be in its store."""

    def __init__(self) -> None:
        self.acknowledged: Counter[Sms] = Counter()
        self.submitted: Counter[Sms] = Counter()  # replies: the phone and the text it shows
        self.strange: list[str] = []
        self.put_off = 0  # deliver_sm that the gateway wants again later
        self.binds = 0
        self.enquired = 0  # enquire_link of ours that it answered

    @property
    def acknowledged_count(self) -> int:
        """SMS that the gateway has taken over."""
        return self.acknowledged.total()


class _Link:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.held = b""
        self.out = bytearray()
        self.bound = False
        self.sequence = 0
        self.in_flight: dict[int, Sms] = {}


class _Smsc:
    def __init__(self, name: str) -> None:
        self.name = name
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.server.getsockname()[1]
        self.waiting: deque[Sms] = deque()
        self.link: _Link | None = None


class Storm:
    """Two SMSCs, one ledger. A context manager."""

    def __init__(self, rng: random.Random) -> None:
        self.ledger = Ledger()
        self.answering = True  # submit_sm; else their outcome stays unknown to the gateway
        self._rng = rng
        self._numbers = 0
        self._texted: list[Sms] = []
        self._selector = selectors.DefaultSelector()
        self.smscs = {name: _Smsc(name) for name in ("north", "south")}
        for smsc in self.smscs.values():
            self._selector.register(smsc.server, selectors.EVENT_READ, smsc)

    def __enter__(self) -> "Storm":
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up_all()
        for smsc in self.smscs.values():
            smsc.server.close()
        self._selector.close()

    @property
    def quiet(self) -> bool:
        """Whether every SMS has been taken over."""
        return not any(
            smsc.waiting or (smsc.link and smsc.link.in_flight) for smsc in self.smscs.values()
        )

    def text(self, count: int) -> None:
        """Let so many SMS wait to be delivered: new ones, old ones again, and nonsense."""
        for _ in range(count):
            smsc = self._rng.choice(list(self.smscs.values()))
            sms = self._invented()
            smsc.waiting.append(sms)
            if self._rng.random() < 0.05:  # the same SMS by the other SMSC as well
                self._other(smsc).waiting.append(sms)

    def _other(self, smsc: _Smsc) -> _Smsc:
        return next(each for each in self.smscs.values() if each is not smsc)

    def _invented(self) -> Sms:
        die = self._rng.random()
        if self._texted and die < 0.05:
            return self._rng.choice(self._texted)  # an impatient thumb
        self._numbers += 1
        phone = f"99450{self._numbers:07}"
        if die < 0.15:
            return Sms(phone, self._rng.choice(["hello", "2", "2 AZE 12", "return"]))
        if self._texted and die < 0.35:
            return Sms(phone, self._rng.choice(self._texted).text)  # the same document
        sms = Sms(phone, f"{'1' if die < 0.4 else '2'} AZE {10_000_000 + self._numbers}")
        self._texted.append(sms)
        return sms

    def run_until(self, condition: Callable[[], bool], limit_s: float) -> bool:
        """Serve the links until `condition` holds; whether it did within the limit."""
        deadline = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > deadline:
                return False
            self._serve(0.005)
        return True

    def run_for(self, span_s: float) -> None:
        """Serve the links for a while."""
        self.run_until(lambda: False, span_s)

    def enquire(self) -> None:
        """Ask on every link whether the gateway is still there."""
        for smsc in self.smscs.values():
            if smsc.link is not None:
                smsc.link.sequence += 1
                smsc.link.out += HEADER.pack(16, ENQUIRE_LINK, 0, smsc.link.sequence)
                self._flush(smsc, smsc.link)

    def hang_up(self) -> None:
        """Break a link in the middle of whatever goes on."""
        self._lose(self._rng.choice(list(self.smscs.values())))

    def hang_up_all(self) -> None:
        """Break both links: responses that were withheld will not come."""
        for smsc in self.smscs.values():
            self._lose(smsc)

    def _serve(self, timeout_s: float) -> None:
        for smsc in self.smscs.values():
            if smsc.link is not None and smsc.link.bound:
                self._deliver(smsc, smsc.link)
        for key, _ in self._selector.select(timeout_s):
            smsc = key.data
            if key.fileobj is smsc.server:
                self._lose(smsc)
                smsc.link = _Link(smsc.server.accept()[0])
                smsc.link.connection.setblocking(False)
                self._selector.register(smsc.link.connection, selectors.EVENT_READ, smsc)
            elif smsc.link is not None and key.fileobj is smsc.link.connection:
                self._read(smsc, smsc.link)

    def _deliver(self, smsc: _Smsc, link: _Link) -> None:
        while smsc.waiting and len(link.in_flight) < _WINDOW:
            sms = smsc.waiting.popleft()
            link.sequence += 1
            link.in_flight[link.sequence] = sms
            text = sms.text.encode("ascii")
            body = (
                b"\0\1\1" + sms.phone.encode("ascii") + b"\0\0\x018103\0"
                + bytes(9) + bytes([len(text)]) + text
            )  # fmt: skip
            link.out += HEADER.pack(16 + len(body), DELIVER_SM, 0, link.sequence) + body
        self._flush(smsc, link)

    def _flush(self, smsc: _Smsc, link: _Link) -> None:
        try:
            while link.out:
                del link.out[: link.connection.send(link.out)]
        except BlockingIOError:
            pass
        except OSError:
            self._lose(smsc)

    def _read(self, smsc: _Smsc, link: _Link) -> None:
        try:
            octets = link.connection.recv(_READ_BYTES)
        except OSError:
            octets = b""
        if not octets:
            self._lose(smsc)
            return
        link.held += octets
        at = 0
        while len(link.held) - at >= HEADER.size:
            length, command, status, sequence = HEADER.unpack_from(link.held, at)
            if len(link.held) - at < length:
                break
            self._take(smsc, link, command, status, sequence, link.held[at + 16 : at + length])
            at += length
        link.held = link.held[at:]
        self._flush(smsc, link)

    def _take(
        self, smsc: _Smsc, link: _Link, command: int, status: int, sequence: int, body: bytes
    ) -> None:
        if command == BIND_TRANSCEIVER:
            link.bound = True
            self.ledger.binds += 1
            link.out += HEADER.pack(22, command | RESPONSE, 0, sequence) + b"storm\0"
        elif command == DELIVER_SM | RESPONSE:
            sms = link.in_flight.pop(sequence)
            if status == 0:
                self.ledger.acknowledged[sms] += 1
            elif status in TEMPORARY:
                self.ledger.put_off += 1
                smsc.waiting.append(sms)
            else:
                self.ledger.strange.append(f"deliver_sm was answered with status {status:#x}")
        elif command == SUBMIT_SM:
            shown = _shown(body)
            if shown is not None:
                self.ledger.submitted[shown] += 1
            if self.answering:
                body = b"%x\0" % self.ledger.submitted.total()
                link.out += HEADER.pack(16 + len(body), command | RESPONSE, 0, sequence) + body
        elif command == ENQUIRE_LINK | RESPONSE:
            self.ledger.enquired += 1
        elif command in (ENQUIRE_LINK, UNBIND):
            link.out += HEADER.pack(16, command | RESPONSE, 0, sequence)
        else:
            self.ledger.strange.append(f"a PDU that nobody asked for: command_id {command:#x}")

    def _lose(self, smsc: _Smsc) -> None:
        """The link is gone: what was not acknowledged is delivered again, the oldest first."""
        link, smsc.link = smsc.link, None
        if link is not None:
            self._selector.unregister(link.connection)
            link.connection.close()
            smsc.waiting.extendleft(reversed(link.in_flight.values()))


_SEGMENTS: dict[tuple[str, int], dict[int, bytes]] = {}


def _shown(body: bytes) -> Sms | None:
    """What the phone shows, once all segments of it are here."""
    at = body.index(b"\0") + 3
    at = body.index(b"\0", at) + 3
    end = body.index(b"\0", at)
    phone = body[at:end].decode("ascii")
    esm_class = body[end + 1]
    at = end + 4  # schedule_delivery_time
    at = body.index(b"\0", at) + 1
    at = body.index(b"\0", at) + 1  # behind validity_period
    data_coding, length = body[at + 2], body[at + 4]
    octets = body[at + 5 : at + 5 + length]
    if esm_class & 0x40:
        reference, total, number = octets[3], octets[4], octets[5]
        parts = _SEGMENTS.setdefault((phone, reference), {})
        parts[number] = octets[6:]
        if len(parts) < total:
            return None
        del _SEGMENTS[phone, reference]
        octets = b"".join(parts[key] for key in sorted(parts))
    return Sms(phone, octets.decode("utf-16-be") if data_coding == 8 else _gsm(octets))


_GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)  # 3GPP TS 23.038 §6.2.1
_GSM_EXTENSION = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]",
    0x40: "|", 0x65: "€",
}  # fmt: skip


def _gsm(octets: bytes) -> str:
    text, values = "", iter(octets)
    for value in values:
        text += _GSM_EXTENSION[next(values)] if value == 0x1B else _GSM[value]
    return text
