"""People at a desk under test: added to its store, signed in, sending forms."""

from typing import NamedTuple

from desk_stage import DeskStage, Got

from smsd.desk.access.passwords import Passwords
from storage import sessions, users
from storage.roles import Role
from storage.sessions import Lifetime

PASSWORD = "a quite long password"
HASH = Passwords().hash(PASSWORD)
WHO = ("setup", "tests")
S_US = 1_000_000


def add(desk: DeskStage, name: str, *roles: Role, once: bool = False) -> None:
    """A user with `PASSWORD`."""
    users.add_user(url_of(desk), name, HASH, once, roles, *WHO, desk.clock.utc_us())


def url_of(desk: DeskStage) -> str:
    return desk.config.store.url


def lifetime_of(desk: DeskStage) -> Lifetime:
    """As [desk] has it."""
    settings = desk.config.desk
    return Lifetime(round(settings.session_idle_s * S_US), round(settings.session_s * S_US))


class Person(NamedTuple):
    """Somebody in whose browser a session is open."""

    desk: DeskStage
    cookie: str
    csrf: str

    def get(self, path: str, **headers: str) -> Got:
        return self.desk.ask("GET", path, cookie=self.cookie, **headers)

    def post(self, path: str, **form: str) -> Got:
        """A form of the desk's own."""
        return self.desk.ask("POST", path, {"csrf": self.csrf, **form}, cookie=self.cookie)


def signed_in(desk: DeskStage, name: str) -> Person:
    """Somebody who is signed in, without the trouble of it."""
    at_us = desk.clock.utc_us()
    secret = sessions.open_session(url_of(desk), name, "password", lifetime_of(desk), at_us)
    session = sessions.find_session(url_of(desk), secret, lifetime_of(desk), at_us)
    assert session is not None
    return Person(desk, f"__Host-smsd={secret}", session.csrf)


def person(desk: DeskStage, name: str, *roles: Role) -> Person:
    """Somebody, signed in; new where there is none of that name."""
    if users.find_account(url_of(desk), name) is None:
        add(desk, name, *roles)
    return signed_in(desk, name)


def guest(desk: DeskStage) -> Person:
    """Somebody at the sign-in page, with the token of its form."""
    got = desk.ask("GET", "/sign-in", peer="192.0.2.7")
    (morsel,) = got.cookies.values()
    return Person(desk, f"{morsel.key}={morsel.value}", morsel.value)
