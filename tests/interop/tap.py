"""A wire tap: a TCP relay between two ends of SMPP that hands on every octet and keeps a copy."""

import socket
import threading
from contextlib import suppress
from struct import unpack_from
from typing import NamedTuple, Self

from smsd.smpp.codec import decode
from smsd.smpp.constants import RESPONSE_BIT, Command, Tag, status_text
from smsd.smpp.framing import Framer
from smsd.smpp.pdu import DataSm, DeliverSm, SubmitSm
from smsd.smpp.segments import UDHI, unpack

_READ_BYTES = 16_384
_PDU_BYTES_MAX = 65_536
WAIT_S = 30.0
_BIND_RESPONSES = frozenset(
    command | RESPONSE_BIT
    for command in (Command.BIND_TRANSCEIVER, Command.BIND_TRANSMITTER, Command.BIND_RECEIVER)
)


class Chunk(NamedTuple):
    """Octets in the order they passed; none: that side of the connection said no more."""

    connection: int
    from_client: bool
    octets: bytes


class Passed(NamedTuple):
    """A PDU that passed: its header (SMPP 3.4 §3.2), and its octets with the header."""

    connection: int
    from_peer: bool
    command: int
    status: int
    sequence: int
    frame: bytes


class NotSeen(AssertionError):
    """What was waited for did not pass in time."""


class Tap:
    """Listens on `port` of loopback and passes on to `target`. A context manager.

    `client_is_peer`: whether the foreign end connects to us, or ours to it.
    """

    def __init__(self, target: int, client_is_peer: bool) -> None:
        self._target = target
        self._client_is_peer = client_is_peer
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.chunks: list[Chunk] = []
        self.pdus: list[Passed] = []
        self._news = threading.Condition()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for end in (self._server, *self._sockets):
            with suppress(OSError):  # It was never connected, or is closed already.
                end.shutdown(socket.SHUT_RDWR)  # Wakes whoever waits on it, as close does not.
            end.close()

    def await_answer(self, command: Command, by_peer: bool, status: int = 0) -> None:
        """Return once such a request of that end has got a response of that status; or NotSeen."""

        def answered() -> bool:
            return status in _statuses(command, by_peer, self.pdus)

        with self._news:
            if not self._news.wait_for(answered, WAIT_S):
                asked = any(each.command == command for each in self.pdus)
                raise NotSeen(
                    f"{command.name.lower()} was {'not answered' if asked else 'not sent'}"
                )

    def never(self, command: Command, by_peer: bool) -> None:
        """AssertionError if that end ever sent such a request: a lack is to be told as it is."""
        sent = any(each.command == command and each.from_peer is by_peer for each in self.pdus)
        assert not sent, f"{command.name.lower()} was sent, though said to be lacking"

    def errors(self) -> list[str]:
        """Every response that was no success, but to binds."""
        return [
            f"{Command(each.command).name.lower()} {status_text(each.status)}"
            for each in self.pdus
            if each.command not in _BIND_RESPONSES
            and (each.status or each.command == Command.GENERIC_NACK)
        ]

    def _accept(self) -> None:
        for connection in range(1_000_000):
            try:
                client, _ = self._server.accept()
            except OSError:  # Closed: the row is over.
                return
            self._sockets.append(client)
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:  # The target has ended; the client sees it as a connection cut.
                client.close()
                continue
            self._sockets.append(server)
            for source, sink, from_client in ((client, server, True), (server, client, False)):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(
                    target=self._pump, args=(connection, source, sink, from_client), daemon=True
                ).start()

    def _pump(
        self, connection: int, source: socket.socket, sink: socket.socket, from_client: bool
    ) -> None:
        framer = Framer(_PDU_BYTES_MAX)
        octets = b"to begin with"
        while octets:
            try:
                octets = source.recv(_READ_BYTES)
            except OSError:  # Reset, or the row is over.
                octets = b""
            self._keep(Chunk(connection, from_client, octets), framer)
            try:
                if octets:
                    sink.sendall(octets)
                else:
                    sink.shutdown(socket.SHUT_WR)
            except OSError:  # The other end has gone; its own pump says so.
                return

    def _keep(self, chunk: Chunk, framer: Framer) -> None:
        from_peer = chunk.from_client is self._client_is_peer
        with self._news:
            self.chunks.append(chunk)
            for frame in framer.feed(chunk.octets) if chunk.octets else ():
                self.pdus.append(
                    Passed(chunk.connection, from_peer, *unpack_from(">III", frame, 4), frame)
                )
            self._news.notify_all()


def long_forms(pdus: list[Passed]) -> str:
    """In which of SMPP's ways the peer sent what is longer than one short message."""
    bodies = (getattr(decode(each.frame), "body", None) for each in pdus if each.from_peer)
    forms = {_form(body) for body in bodies if isinstance(body, SubmitSm | DeliverSm | DataSm)}
    return ", ".join(sorted(forms - {""}))


def _form(body: SubmitSm | DeliverSm | DataSm) -> str:
    """Empty for a text in one short message."""
    part = unpack(body).part
    if isinstance(body, DataSm):
        return "data_sm"
    if part and body.esm_class & UDHI:
        return f"UDH-{part.width_bits}"
    if any(tlv.tag == Tag.MESSAGE_PAYLOAD for tlv in body.tlvs):
        return "payload"
    return "SAR" if part else ""


def _statuses(command: int, by_peer: bool, pdus: list[Passed]) -> list[int]:
    """Of the responses to such requests; a sequence_number means something in one connection."""
    asked = {
        (each.connection, each.sequence)
        for each in pdus
        if each.command == command and each.from_peer is by_peer
    }
    return [
        each.status
        for each in pdus
        if each.command == command | RESPONSE_BIT
        and each.from_peer is not by_peer
        and (each.connection, each.sequence) in asked
    ]
