"""The desk over real TCP: its bounds hold, and one visitor's excess is nobody else's trouble."""

import http.client
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from desk_stage import write_config

import rules

sys.path.append(str(Path(__file__).parents[1] / "daemon"))

from daemon_process import WAIT_S, Daemon

POLICY_FILE = Path(rules.__file__).parent / "policies" / "8103.toml"
BODY_BYTES_MAX = 65_536
CONNECTIONS_MAX = 10
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """A daemon with small bounds, without any SMSC."""
    desk = (
        f'listen = "127.0.0.1:0"\nbody_bytes_max = {BODY_BYTES_MAX}\n'
        f"connections_max = {CONNECTIONS_MAX}"
    )
    config = write_config(tmp_path_factory.mktemp("desk"), POLICY_FILE, desk)
    with Daemon(config) as daemon:
        host, _, port = daemon.wait_for("started")["desk"].rpartition(":")
        yield host, int(port)


def post(address: tuple[str, int], octets: bytes) -> tuple[int, str]:
    """Send a form to a route that needs none; a body within bounds is met with 405."""
    connection = http.client.HTTPConnection(*address, timeout=WAIT_S)
    connection.request("POST", "/livez", octets, URLENCODED)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_a_body_is_read_up_to_its_bound(address: tuple[str, int]) -> None:
    """The last octet that may come does; the room is asked."""
    assert post(address, b"a" * BODY_BYTES_MAX)[0] == 405


def test_who_sends_far_too_much_is_hung_up_on(address: tuple[str, int]) -> None:
    """Whatever Content-Length promised; the daemon keeps nothing of it and lives on."""
    with socket.create_connection(address, WAIT_S) as flood:
        flood.sendall(
            b"POST /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"
        )
        with pytest.raises(ConnectionError):
            while True:
                flood.sendall(b"a" * 65_536)
    assert post(address, b"")[0] == 405


def test_one_connection_more_than_allowed_is_refused(address: tuple[str, int]) -> None:
    """And the next is taken as soon as one of the others has gone."""
    with ExitStack() as stack:
        guests = [
            stack.enter_context(socket.create_connection(address, WAIT_S))
            for _ in range(CONNECTIONS_MAX)
        ]
        for guest in guests:
            guest.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert guest.recv(4_096).startswith(b"HTTP/1.1 200 ")
        with socket.create_connection(address, WAIT_S) as extra:
            assert extra.recv(1) == b""
        guests[0].sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        while guests[0].recv(4_096):
            pass
        assert post(address, b"")[0] == 405


def test_head_is_get_without_its_body(address: tuple[str, int]) -> None:
    """Its length is told all the same."""
    connection = http.client.HTTPConnection(*address, timeout=WAIT_S)
    connection.request("HEAD", "/livez")
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Content-Length"], answer.read()) == (200, "6", b"")
    assert answer.headers["Date"].endswith("GMT")
    assert answer.headers["Server"] == "smsd"
