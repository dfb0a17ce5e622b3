"""`smsd store …`, on a store that real requests have filled, with and without a daemon."""

import json
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from daemon_process import Daemon, smsc_section, write_config
from smsd_command import smsd

from rules import CompiledPolicy, load_policy
from simulators.control_client import ControlClient
from simulators.process import SmscProcess
from smsd.cli import main
from smsd.gateway.adjudicate import Law, adjudicate
from storage import InboundMessage, ReplyOutcome, ReplyState, SqliteStore, audit
from storage.sqlite_library import dbapi

POLICY_FILE = Path(__file__).parents[2] / "rules" / "policies" / "8103.toml"
OLD_PHONE = "994500000001"
OLD_DOCUMENT = "AZE1000000"
NOW = datetime.now(tz=UTC)  # one for all, so that no midnight falls between two questions


@pytest.fixture(scope="module")
def policy() -> CompiledPolicy:
    """The law as it is shipped."""
    return load_policy(POLICY_FILE)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """No register; nothing listens where its SMSC should be."""
    return write_config(tmp_path, [smsc_section(port=1)])


@pytest.fixture
def filled(config: Path, policy: CompiledPolicy) -> Path:
    """Three permits of ten days ago, two replies sent; one SMS of now, answered."""
    text(config, policy, 10, [(OLD_PHONE, "2 AZE 1000000"), ("994500000002", "2 AZE 1000001")])
    text(config, policy, 10, [("994500000003", "2 AZE 1000002")], sent=False)
    text(config, policy, 0, [("994500000004", "2 AZE 1000003")])
    return config


def text(
    config: Path,
    policy: CompiledPolicy,
    days_ago: int,
    messages: list[tuple[str, str]],
    sent: bool = True,
) -> None:
    """(phone, SMS), decided by the shipped policy, and perhaps answered."""
    at_us = int((NOW - timedelta(days=days_ago)).timestamp()) * 1_000_000
    store = SqliteStore(url_of(config))
    inbound = [
        InboundMessage(at_us, "simulator", phone, "8103", 0, said.encode(), said, True, None)
        for phone, said in messages
    ]
    with store.transaction(policy) as transaction:
        replies = adjudicate(transaction, Law(policy), None, inbound).replies
    if sent:
        with store.transaction(policy) as transaction:
            transaction.settle(
                [ReplyOutcome(r.id, ReplyState.SENT, at_us, "id", 0, False) for r in replies]
            )
    store.close()


def url_of(config: Path) -> str:
    return f"sqlite:///{config.parent}/smsd.db"


def rows(file: Path, query: str) -> list[tuple[object, ...]]:
    """What another program reads."""
    with closing(dbapi.connect(str(file))) as connection:
        return connection.execute(query).fetchall()


def day(days_ago: int) -> str:
    """A civil day of the policy's zone."""
    return f"{NOW.astimezone(ZoneInfo('Asia/Baku')) - timedelta(days=days_ago):%Y-%m-%d}"


# Backup.


def test_a_backup_is_made_and_told(filled: Path, tmp_path: Path) -> None:
    """In words and as JSON; nothing is overwritten."""
    made = smsd("store", "backup", tmp_path / "copy.db", "--config", filled)
    assert made.exit_code == 0, made.stderr
    size = (tmp_path / "copy.db").stat().st_size
    assert (
        made.stdout == f"{tmp_path}/copy.db: a whole copy of the store, {size:,} bytes, checked.\n"
    )
    assert rows(tmp_path / "copy.db", "SELECT count(*) FROM message") == [(4,)]
    refused = smsd("store", "backup", tmp_path / "copy.db", "--config", filled)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "is there already; name another file" in refused.stderr
    assert "Nothing was backed up." in refused.stderr
    told = smsd("store", "backup", tmp_path / "other.db", "--json", "--config", filled)
    assert json.loads(told.stdout) == {"file": str(tmp_path / "other.db"), "bytes": size}


# Verify.


