"""Where a request comes from, and by which name it calls us."""

from collections.abc import Collection
from ipaddress import ip_address
from typing import NamedTuple

from smsd.desk.web.knock import Knock

__all__ = ["Whereabouts", "is_our_name", "locate"]


class Whereabouts(NamedTuple):
    """address: the visitor's. at_this_machine: no network between. secure: it came by TLS."""

    address: str
    at_this_machine: bool
    secure: bool


def locate(knock: Knock, proxies: Collection[str]) -> Whereabouts:
    """Where a visitor is.

    X-Forwarded-For and -Proto are believed of `proxies` alone, and of the first only what the
    last proxy added itself. Somebody whom a proxy brings is never at this machine.
    """
    told = knock.headers.get("x-forwarded-for", "")
    if told and knock.peer in proxies:
        last = told.rpartition(",")[2].strip()
        secure = knock.headers.get("x-forwarded-proto", "") == "https"
        return Whereabouts(last if _is_address(last) else knock.peer, False, secure)
    return Whereabouts(knock.peer, _is_loopback(knock.peer) and not told, knock.secure)


def is_our_name(host: str, names: Collection[str]) -> bool:
    """Whether a Host header may lead here.

    An address may; of names only this machine's own and those that were configured: a page of
    somebody else could have its own name lead to us, and read what we answer (DNS rebinding).
    """
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if name == "localhost" or _is_address(name.strip("[]")):
        return True
    return host.lower() in names or name.lower() in names


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_loopback(address: str) -> bool:
    return _is_address(address) and ip_address(address.removeprefix("::ffff:")).is_loopback
