"""`smsd user …` and `smsd token …`: beside a running daemon, which obeys at once."""

import http.client
import json
import re
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from daemon_process import WAIT_S, Daemon, smsc_section, write_config
from smsd_command import smsd

from smsd.cli import main
from smsd.desk.access.passwords import Passwords
from storage import SqliteStore, audit, users
from storage.roles import Role
from storage.sqlite_library import dbapi

PASSWORD = "a quite long password"
WHO = ("--who", "Chief", "--reason", "new colleague")
TODAY = datetime.now(tz=ZoneInfo("Asia/Baku")).date()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """With a store; nothing listens where its SMSC should be."""
    file = write_config(tmp_path, [smsc_section(port=1)])
    SqliteStore(url_of(file)).close()
    return file


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    """With a password, as an editor leaves it."""
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\r\nanything else\n")
    return file


def url_of(config: Path) -> str:
    return f"sqlite:///{config.parent}/smsd.db"


def user(config: Path, *arguments: str | Path) -> Result:
    return smsd("user", *arguments, "--config", config)


def token(config: Path, *arguments: str | Path) -> Result:
    return smsd("token", *arguments, "--config", config)


def account(config: Path, name: str = "leyla") -> users.Account:
    found = users.find_account(url_of(config), name)
    assert found is not None
    return found


def tamper(config: Path, statement: str) -> None:
    """As somebody with the file in his hands would."""
    with closing(dbapi.connect(str(config.parent / "smsd.db"), isolation_level=None)) as store:
        assert store.execute(statement).rowcount > 0


def last_act(config: Path) -> tuple[str, ...]:
    [line] = audit.lines(url_of(config), 1)
    return (line.who, line.action, line.subject, line.reason)


# Users.


def test_somebody_is_added_who_can_sign_in(config: Path, password_file: Path) -> None:
    """The password comes from a file, its first line alone; who did it and why is in the audit."""
    added = user(
        config, "add", "Leyla", "--role", "agent", "--role", "admin",
        "--password-file", password_file, *WHO,
    )  # fmt: skip
    assert (added.exit_code, added.stdout) == (0, "leyla may sign in: admin, agent.\n")
    found = account(config)
    assert found.user.roles == {Role.ADMIN, Role.AGENT}
    assert not found.user.once
    assert Passwords().fits(found.password, PASSWORD)
    assert last_act(config) == ("Chief", "user_add", "user leyla: admin, agent", "new colleague")


def test_a_password_is_asked_for_twice(config: Path) -> None:
    """Unseen; two that differ are asked for again; without an answer nothing is done."""

    def typed(words: str) -> Result:
        command = ["user", "add", "leyla", "--role", "viewer", "--config", str(config)]
        return CliRunner().invoke(main, command, input=words)

    nothing = typed("")
    assert (nothing.exit_code, nothing.stdout) == (1, "")
    assert "No password was given. Nothing was changed" in nothing.stderr
    assert not users.any_user(url_of(config))
    added = typed(f"{PASSWORD}\nsomething else\n{PASSWORD}\n{PASSWORD}\n")
    assert added.exit_code == 0
    assert PASSWORD not in added.output
    assert Passwords().fits(account(config).password, PASSWORD)


@pytest.mark.parametrize(
    ("name", "password", "words"),
    [
        ("leyla", "short", "A password has at least 12 characters."),
        ("leyla", "", "A password has at least 12 characters."),
        ("leyla", "x" * 257, "A password has at most 256 characters."),
        ("leyla.mammadova", "Leyla.Mammadova", "The name is no password."),
        ("leyla", "twelve\tletters", "A password has letters, digits, signs and spaces"),
        ("leyla m", PASSWORD, "'leyla m' cannot be a user's name: 1 to 64 letters a-z"),
        ("ayten", PASSWORD, "there is a user ayten already; see smsd user list"),
    ],
)
def test_what_will_not_do_is_said_and_nothing_is_changed(
    config: Path, password_file: Path, name: str, password: str, words: str
) -> None:
    """Never with the password in it."""
    user(config, "add", "ayten", "--role", "admin", "--password-file", password_file)
    password_file.write_text(password)
    refused = user(config, "add", name, "--role", "admin", "--password-file", password_file)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.startswith(words)
    assert not password or password not in refused.stderr or password == PASSWORD
    assert [each.name for each in users.list_users(url_of(config))] == ["ayten"]


@pytest.mark.parametrize(
    "arguments", [["add", "leyla"], ["add", "leyla", "--role", "king"], ["roles", "leyla"]]
)
def test_a_role_is_needed_and_must_be_one(config: Path, arguments: list[str]) -> None:
    """Wrong usage, with the roles that there are."""
    refused = user(config, *arguments)
    assert refused.exit_code == 2
    assert "viewer" in refused.stderr
    assert "auditor" in refused.stderr


