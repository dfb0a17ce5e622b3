"""How smsd speaks with an OpenID Connect provider: what it fetches, bounds, keeps and refuses."""

from typing import Any
from urllib.parse import parse_qs, parse_qsl, urljoin, urlsplit

import pytest
import requests
from hostile_provider import BACK, NOW_S, STRANGER, Answer, HostileProvider, sign_in, signed
from joserfc.jwk import RSAKey
from provider_process import WAIT_S, ProviderProcess
from pydantic import ValidationError

from smsd.config_desk import OidcSection
from smsd.desk.access.oidc import Attempt, Person, Provider
from smsd.desk.access.oidc_attempts import Attempts
from smsd.desk.access.oidc_failures import Failure, SignInFailed
from storage.roles import Role

DISCOVERY = "/.well-known/openid-configuration"
JSON = {"Content-Type": "application/json"}


def through_the_browser(location: str, account: str) -> dict[str, str]:
    """Sign in at the real provider; the query that leads back to the desk."""
    with requests.Session() as browser:
        form = browser.get(location, timeout=WAIT_S)
        form.raise_for_status()
        asked = {"account": account, "say": "yes"}
        answer = browser.post(form.url, asked, allow_redirects=False, timeout=WAIT_S)
        while True:
            there = urljoin(answer.url, answer.headers["Location"])
            if there.startswith(BACK):
                return dict(parse_qsl(urlsplit(there).query))
            answer = browser.get(there, allow_redirects=False, timeout=WAIT_S)


@pytest.mark.parametrize(
    ("secret", "alg", "claims_in"),
    [
        ("odd: a+b/c %2B", "RS256", "id_token"),
        (None, "ES256", "userinfo"),
    ],
    ids=["secret", "public client, claims elsewhere"],
)
def test_a_provider_by_others(secret: str | None, alg: str, claims_in: str) -> None:
    """npm's oidc-provider, PKCE required: who signs in there is known here; his code works once."""
    with ProviderProcess() as process:
        process.serve(BACK, secret, alg, claims_in)
        section = OidcSection(
            issuer=process.issuer, client_id="smsd", roles={Role.AGENT: "desk-agents"}
        )
        provider = Provider(section, secret)
        now_s = provider_clock()
        location, attempt = provider.begin(BACK, now_s)
        answer = through_the_browser(location, "gunel")
        assert answer["state"] == attempt.state
        person = provider.finish(attempt, answer, now_s)
        assert person == Person("gunel.m", "gunel", frozenset({Role.AGENT}))
        with pytest.raises(SignInFailed) as again:
            provider.finish(attempt, answer, now_s)
        assert again.value.failure is Failure.CODE
        location, attempt = provider.begin(BACK, now_s)
        answer = through_the_browser(location, "gunel")
        with pytest.raises(SignInFailed) as stolen:  # a code without what its request kept back
            provider.finish(attempt._replace(verifier="x" * 43), answer, now_s)
        assert stolen.value.failure is Failure.CODE


def provider_clock() -> float:
    """The time that a process of its own goes by."""
    import time

    return time.time()


def test_what_is_asked_of_the_provider(hostile: HostileProvider) -> None:
    """The browser takes along a challenge, the token request its verifier and the secret."""
    provider = hostile.client(scope="openid groups")
    location, attempt = provider.begin(BACK, NOW_S)
    asked = dict(parse_qsl(urlsplit(location).query))
    assert location.startswith(f"{hostile.issuer}/authorise?")
    assert attempt.verifier not in location
    assert {key: asked[key] for key in asked if key != "code_challenge"} == {
        "response_type": "code",
        "client_id": "smsd",
        "redirect_uri": BACK,
        "scope": "openid groups",
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge_method": "S256",
    }
    hostile.nonce = attempt.nonce
    provider.finish(attempt, {"code": "the code"}, NOW_S)
    (form,) = hostile.forms
    assert parse_qs(form) == {
        "grant_type": ["authorization_code"],
        "code": ["the code"],
        "redirect_uri": [BACK],
        "code_verifier": [attempt.verifier],
    }
    assert hostile.authorizations[-1].startswith("Basic ")  # type: ignore[union-attr]
    values = (attempt.state, attempt.nonce, attempt.verifier, attempt.browser)
    assert len(set(values)) == 4
    assert all(len(value) >= 43 for value in values)


