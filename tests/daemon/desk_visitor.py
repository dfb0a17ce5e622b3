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
_BOUNDARY = "a-line-that-stands-in-no-policy"


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
        """A user, signed in; a new one where there is none of that name."""
        now_us = SystemClock().utc_us()
        if users.find_account(url, name) is None:
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

    def upload(self, path: str, octets: bytes, **form: str) -> Got:
        """A form with a file."""
        fields = {"csrf": self._csrf, **form}
        parts = [
            f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()
            for name, value in fields.items()
        ]
        parts.append(
            b'Content-Disposition: form-data; name="file"; filename="law.toml"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\n" + octets
        )
        line = f"--{_BOUNDARY}\r\n".encode()
        body = line + (b"\r\n" + line).join(parts) + f"\r\n--{_BOUNDARY}--\r\n".encode()
        kind = f"multipart/form-data; boundary={_BOUNDARY}"
        return self._ask("POST", path, body, {"Content-Type": kind})

    def send(self, path: str, data: object) -> Got:
        """JSON, as programs do."""
        return self._ask("POST", path, json.dumps(data), {"Content-Type": "application/json"})

    def _ask(
        self, method: str, path: str, body: str | bytes | None, headers: dict[str, str]
    ) -> Got:
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
