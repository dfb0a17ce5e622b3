"""A request as it came, and an answer as it leaves: what the door and Twisted exchange."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

__all__ = ["Begin", "Knock", "Leaving"]

Begin = Callable[[Callable[[bytes], None]], Callable[[], None]]
"""How a stream begins; see `smsd.desk.web.answer.Stream`."""


class Knock(NamedTuple):
    """A request. path: still quoted. headers: by lower-case name. body: None: longer than allowed.

    peer: the address of the other end of the connection. secure: it is by TLS.
    """

    method: str
    path: str
    query: bytes
    headers: Mapping[str, str]
    body: bytes | None
    peer: str
    secure: bool


class Leaving(NamedTuple):
    """An answer. begin: where it is a stream; its octets follow."""

    status: int
    headers: tuple[tuple[str, str], ...]
    octets: bytes = b""
    begin: Begin | None = None
