"""Signing in by password: never more often than may be, and telling nothing to who guesses."""

from typing import NamedTuple

import structlog
from twisted.internet.defer import DeferredSemaphore

from smsd.desk.access.entrance import Entrance
from smsd.desk.access.passwords import Passwords, Weakness, weakness
from smsd.desk.access.throttle import Throttle
from smsd.desk.premises import Premises
from storage import users
from storage.store import StoreError
from storage.users import Account, NotLetIn, proper_name

__all__ = ["Busy", "Choose", "Outcome", "SignIn", "SignedIn", "TooOften", "Weak", "Wrong"]

_log = structlog.get_logger("smsd.desk")

# Each takes 64 MiB, and a core from the daemon.
_AT_ONCE = 1
_WAITING_MAX = 20


class SignedIn(NamedTuple):
    """cookie: the whole Set-Cookie line of his session."""

    cookie: str


class Wrong(NamedTuple):
    """The name is not known, the password is not his, or he is disabled; which, is not told."""


class TooOften(NamedTuple):
    """Nothing was tried."""

    wait_s: float


class Busy(NamedTuple):
    """Nothing was tried: too many others are trying at this moment."""


class Choose(NamedTuple):
    """The password is right, and was chosen by somebody else: he must choose his own first."""


class Weak(NamedTuple):
    """What he chose will not do."""

    why: Weakness


Outcome = SignedIn | Wrong | TooOften | Busy | Choose | Weak


class SignIn:
    """Lets people in by name and password."""

    def __init__(self, premises: Premises, entrance: Entrance, passwords: Passwords) -> None:
        desk = premises.config.desk
        self._premises = premises
        self._entrance = entrance
        self._passwords = passwords
        self._throttle = Throttle(
            desk.sign_in_failures_max,
            desk.sign_in_address_failures_max,
            desk.sign_in_window_s,
            desk.sign_in_remembered_max,
        )
        self._turns = DeferredSemaphore(_AT_ONCE)

    async def by_password(self, typed: str, password: str, address: str, at_us: int) -> Outcome:
        """Try a name and a password."""
        account = await self._try(typed, password, address)
        if not isinstance(account, Account):
            return account
        if account.user.once:
            return Choose()
        return await self._enter(account.user.name, at_us)

    async def by_chosen_password(
        self, typed: str, password: str, chosen: str, address: str, at_us: int
    ) -> Outcome:
        """Try a name and a password, and replace that by another: what `Choose` asks for."""
        weak = weakness(chosen, typed.strip())
        if weak is None and chosen == password:
            weak = Weakness.SAME
        if weak is not None:
            return Weak(weak)
        account = await self._try(typed, password, address)
        if not isinstance(account, Account):
            return account
        name = account.user.name
        await self._replace(name, chosen, at_us)
        return await self._enter(name, at_us)

    async def _try(self, typed: str, password: str, address: str) -> Account | Outcome:
        """Whose name and password these are."""
        name = proper_name(typed) or ""
        if len(self._turns.waiting) >= _WAITING_MAX:
            return Busy()
        now_s = self._premises.clock.monotonic()
        wait_s = self._throttle.begin(name, address, now_s)
        if wait_s:
            return TooOften(wait_s)
        try:
            account = await self._turns.run(self._premises.in_thread, self._find, name, password)
        except StoreError:
            self._throttle.untried(name, address)
            raise
        if account is None:
            _log.warning("sign_in_failed", address=address)
            self._premises.events.tell("sign_in_refused")
            return Wrong()
        self._throttle.succeeded(name, address)
        return account

    def _find(self, name: str, password: str) -> Account | None:
        """In a thread: whose these are; what was hashed long ago is hashed anew."""
        url, passwords = self._premises.url, self._passwords
        account = users.find_account(url, name)
        stored = None if account is None or account.user.disabled else account.password
        if not passwords.fits(stored, password) or account is None or stored is None:
            return None
        if passwords.is_outdated(stored):
            users.renew_hash(url, name, stored, passwords.hash(password))
        return account

    async def _replace(self, name: str, chosen: str, at_us: int) -> None:
        in_thread = self._premises.in_thread
        hashed = await self._turns.run(in_thread, self._passwords.hash, chosen)
        await in_thread(
            users.set_password, self._premises.url, name, hashed, False, name, "", at_us
        )

    async def _enter(self, name: str, at_us: int) -> Outcome:
        try:
            return SignedIn(await self._entrance.signed_in(name, "password", at_us))
        except NotLetIn:
            return Wrong()
