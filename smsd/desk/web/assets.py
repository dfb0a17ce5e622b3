"""Static files, under addresses that name their content, so that browsers may keep them."""

import hashlib
import mimetypes
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from smsd.desk.web.answer import Answer, Sorry, Text
from smsd.desk.web.route import ANYBODY, Route
from smsd.desk.web.visit import Visit

__all__ = ["Assets"]

_KEPT_S = 31_536_000
_DIGITS = 12
# Not left to the machine's own table of types, which may lack them.
_TYPES = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml", "txt": "text/plain"}


class Assets:
    """All files of `static`, read once."""

    def __init__(self) -> None:
        self._octets = dict(_walk(files("smsd.desk").joinpath("static"), ""))
        self._digests = {
            name: hashlib.sha256(octets).hexdigest()[:_DIGITS]
            for name, octets in self._octets.items()
        }

    def address(self, name: str) -> str:
        """Where a page finds a file; one that is not there is a mistake of ours."""
        return f"/static/{self._digests[name]}/{name.replace('/', '~')}"

    def routes(self) -> tuple[Route, ...]:
        """The one route of all files."""
        return (Route("GET", "/static/{digest}/{file}", ANYBODY, self._show),)

    async def _show(self, visit: Visit) -> Answer:
        name = visit.place["file"].replace("~", "/")
        if self._digests.get(name) != visit.place["digest"]:
            return Sorry(404, visit.say("frame.nothing_here"))
        return Text(_content_type(name), self._octets[name], cached_s=_KEPT_S)


def _walk(folder: Traversable, before: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        name = f"{before}{entry.name}"
        if entry.is_dir():
            yield from _walk(entry, f"{name}/")
        else:
            yield name, entry.read_bytes()


def _content_type(name: str) -> str:
    ending = name.rpartition(".")[2]
    kind = _TYPES.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith(("text/", "image/svg")) else kind
