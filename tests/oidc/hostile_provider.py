"""A provider of our own on loopback that signs, describes and answers as badly as it is told."""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from smsd.config_desk import OidcSection
from smsd.desk.access.oidc import Person, Provider

NOW_S = 1_800_000_000
SECRET = "the secret of the client, long enough to sign with"
BACK = "http://127.0.0.1:8103/sign-in/oidc/back"

KEYS: dict[str, Key] = {
    "RS256": RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}),
    "ES256": ECKey.generate_key("P-256", {"kid": "ec"}),
    "EdDSA": OKPKey.generate_key("Ed25519", {"kid": "ed"}),
}
KEYS["PS256"] = KEYS["RS256"]
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa"})

Answer = tuple[int, dict[str, str], bytes]


def signed(
    claims: dict[str, Any], alg: str = "RS256", key: Key | None = None, **header: Any
) -> str:
    """A JWT; header: instead of, or besides, alg and the key's kid."""
    key = key or KEYS[alg]
    return jwt.encode({"alg": alg, "kid": key.kid} | header, claims, key, algorithms=[alg])


class HostileProvider:
    """Sound until told otherwise. A context manager that ends it.

    metadata, keys, userinfo: what it tells. claims, token: of the sound claims, what the token has,
    and the token endpoint's answer. answers: by path, instead of all that. dripping: a path whose
    answer never ends. let_go: it answers nobody before this is set. asked, authorizations,
    forms: paths, headers and bodies, in turn.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.dripping = ""
        self.let_go = threading.Event()
        self.let_go.set()
        self.asked: list[str] = []
        self.forms: list[str] = []
        self.authorizations: list[str | None] = []
        self.nonce = ""
        self.keys: list[Any] = [key.as_dict(private=False) for key in KEYS.values()]
        self.userinfo: dict[str, Any] = {}
        self.claims: Callable[[dict[str, Any]], dict[str, Any]] = lambda sound: sound
        self.token: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: {
            "access_token": "opaque",
            "token_type": "Bearer",
            "id_token": signed(claims),
        }
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                provider.asked.append(self.path)
                provider.authorizations.append(self.headers["Authorization"])
                length = int(self.headers.get("Content-Length", 0))
                if length:
                    provider.forms.append(self.rfile.read(length).decode())
                provider.let_go.wait()
                status, headers, body = provider.answer(self.path)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                with suppress(OSError):  # until they have had enough
                    while self.path == provider.dripping:
                        self.wfile.write(b" ")

            def do_POST(self) -> None:
                self.do_GET()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.metadata: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorise",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def sound_claims(self) -> dict[str, Any]:
        """What an ID token of the attempt under way should say at NOW_S."""
        return {
            "iss": self.issuer,
            "aud": "smsd",
            "sub": "s-1",
            "iat": NOW_S - 5,
            "exp": NOW_S + 300,
            "nonce": self.nonce,
            "preferred_username": "gunel",
            "groups": ["desk-agents"],
        }

    def answer(self, path: str) -> Answer:
        """What it says at a path."""
        if path in self.answers:
            return self.answers[path]
        found: dict[str, Callable[[], Any]] = {
            "/.well-known/openid-configuration": lambda: self.metadata,
            "/keys": lambda: {"keys": self.keys},
            "/token": lambda: self.token(self.claims(self.sound_claims())),
            "/userinfo": lambda: self.userinfo,
        }
        return 200, {"Content-Type": "application/json"}, json.dumps(found[path]()).encode()

    def client(self, **settings: Any) -> Provider:
        """Our side of it."""
        given = {
            "issuer": self.issuer,
            "client_id": "smsd",
            "roles": {"agent": "desk-agents", "police": "desk-police"},
        }
        return Provider(OidcSection(**given | settings), SECRET)


def sign_in(
    hostile: HostileProvider, provider: Provider | None = None, at_s: int = NOW_S
) -> Person:
    """All of it, from leaving the desk to being known."""
    provider = provider or hostile.client()
    location, attempt = provider.begin(BACK, at_s)
    (hostile.nonce,) = parse_qs(urlsplit(location).query)["nonce"]
    return provider.finish(attempt, {"code": "c", "state": attempt.state}, at_s)
