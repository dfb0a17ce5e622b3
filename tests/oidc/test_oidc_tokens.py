"""What smsd takes from an OpenID Connect provider for proof, and what it does not."""

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from hostile_provider import KEYS, NOW_S, SECRET, STRANGER, HostileProvider, sign_in, signed
from joserfc.jwk import OctKey, RSAKey

from smsd.desk.access.oidc import Person
from smsd.desk.access.oidc_failures import Failure, SignInFailed
from storage.roles import Role

Claims = dict[str, Any]
GUNEL = Person("gunel", "s-1", frozenset({Role.AGENT}))
LEEWAY_S = 60


def changed(**claims: Any) -> Callable[[Claims], Claims]:
    """The sound claims with these; None takes one out."""
    return lambda sound: {k: v for k, v in (sound | claims).items() if v is not None}


def with_token(make: Callable[[Claims], str]) -> Callable[[Claims], Claims]:
    """An answer of the token endpoint with that ID token."""
    return lambda claims: {"access_token": "a", "token_type": "Bearer", "id_token": make(claims)}


def packed(octets: bytes) -> str:
    """base64url as JWS has it."""
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def by_hand(claims: Claims, sign: Callable[[bytes], bytes], **header: str) -> str:
    """A JWT that no library would make."""
    signing = ".".join(packed(json.dumps(part).encode()) for part in (header, claims))
    return f"{signing}.{packed(sign(signing.encode()))}"


def unsigned(claims: Claims) -> str:
    """alg: none."""
    return by_hand(claims, lambda _: b"", alg="none")


def signed_with_the_public_key(claims: Claims) -> str:
    """HS256, whose secret is what everybody may know."""
    public = KEYS["RS256"].as_pem(private=False)
    return by_hand(claims, lambda text: hmac.digest(public, text, "sha256"), alg="HS256", kid="rsa")


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_sound_token_signs_in(hostile: HostileProvider, alg: str) -> None:
    """Each algorithm of the list is good for a sign-in."""
    hostile.token = with_token(lambda claims: signed(claims, alg))
    assert sign_in(hostile) == GUNEL


@pytest.mark.parametrize(
    "claims",
    [
        changed(exp=NOW_S - LEEWAY_S + 1),
        changed(iat=NOW_S + LEEWAY_S),
        changed(nbf=NOW_S + LEEWAY_S),
        changed(aud=["smsd", "another"], azp="smsd"),
        changed(aud=["smsd"]),
    ],
    ids=["just not expired", "issued just now there", "valid just now", "one of two", "list"],
)
def test_what_is_just_sound(hostile: HostileProvider, claims: Callable[[Claims], Claims]) -> None:
    """Clocks may differ by so much, and an audience may be a list."""
    hostile.claims = claims
    assert sign_in(hostile) == GUNEL


@pytest.mark.parametrize(
    ("claims", "failure", "detail"),
    [
        (changed(exp=NOW_S - LEEWAY_S), Failure.EXPIRED, "expired_token"),
        (changed(exp=None), Failure.TOKEN, "exp"),
        (changed(exp="never"), Failure.TOKEN, "exp"),
        (changed(iat=NOW_S + LEEWAY_S + 1), Failure.TOKEN, "iat"),
        (changed(nbf=NOW_S + LEEWAY_S + 1), Failure.TOKEN, "nbf"),
        (changed(iss="https://elsewhere.example"), Failure.TOKEN, "iss"),
        (changed(iss=None), Failure.TOKEN, "iss"),
        (changed(aud="another"), Failure.TOKEN, "aud"),
        (changed(aud=["smsd", "another"]), Failure.TOKEN, "azp"),
        (changed(azp="another"), Failure.TOKEN, "azp"),
        (changed(nonce="of another attempt"), Failure.TOKEN, "nonce"),
        (changed(nonce=None), Failure.TOKEN, "nonce"),
        (changed(sub=None), Failure.TOKEN, "sub"),
        (changed(sub=["s-1"]), Failure.TOKEN, "sub"),
        (changed(at_hash="bm90IGl0"), Failure.TOKEN, "at_hash"),
        (changed(preferred_username=None), Failure.NO_NAME, "preferred_username"),
        (changed(preferred_username=["gunel"]), Failure.NO_NAME, "preferred_username"),
    ],
)
def test_claims_that_prove_nothing(
    hostile: HostileProvider, claims: Callable[[Claims], Claims], failure: Failure, detail: str
) -> None:
    """One claim amiss in a token that is signed well, and nobody is signed in."""
    hostile.claims = claims
    with pytest.raises(SignInFailed) as failed:
        sign_in(hostile)
    assert (failed.value.failure, failed.value.detail) == (failure, detail)


