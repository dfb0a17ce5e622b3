"""Knows who a visitor is by what he carries: a session's cookie, a token, or nothing."""

import structlog
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from smsd.desk.premises import Premises
from smsd.desk.web.door import Admitted
from smsd.desk.web.headers import SESSION, cookie, delete_cookie
from smsd.desk.web.visit import NOBODY, SignedBy, Visit, Visitor
from storage import sessions, tokens, users
from storage.roles import Role
from storage.sessions import Lifetime
from storage.store import StoreError

__all__ = ["Entrance"]

_log = structlog.get_logger("smsd.desk")

_US_PER_S = 1_000_000
_AT_THIS_MACHINE = Visitor("", frozenset({Role.VIEWER}), SignedBy.LOOPBACK)


class Entrance:
    """See `smsd.desk.web.door.Entrance`."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises
        settings = premises.config.desk
        self._lifetime = Lifetime(
            round(settings.session_idle_s * _US_PER_S), round(settings.session_s * _US_PER_S)
        )

    async def visitor(
        self, cookie: str | None, bearer: str | None, at_this_machine: bool, at_us: int
    ) -> Admitted:
        """Who carries this session cookie or this token; who brings a token is judged by it alone.

        Raises:
            StoreError: the store cannot be asked.
        """
        if bearer is not None:
            return await self._by_token(bearer, at_us)
        if cookie:
            admitted = await self._by_session(cookie, at_us)
            if admitted is not None:
                return admitted
        if at_this_machine and not await self._premises.in_thread(users.any_user, self._url):
            return Admitted(_AT_THIS_MACHINE)
        return Admitted(NOBODY)

    async def signed_in(self, user: str, how: str, at_us: int) -> str:
        """Open a session for somebody who has just proved who he is, by password or otherwise.

        This is the one way in: rooms/sign_in.py takes it after a password, and a sign-in by
        OpenID Connect after `storage.users.from_provider`, whose user's name it hands over. The
        sign-in is audited here.

        A browser does not send a SameSite=Strict cookie along when another site's page (that of
        an OpenID provider) leads it here, redirects included: the answer that sets this one must
        be a page of ours which goes on from there by itself or by a link, not a redirect.

        Args:
            user: the name, as storage.users has it.
            how: "password" or "oidc", for the audit.

        Returns:
            The whole Set-Cookie line, for `See.cookies`.

        Raises:
            NotLetIn: he was disabled in between.
        """
        value = await self._premises.in_thread(
            sessions.open_session, self._url, user, how, self._lifetime, at_us
        )
        return cookie(SESSION, value)

    async def signed_out(self, visit: Visit) -> str:
        """End the session of a visit; returns the Set-Cookie line that takes its cookie away."""
        if visit.visitor.signed_by is SignedBy.SESSION:
            name = visit.visitor.name
            await self._premises.in_thread(
                sessions.close_session, self._url, name, visit.csrf, visit.at_us
            )
        return delete_cookie(SESSION)

    @property
    def _url(self) -> str:
        return self._premises.url

    async def _by_session(self, cookie: str, at_us: int) -> Admitted | None:
        session = await self._premises.in_thread(
            sessions.find_session, self._url, cookie, self._lifetime, at_us
        )
        if session is None:
            return None
        if session.stale:
            self._aside(self._premises.in_thread(sessions.touch_session, self._url, cookie, at_us))
        return Admitted(Visitor(session.user, session.roles, SignedBy.SESSION), session.csrf)

    async def _by_token(self, bearer: str, at_us: int) -> Admitted:
        token = await self._premises.in_thread(tokens.find_token, self._url, bearer, at_us)
        if token is None:
            return Admitted(NOBODY)
        if token.is_stale(at_us):
            self._aside(self._premises.in_thread(tokens.use, self._url, token.name, at_us))
        return Admitted(Visitor(token.name, frozenset(), SignedBy.TOKEN, token.scopes))

    def _aside(self, noting: "Deferred[None]") -> None:
        """Let a visit be noted while it is answered: a busy store holds up no check."""

        def failed(failure: Failure) -> None:
            failure.trap(StoreError)
            _log.warning("visit_not_noted", reason=failure.getErrorMessage())

        noting.addErrback(failed)
