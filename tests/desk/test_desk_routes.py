"""Every route of the desk, one by one: who may use it, what it says about itself, and whose it is.

`ROUTES` is what was meant; a route that is missing here, or gone from the desk, fails.
"""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from desk_stage import DeskStage, Got, open_stage

from smsd.desk.web.headers import COMMON, FORM, SESSION, carried
from storage import sessions, tokens, users
from storage.roles import Role, Scope
from storage.sessions import Lifetime

STRANGER = "192.0.2.7"
S_US = 1_000_000
YEAR_US = 365 * 86_400 * S_US

AGENT, AUDITOR, POLICE, POLICY = Role.AGENT, Role.AUDITOR, Role.POLICE, Role.POLICY
ADMIN, VIEWER = Role.ADMIN, Role.VIEWER
ALL = frozenset(Role)


class Who(NamedTuple):
    """Who may: the roles, or None for anybody; a token's scope; who sits at this machine."""

    roles: frozenset[Role] | None = ALL
    scope: Scope | None = None
    here: bool = False


def roles(*those: Role, scope: Scope | None = None, here: bool = False) -> Who:
    return Who(frozenset(those), scope, here)


ANYBODY = Who(None)
WATCHERS = roles(VIEWER, ADMIN, scope=Scope.METRICS, here=True)
READERS = roles(POLICY, AUDITOR, ADMIN)

ROUTES: dict[str, Who] = {
    "GET /": Who(),
    "GET /live": Who(),
    "GET /live.json": Who(),
    "GET /history.json": Who(),
    "GET /status.json": WATCHERS,
    "GET /metrics": WATCHERS,
    "GET /livez": ANYBODY,
    "GET /readyz": ANYBODY,
    "GET /static/{digest}/{file}": ANYBODY,
    "GET /rules": ANYBODY,
    "GET /rules/{language}": ANYBODY,
    "GET /sign-in": ANYBODY,
    "POST /sign-in": ANYBODY,
    "POST /sign-in/choose": ANYBODY,
    "GET /sign-in/oidc": ANYBODY,
    "GET /sign-in/oidc/back": ANYBODY,
    "POST /sign-out": ANYBODY,
    "GET /me": Who(),
    "POST /me/password": Who(),
    "GET /look-up": roles(AGENT),
    "POST /look-up": roles(AGENT),
    "POST /look-up/ask": roles(AGENT),
    "GET /look-up/{number}": roles(AGENT),
    "POST /look-up/{number}/again": roles(AGENT),
    "POST /look-up/{number}/override": roles(AGENT),
    "POST /look-up/{number}/block": roles(AGENT),
    "POST /look-up/{number}/unblock": roles(AGENT),
    "GET /check": roles(POLICE),
    "POST /check": roles(POLICE),
    "POST /api/check": roles(POLICE, scope=Scope.CHECK),
    "GET /audit": roles(AUDITOR, ADMIN),
    "POST /audit/whole": roles(AUDITOR, ADMIN),
    "POST /audit/export": roles(AUDITOR, ADMIN),
    "POST /audit/verify": roles(AUDITOR, ADMIN),
    "GET /people": roles(ADMIN),
    "POST /people": roles(ADMIN),
    "GET /people/{name}": roles(ADMIN),
    "POST /people/{name}/disable": roles(ADMIN),
    "POST /people/{name}/enable": roles(ADMIN),
    "POST /people/{name}/password": roles(ADMIN),
    "POST /people/{name}/roles": roles(ADMIN),
    "GET /tokens": roles(ADMIN),
    "POST /tokens": roles(ADMIN),
    "POST /tokens/{name}/revoke": roles(ADMIN),
    "GET /smsc": Who(),
    "POST /smsc/{name}/suspend": roles(ADMIN),
    "POST /smsc/{name}/resume": roles(ADMIN),
    "POST /smsc/{name}/reconnect": roles(ADMIN),
    "POST /smsc/{name}/pace": roles(ADMIN),
    "GET /smsc/letters": roles(ADMIN),
    "POST /smsc/letters/retry": roles(ADMIN),
    "POST /smsc/letters/drop": roles(ADMIN),
    "POST /smsc/letters/reveal": roles(ADMIN),
    "GET /policy": Who(),
    "GET /policy/file": READERS,
    "GET /policy/propose": roles(POLICY),
    "POST /policy/propose": roles(POLICY),
    "POST /policy/propose/return": roles(POLICY),
    "GET /policy/proposals/{number}": READERS,
    "GET /policy/proposals/{number}/file": READERS,
    "GET /policy/proposals/{number}/study": READERS,
    "POST /policy/proposals/{number}/study": roles(POLICY),
    "POST /policy/proposals/{number}/activate": roles(POLICY),
    "POST /policy/proposals/{number}/queue": roles(POLICY),
    "POST /policy/proposals/{number}/shadow": roles(POLICY),
    "POST /policy/proposals/{number}/decline": roles(POLICY),
    "POST /policy/proposals/{number}/withdraw": roles(POLICY),
    "POST /policy/rollback": roles(POLICY),
    "POST /policy/shadow/end": roles(POLICY),
}