def test_a_sound_store_is_called_sound(filled: Path) -> None:
    """With a zero beside each thing that was looked for."""
    told = smsd("store", "verify", "--config", filled)
    assert (told.exit_code, told.stderr) == (0, "")
    assert told.stdout.count("  0  ") == 5
    assert told.stdout.endswith("The store is sound.\n")


def test_what_is_wrong_is_counted_without_a_name(filled: Path) -> None:
    """Exit code 1; no phone and no document, in words or as JSON."""
    with closing(dbapi.connect(str(filled.parent / "smsd.db"))) as connection, connection:
        connection.execute("DELETE FROM reply WHERE phone = ?", (OLD_PHONE,))
        connection.execute("DELETE FROM policy")
    told = smsd("store", "verify", "--config", filled)
    assert told.exit_code == 1
    assert "1  messages that were to be answered and have no reply" in told.stdout
    assert "4  decisions whose policy is not stored whole" in told.stdout
    assert "not sound" in told.stderr
    as_json = smsd("store", "verify", "--json", "--config", filled)
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout) == {
        "sound": False,
        "found": {
            "damage": 0,
            "foreign_keys": 4,
            "unanswered": 1,
            "granted_twice": 0,
            "without_policy": 4,
        },
    }
    said = told.output + as_json.output
    assert OLD_PHONE not in said
    assert OLD_DOCUMENT not in said


# Stats.


def test_the_store_is_measured(filled: Path) -> None:
    """As a table, and as numbers for a program."""
    told = json.loads(smsd("store", "stats", "--json", "--config", filled).stdout)
    assert told["rows"]["message"] == told["rows"]["reply"] == 4
    assert told["file_bytes"] == (filled.parent / "smsd.db").stat().st_size
    assert (told["wal_bytes"], told["unsent"], told["days"]) == (0, 1, 11)
    assert told["oldest_unsent_s"] >= 10 * 86_400
    assert told["schema"].startswith("m0")
    table = smsd("store", "stats", "--config", filled).stdout
    lines = {
        line.rsplit(None, 1)[0].strip(): line.rsplit(None, 1)[1] for line in table.splitlines()
    }
    assert lines["rows in decision"] == "4"
    assert lines["replies that wait"] == "1"
    assert lines["schema"] == told["schema"]
    assert "10 days, " in table


