"""Bytes that are no SMPP, lines that are no request: one end suffers, the simulator does not."""

import json
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_esme import MemoryEsme, Wire, smsc_under
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from simulators.control_client import ControlClient, ControlRefused
from simulators.limits import CONTROL_LINE_BYTES_MAX
from simulators.process import SmscProcess
from smsd.smpp.pdu import BindTransceiver, SubmitSm

PHONE = "994500000001"
NACK = bytes.fromhex("00000010 80000000 00000002")  # length, generic_nack, ESME_RINVCMDLEN


def read_all(peer: socket.socket) -> bytes:
    """Everything until the other end closes."""
    data = b""
    while received := peer.recv(65_536):
        data += received
    return data


@pytest.mark.parametrize(
    "junk",
    [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", bytes(64), b"\xff" * 64],
    ids=["http", "zeroes", "ones"],
)
def test_bytes_that_are_no_smpp_get_a_nack_and_a_closed_link(
    smsc: SmscProcess, control: ControlClient, junk: bytes
) -> None:
    """A length that cannot be ends the connection with generic_nack; others still bind."""
    with socket.create_connection((smsc.host, smsc.port), timeout=30) as peer:
        peer.sendall(junk)
        nack = read_all(peer)
        assert nack[:12] == NACK
    assert control.status()["counters"]["bound"] == 0


@given(st.lists(st.binary(max_size=200), max_size=5), st.booleans())
def test_no_bytes_whatever_break_the_simulator(pieces: list[bytes], framed: bool) -> None:
    """After any input, framed as a PDU or not, another ESME still exchanges messages."""
    clock = Clock()
    smsc = smsc_under(clock)
    link = smsc.connect()
    assert link is not None
    wire = Wire()
    link.makeConnection(wire)
    for piece in pieces:
        if not wire.disconnecting:
            link.dataReceived((len(piece) + 4).to_bytes(4, "big") + piece if framed else piece)
    link.connectionLost(Failure(ConnectionLost()))
    esme = MemoryEsme(smsc, clock)
    esme.request(SubmitSm(source_addr="8103", destination_addr=PHONE, short_message=b"ok"))
    smsc.deliver(PHONE, "still there", "8103")
    assert esme.texts() == [b"still there"]
    assert [each.text for each in smsc.received(PHONE)] == ["ok"]


@given(st.binary(max_size=64).map(lambda octets: octets.decode("latin-1")))
def test_no_address_range_whatever_breaks_a_bind(address_range: str) -> None:
    """A pattern is read or refused; it never raises."""
    clock = Clock()
    smsc = smsc_under(clock)
    address_range = address_range.replace("\0", "")[:40]
    MemoryEsme(smsc, clock, BindTransceiver("smsd", "secret", address_range=address_range))
    assert smsc.counters.bound + smsc.counters.bind_refused == 1
    smsc.has_receiver("8103")


def ask(smsc: SmscProcess, *lines: bytes) -> list[dict[str, Any]]:
    """Send lines to the control port; the answers until it has answered them all or hung up."""
    with socket.create_connection((smsc.host, smsc.control_port), timeout=30) as peer:
        peer.sendall(b"".join(line + b"\n" for line in lines))
        peer.shutdown(socket.SHUT_WR)
        return [json.loads(line) for line in read_all(peer).splitlines()]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello",
        b"\xff\xfe",
        b"[]",
        b"[" * 20_000,
        b'{"op": "explode"}',
        b'{"op": "send"}',
        b'{"op": "send", "from": "nobody", "to": "8103", "text": "x"}',
        b'{"op": "send", "from": "99450", "to": "8103"}',
        b'{"op": "send", "from": "99450", "to": "8103", "octets": "0"}',
        b'{"op": "send", "from": "99450", "to": "8103", "octets": "' + b"00" * 255 + b'"}',
        b'{"op": "await", "counter": "wishes"}',
        b'{"op": "fault", "rain": true}',
        b'{"op": "fault", "throughput": -1}',
        b'{"op": "fault", "_taken": 0}',
        b'{"op": "fault", "submit_status": "ESME_RWHATEVER"}',
        b'{"op": "message", "message": 99}',
        b'{"op": "watch", "phone": ""}',
    ],
    ids=lambda line: line[:40].decode("latin-1"),
)
def test_a_line_that_is_no_request_is_answered_and_the_next_one_works(
    smsc: SmscProcess, line: bytes
) -> None:
    """The error is in words, and the connection goes on."""
    refused, status = ask(smsc, line, b'{"op": "status", "id": 7}')
    assert refused["ok"] is False
    assert refused["reason"] == "bad_request"
    assert refused["error"]
    assert (status["ok"], status["id"]) == (True, 7)


def test_a_line_without_end_is_refused(smsc: SmscProcess, control: ControlClient) -> None:
    """The simulator does not gather it for ever, and others are not disturbed."""
    with socket.create_connection((smsc.host, smsc.control_port), timeout=30) as peer:
        peer.sendall(b"x" * (CONTROL_LINE_BYTES_MAX + 1))
        answer = json.loads(read_all(peer))
    assert (answer["ok"], answer["reason"]) == (False, "bad_request")
    assert control.status()["counters"]["bound"] == 0


def test_a_client_is_told_what_it_did_wrong(control: ControlClient) -> None:
    """The Python client raises the protocol's reason and words."""
    with pytest.raises(ControlRefused, match="no phone number") as refused:
        control.send("nobody", "x")
    assert refused.value.reason == "bad_request"
