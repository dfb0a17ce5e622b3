"""HTTP to an OpenID Connect provider: within a time, of a size, and never led elsewhere."""

import base64
import io
import time
from typing import Any
from urllib.parse import quote_plus

from authlib.integrations.requests_client import OAuth2Session
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import ReadTimeout

from smsd.config_desk import OidcSection

__all__ = ["TooLarge", "client", "get_json"]

_PIECE_BYTES = 16_384


class TooLarge(OSError):
    """The provider answers with more than is read of it."""


class _BoundedAdapter(HTTPAdapter):
    """Reads an answer whole, up to a size and a time; requests alone knows a bound for neither."""

    def __init__(self, timeout_s: float, bytes_max: int) -> None:
        super().__init__()
        self._timeout_s = timeout_s
        self._bytes_max = bytes_max

    def send(self, request: PreparedRequest, *_: Any, **options: Any) -> Response:
        deadline_s = time.monotonic() + self._timeout_s
        options |= {"stream": True, "timeout": self._timeout_s}
        answer = super().send(request, **options)
        octets = bytearray()
        try:
            while piece := answer.raw.read1(_PIECE_BYTES, decode_content=False):
                octets += piece
                if len(octets) > self._bytes_max:
                    raise TooLarge
                if time.monotonic() > deadline_s:  # it drips: each piece within its time
                    raise ReadTimeout(request=request)
        finally:
            answer.close()
        answer.raw = io.BytesIO(octets)
        return answer


def client(section: OidcSection, secret: str | None, auth_method: str, back: str) -> OAuth2Session:
    """A session with the provider for one errand. back: the redirect_uri."""
    session = OAuth2Session(
        section.client_id,
        secret,
        token_endpoint_auth_method=auth_method,
        scope=section.scope,
        redirect_uri=back,
        code_challenge_method="S256",
    )
    session.register_client_auth_method(("client_secret_basic", _by_header))
    adapter = _BoundedAdapter(section.timeout_s, section.answer_bytes_max)
    session.mount("https://", adapter)
    session.mount("http://", adapter)  # a provider on loopback; see OidcSection
    # What is packed small could unpack to any size.
    session.headers["Accept-Encoding"] = "identity"
    if section.ca_file is not None:
        session.verify = str(section.ca_file)
    return session


def _by_header(
    client: Any, _method: str, uri: str, headers: dict[str, str], body: str
) -> tuple[str, dict[str, str], str]:
    """RFC 6749 §2.3.1 encodes both before they are joined; Authlib joins them as they are."""
    pair = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return uri, headers, body


def get_json(session: OAuth2Session, url: str, bearer: str | None = None) -> dict[str, Any]:
    """The JSON object at an address, which must not be a redirection.

    Raises:
        OSError: it cannot be had, or is too large; requests' exceptions are some.
        ValueError: it is no JSON object.
    """
    headers = {"Accept": "application/json"}
    if bearer is not None:
        headers["Authorization"] = f"Bearer {bearer}"
    answer = session.get(url, withhold_token=True, allow_redirects=False, headers=headers)
    answer.raise_for_status()
    if answer.status_code != 200:
        raise ValueError(f"HTTP {answer.status_code}")
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError("no JSON object")
    return found