@pytest.mark.parametrize(
    "command", [("stats",), ("verify",), ("backup", "x"), ("purge", "--before", "2020-01-01")]
)
def test_without_a_store_nothing_is_made(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """The likely cause is named."""
    monkeypatch.chdir(tmp_path)
    refused = smsd("store", *command, "--config", config)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "there is no store at" in refused.stderr
    assert list(tmp_path.iterdir()) == [config]


# Purge.


def test_what_is_old_is_deleted_and_the_rest_is_told(filled: Path) -> None:
    """The unsent reply stays, and so does today; the audit has it."""
    done = smsd(
        "store", "purge", "--before", day(9), "--yes", "--who", "A. Operator", "--config", filled
    )
    assert done.exit_code == 0, done.stderr
    assert done.stdout == (
        "Deleted: 2 messages, 2 decisions, 2 replies, 0 shadow differences, 0 stray parts.\n"
        "1 messages stay: a reply has not left, a permit is valid, or it is the newest.\n"
    )
    left = rows(filled.parent / "smsd.db", "SELECT phone FROM message ORDER BY id")
    assert left == [("994500000003",), ("994500000004",)]
    lines = audit.since(url_of(filled), 0)
    assert [(line.who, line.action, line.reason) for line in lines] == [
        ("A. Operator", "store_purge", "retention"),
        ("A. Operator", "store_purged", "retention"),
    ]
    assert smsd("store", "verify", "--config", filled).exit_code == 0


@pytest.mark.parametrize(("days_ago", "deleted"), [(10, 0), (9, 2)])
def test_a_day_is_one_of_the_policys_zone(filled: Path, days_ago: int, deleted: int) -> None:
    """The day itself stays, what came the day before goes."""
    options = ("--before", day(days_ago), "--yes", "--json", "--config", filled)
    done = json.loads(smsd("store", "purge", *options).stdout)
    assert (done["messages"], done["before"], done["zone"]) == (
        deleted,
        day(days_ago),
        "Asia/Baku",
    )


@pytest.mark.parametrize(("answer", "left"), [("y\n", 2), ("n\n", 4), ("", 4)])
def test_without_yes_it_asks_first(filled: Path, answer: str, left: int) -> None:
    """How many and from when; silence is no consent."""
    arguments = ["store", "purge", "--before", day(9), "--config", str(filled)]
    result = CliRunner().invoke(main, arguments, input=answer)
    assert f"Delete 3 messages received before {day(9)} (Asia/Baku)" in result.stderr
    assert rows(filled.parent / "smsd.db", "SELECT count(*) FROM message") == [(left,)]
    assert result.exit_code == (0 if answer == "y\n" else 1)
    assert ("Nothing was deleted" in result.stderr) == (answer != "y\n")


@pytest.mark.parametrize(
    ("before", "said", "code"),
    [
        (day(-30), "must not lie after today", 1),
        ("0001-01-01", "no SMS is as old", 1),
        ("yesterday", "yesterday", 2),
    ],
)
def test_a_wrong_day_deletes_nothing(filled: Path, before: str, said: str, code: int) -> None:
    """What is wrong with it."""
    refused = smsd("store", "purge", "--before", before, "--yes", "--config", filled)
    assert (refused.exit_code, refused.stdout) == (code, "")
    assert said in refused.stderr
    assert rows(filled.parent / "smsd.db", "SELECT count(*) FROM message") == [(4,)]


# Beside a daemon.


class Texting(threading.Thread):
    """Phones that text without end, one after the other, each for a document of its own."""

    def __init__(self, phones: ControlClient) -> None:
        super().__init__(daemon=True)
        self.replies: list[str] = []
        self._phones = phones
        self._answered = threading.Semaphore(0)
        self._enough = threading.Event()

    def run(self) -> None:
        """Text, wait for the reply, text again."""
        while not self._enough.is_set():
            number = len(self.replies) + 1
            reply = self._phones.text(f"9947{number:08}", f"2 AZE {2_000_000 + number}")
            self.replies.append(reply.text)
            self._answered.release()

    def await_replies(self, count: int) -> None:
        """Until so many more have come."""
        for _ in range(count):
            assert self._answered.acquire(timeout=30)

    def end(self) -> int:
        """How many were sent and answered."""
        self._enough.set()
        self.join(30)
        assert not self.is_alive()
        return len(self.replies)


def test_beside_a_daemon_under_messages_backup_and_purge_disturb_nobody(
    tmp_path: Path, policy: CompiledPolicy, smsc: SmscProcess, phones: ControlClient
) -> None:
    """Each SMS is answered with its permit, no batch is lost, and the old ones go meanwhile."""
    config = write_config(tmp_path, [smsc_section(smsc.port)])
    old = [(f"9945{number:08}", f"2 AZE {1_000_000 + number}") for number in range(3_000)]
    text(config, policy, 10, old)
    with Daemon(config) as daemon:
        phones.await_bound()
        texting = Texting(phones)
        texting.start()
        texting.await_replies(1)
        backup = smsd("store", "backup", tmp_path / "copy.db", "--config", config)
        assert backup.exit_code == 0, backup.stderr
        texting.await_replies(1)
        done = smsd("store", "purge", "--before", day(9), "--yes", "--json", "--config", config)
        assert json.loads(done.stdout)["messages"] == len(old), done.stderr
        texting.await_replies(1)
        assert smsd("store", "verify", "--config", config).exit_code == 0
        sent = texting.end()
        assert daemon.terminate() == 0
    assert "store_unavailable" not in daemon.log
    assert "writer_ended" not in daemon.log
    for number, reply in enumerate(texting.replies, 1):
        assert f"AZE{2_000_000 + number}" in reply
    assert rows(tmp_path / "smsd.db", "SELECT count(*), min(outcome) FROM message") == [
        (sent, "decided")
    ]
    assert rows(tmp_path / "copy.db", "SELECT count(*) FROM message WHERE id <= 3000") == [(3_000,)]
    assert smsd("store", "verify", "--config", config).exit_code == 0
