"""What a room answers; the door makes octets and headers of it."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

__all__ = ["Answer", "Data", "Page", "See", "Sorry", "Stream", "Text"]


class Page(NamedTuple):
    """A page from a template. `visit`, `t`, `asset` and `may` are there without being given.

    cookies: whole Set-Cookie lines.
    """

    template: str
    values: Mapping[str, Any] = {}
    status: int = 200
    cookies: tuple[str, ...] = ()


class Data(NamedTuple):
    """JSON."""

    data: Any
    status: int = 200


class Text(NamedTuple):
    """Octets of some other kind. cached: for how many seconds; 0: not at all."""

    content_type: str
    octets: bytes
    status: int = 200
    cached_s: int = 0


class See(NamedTuple):
    """Go on there (303), where the words of the key `said` are shown.

    cookies: whole Set-Cookie lines.
    """

    location: str
    said: str = ""
    cookies: tuple[str, ...] = ()


class Sorry(NamedTuple):
    """It cannot be had: a page, or JSON where the visitor wants data. message: in his language."""

    status: int
    message: str


class Stream(NamedTuple):
    """Server-sent events for as long as the visitor stays.

    begin: is given what sends one whole event, and returns what is called when the visitor is gone.
    """

    begin: Callable[[Callable[[bytes], None]], Callable[[], None]]


Answer = Page | Data | Text | See | Sorry | Stream
