"""Who manages the users of the desk adds them, gives them roles and passwords, keeps them out."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from desk_people import S_US, Person, add, guest, person, signed_in, url_of
from desk_stage import DeskStage

from storage import audit, tokens, users
from storage.roles import Role, Scope

AZ_DAY_US = 86_400_000_000


@pytest.fixture
def admin(desk: DeskStage) -> Person:
    """An admin, signed in."""
    return person(desk, "ayten", Role.ADMIN)


def user(admin: Person, name: str = "leyla") -> users.User:
    account = users.find_account(url_of(admin.desk), name)
    assert account is not None
    return account.user


def last_act(admin: Person) -> tuple[str, ...]:
    [line] = audit.lines(url_of(admin.desk), 1)
    return (line.who, line.action, line.subject, line.reason)


def password_on(page: str) -> str:
    """The one that is shown once."""
    (shown,) = re.findall(r'<p class="stat mono">([^<]+)</p>', page)
    return str(shown)


def test_everybody_is_listed_with_roles_and_state(admin: Person) -> None:
    """In the words of the reader's language."""
    add(admin.desk, "leyla", Role.POLICE, Role.VIEWER, once=True)
    page = admin.get("/people?lang=az").text
    assert re.search(r"/people/ayten.*İnzibatçı.*/people/leyla.*Polis", page, re.DOTALL)
    assert "parol seçməlidir" in page


def test_somebody_is_added_with_a_password_that_is_shown_once(admin: Person) -> None:
    """With it she chooses her own and is in; the audit has who added her and why."""
    got = admin.post(
        "/people", name="Leyla", role_police="1", role_viewer="1", reason="new colleague"
    )
    assert got.status == 200
    assert got.headers["cache-control"] == "no-store"
    password = password_on(got.text)
    assert last_act(admin) == ("ayten", "user_add", "user leyla: police, viewer", "new colleague")
    assert user(admin).once
    visitor = guest(admin.desk)
    own = "a password of her own"
    form = {"name": "leyla", "password": password, "chosen": own, "again": own}
    assert visitor.post("/sign-in/choose", **form).status == 303
    assert not user(admin).once
    assert password not in admin.get("/people/leyla").text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"name": "leyla", "role_admin": "1"}, "Give a reason"),
        ({"name": "leyla", "role_admin": "1", "reason": "  "}, "Give a reason"),
        ({"name": "leyla", "reason": "new"}, "Choose at least one role."),
        ({"name": "leyla", "role_king": "1", "reason": "new"}, "Choose at least one role."),
        ({"name": "<b>", "role_admin": "1", "reason": "new"}, "Only letters a–z"),
        ({"role_admin": "1", "reason": "new"}, "Only letters a–z"),
        ({"name": "AYTEN", "role_admin": "1", "reason": "new"}, "of this name already"),
    ],
)
def test_a_form_with_a_mistake_comes_back_with_what_was_typed(
    admin: Person, form: dict[str, str], words: str
) -> None:
    """Nothing is lost and nothing is done."""
    got = admin.post("/people", **form)
    assert got.status == 400
    assert words in got.text
    assert "<b>" not in got.text
    for name, typed in form.items():
        if name.startswith("role_a"):
            assert f'name="{name}" value="1" checked' in got.text
        elif typed.strip() and typed != "<b>" and not name.startswith("role_"):
            assert f'value="{typed}"' in got.text
    assert [each.name for each in users.list_users(url_of(admin.desk))] == ["ayten"]


def test_roles_are_changed_for_a_reason_and_hold_at_once(admin: Person) -> None:
    """Her session ends; without a reason nothing happens."""
    leyla = person(admin.desk, "leyla", Role.ADMIN)
    refused = admin.post("/people/leyla/roles", role_agent="1")
    assert refused.status == 400
    assert 'name="role_agent" value="1" checked' in refused.text
    assert 'name="role_admin" value="1">' in refused.text
    assert leyla.get("/people").status == 200
    got = admin.post("/people/leyla/roles", role_agent="1", reason="moved")
    assert (got.status, got.headers["location"]) == (
        303,
        "/people/leyla?said=people.roles_changed",
    )
    assert leyla.get("/people").status == 303
    assert user(admin).roles == {Role.AGENT}
    assert last_act(admin) == ("ayten", "user_roles", "user leyla: agent", "moved")


def test_somebody_is_kept_out_and_let_in_again(admin: Person) -> None:
    """Each for a reason."""
    leyla = person(admin.desk, "leyla", Role.ADMIN)
    for way in ("disable", "enable"):
        assert admin.post(f"/people/leyla/{way}").status == 400
        got = admin.post(f"/people/leyla/{way}", reason="on leave")
        assert got.headers["location"] == f"/people/leyla?said=people.{way}d_now"
        assert user(admin).disabled is (way == "disable")
        assert last_act(admin) == ("ayten", f"user_{way}", "user leyla", "on leave")
    assert leyla.get("/people").status == 303