# What a form says, where with nothing in it a room would set to work.
WRONG = {"POST /audit/verify": {"head": "no hash"}}

# With each door open that is shut by default; nobody answers at the provider's address.
DESK = """\
public_rules = true
[desk.oidc]
issuer = "http://127.0.0.1:9"
client_id = "smsd"
roles = { viewer = "operators" }
"""


class House:
    """A desk with somebody for each role, and a token for each scope."""

    def __init__(self, stage: DeskStage) -> None:
        self.stage = stage
        self._url = stage.config.store.url
        self._lifetime = Lifetime(3_600 * S_US, 43_200 * S_US)
        at_us = stage.clock.utc_us()
        for role in Role:
            users.add_user(self._url, f"the-{role}", "no hash", False, {role}, "test", "", at_us)
        self.tokens = {
            scope: tokens.add_token(
                self._url, scope.value, {scope}, at_us + YEAR_US, "test", "", at_us
            )
            for scope in Scope
        }

    def ask(self, route: str, **headers: str) -> Got:
        """A route, names in its path filled with what there is none of."""
        method, path = route.split(" ")
        path = path.replace("{number}", "999").replace("{language}", "en").replace("{", "")
        form = {} if method == "POST" else None
        peer = headers.pop("peer", STRANGER)
        return self.stage.ask(method, path.replace("}", ""), form, peer=peer, **headers)

    def ask_as(self, route: str, role: Role, with_token: bool = True) -> Got:
        """The same in a fresh session; a form carries its token, and nothing else."""
        at_us = self.stage.clock.utc_us()
        secret = sessions.open_session(self._url, f"the-{role}", "test", self._lifetime, at_us)
        session = sessions.find_session(self._url, secret, self._lifetime, at_us)
        assert session is not None
        method, path = route.split(" ")
        path = path.replace("{number}", "999").replace("{language}", "en")
        path = path.replace("{", "").replace("}", "")
        form = {"csrf": session.csrf if with_token else "forged", **WRONG.get(route, {})}
        return self.stage.ask(
            method,
            path,
            form if method == "POST" else None,
            peer=STRANGER,
            cookie=f"{carried(SESSION)}={secret}",
        )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all; nothing that is asked here changes it but sessions and the audit."""
    with open_stage(tmp_path_factory.mktemp("house"), DESK) as stage:
        yield House(stage)


def test_no_route_is_missing_here(house: House) -> None:
    """Nor is one here that the desk does not have."""
    assert {f"{route.method} {route.path}" for route in house.stage.desk.routes} == set(ROUTES)


@pytest.mark.parametrize("route", ROUTES)
def test_who_is_not_known_gets_in_where_anybody_may(house: House, route: str) -> None:
    """Elsewhere a page leads to the sign-in, and a program or a form is told to."""
    got = house.ask(route)
    if ROUTES[route].roles is None:
        assert got.status != 401
        assert "/sign-in?next=" not in got.headers.get("location", "")
    elif got.status == 303:
        assert got.headers["location"].startswith("/sign-in?next=%2F")
        assert route.startswith("GET ")
    else:
        assert got.status == 401


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("route", ROUTES)
def test_each_role_gets_in_where_it_may_and_nowhere_else(
    house: House, route: str, role: Role
) -> None:
    """Whatever the room says then: it is not that the visitor may not, nor a fault of ours."""
    got = house.ask_as(route, role)
    allowed = ROUTES[route].roles
    if allowed is None or role in allowed:
        assert got.status not in {401, 403, 405, 500}, got.text
    else:
        assert got.status == 403
        assert "no role for this" in got.text


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("route", ROUTES)
def test_a_token_gets_in_by_its_scope_alone(house: House, route: str, scope: Scope) -> None:
    """It has no role, and needs no form token: no browser sends it unasked."""
    got = house.ask(route, authorization=f"Bearer {house.tokens[scope]}")
    who = ROUTES[route]
    if who.roles is None or who.scope is scope:
        assert got.status not in {401, 403, 500}
    else:
        assert got.status == 403


@pytest.mark.parametrize("route", ROUTES)
def test_this_machine_is_no_key_once_there_are_users(house: House, route: str) -> None:
    """But for what is meant to be read here by programs."""
    got = house.ask(route, peer="127.0.0.1")
    who = ROUTES[route]
    refused = got.status == 401 or got.headers.get("location", "").startswith("/sign-in?next=")
    assert refused == (who.roles is not None and not who.here)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.startswith("POST ")])
def test_a_forged_form_does_nothing(house: House, route: str) -> None:
    """Whoever's session the browser carries along."""
    who = ROUTES[route]
    role = min(who.roles) if who.roles else VIEWER
    got = house.ask_as(route, role, with_token=False)
    assert got.status == 403
    assert "Nothing was done" in got.text


