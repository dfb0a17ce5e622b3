"""An SMSC that does exactly what a test says, one PDU at a time, over a real socket."""

import contextlib
import socket
import ssl
from types import TracebackType
from typing import Self

from smsd.smpp.codec import decode, encode
from smsd.smpp.framing import Framer
from smsd.smpp.pdu import (
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    Body,
    DeliverSm,
    EnquireLink,
    EnquireLinkResp,
    Pdu,
)

WAIT_S = 30.0
_ANSWERS: dict[type, type] = {
    BindReceiver: BindReceiverResp,
    BindTransmitter: BindTransmitterResp,
    BindTransceiver: BindTransceiverResp,
}


class Peer:
    """One accepted connection."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(WAIT_S)
        self._connection = connection
        self._framer = Framer(65_536)
        self._pdus: list[Pdu] = []

    def read(self, kind: type[Body] | None = None) -> Pdu:
        """The next PDU that is no enquire_link; it must have a body of `kind`, if one is given."""
        while True:
            while not self._pdus:
                data = self._connection.recv(65_536)
                if not data:
                    raise ConnectionError("the ESME closed the connection")
                for frame in self._framer.feed(data):
                    pdu = decode(frame)
                    assert isinstance(pdu, Pdu), pdu
                    self._pdus.append(pdu)
            pdu = self._pdus.pop(0)
            if isinstance(pdu.body, EnquireLink):
                self.send(EnquireLinkResp(), pdu.sequence)
                continue
            assert kind is None or isinstance(pdu.body, kind), pdu
            return pdu

    def send(self, body: Body, sequence: int, status: int = 0) -> None:
        """Write one PDU."""
        self.send_octets(encode(body, sequence, status))

    def send_octets(self, octets: bytes) -> None:
        """Write whatever octets."""
        self._connection.sendall(octets)

    def text(self, text: str, sequence: int, phone: str = "994500000001") -> None:
        """Hand over an SMS in the GSM alphabet."""
        body = DeliverSm(
            source_addr=phone, destination_addr="8103", short_message=text.encode("ascii")
        )
        self.send(body, sequence)

    def await_end(self) -> bytes:
        """All that comes before the ESME closes."""
        rest = b""
        while data := self._connection.recv(65_536):
            rest += data
        return rest

    def flood(self, octets: bytes, most: int) -> int:
        """Write and read nothing until the ESME hangs up, or ``most`` octets went out; how many."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < most:
                sent += self._connection.send(octets)
        return sent

    def certificate(self) -> bytes | None:
        """What the ESME showed in TLS's greetings, in DER."""
        assert isinstance(self._connection, ssl.SSLSocket)
        return self._connection.getpeercert(binary_form=True)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class ScriptedSmsc:
    """Listens on a free port, perhaps for TLS; a context manager."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(WAIT_S)
        self.port: int = self._server.getsockname()[1]
        self._peers: list[Peer] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up on everybody, and listen no more."""
        for peer in self._peers:
            peer.close()
        self._server.close()

    def accept(self) -> Peer:
        """The next connection, whatever it wants.

        Raises:
            ssl.SSLError, ConnectionError: it did not come to terms with our TLS.
        """
        connection = self._server.accept()[0]
        connection.settimeout(WAIT_S)
        if self.tls is not None:
            connection = self.tls.wrap_socket(connection, server_side=True)
        peer = Peer(connection)
        self._peers.append(peer)
        return peer

    def accept_bind(self) -> Peer:
        """The next connection, bound as it asks to be."""
        peer = self.accept()
        pdu = peer.read()
        peer.send(_ANSWERS[type(pdu.body)](system_id="scripted"), pdu.sequence)
        return peer

    def accept_binds(self) -> dict[type, tuple[Peer, Pdu]]:
        """Two connections, by what they ask for, not yet answered."""
        asked = {}
        for _ in range(2):
            peer = self.accept()
            pdu = peer.read()
            asked[type(pdu.body)] = (peer, pdu)
        return asked

    @staticmethod
    def answer_bind(asked: tuple[Peer, Pdu], status: int = 0) -> Peer:
        """Accept or refuse a bind."""
        peer, pdu = asked
        peer.send(_ANSWERS[type(pdu.body)](system_id="scripted"), pdu.sequence, status)
        return peer
