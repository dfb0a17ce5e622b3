"""Sign-in by an OpenID Connect provider: authorisation code with PKCE, and the token's proof.

OpenID Connect Core 1.0 §3.1, Discovery 1.0 §4, RFC 7636 (PKCE), RFC 9207 (iss in the response).
"""

import secrets
import warnings
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from authlib.integrations.base_client import OAuthError
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidKeyIdError, JoseError, SecurityWarning
from joserfc.jwk import KeySet

from smsd.config_desk import OidcSection
from smsd.desk.access.oidc_http import client, get_json
from storage.roles import Role

__all__ = ["Attempt", "Failure", "Person", "Provider", "SignInFailed"]

# Asymmetric ones only: with HS256 whoever knows the client's secret, or a public key that is
# taken for one, could sign; "none" is no signature. EdDSA is the older name of Ed25519.
_ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
# The name is what joserfc warns of, not the algorithm; the log has no room for it.
warnings.filterwarnings("ignore", message="EdDSA is deprecated", category=SecurityWarning)
_KEY_TYPES = frozenset({"RSA", "EC", "OKP"})
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_SECRET_BYTES = 32  # 43 characters, the fewest that RFC 7636 §4.1 admits for a verifier


class Failure(StrEnum):
    """Why nobody was signed in; each has its words at the desk."""

    DOWN = "down"  # the provider cannot be reached
    ANSWER = "answer"  # the provider answers what cannot be used
    CODE = "code"  # the provider does not take the code: used, or too old
    TOKEN = "token"  # noqa: S105 - the token is not sound, or not for us
    EXPIRED = "expired"  # the token's time is over: the clocks differ, or it was held back
    DENIED = "denied"  # the provider, or the person there, says no
    UNKNOWN = "unknown"  # a return without a beginning in this browser, or too late
    NO_ROLE = "no_role"  # known there, and nobody here
    NO_NAME = "no_name"  # nothing that the audit could call him
    TAKEN = "taken"  # another user of the desk has that name
    BUSY = "busy"  # too many others are signing in


class SignInFailed(Exception):
    """Nobody was signed in. detail: for the log; names nobody."""

    def __init__(self, failure: Failure, detail: str) -> None:
        super().__init__(f"{failure}: {detail}")
        self.failure = failure
        self.detail = detail


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
    """Whom the provider vouches for. subject: never changes, and is unique with the issuer."""

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
            raise SignInFailed(Failure.DENIED, _word(answer["error"]))
        # RFC 9207 §2.4: an answer of another provider must not be redeemed with this one.
        if answer.get("iss", self._section.issuer) != self._section.issuer or "code" not in answer:
            raise SignInFailed(Failure.ANSWER, "response")
        known = self._known(now_s)
        auth_method = self._auth_method(known.metadata)
        with client(self._section, self._secret, auth_method, attempt.back) as session:
            token = self._redeem(session, known, attempt, answer["code"])
            claims = self._verified(token, known, attempt, now_s)
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
                return _Kept(now_s, metadata, _signing_keys(keys))
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
        offered = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"

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
            raise SignInFailed(failure, _word(fault.error)) from fault
        except (ValueError, TypeError) as fault:  # requests' JSONDecodeError is an OSError, too
            raise SignInFailed(Failure.ANSWER, f"token: {type(fault).__name__}") from fault
        except OSError as fault:
            raise SignInFailed(Failure.DOWN, type(fault).__name__) from fault
        if not isinstance(token.get("id_token"), str):
            raise SignInFailed(Failure.ANSWER, "no id_token")
        return token

    def _verified(
        self, token: Mapping[str, Any], known: _Kept, attempt: Attempt, now_s: float
    ) -> dict[str, Any]:
        """The claims of an ID token that is sound, for us, and of this attempt (Core §3.1.3.7)."""
        section = self._section
        try:
            found = self._decoded(token["id_token"], known, now_s)
            claims = CodeIDToken(
                found.claims,
                found.header,
                options={
                    "iss": {"essential": True, "value": section.issuer},
                    "aud": {"essential": True, "value": section.client_id},
                },
                params={
                    "nonce": attempt.nonce,
                    "client_id": section.client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(int(now_s), int(section.leeway_s))
        except ExpiredTokenError as fault:
            raise SignInFailed(Failure.EXPIRED, fault.error) from fault
        except JoseError as fault:
            detail = str(getattr(fault, "claim", "") or fault.error)
            raise SignInFailed(Failure.TOKEN, _word(detail)) from fault
        except (ValueError, TypeError, AttributeError) as fault:  # what joserfc lets through
            raise SignInFailed(Failure.TOKEN, type(fault).__name__) from fault
        return dict(claims)

    def _decoded(self, token: str, known: _Kept, now_s: float) -> jwt.Token:
        try:
            return jwt.decode(token, known.keys, algorithms=_ALGORITHMS)
        except InvalidKeyIdError:
            # The provider has a new key; whoever makes key names up has us ask only so often.
            fresh = self._known(now_s, not_before_s=now_s - self._section.keys_again_s)
            if fresh is known:
                raise
            return jwt.decode(token, fresh.keys, algorithms=_ALGORITHMS)

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
        if not isinstance(name, str) or not name.isprintable() or not name.strip():
            raise SignInFailed(Failure.NO_NAME, section.name_claim)
        if not roles:
            raise SignInFailed(Failure.NO_ROLE, section.roles_claim)
        return Person(name.strip(), claims["sub"], roles)


def _signing_keys(keys: list[dict[str, Any]]) -> KeySet:
    """The keys that may verify a signature; symmetric ones and those for encryption are not."""
    return KeySet.import_key_set(
        {
            "keys": [
                key
                for key in keys
                if key.get("kty") in _KEY_TYPES and key.get("use", "sig") == "sig"
            ]
        }
    )


def _word(said: object) -> str:
    """A word of the protocol, fit for a log line whatever the provider made of it."""
    word = str(said)
    return word if word.isascii() and word.replace("_", "").isalnum() and len(word) < 50 else "?"
