"""Somebody signed in at the desk of a running daemon, over real HTTP."""

import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from smsd.desk.web.headers import SESSION, carried
from storage import sessions, users
from storage.roles import Role
from storage.sessions import Lifetime

_WAIT_S = 60.0
_DAY_US = 86_400_000_000
_BOUNDARY = "a-line-that-stands-in-no-policy"


class Got(NamedTuple):
    """An answer. location: where a redirect leads."""

    status: int
    text: str
    location: str


class _Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are told, not followed."""

    def redirect_request(self, *_: object) -> None:
        return None


class DeskVisitor:
    """One person's browser; the person is added to the store where it is not there yet."""

    def __init__(self, address: str, store: Path, name: str, *roles: Role) -> None:
        self._origin = f"http://{address}"
        url, now_us = f"sqlite:///{store}", time.time_ns() // 1_000
        if users.find_account(url, name) is None:
            users.add_user(url, name, "no hash", False, roles, "test", "test", now_us)
        lifetime = Lifetime(_DAY_US, _DAY_US)
        secret = sessions.open_session(url, name, "password", lifetime, now_us)
        session = sessions.find_session(url, secret, lifetime, now_us)
        assert session is not None
        self._csrf = session.csrf
        self._headers = {"Cookie": f"{carried(SESSION)}={secret}"}
        self._opener = urllib.request.build_opener(_Stay)

    def get(self, path: str) -> Got:
        """A page."""
        return self._ask(path, None, {})

    def post(self, path: str, form: Mapping[str, str]) -> Got:
        """A form."""
        body = urlencode({"csrf": self._csrf, **form}).encode()
        return self._ask(path, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def upload(self, path: str, form: Mapping[str, str], octets: bytes) -> Got:
        """A form with a file."""
        parts = [
            f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()
            for name, value in {"csrf": self._csrf, **form}.items()
        ]
        parts.append(
            b'Content-Disposition: form-data; name="file"; filename="law.toml"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\n" + octets
        )
        line = f"--{_BOUNDARY}\r\n".encode()
        body = line + (b"\r\n" + line).join(parts) + f"\r\n--{_BOUNDARY}--\r\n".encode()
        kind = f"multipart/form-data; boundary={_BOUNDARY}"
        return self._ask(path, body, {"Content-Type": kind})

    def _ask(self, path: str, body: bytes | None, headers: Mapping[str, str]) -> Got:
        request = urllib.request.Request(
            self._origin + path, body, headers={**self._headers, **headers}
        )
        try:
            with self._opener.open(request, timeout=_WAIT_S) as answer:
                return Got(answer.status, answer.read().decode(), "")
        except urllib.error.HTTPError as answer:
            with answer:
                location = answer.headers.get("Location", "")
                return Got(answer.code, answer.read().decode(), location)