def test_a_password_that_is_reset_is_shown_once_and_good_for_choosing(admin: Person) -> None:
    """Whoever is signed in with the old one is signed out."""
    leyla = person(admin.desk, "leyla", Role.ADMIN)
    assert admin.post("/people/leyla/password").status == 400
    got = admin.post("/people/leyla/password", reason="forgotten")
    password = password_on(got.text)
    assert re.fullmatch(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", password)
    assert leyla.get("/people").status == 303
    assert user(admin).once
    assert last_act(admin) == ("ayten", "user_password", "user leyla", "forgotten")
    assert password_on(admin.post("/people/leyla/password", reason="again").text) != password


def test_nobody_shuts_himself_out(admin: Person) -> None:
    """He might be the last who could let anybody in; other roles he may change."""
    for path, form in (
        ("/people/ayten/disable", {}),
        ("/people/ayten/roles", {"role_viewer": "1"}),
    ):
        got = admin.post(path, **form, reason="tired")
        assert got.status == 400
        assert "You cannot shut yourself out." in got.text
    assert "/people/ayten/disable" not in admin.get("/people/ayten").text
    got = admin.post("/people/ayten/roles", role_admin="1", role_auditor="1", reason="both")
    assert got.status == 303


@pytest.mark.parametrize("what", ["", "/roles", "/disable", "/enable", "/password"])
def test_nobody_of_that_name_is_said_so(admin: Person, what: str) -> None:
    """A link from before, or a slip."""
    for name in ("lyla", "%0d%0aX", "a b"):
        path = f"/people/{name}{what}"
        got = admin.post(path, reason="r", role_admin="1") if what else admin.get(path)
        assert got.status == 404
        assert "There is no user of this name." in got.text


def test_what_the_provider_decides_is_told_and_not_offered(admin: Person) -> None:
    """No password here; roles are told to come from there."""
    users.from_provider(url_of(admin.desk), "https://id.example", "7", "leyla", [Role.AGENT], 1)
    page = admin.get("/people/leyla").text
    assert "/people/leyla/password" not in page
    assert "tells the roles anew at each sign-in" in page
    assert admin.post("/people/leyla/password", reason="r").status == 404


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_people_and_tokens_are_for_admins_alone(desk: DeskStage, role: Role) -> None:
    """Read and changed."""
    somebody = person(desk, "leyla", role)
    for path in ("/people", "/people/leyla", "/tokens"):
        assert somebody.get(path).status == 403
    for path in ("/people", "/people/leyla/roles", "/tokens", "/tokens/x/revoke"):
        assert somebody.post(path, role_admin="1", name="x", reason="r").status == 403
    assert signed_in(desk, "leyla").get("/me").status == 200


# Tokens.


def token_form(**changed: str) -> dict[str, str]:
    """A form in which nothing is wrong; the desk's clock stands at 2020-04-06 in Baku."""
    return {
        "name": "Patrol-7",
        "scope_check": "1",
        "until": "2020-05-01",
        "reason": "cars",
        **changed,
    }


def test_a_token_is_shown_once_and_works(admin: Person) -> None:
    """Until the midnight of its day, in the policy's zone."""
    got = admin.post("/tokens", **token_form(scope_metrics="1"))
    (secret,) = set(re.findall(r"smsd_[\w-]{43}", got.text))
    [token] = tokens.list_tokens(url_of(admin.desk))
    assert token[:3] == ("patrol-7", frozenset(Scope), "ayten")
    midnight = datetime(2020, 5, 1, tzinfo=ZoneInfo("Asia/Baku"))
    assert token.expires_at_us == round(midnight.timestamp()) * S_US
    assert admin.desk.ask("GET", "/metrics", authorization=f"Bearer {secret}").status == 200
    assert last_act(admin) == ("ayten", "token_add", "token patrol-7: check, metrics", "cars")
    page = admin.get("/tokens").text
    assert secret not in page
    assert "patrol-7" in page


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": "no name"}, "Only letters a–z"),
        ({"scope_check": ""}, ""),
        ({"until": "2020-04-06"}, "until 2021-04-07 at the latest"),
        ({"until": "2021-04-08"}, "until 2021-04-07 at the latest"),
        ({"until": "tomorrow"}, "until 2021-04-07 at the latest"),
        ({"until": ""}, "until 2021-04-07 at the latest"),
        ({"reason": ""}, "Give a reason"),
    ],
)
def test_a_token_needs_all_that_is_asked(
    admin: Person, changed: dict[str, str], words: str
) -> None:
    """The day after today and a year from now are the bounds."""
    form = token_form(**changed)
    if not words:
        del form["scope_check"]
        words = "Choose what it is good for."
    got = admin.post("/tokens", **form)
    assert got.status == 400
    assert words in got.text
    assert tokens.list_tokens(url_of(admin.desk)) == []


@pytest.mark.parametrize("until", ["2020-04-07", "2021-04-07"])
def test_a_token_may_be_good_for_a_day_or_a_year(admin: Person, until: str) -> None:
    """The nearest and the farthest day that is offered."""
    assert admin.post("/tokens", **token_form(until=until)).status == 200


def test_a_token_is_revoked_for_a_reason(admin: Person) -> None:
    """Once, and its name is not used again."""
    admin.post("/tokens", **token_form())
    assert admin.post("/tokens/patrol-7/revoke").status == 400
    got = admin.post("/tokens/patrol-7/revoke", reason="car sold")
    assert got.headers["location"] == "/tokens?said=tokens.revoked_now"
    assert last_act(admin) == ("ayten", "token_revoke", "token patrol-7", "car sold")
    assert admin.post("/tokens/patrol-7/revoke", reason="again").status == 404
    got = admin.post("/tokens", **token_form())
    assert got.status == 400
    assert "There is, or was, a token of this name." in got.text
    assert "revoked" in admin.get("/tokens").text


def test_a_token_that_is_over_is_told_so(admin: Person) -> None:
    """And is not offered to be revoked."""
    admin.post("/tokens", **token_form())
    admin.desk.clock.now_us += 30 * AZ_DAY_US
    page = signed_in(admin.desk, "ayten").get("/tokens").text
    assert ">over<" in page
    assert "/tokens/patrol-7/revoke" not in page
