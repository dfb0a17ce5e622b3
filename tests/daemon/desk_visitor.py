"""Somebody at the desk of a running daemon, by HTTP alone; signed in without the cost of a hash."""

import json
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import urlencode

from daemon_process import WAIT_S

from smsd.desk.web.headers import SESSION, carried
from smsd.gateway.clock import SystemClock
from storage import users
from storage.roles import Role, Scope
from storage.sessions import Lifetime, find_session, open_session
from storage.tokens import add_token

_DAY_US = 86_400_000_000
_LIFETIME = Lifetime(_DAY_US, _DAY_US)


class Got(NamedTuple):
    """An answer. location: where a redirect leads."""

    status: int
    text: str
    location: str

    @property
    def data(self) -> Any:
        """JSON."""
        return json.loads(self.text)


class DeskVisitor:
    """A user with a session, or a token."""

    def __init__(self, address: str, headers: dict[str, str], csrf: str = "") -> None:
        self._address = address
        self._headers = headers
        self._csrf = csrf

    @classmethod
    def of(cls, address: str, url: str, name: str, *roles: Role) -> "DeskVisitor":
        """A new user, signed in."""
        now_us = SystemClock().utc_us()
        users.add_user(url, name, "no hash", False, roles, "test", "test", now_us)
        secret = open_session(url, name, "password", _LIFETIME, now_us)
        session = find_session(url, secret, _LIFETIME, now_us)
        assert session is not None
        return cls(address, {"Cookie": f"{carried(SESSION)}={secret}"}, session.csrf)

    @classmethod
    def with_token(cls, address: str, url: str, name: str, *scopes: Scope) -> "DeskVisitor":
        """A program."""
        now_us = SystemClock().utc_us()
        token = add_token(url, name, scopes, now_us + _DAY_US, "test", "test", now_us)
        return cls(address, {"Authorization": f"Bearer {token}"})

    def get(self, path: str) -> Got:
        """A page."""
        return self._ask("GET", path, None, {})

    def post(self, path: str, **form: str) -> Got:
        """A form of a page of the desk."""
        body = urlencode({"csrf": self._csrf, **form})
        return self._ask("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def send(self, path: str, data: object) -> Got:
        """JSON, as programs do."""
        return self._ask("POST", path, json.dumps(data), {"Content-Type": "application/json"})

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> Got:
        connection = HTTPConnection(self._address, timeout=WAIT_S)
        try:
            connection.request(
                method, path, body, {**self._headers, **headers, "Accept-Language": "en"}
            )
            answer = connection.getresponse()
            text = answer.read().decode()
            return Got(answer.status, text, answer.headers.get("Location", ""))
        finally:
            connection.close()
