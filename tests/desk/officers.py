"""People signed in at a desk that is asked without sockets."""

from collections.abc import Mapping

from desk_stage import DeskStage, Got
from virtual_reactor import NOON_US

from smsd.desk.web.headers import SESSION, carried
from storage import sessions, users
from storage.roles import Role
from storage.sessions import Lifetime

_DAY_US = 86_400_000_000


class Officer:
    """Somebody's browser."""

    def __init__(self, stage: DeskStage, name: str, *roles: Role) -> None:
        self.stage = stage
        self.name = name
        url = stage.config.store.url
        if users.find_account(url, name) is None:
            users.add_user(url, name, "no hash", False, roles, "test", "test", NOON_US)
        lifetime = Lifetime(_DAY_US, _DAY_US)
        secret = sessions.open_session(url, name, "password", lifetime, NOON_US)
        self._cookie = f"{carried(SESSION)}={secret}"
        session = sessions.find_session(url, secret, lifetime, NOON_US)
        assert session is not None
        self._csrf = session.csrf

    def get(self, path: str, **headers: str) -> Got:
        """A page."""
        return self.stage.ask("GET", path, cookie=self._cookie, **headers)

    def post(self, path: str, form: Mapping[str, str] | None = None) -> Got:
        """A form, sent as the desk's own pages would."""
        whole = {"csrf": self._csrf, **(form or {})}
        return self.stage.ask("POST", path, form=whole, cookie=self._cookie)
