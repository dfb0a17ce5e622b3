"""A wire tap: a TCP relay between two ends of SMPP that hands on every octet and keeps a copy."""

import socket
import threading
from contextlib import suppress
from struct import unpack_from
from typing import Self

from passed import Chunk, Passed, statuses

from smsd.smpp.constants import Command
from smsd.smpp.framing import Framer

_READ_BYTES = 16_384
_PDU_BYTES_MAX = 65_536
WAIT_S = 30.0


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
            return status in statuses(command, by_peer, self.pdus)

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
