"""The desk by HTTPS, over real TCP: its certificate, its renewal, and the bound on connections."""

import http.client
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from desk_stage import POLICY_FILE, write_config

sys.path.append(str(Path(__file__).parents[1] / "daemon"))

from certificates import Authority
from daemon_process import WAIT_S, Daemon

NAME = "desk.example"
CONNECTIONS_MAX = 10


class Guarded:
    """A daemon whose desk speaks TLS alone, and an authority that browsers trust."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        self.file, _ = self.authority.issue("desk.pem", NAME)
        desk = (
            f'listen = "127.0.0.1:0"\nhosts = ["{NAME}"]\nconnections_max = {CONNECTIONS_MAX}\n'
            f'[desk.tls]\ncertificate_file = "{self.file}"'
        )
        self.daemon = Daemon(write_config(folder, POLICY_FILE, desk))
        host, _, port = self.daemon.wait_for("started")["desk"].rpartition(":")
        self.address = host, int(port)
        self.context = ssl.create_default_context(cafile=self.authority.file)

    def visit(self) -> tuple[int, dict[str, str], bytes]:
        """Status and headers of /livez, and the certificate that was shown."""
        with ExitStack() as stack:
            plain = stack.enter_context(socket.create_connection(self.address, WAIT_S))
            guarded = stack.enter_context(self.context.wrap_socket(plain, server_hostname=NAME))
            connection = http.client.HTTPConnection(NAME)
            connection.sock = guarded
            connection.request("GET", "/livez")
            answer = connection.getresponse()
            answer.read()
            shown = guarded.getpeercert(binary_form=True) or b""
            return answer.status, dict(answer.headers), shown

    def try_to_visit(self) -> int | None:
        """The status; None: it was hung up on."""
        try:
            return self.visit()[0]
        except (ConnectionError, ssl.SSLEOFError):
            return None


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    """One for each test, since certificates are renewed in them."""
    desk = Guarded(tmp_path)
    with desk.daemon:
        yield desk


def test_it_is_reached_by_tls_and_browsers_are_told_to_stay(guarded: Guarded) -> None:
    """By its name, with a certificate that the authority vouches for."""
    status, headers, _ = guarded.visit()
    assert status == 200
    assert headers["Strict-Transport-Security"] == "max-age=31536000"


def test_a_renewed_certificate_is_shown_to_the_next_visitor(guarded: Guarded) -> None:
    """Without a restart; one that is no certificate leaves the one before, and is told."""
    _, _, first = guarded.visit()
    guarded.authority.issue("desk.pem", NAME, timedelta(days=5))
    _, _, second = guarded.visit()
    assert second != first
    guarded.file.write_text("no certificate")
    status, _, third = guarded.visit()
    assert (status, third) == (200, second)
    assert "holds no certificate" in guarded.daemon.wait_for("desk_certificate_kept")["reason"]


def test_one_connection_more_than_allowed_is_hung_up_on(guarded: Guarded) -> None:
    """Before a word of TLS, and without a fault in the log; the next is taken when one has gone."""
    with ExitStack() as stack:
        guests = [
            stack.enter_context(socket.create_connection(guarded.address, WAIT_S))
            for _ in range(CONNECTIONS_MAX)
        ]
        with socket.create_connection(guarded.address, WAIT_S) as extra:
            assert extra.recv(1) == b""
        guests[0].close()
        while (status := guarded.try_to_visit()) is None:
            pass  # until the daemon has seen the guest go
        assert status == 200
    assert "Traceback" not in guarded.daemon.log
    assert "twisted" not in guarded.daemon.log
