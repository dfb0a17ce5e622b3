"""Sign-in by an OpenID Connect provider: authorisation code with PKCE.

OpenID Connect Core 1.0 §3.1, Discovery 1.0 §4, RFC 7636 (PKCE), RFC 9207 (iss in the response).
"""

import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from authlib.integrations.base_client import OAuthError
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from smsd.config_desk import OidcSection
from smsd.desk.access.oidc_failures import Failure, SignInFailed, error_code
from smsd.desk.access.oidc_http import client, get_json
from smsd.desk.access.oidc_token import Expected, UnknownKey, proven_claims, signing_keys
from storage.roles import Role

__all__ = ["Attempt", "Person", "Provider"]

_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_SECRET_BYTES = 32  # 43 characters, the fewest that RFC 7636 §4.1 admits for a verifier


class Attempt(NamedTuple):
    """One sign-in under way: what must come back, from which browser, and to which address.

    onward: where in the desk its owner wanted to go.
    """

    state: str
    nonce: str
    verifier: str
    browser: str
    back: str
    onward: str = "/"


class Person(NamedTuple):
    """Whom the provider vouches for. subject: never changes, and is unique with the issuer.

    roles: perhaps none; whoever had some then has them no longer.
    """

    name: str
    subject: str
    roles: frozenset[Role]


class _Kept(NamedTuple):
    """What was fetched from the provider, and when."""

    since_s: float
    metadata: Mapping[str, Any]
    keys: KeySet


