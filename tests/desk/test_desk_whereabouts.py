"""Who sits at this machine, whom a proxy brings, and which names lead here."""

import pytest

from smsd.desk.web.knock import Knock
from smsd.desk.web.whereabouts import Whereabouts, is_our_name, locate


def from_peer(peer: str, secure: bool = False, **headers: str) -> Knock:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Knock("GET", "/", b"", told, b"", peer, secure)


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_this_machine(peer: str) -> None:
    """In each of its forms."""
    assert locate(from_peer(peer), ()) == Whereabouts(peer, True, False)


@pytest.mark.parametrize("peer", ["10.0.0.1", "192.0.2.7", "2001:db8::1", ""])
def test_the_network_is_not(peer: str) -> None:
    """Nor is who has no address."""
    assert not locate(from_peer(peer), ()).at_this_machine


def test_whom_a_proxy_brings_is_never_at_this_machine() -> None:
    """Even by a proxy that nobody told us of: it would open the desk to the world."""
    brought = from_peer("127.0.0.1", x_forwarded_for="192.0.2.7")
    assert locate(brought, ()) == Whereabouts("127.0.0.1", False, False)


def test_a_trusted_proxy_tells_the_address_and_the_scheme() -> None:
    """Of several addresses the last one alone is its own word."""
    told = {"x_forwarded_for": "127.0.0.1, 192.0.2.7", "x_forwarded_proto": "https"}
    where = locate(from_peer("10.0.0.1", **told), ("10.0.0.1",))
    assert where == Whereabouts("192.0.2.7", False, True)
    assert locate(from_peer("10.0.0.2", **told), ("10.0.0.1",)).address == "10.0.0.2"
    assert not locate(from_peer("10.0.0.2", **told), ("10.0.0.1",)).secure


def test_a_trusted_proxy_that_tells_nonsense_stands_for_itself() -> None:
    """What is no address never becomes one."""
    brought = from_peer("10.0.0.1", x_forwarded_for="<script>")
    assert locate(brought, ("10.0.0.1",)).address == "10.0.0.1"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8103",
        "127.0.0.1:8103",
        "[::1]:8103",
        "10.1.2.3",
        "desk.example",
        "DESK.example:443",
    ],
)
def test_our_names(host: str) -> None:
    """Addresses, this machine's name, and what is configured."""
    assert is_our_name(host, {"desk.example"})


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "desk.example.evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:80",
    ],
)
def test_names_of_others(host: str) -> None:
    """A page of theirs must not reach us by their name (DNS rebinding)."""
    assert not is_our_name(host, {"desk.example"})
