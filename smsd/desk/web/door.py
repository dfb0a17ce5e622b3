"""The door: who comes in, whether he may, which room answers."""

import secrets
from typing import NamedTuple, Protocol
from urllib.parse import quote

import structlog

from smsd.desk.premises import Premises
from smsd.desk.web import forms
from smsd.desk.web.answer import Answer, See, Sorry
from smsd.desk.web.departure import Departure, plainly
from smsd.desk.web.headers import FORM, SESSION, carried
from smsd.desk.web.knock import Knock, Leaving
from smsd.desk.web.preferences import Preferences, preferences
from smsd.desk.web.reading import Body, TooLong, Unreadable, cookies_in, query_in, read_body
from smsd.desk.web.route import Route
from smsd.desk.web.routing import Found, RouteTable
from smsd.desk.web.visit import NOBODY, SignedBy, Visit, Visitor
from smsd.desk.web.whereabouts import Whereabouts, is_our_name, locate
from smsd.desk.web.words import Words
from storage import StoreError

__all__ = ["Admitted", "Door", "Entrance"]

_log = structlog.get_logger("smsd.desk")

_BEARER = "bearer "


class Admitted(NamedTuple):
    """Who a visitor is. csrf: the token of his session; empty: he has none."""

    visitor: Visitor
    csrf: str = ""


class Entrance(Protocol):
    """Knows people by what they carry."""

    async def visitor(
        self, cookie: str | None, bearer: str | None, at_this_machine: bool, at_us: int
    ) -> Admitted:
        """Who carries this session cookie or this token; raises StoreError."""


class _Guest(NamedTuple):
    """A request, and what is known of who sent it. csrf: what his forms are to carry."""

    knock: Knock
    where: Whereabouts
    liked: Preferences
    found: Found
    admitted: Admitted
    csrf: str


class Door:
    """Answers requests. Rooms see visits; HTTP ends here."""

    def __init__(
        self,
        premises: Premises,
        entrance: Entrance,
        routes: RouteTable,
        departure: Departure,
        words: Words,
    ) -> None:
        self._premises = premises
        self._settings = premises.config.desk
        self._entrance = entrance
        self._routes = routes
        self._departure = departure
        self._words = words
        self._names = {name.lower() for name in self._settings.hosts}

    async def answer(self, knock: Knock) -> Leaving:
        """What leaves for a request; never raises."""
        if not is_our_name(knock.headers.get("host", ""), self._names):
            return plainly(421, "The desk does not go by this name; add it to desk.hosts.\n")
        try:
            return await self._answer(knock)
        except Exception:  # noqa: BLE001 - a bug of ours costs one visitor one page
            number = secrets.token_hex(4)
            _log.exception("desk_failed", number=number)
            return plainly(500, f"A fault of ours; the daemon's log has it under {number}.\n")

    async def _answer(self, knock: Knock) -> Leaving:
        cookies = cookies_in(knock.headers.get("cookie", ""))
        query = query_in(knock.query)
        liked = preferences(query, cookies, knock.headers.get("accept-language", ""))
        where = locate(knock, self._settings.trusted_proxies)
        at_us = self._premises.clock.utc_us()
        session, bearer = cookies.get(carried(SESSION)), _bearer(knock)
        store_fault = False
        try:
            admitted = await self._entrance.visitor(session, bearer, where.at_this_machine, at_us)
        except StoreError as fault:
            _log.error("desk_store_fault", reason=str(fault))
            admitted, store_fault = Admitted(NOBODY), True
        csrf = admitted.csrf or cookies.get(carried(FORM), "")
        found = self._routes.find(knock.method, knock.path)
        guest = _Guest(knock, where, liked, found, admitted, csrf)
        visit = Visit(
            knock.path,
            admitted.visitor,
            liked.language,
            self._words.of(liked.language),
            at_us,
            address=where.address,
            place=found.place,
            query=query,
            csrf=csrf or forms.fresh_token(),
            wants_data=_wants_data(found.route, knock),
            theme=liked.theme,
            origin=f"{'https' if where.secure else 'http'}://{knock.headers.get('host', '')}",
            cookies=cookies,
            page=self._routes.page_of(knock.path),
        )
        if store_fault and not _is_open(found.route):
            answer: Answer = Sorry(503, visit.say("frame.store_unavailable"))
        else:
            answer = await self._let_in(guest, visit)
        return self._departure.leaving(answer, visit, knock, where, found.allowed, liked.cookies)

    async def _let_in(self, guest: _Guest, visit: Visit) -> Answer:
        """Whether there is such a room, may he enter, and what does it say."""
        route, say = guest.found.route, visit.say
        if route is None:
            wrong_method = bool(guest.found.allowed)
            return Sorry(405 if wrong_method else 404, say("frame.nothing_here"))
        if not route.access.admits(visit.visitor, guest.where.at_this_machine):
            return _refusal(visit, guest.knock)
        if route.method == "GET":
            return await self._ask(route, visit)
        if guest.knock.body is None:
            return _too_long(visit, self._settings.body_bytes_max)
        kind, bound = guest.knock.headers.get("content-type", ""), self._settings.form_bytes_max
        try:
            body = read_body(kind, guest.knock.body, bound)
        except TooLong:
            return _too_long(visit, bound)
        except Unreadable:
            return Sorry(400, say("frame.unreadable"))
        if not _sent_it_himself(guest, body):
            return Sorry(403, say("frame.forged"))
        return await self._ask(route, visit._replace(form=body.form, files=body.files))

    async def _ask(self, route: Route, visit: Visit) -> Answer:
        try:
            return await route.handler(visit)
        except StoreError as fault:
            _log.error("desk_store_fault", reason=str(fault))
            return Sorry(503, visit.say("frame.store_unavailable"))


def _is_open(route: Route | None) -> bool:
    return route is None or route.access.roles is None


def _bearer(knock: Knock) -> str | None:
    given = knock.headers.get("authorization", "")
    return given[len(_BEARER) :].strip() if given.lower().startswith(_BEARER) else None


def _wants_data(route: Route | None, knock: Knock) -> bool:
    accepted = knock.headers.get("accept", "")
    return (route is not None and route.data) or (
        "application/json" in accepted and "text/html" not in accepted
    )


def _sent_it_himself(guest: _Guest, body: Body) -> bool:
    """Whether the visitor himself sent this, and not somebody else's page in his name."""
    if guest.admitted.visitor.signed_by is SignedBy.TOKEN:
        return True  # no browser sends a token by itself
    given = guest.knock.headers
    token, site = given.get(forms.HEADER, ""), given.get("sec-fetch-site", "")
    return forms.is_ours(body, token, guest.csrf, site)


def _too_long(visit: Visit, bytes_max: int) -> Answer:
    return Sorry(413, visit.say("frame.too_long", kibibytes=f"{bytes_max / 1024:g}"))


def _refusal(visit: Visit, knock: Knock) -> Answer:
    """For somebody who may not."""
    if visit.visitor.signed_by is not SignedBy.NOTHING:
        return Sorry(403, visit.say("frame.not_yours"))
    if visit.wants_data or knock.method not in ("GET", "HEAD"):
        return Sorry(401, visit.say("frame.sign_in_first"))
    back = f"{visit.path}?{knock.query.decode('latin-1')}" if knock.query else visit.path
    return See(f"/sign-in?next={quote(back, safe='')}")
