"""How an answer leaves: its octets, its headers, its cookies."""

import json
from collections.abc import Collection
from typing import Any
from urllib.parse import quote

from smsd.desk.web import headers
from smsd.desk.web.answer import Answer, Data, Page, See, Sorry, Stream, Text
from smsd.desk.web.knock import Begin, Knock, Leaving
from smsd.desk.web.rendering import Rendering
from smsd.desk.web.visit import SignedBy, Visit
from smsd.desk.web.whereabouts import Whereabouts

__all__ = ["Departure", "plainly"]

_HTML = "text/html; charset=utf-8"
_PLAIN = "text/plain; charset=utf-8"


class Departure:
    """Makes what leaves of what rooms answer."""

    def __init__(self, rendering: Rendering) -> None:
        self._rendering = rendering

    def leaving(
        self,
        answer: Answer,
        visit: Visit,
        knock: Knock,
        where: Whereabouts,
        allowed: Collection[str] = (),
        cookies: tuple[str, ...] = (),
    ) -> Leaving:
        """An answer as octets and headers. allowed: the methods that the path knows."""
        begin: Begin | None = None
        special: list[tuple[str, str]] = [("Set-Cookie", line) for line in cookies]
        status, kind, octets, cached_s = 200, _HTML, b"", 0
        match answer:
            case Page(template, values, status, more_cookies):
                octets = self._page(template, visit, where, values)
                special += [("Set-Cookie", line) for line in more_cookies]
            case Sorry(status, message):
                kind, octets = self._sorry(status, message, visit, where)
                special += _hints(status, allowed)
            case Data(data, status):
                kind, octets = "application/json", _as_json(data)
            case Text(kind, octets, status, cached_s):
                pass
            case See(location, said, more_cookies):
                status, kind = 303, _PLAIN
                special.append(("Location", _with_words(location, said)))
                special += [("Set-Cookie", line) for line in more_cookies]
            case Stream(begin):
                kind = "text/event-stream"
        if _has_form(octets, visit) and not _knows_token(visit, knock):
            special.append(("Set-Cookie", headers.cookie(headers.FORM, visit.csrf)))
        return _leaving(status, kind, octets, special, cached_s, where.secure)._replace(begin=begin)

    def _page(self, template: str, visit: Visit, where: Whereabouts, values: Any) -> bytes:
        return self._rendering.page(template, visit, where.at_this_machine, values).encode()

    def _sorry(
        self, status: int, message: str, visit: Visit, where: Whereabouts
    ) -> tuple[str, bytes]:
        if visit.wants_data:
            return "application/json", _as_json({"error": message})
        values = {"status": status, "message": message}
        return _HTML, self._page("sorry.html", visit, where, values)


def plainly(status: int, words: str) -> Leaving:
    """An answer for when not even a page can be made."""
    return _leaving(status, _PLAIN, words.encode(), [], 0, secure=False)


def _leaving(
    status: int,
    kind: str,
    octets: bytes,
    special: list[tuple[str, str]],
    cached_s: int,
    secure: bool,
) -> Leaving:
    kept = f"public, max-age={cached_s}" if cached_s else "no-store"
    common = {**headers.COMMON, **(headers.TRANSPORT if secure else {})}
    fixed = [("Content-Type", kind), ("Cache-Control", kept), *common.items()]
    return Leaving(status, (*fixed, *special), octets)


def _hints(status: int, allowed: Collection[str]) -> list[tuple[str, str]]:
    """What HTTP wants said beside a refusal (RFC 9110 §15.5.2, §15.5.6)."""
    if status == 401:
        return [("WWW-Authenticate", 'Bearer realm="smsd"')]
    return [("Allow", ", ".join(sorted(allowed)))] if status == 405 else []


def _has_form(octets: bytes, visit: Visit) -> bool:
    return visit.visitor.signed_by is not SignedBy.SESSION and visit.csrf.encode() in octets


def _knows_token(visit: Visit, knock: Knock) -> bool:
    """Whether the browser has the token already, with which its form will be compared."""
    return f"{headers.carried(headers.FORM)}={visit.csrf}" in knock.headers.get("cookie", "")


def _with_words(location: str, said: str) -> str:
    if not said:
        return location
    return f"{location}{'&' if '?' in location else '?'}said={quote(said)}"


def _as_json(data: Any) -> bytes:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