@pytest.mark.parametrize("route", ROUTES)
def test_each_answer_is_fenced_in(house: House, route: str) -> None:
    """The same headers on all of them, kept by nobody, and no cookie that others could see."""
    who = ROUTES[route]
    for got in (house.ask(route), house.ask_as(route, min(who.roles or ALL))):
        assert {
            name.lower(): value for name, value in COMMON.items()
        }.items() <= got.headers.items()
        public = route.startswith(("GET /rules", "GET /static"))
        assert got.headers["cache-control"] == "no-store" or public
        for name, cookie in got.cookies.items():
            assert name.startswith("__Host-")
            assert (cookie["secure"], cookie["httponly"], cookie["path"]) == (True, True, "/")
            assert cookie["samesite"] in ("Strict", "Lax")
            assert not cookie["domain"]


@pytest.fixture(scope="module")
def unpeopled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskStage]:
    """A desk that nobody can sign in at yet."""
    with open_stage(tmp_path_factory.mktemp("unpeopled"), DESK) as stage:
        yield stage


@pytest.mark.parametrize("peer", ["127.0.0.1", STRANGER])
@pytest.mark.parametrize("route", ROUTES)
def test_without_users_this_machine_sees_what_a_viewer_sees(
    unpeopled: DeskStage, route: str, peer: str
) -> None:
    """And the network nothing; nobody can do anything, forms with the right token included."""
    method, path = route.split(" ")
    path = path.replace("{number}", "999").replace("{language}", "en")
    form = {"csrf": "right", **WRONG.get(route, {})} if method == "POST" else None
    got = unpeopled.ask(
        method,
        path.replace("{", "").replace("}", ""),
        form,
        peer=peer,
        cookie=f"{carried(FORM)}=right",
    )
    allowed = ROUTES[route].roles
    if allowed is None or (peer != STRANGER and (VIEWER in allowed or ROUTES[route].here)):
        assert got.status not in {401, 403, 500}, got.text
    else:
        assert got.status in {303, 401, 403}
        assert got.status != 303 or got.headers["location"].startswith("/sign-in?next=")