@pytest.mark.parametrize(
    "make",
    [
        unsigned,
        signed_with_the_public_key,
        lambda claims: signed(claims, "HS256", OctKey.import_key(SECRET), kid="rsa"),
        lambda claims: signed(claims, "RS384", KEYS["RS256"]),
        lambda claims: signed(claims, key=STRANGER),
        lambda claims: signed(claims, key=STRANGER, kid="of nobody"),
        lambda claims: signed(claims, "RS256", kid="ec"),
        lambda claims: signed(claims, jwk=STRANGER.as_dict(private=False), key=STRANGER),
        lambda claims: signed(claims)[:-4],
        lambda claims: signed(claims).rpartition(".")[0] + ".",
        lambda claims: signed(claims | {"sub": "s-2"}).rsplit(".", 1)[0]
        + "."
        + signed(claims).rsplit(".", 1)[1],
        lambda _: "no.token.atall",
        lambda _: "",
        lambda _: "bnVsbA.bnVsbA.bnVsbA",
        lambda _: "W10.W10.W10",
        lambda _: "eyJhbGciOm51bGx9.e30.AA",
    ],
    ids=[
        "unsigned", "public key as a secret", "client's secret", "another digest", "stranger",
        "unknown key", "wrong kind of key", "key in the header", "cut", "without signature",
        "another's signature", "no token", "empty", "null", "lists", "alg null",
    ],
)  # fmt: skip
def test_signatures_that_prove_nothing(
    hostile: HostileProvider, make: Callable[[Claims], str]
) -> None:
    """Sound claims count for nothing unless a key of the provider signed them."""
    hostile.token = with_token(make)
    with pytest.raises(SignInFailed) as failed:
        sign_in(hostile)
    assert failed.value.failure is Failure.TOKEN


def test_a_key_for_encryption_signs_nothing(hostile: HostileProvider) -> None:
    """What the provider marks for another use is not looked at."""
    key = RSAKey.generate_key(2048, {"kid": "enc"})
    hostile.keys.append(key.as_dict(private=False) | {"use": "enc"})
    hostile.token = with_token(lambda claims: signed(claims, key=key))
    with pytest.raises(SignInFailed) as failed:
        sign_in(hostile)
    assert failed.value.failure is Failure.TOKEN


def test_the_word_of_one_value(hostile: HostileProvider) -> None:
    """A claim may be a word instead of a list, and may give several roles."""
    hostile.claims = changed(groups="desk-police")
    assert sign_in(hostile).roles == {Role.POLICE}
    hostile.claims = changed(groups=["desk-police", "desk-agents", 7, None])
    assert sign_in(hostile).roles == {Role.POLICE, Role.AGENT}


@pytest.mark.parametrize("groups", [None, [], ["desk-agents-of-others"], {"desk-agents": True}, 7])
def test_who_has_no_role(hostile: HostileProvider, groups: object) -> None:
    """Whatever else stands in the claim makes nobody anything."""
    hostile.claims = changed(groups=groups)
    assert sign_in(hostile).roles == frozenset()


def test_nothing_personal_is_told(hostile: HostileProvider) -> None:
    """A failure's words are the protocol's, whatever the provider puts there."""
    hostile.token = lambda _: {"error": "gunel +994 50 000 00 00", "error_description": "AZE1"}
    with pytest.raises(SignInFailed) as failed:
        sign_in(hostile)
    assert str(failed.value) == "answer: another error"