@pytest.mark.parametrize(
    ("path", "answer", "failure"),
    [
        (DISCOVERY, (302, {"Location": "/elsewhere"}, b""), Failure.ANSWER),
        (DISCOVERY, (200, JSON, b"[]"), Failure.ANSWER),
        (DISCOVERY, (200, JSON, b"{"), Failure.ANSWER),
        (DISCOVERY, (200, JSON, b"\xff\xfe"), Failure.ANSWER),
        (DISCOVERY, (404, JSON, b"{}"), Failure.DOWN),
        (DISCOVERY, (500, JSON, b"{}"), Failure.DOWN),
        (DISCOVERY, (200, JSON, b" " * 262_145), Failure.DOWN),
        ("/keys", (200, JSON, b"{}"), Failure.ANSWER),
        ("/keys", (200, JSON, b'{"keys": []}'), Failure.ANSWER),
        ("/keys", (200, JSON, b'{"keys": {"kty": "RSA"}}'), Failure.ANSWER),
        ("/keys", (200, JSON, b'{"keys": [{"kty": "RSA", "n": "!", "e": 3}]}'), Failure.ANSWER),
        ("/keys", (200, JSON, b'{"keys": [{"kty": "oct", "k": "AAAA"}]}'), Failure.ANSWER),
        ("/token", (302, {"Location": "/elsewhere"}, b""), Failure.ANSWER),
        ("/token", (200, JSON, b"[]"), Failure.ANSWER),
        ("/token", (200, JSON, b"{}"), Failure.ANSWER),
        ("/token", (200, JSON, b'{"id_token": 7}'), Failure.ANSWER),
        ("/token", (503, JSON, b"{}"), Failure.DOWN),
        ("/token", (401, JSON, b'{"error": "invalid_client"}'), Failure.ANSWER),
        ("/token", (400, JSON, b'{"error": "invalid_grant"}'), Failure.CODE),
        ("/token", (200, JSON, b" " * 262_145), Failure.DOWN),
    ],
)
def test_answers_that_cannot_be_used(
    hostile: HostileProvider, path: str, answer: Answer, failure: Failure
) -> None:
    """Whatever comes instead of the answer, it is one of the failures, and nothing is followed."""
    hostile.answers[path] = answer
    with pytest.raises(SignInFailed) as failed:
        sign_in(hostile)
    assert failed.value.failure is failure
    assert "/elsewhere" not in hostile.asked


@pytest.mark.parametrize("path", [DISCOVERY, "/token"])
def test_an_answer_that_never_ends(hostile: HostileProvider, path: str) -> None:
    """Piece by piece in good time each, and still the whole is over its time."""
    hostile.dripping = path
    with pytest.raises(SignInFailed) as failed:
        sign_in(hostile, hostile.client(timeout_s=0.3, answer_bytes_max=4_194_304))
    assert (failed.value.failure, failed.value.detail) == (Failure.DOWN, "ReadTimeout")


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://another.example"},
        {"issuer": None},
        {"token_endpoint": "http://another.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
        {"token_endpoint": 7},
    ],
)
def test_descriptions_that_lead_astray(hostile: HostileProvider, metadata: dict[str, Any]) -> None:
    """A description of another provider, or with ways that anybody could listen to, is not used."""
    hostile.metadata |= metadata
    with pytest.raises(SignInFailed) as failed:
        sign_in(hostile)
    assert failed.value.failure is Failure.ANSWER
    assert hostile.asked == [DISCOVERY]


@pytest.mark.parametrize("offered", [None, 7, "post", ["client_secret_post"]])
def test_how_the_secret_is_handed_over(hostile: HostileProvider, offered: object) -> None:
    """In the header, unless the provider takes it in the form alone."""
    hostile.metadata["token_endpoint_auth_methods_supported"] = offered
    assert sign_in(hostile).name == "gunel"
    by_form = isinstance(offered, list)
    assert ("client_secret=" in hostile.forms[0]) is by_form
    assert (hostile.authorizations[-1] is None) is by_form


def test_a_provider_that_is_down(hostile: HostileProvider) -> None:
    """Nobody listens there; when it is up again, so is the sign-in."""
    provider = hostile.client()
    answer, hostile.answers[DISCOVERY] = hostile.answer(DISCOVERY), (503, {}, b"")
    with pytest.raises(SignInFailed) as failed:
        sign_in(hostile, provider)
    assert failed.value.failure is Failure.DOWN
    hostile.answers[DISCOVERY] = answer
    assert sign_in(hostile, provider).name == "gunel"
    gone = HostileProvider()
    with gone:
        pass
    with pytest.raises(SignInFailed) as failed:
        gone.client().begin(BACK, NOW_S)
    assert (failed.value.failure, failed.value.detail) == (Failure.DOWN, "ConnectionError")