def test_a_file_that_is_no_text_is_said_so(config: Path, password_file: Path) -> None:
    """No trace, and nothing of its content."""
    password_file.write_bytes(b"\xff\xfe" * 20)
    refused = user(config, "add", "leyla", "--role", "admin", "--password-file", password_file)
    assert refused.exit_code == 1
    assert "cannot be read as UTF-8 text" in refused.stderr


def test_users_are_listed_with_what_is_special(config: Path, password_file: Path) -> None:
    """In words and as JSON."""
    assert user(config, "list").stdout.startswith("Nobody yet: the desk only shows")
    user(config, "add", "leyla", "--role", "agent", "--password-file", password_file)
    user(config, "password", "leyla", "--once", "--password-file", password_file)
    user(config, "disable", "leyla", *WHO)
    users.from_provider(url_of(config), "https://id.example", "7", "ayten", [Role.ADMIN], 1)
    assert [line.split(maxsplit=1) for line in user(config, "list").stdout.splitlines()] == [
        ["ayten", "admin (by OpenID Connect)"],
        ["leyla", "agent (disabled, must choose a password)"],
    ]
    told = json.loads(user(config, "list", "--json").stdout)
    assert [(each["name"], each["roles"], each["disabled"]) for each in told] == [
        ("ayten", ["admin"], False),
        ("leyla", ["agent"], True),
    ]
    assert "argon2" not in json.dumps(told)


def test_each_change_is_told_and_audited(config: Path, password_file: Path) -> None:
    """Of nobody, it is refused."""
    user(config, "add", "leyla", "--role", "agent", "--password-file", password_file)
    changed = user(config, "roles", "leyla", "--role", "police", *WHO)
    assert changed.stdout == "leyla is now: police; open sessions are ended.\n"
    assert last_act(config) == ("Chief", "user_roles", "user leyla: police", "new colleague")
    out = user(config, "disable", "leyla", *WHO, "--json")
    assert json.loads(out.stdout) == {"user": "leyla", "disabled": True}
    assert last_act(config)[1] == "user_disable"
    assert user(config, "enable", "leyla", *WHO).stdout == "leyla may sign in again.\n"
    assert last_act(config)[1] == "user_enable"
    for arguments in (["disable", "lyla"], ["roles", "lyla", "--role", "admin"]):
        refused = user(config, *arguments)
        assert (refused.exit_code, refused.stderr) == (
            1,
            "there is no user lyla; see smsd user list\n",
        )


# Tokens.


def test_a_token_is_printed_once_and_alone(config: Path) -> None:
    """So that a script can keep it: the words about it go to standard error."""
    until = TODAY + timedelta(days=30)
    made = token(config, "add", "patrol-7", "--scope", "check", "--until", str(until), *WHO)
    assert made.exit_code == 0
    assert re.fullmatch(r"smsd_[\w-]{43}\n", made.stdout)
    assert made.stderr == f"Token patrol-7, good until {until}. It cannot be shown again.\n"
    assert last_act(config) == ("Chief", "token_add", "token patrol-7: check", "new colleague")
    listed = token(config, "list")
    assert re.search(rf"patrol-7 +check; Chief; good until {until} 00:00:00; never", listed.stdout)
    assert made.stdout.strip() not in listed.stdout + token(config, "list", "--json").stdout


@pytest.mark.parametrize(("days", "allowed"), [(0, False), (1, True), (366, True), (367, False)])
def test_a_token_ends_within_a_year(config: Path, days: int, allowed: bool) -> None:
    """Tomorrow at the earliest."""
    until = TODAY + timedelta(days=days)
    made = token(config, "add", "patrol", "--scope", "check", "--until", str(until))
    assert (made.exit_code == 0) is allowed
    if not allowed:
        assert "--until must lie after today and at most 366 days from now" in made.stderr


def test_a_token_needs_a_scope_and_an_end(config: Path) -> None:
    """Wrong usage."""
    until = str(TODAY + timedelta(days=9))
    assert token(config, "add", "patrol", "--scope", "check").exit_code == 2
    assert token(config, "add", "patrol", "--until", until).exit_code == 2
    refused = token(config, "add", "a b", "--scope", "check", "--until", until)
    assert refused.exit_code == 1
    assert "cannot be a token's name" in refused.stderr


def test_a_token_is_revoked_once(config: Path) -> None:
    """And listed as such."""
    assert token(config, "list").stdout == "There are no tokens.\n"
    until = str(TODAY + timedelta(days=9))
    token(config, "add", "patrol", "--scope", "check", "--until", until)
    revoked = token(config, "revoke", "patrol", *WHO)
    assert (revoked.exit_code, revoked.stdout) == (0, "Token patrol is refused from now on.\n")
    assert last_act(config) == ("Chief", "token_revoke", "token patrol", "new colleague")
    assert "revoked" in token(config, "list").stdout
    again = token(config, "revoke", "patrol")
    assert (again.exit_code, again.stderr) == (
        1,
        "there is no token patrol to revoke; see smsd token list\n",
    )


