"""The proof of an ID token: signed by the provider, for us, now, and in answer to this attempt.

OpenID Connect Core 1.0 §3.1.3.7.
"""

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidKeyIdError, JoseError, SecurityWarning
from joserfc.jwk import KeySet

from smsd.desk.access.oidc_failures import Failure, SignInFailed

__all__ = ["Expected", "UnknownKey", "proven_claims", "signing_keys"]

# Asymmetric ones only: with HS256 whoever knows the client's secret, or a public key that is
# taken for one, could sign; "none" is no signature. EdDSA is the older name of Ed25519.
_ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
# The name is what joserfc warns of, not the algorithm; the log has no room for it.
warnings.filterwarnings("ignore", message="EdDSA is deprecated", category=SecurityWarning)
_KEY_TYPES = frozenset({"RSA", "EC", "OKP"})


class Expected(NamedTuple):
    """What the token must say. leeway_s: between the provider's clock and ours."""

    issuer: str
    client_id: str
    nonce: str
    leeway_s: int


class UnknownKey(SignInFailed):
    """The token names a key that is not among those that were given."""


def signing_keys(keys: list[dict[str, Any]]) -> KeySet:
    """The keys that may verify a signature: no symmetric ones; joserfc minds what each is for.

    Raises:
        JoseError, ValueError, TypeError, AttributeError: they are none.
    """
    return KeySet.import_key_set({"keys": [key for key in keys if key.get("kty") in _KEY_TYPES]})


def proven_claims(
    answer: Mapping[str, Any], keys: KeySet, expected: Expected, now_s: float
) -> dict[str, Any]:
    """The claims of the ID token in an answer of the token endpoint.

    Raises:
        UnknownKey: it may be sound by a newer key.
        SignInFailed: it is not.
    """
    try:
        found = jwt.decode(answer["id_token"], keys, algorithms=_ALGORITHMS)
        claims = CodeIDToken(
            found.claims,
            found.header,
            options={
                "iss": {"essential": True, "value": expected.issuer},
                "aud": {"essential": True, "value": expected.client_id},
            },
            params={
                "nonce": expected.nonce,
                "client_id": expected.client_id,
                "access_token": answer.get("access_token"),
            },
        )
        claims.validate(int(now_s), expected.leeway_s)
    except InvalidKeyIdError as fault:
        raise UnknownKey(Failure.TOKEN, fault.error) from fault
    except ExpiredTokenError as fault:
        raise SignInFailed(Failure.EXPIRED, fault.error) from fault
    except JoseError as fault:
        detail = str(getattr(fault, "claim", "") or fault.error)
        raise SignInFailed(Failure.TOKEN, detail) from fault
    except (ValueError, TypeError, AttributeError) as fault:  # what joserfc lets through
        raise SignInFailed(Failure.TOKEN, type(fault).__name__) from fault
    return dict(claims)