def test_description_and_keys_are_kept_for_a_while(hostile: HostileProvider) -> None:
    """Fetched once for many sign-ins, and again when they are old or the clock was set back."""
    provider = hostile.client(cached_s=100)

    def fetched(at_s: int) -> int:
        before = hostile.asked.count(DISCOVERY)
        provider.begin(BACK, at_s)
        return hostile.asked.count(DISCOVERY) - before

    assert [fetched(NOW_S + s) for s in (0, 1, 100, 101, 201, 202, 150)] == [1, 0, 0, 1, 0, 1, 1]


def test_a_new_key_is_looked_for_but_not_for_every_name(hostile: HostileProvider) -> None:
    """A key that came since is found; made-up names do not have smsd ask again and again."""
    provider = hostile.client(keys_again_s=30)
    assert sign_in(hostile, provider).name == "gunel"
    fresh = RSAKey.generate_key(2048, {"kid": "fresh"})
    hostile.keys.append(fresh.as_dict(private=False))
    hostile.token = lambda claims: {"id_token": signed(claims, key=fresh), "access_token": "a"}
    with pytest.raises(SignInFailed):
        sign_in(hostile, provider, NOW_S + 30)
    assert sign_in(hostile, provider, NOW_S + 31).name == "gunel"
    assert hostile.asked.count("/keys") == 2
    hostile.token = lambda claims: {
        "id_token": signed(claims, key=STRANGER, kid="made up"),
        "access_token": "a",
    }
    for _ in range(3):
        with pytest.raises(SignInFailed):
            sign_in(hostile, provider, NOW_S + 32)
    assert hostile.asked.count("/keys") == 2


def test_claims_that_are_told_elsewhere(hostile: HostileProvider) -> None:
    """What the token lacks is asked for by its owner, and must be about the same person."""
    hostile.metadata["userinfo_endpoint"] = f"{hostile.issuer}/userinfo"
    hostile.claims = lambda sound: {k: v for k, v in sound.items() if k != "groups"}
    hostile.userinfo = {"sub": "s-1", "groups": ["desk-police"], "preferred_username": "other"}
    assert sign_in(hostile) == Person("gunel", "s-1", frozenset({Role.POLICE}))
    assert hostile.authorizations[-1] == "Bearer opaque"
    hostile.userinfo["sub"] = "s-2"
    with pytest.raises(SignInFailed) as failed:
        sign_in(hostile)
    assert (failed.value.failure, failed.value.detail) == (Failure.ANSWER, "userinfo: sub")


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        ({"error": "access_denied", "error_description": "AZE1"}, Failure.DENIED),
        ({"error": "<script>"}, Failure.DENIED),
        ({"code": "c", "iss": "https://another.example"}, Failure.ANSWER),
        ({}, Failure.ANSWER),
    ],
)
def test_what_the_browser_may_come_back_with(
    hostile: HostileProvider, answer: dict[str, str], failure: Failure
) -> None:
    """A no, an answer of another provider, or none at all: no code is redeemed."""
    provider = hostile.client()
    _, attempt = provider.begin(BACK, NOW_S)
    with pytest.raises(SignInFailed) as failed:
        provider.finish(attempt, answer, NOW_S)
    assert failed.value.failure is failure
    assert "/token" not in hostile.asked


@pytest.mark.parametrize(
    "issuer",
    ["http://sso.example", "ftp://sso.example", "https://sso.example/?a=1", "https://x.example/#a"],
)
def test_issuers_that_are_not_taken(issuer: str) -> None:
    """A way that others can listen to is refused when the configuration is read."""
    with pytest.raises(ValidationError):
        OidcSection(issuer=issuer, client_id="smsd")


def test_attempts_are_taken_once_in_time_and_by_their_browser() -> None:
    """Wrong state, wrong browser, too late, twice: none. The oldest of too many is forgotten."""
    attempts = Attempts(attempt_s=600, attempts_max=2)
    first, second, third = (Attempt(f"s{n}", "", "", f"b{n}", BACK) for n in range(3))
    attempts.keep(first, 0)
    attempts.keep(second, 0)
    assert attempts.take("s9", "b0", 1) is None
    assert attempts.take("s0", "b1", 1) is None
    assert attempts.take("s0", "", 1) is None
    assert attempts.take("s0", "ə", 1) is None
    assert attempts.take("s0", "b0", 599.9) == first
    assert attempts.take("s0", "b0", 1) is None
    assert attempts.take("s1", "b1", 600) is None
    for attempt in (first, second, third):
        attempts.keep(attempt, 0)
    assert attempts.take("s0", "b0", 1) is None
    assert attempts.take("s2", "b2", 1) == third