# Beside a running daemon.


class Browser:
    """Keeps cookies, as a browser does, and sends the forms that it was shown."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str, str]:
        """Status, Location, page."""
        connection = http.client.HTTPConnection(self._address, timeout=WAIT_S)
        told = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if method == "POST":
            told["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, told | headers)
            answer = connection.getresponse()
            for name, line in answer.getheaders():
                if name == "Set-Cookie":
                    key, _, value = line.partition(";")[0].partition("=")
                    self._cookies[key] = value
            return answer.status, answer.getheader("Location", ""), answer.read().decode()
        finally:
            connection.close()

    def sign_in(self, name: str, password: str) -> int:
        """Through the page; the status."""
        _, _, page = self.ask("GET", "/sign-in")
        (csrf,) = re.findall(r'name="csrf" value="([^"]+)"', page)
        form = f"csrf={csrf}&name={name}&password={password.replace(' ', '+')}"
        return self.ask("POST", "/sign-in", form)[0]


def test_a_running_daemon_obeys_at_once(config: Path, password_file: Path) -> None:
    """The first user closes the desk; who is disabled is out; a token works until it is revoked."""
    with Daemon(config) as daemon:
        address = daemon.wait_for("started")["desk"]
        browser = Browser(address)
        assert browser.ask("GET", "/metrics")[0] == 200
        assert "No users exist yet" in browser.ask("GET", "/sign-in")[2]
        user(config, "add", "leyla", "--role", "admin", "--password-file", password_file)
        assert browser.ask("GET", "/people")[:2] == (303, "/sign-in?next=%2Fpeople")
        assert browser.sign_in("leyla", "wrong") == 400
        assert browser.sign_in("leyla", PASSWORD) == 303
        assert browser.ask("GET", "/people")[0] == 200
        user(config, "disable", "leyla")
        assert browser.ask("GET", "/people")[:2] == (303, "/sign-in?next=%2Fpeople")
        assert browser.sign_in("leyla", PASSWORD) == 400
        until = str(TODAY + timedelta(days=9))
        made = token(config, "add", "patrol", "--scope", "metrics", "--until", until)
        stranger = {
            "X-Forwarded-For": "192.0.2.7",
            "Authorization": f"Bearer {made.stdout.strip()}",
        }
        assert Browser(address).ask("GET", "/metrics", **stranger)[0] == 200
        token(config, "revoke", "patrol")
        assert Browser(address).ask("GET", "/metrics", **stranger)[0] == 401
        daemon.terminate()
        said = daemon.log
    for secret in (PASSWORD, made.stdout.strip(), "leyla"):
        assert secret not in said


def test_the_audit_is_verified_beside_the_daemon(config: Path, password_file: Path) -> None:
    """By a process of its own; what is wrong with it is told on the page."""
    user(config, "add", "ayten", "--role", "auditor", "--password-file", password_file)
    with Daemon(config) as daemon:
        browser = Browser(daemon.wait_for("started")["desk"])
        assert browser.sign_in("ayten", PASSWORD) == 303
        (csrf,) = set(re.findall(r'name="csrf" value="([^"]+)"', browser.ask("GET", "/audit")[2]))
        head = audit.head(url_of(config))
        assert head is not None
        form = f"csrf={csrf}&head={head.hash}"
        status, _, page = browser.ask("POST", "/audit/verify", form)
        assert status == 200
        assert f"The audit is sound: {head.id} lines" in page
        assert "The noted hash is in it." in page
        tamper(config, "UPDATE audit SET who = 'nobody' WHERE id = 2")
        page = browser.ask("POST", "/audit/verify", form)[2]
        assert "Line 2 was altered." in page
        assert "1 lines from the first on are sound." in page
        tamper(config, "DELETE FROM audit WHERE id > 1")
        page = browser.ask("POST", "/audit/verify", form)[2]
        assert "No line has the noted hash" in page


def test_an_open_session_ends_when_nobody_comes(config: Path, password_file: Path) -> None:
    """The rehearsal clock goes ahead; after half an hour without a visit one signs in again."""
    user(config, "add", "leyla", "--role", "admin", "--password-file", password_file)
    offset = config.parent / "offset"
    with Daemon(config, "--clock-offset-file", str(offset)) as daemon:
        browser = Browser(daemon.wait_for("started")["desk"])
        assert browser.sign_in("leyla", PASSWORD) == 303
        offset.write_text("1700")
        assert browser.ask("GET", "/people")[0] == 200
        offset.write_text("3600")
        assert browser.ask("GET", "/people")[0] == 303
