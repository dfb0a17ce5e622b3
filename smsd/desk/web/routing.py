"""From a method and a path to the route that answers."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import unquote

from smsd.desk.web.route import Route

__all__ = ["Found", "RouteTable"]


class Found(NamedTuple):
    """What a path leads to. allowed: the methods that it knows; route: None where not this one."""

    route: Route | None
    place: Mapping[str, str]
    allowed: frozenset[str]


class RouteTable:
    """All routes of the desk. Two with one method and one shape are a mistake."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._plain: dict[str, dict[str, Route]] = {}
        self._shaped: list[tuple[tuple[str, ...], dict[str, Route]]] = []
        for route in routes:
            methods = self._methods(route.path)
            assert route.method not in methods, f"{route.method} {route.path} is there twice"
            methods[route.method] = route

    def __iter__(self) -> Iterator[Route]:
        for methods in (*self._plain.values(), *(methods for _, methods in self._shaped)):
            yield from methods.values()

    def _methods(self, path: str) -> dict[str, Route]:
        if "{" not in path:
            return self._plain.setdefault(path, {})
        shape = tuple(path.split("/"))
        for known, methods in self._shaped:
            if known == shape:
                return methods
        methods = {}
        self._shaped.append((shape, methods))
        return methods

    def find(self, method: str, path: str) -> Found:
        """The route of a path as it stands in the request; HEAD is asked of what answers GET."""
        asked = "GET" if method == "HEAD" else method
        methods = self._plain.get(path)
        if methods is not None:
            return Found(methods.get(asked), {}, _allowed(methods))
        segments = path.split("/")
        for shape, methods in self._shaped:
            place = _filled(shape, segments)
            if place is not None:
                return Found(methods.get(asked), place, _allowed(methods))
        return Found(None, {}, frozenset())

    def page_of(self, path: str) -> str:
        """Where a path can be got: itself; for what only takes forms the nearest page above it."""
        page, found = path, self.find("GET", path)
        if not found.allowed:
            return path  # there is no such thing, and it stays so
        while page and found.route is None:
            page = page.rpartition("/")[0]
            found = self.find("GET", page)
        return page or "/"


def _filled(shape: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    """What the names of a shape stand for in these segments; None where they do not fit."""
    if len(shape) != len(segments):
        return None
    place = {}
    for expected, segment in zip(shape, segments, strict=True):
        if expected.startswith("{"):
            if not segment:
                return None
            place[expected.strip("{}")] = unquote(segment)
        elif expected != segment:
            return None
    return place


def _allowed(methods: Iterable[str]) -> frozenset[str]:
    """With GET goes HEAD."""
    known = frozenset(methods)
    return known | {"HEAD"} if "GET" in known else known
