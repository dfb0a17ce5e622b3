"""Sign-in by an OpenID Connect provider: away to it, and back again."""

from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar
from urllib.parse import urlencode

import structlog

from smsd.config import read_client_secret
from smsd.config_desk import OidcSection
from smsd.desk.access.entrance import Entrance
from smsd.desk.access.oidc import Person, Provider
from smsd.desk.access.oidc_attempts import Attempts
from smsd.desk.access.oidc_failures import Failure, SignInFailed
from smsd.desk.access.onward import onward
from smsd.desk.premises import Premises
from smsd.desk.web.answer import Answer, Page, See
from smsd.desk.web.headers import carried, cookie, delete_cookie
from smsd.desk.web.route import ANYBODY, Route
from smsd.desk.web.visit import Visit
from storage import users
from storage.users import NameTaken, NotLetIn, proper_name

__all__ = ["AWAY", "BACK", "OidcRoom"]

AWAY: Final = "/sign-in/oidc"
BACK: Final = "/sign-in/oidc/back"

_ATTEMPT: Final = "attempt"
_US_PER_S = 1_000_000
_log = structlog.get_logger("smsd.desk")

_P = ParamSpec("_P")
_T = TypeVar("_T")


class OidcRoom:
    """See `smsd.desk.access.oidc`; without [desk.oidc] it has no routes."""

    def __init__(self, premises: Premises, entrance: Entrance) -> None:
        """Read the client's secret.

        Raises:
            smsd.config.ConfigError: its file cannot be used.
        """
        section = premises.config.desk.oidc
        self._premises = premises
        self._entrance = entrance
        self._section = section
        if section is not None:
            self._provider = Provider(section, read_client_secret(section))
            self._attempts = Attempts(section.attempt_s, section.attempts_max)
        self._waiting = 0

    def routes(self) -> tuple[Route, ...]:
        """What can be asked for here."""
        if self._section is None:
            return ()
        return (
            Route("GET", AWAY, ANYBODY, self.leave),
            Route("GET", BACK, ANYBODY, self.come_back),
        )

    async def leave(self, visit: Visit) -> Answer:
        """Send the browser to the provider."""
        assert self._section is not None
        now_s = visit.at_us / _US_PER_S
        try:
            location, attempt = await self._ask(self._provider.begin, visit.origin + BACK, now_s)
        except SignInFailed as fault:
            return See(_told(fault))
        # Another tab of this browser may be away already, with the same cookie.
        browser = visit.cookies.get(carried(_ATTEMPT), "") or attempt.browser
        attempt = attempt._replace(browser=browser, onward=onward(visit.query.get("next", "")))
        self._attempts.keep(attempt, now_s)
        # Lax: the way back begins at the provider's site, from where a Strict one would not be
        # sent. It is worth nothing without the state, nor the state without it.
        lasts_s = int(self._section.attempt_s)
        return See(location, cookies=(cookie(_ATTEMPT, browser, lasts_s, same_site="Lax"),))

    async def come_back(self, visit: Visit) -> Answer:
        """The provider has sent the browser back, with a code or a reason."""
        assert self._section is not None
        now_s = visit.at_us / _US_PER_S
        browser = visit.cookies.get(carried(_ATTEMPT), "")
        attempt = self._attempts.take(visit.query.get("state", ""), browser, now_s)
        try:
            if attempt is None:
                raise SignInFailed(Failure.UNKNOWN, "attempt")
            person = await self._ask(self._provider.finish, attempt, visit.query, now_s)
            session = await self._let_in(person, self._section, visit.at_us)
        except SignInFailed as fault:
            return _go_on(_told(fault))
        return _go_on(attempt.onward, session, delete_cookie(_ATTEMPT))

    async def _let_in(self, person: Person, section: OidcSection, at_us: int) -> str:
        """The Set-Cookie line of a new session."""
        name = proper_name(person.name)
        if name is None:
            raise SignInFailed(Failure.NO_NAME, section.name_claim)
        try:
            user = await self._premises.in_thread(
                users.from_provider,
                self._premises.url,
                section.issuer,
                person.subject,
                name,
                person.roles,
                at_us,
            )
            if user.roles:
                return await self._entrance.signed_in(user.name, "oidc", at_us)
        except NameTaken as fault:
            raise SignInFailed(Failure.TAKEN, section.name_claim) from fault
        except NotLetIn as fault:
            raise SignInFailed(Failure.DENIED, "disabled") from fault
        raise SignInFailed(Failure.NO_ROLE, section.roles_claim)

    async def _ask(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Wait for the provider in a thread; of those only so many, for others need some too."""
        assert self._section is not None
        if self._waiting >= self._section.at_once_max:
            raise SignInFailed(Failure.BUSY, "threads")
        self._waiting += 1
        try:
            return await self._premises.in_thread(work, *args, **kwargs)
        finally:
            self._waiting -= 1


def _go_on(there: str, *cookies: str) -> Answer:
    """Go on from a page of our own.

    A redirection would still be part of the way that began at the provider's site, and the
    browser would keep our cookies, all SameSite=Strict, to itself; the new session's among them.
    """
    return Page("oidc_onward.html", {"onward": there}, cookies=cookies)


def _told(fault: SignInFailed) -> str:
    """The sign-in page with the words for a failure; the log has the protocol's own."""
    _log.warning("oidc_failed", failure=fault.failure, detail=fault.detail)
    return f"/sign-in?{urlencode({'failed': fault.failure})}"