class Provider:
    """The provider that [desk.oidc] names. Every method may wait for it: call them in a thread.

    now_s: Unix time, as the caller's clock has it. All raise SignInFailed.
    """

    def __init__(self, section: OidcSection, secret: str | None) -> None:
        self._section = section
        self._secret = secret
        self._kept: _Kept | None = None  # replaced whole, so threads need no lock

    def begin(self, back: str, now_s: float) -> tuple[str, Attempt]:
        """Where to send the browser, and what to keep until it is at `back` again."""
        state, nonce, verifier, browser = (secrets.token_urlsafe(_SECRET_BYTES) for _ in range(4))
        metadata = self._known(now_s).metadata
        with client(self._section, self._secret, self._auth_method(metadata), back) as session:
            location, _ = session.create_authorization_url(
                metadata["authorization_endpoint"], state, verifier, nonce=nonce
            )
        return location, Attempt(state, nonce, verifier, browser, back)

    def finish(self, attempt: Attempt, answer: Mapping[str, str], now_s: float) -> Person:
        """Whom the provider vouches for. answer: the query that the browser came back with."""
        if "error" in answer:
            raise SignInFailed(Failure.DENIED, error_code(answer["error"]))
        # RFC 9207 §2.4: an answer of another provider must not be redeemed with this one.
        if answer.get("iss", self._section.issuer) != self._section.issuer or "code" not in answer:
            raise SignInFailed(Failure.ANSWER, "response")
        known = self._known(now_s)
        auth_method = self._auth_method(known.metadata)
        with client(self._section, self._secret, auth_method, attempt.back) as session:
            token = self._redeem(session, known, attempt, answer["code"])
            claims = self._proven(token, known, attempt, now_s)
            return self._person(self._completed(session, known, token, claims))

    def _known(self, now_s: float, not_before_s: float | None = None) -> _Kept:
        """The provider's description and keys, no older than they may be."""
        kept = self._kept
        oldest_s = now_s - self._section.cached_s if not_before_s is None else not_before_s
        # A clock that was set back must not keep them for ever.
        if kept is None or not oldest_s <= kept.since_s <= now_s:
            kept = self._kept = self._fetched(now_s)
        return kept

    def _fetched(self, now_s: float) -> _Kept:
        issuer = self._section.issuer
        with client(self._section, None, "none", "") as session:
            try:
                # Discovery §4.1: a slash at the end of the issuer goes first.
                address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
                metadata = get_json(session, address)
                # Discovery §4.3: else one provider could speak for another.
                if metadata.get("issuer") != issuer:
                    raise ValueError("another issuer")
                for endpoint in _ENDPOINTS:
                    self._require_sound(metadata.get(endpoint))
                keys = get_json(session, metadata["jwks_uri"])["keys"]
                return _Kept(now_s, metadata, signing_keys(keys))
            except (ValueError, TypeError, KeyError, AttributeError, JoseError) as fault:
                raise SignInFailed(Failure.ANSWER, f"discovery: {type(fault).__name__}") from fault
            except OSError as fault:
                raise SignInFailed(Failure.DOWN, type(fault).__name__) from fault

    def _require_sound(self, url: object) -> None:
        """An endpoint is as well guarded on its way as the issuer itself."""
        if not isinstance(url, str):
            raise ValueError("no endpoint")
        found, issuer = urlsplit(url), urlsplit(self._section.issuer)
        if found.scheme != "https" and found[:2] != issuer[:2]:
            raise ValueError("an endpoint without TLS")

    def _auth_method(self, metadata: Mapping[str, Any]) -> str:
        if self._secret is None:
            return "none"
        # Discovery §3: client_secret_basic where nothing is said.
        offered = metadata.get("token_endpoint_auth_methods_supported")
        wants_post = isinstance(offered, list) and "client_secret_basic" not in offered
        return "client_secret_post" if wants_post else "client_secret_basic"

    def _redeem(self, session: Any, known: _Kept, attempt: Attempt, code: str) -> Mapping[str, Any]:
        try:
            token: Mapping[str, Any] = session.fetch_token(
                known.metadata["token_endpoint"],
                grant_type="authorization_code",
                code=code,
                code_verifier=attempt.verifier,
                allow_redirects=False,
            )
        except OAuthError as fault:
            failure = Failure.CODE if fault.error == "invalid_grant" else Failure.ANSWER
            raise SignInFailed(failure, error_code(fault.error)) from fault
        except (ValueError, TypeError) as fault:  # requests' JSONDecodeError is an OSError, too
            raise SignInFailed(Failure.ANSWER, f"token: {type(fault).__name__}") from fault
        except OSError as fault:
            raise SignInFailed(Failure.DOWN, type(fault).__name__) from fault
        if not isinstance(token.get("id_token"), str):
            raise SignInFailed(Failure.ANSWER, "no id_token")
        return token

    def _proven(
        self, answer: Mapping[str, Any], known: _Kept, attempt: Attempt, now_s: float
    ) -> dict[str, Any]:
        section = self._section
        expected = Expected(
            section.issuer, section.client_id, attempt.nonce, round(section.leeway_s)
        )
        try:
            return proven_claims(answer, known.keys, expected, now_s)
        except UnknownKey:
            # The provider has a new key; whoever makes key names up has us ask only so often.
            fresh = self._known(now_s, not_before_s=now_s - section.keys_again_s)
            return proven_claims(answer, fresh.keys, expected, now_s)

    def _completed(
        self, session: Any, known: _Kept, token: Mapping[str, Any], claims: dict[str, Any]
    ) -> dict[str, Any]:
        """The claims with those that the provider tells only at its userinfo endpoint."""
        section, endpoint = self._section, known.metadata.get("userinfo_endpoint")
        if endpoint is None or {section.roles_claim, section.name_claim} <= claims.keys():
            return claims
        try:
            self._require_sound(endpoint)
            more = get_json(session, endpoint, bearer=str(token["access_token"]))
        except (ValueError, KeyError) as fault:
            raise SignInFailed(Failure.ANSWER, f"userinfo: {type(fault).__name__}") from fault
        except OSError as fault:
            raise SignInFailed(Failure.DOWN, type(fault).__name__) from fault
        if more.get("sub") != claims["sub"]:  # Core §5.3.2: else it is about somebody else
            raise SignInFailed(Failure.ANSWER, "userinfo: sub")
        return more | claims

    def _person(self, claims: Mapping[str, Any]) -> Person:
        section = self._section
        given = claims.get(section.roles_claim)
        groups = given if isinstance(given, list) else [given]
        roles = frozenset(role for role, group in section.roles.items() if group in groups)
        name = claims.get(section.name_claim)
        if not isinstance(name, str):
            raise SignInFailed(Failure.NO_NAME, section.name_claim)
        return Person(name, claims["sub"], roles)
