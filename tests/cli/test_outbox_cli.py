"""`smsd outbox …`: beside a real daemon that a simulated SMSC turned away, and without one."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from daemon_process import Daemon, metric, smsc_section, write_config
from smsd_command import smsd

from simulators.control_client import ControlClient
from simulators.process import SmscProcess
from storage import audit
from storage.sqlite import owner_pid
from storage.sqlite_library import dbapi

PHONE, OTHER = "994500000123", "994500000456"
WHO = ("--who", "A. Operator", "--reason", "the operator mended it")
INVALID = "ESME_RINVDSTADR"
_LOOKS_MAX = 500  # far more than a commit takes; who meets it is stuck


@pytest.fixture
def config(tmp_path: Path, smsc: SmscProcess) -> Path:
    """At the simulator; no register."""
    return write_config(tmp_path, [smsc_section(smsc.port)])


def outbox(*arguments: str | Path, config: Path) -> Any:
    """What `smsd outbox …` says as JSON; it must not fail."""
    done = smsd("outbox", *arguments, "--json", "--config", config)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def refuse(daemon: Daemon, phones: ControlClient, *texts: tuple[str, str], status: str) -> None:
    """Let SMS be granted whose replies the SMSC refuses."""
    phones.await_bound()
    phones.fault(submit_status=status)
    for phone, text in texts:
        phones.send(phone, text)
        daemon.wait_for("reply_refused")
    phones.fault(submit_status=0)


def dead(config: Path, *, count: int) -> list[dict[str, Any]]:
    """The replies that never left, once the daemon has stored so many."""
    for _ in range(_LOOKS_MAX):
        found = outbox("list", config=config)["dead"]
        if found["total"] == count:
            return list(found["replies"])
    raise AssertionError(f"{found['total']} replies never left, not {count}")


def url(config: Path) -> str:
    return f"sqlite:///{config.parent}/smsd.db"


def audited(config: Path) -> list[tuple[str, str]]:
    lines = audit.since(url(config), 0)
    return [(line.action, line.subject) for line in lines if line.action.startswith("outbox")]


def test_a_refused_reply_leaves_when_it_is_put_back_while_the_daemon_runs(
    config: Path, phones: ControlClient
) -> None:
    """Refused, listed with the reason and half a phone, put back: the phone has it, once."""
    with Daemon(config) as daemon:
        address = daemon.wait_for("started")["desk"]
        refuse(daemon, phones, (PHONE, "2 AZE 1111111"), status=INVALID)
        [letter] = dead(config, count=1)
        assert (letter["smsc"], letter["phone"], letter["state"]) == (
            "simulator",
            "…123",
            "refused",
        )
        assert letter["reason"] == "the phone's number is not valid, ESME_RINVDSTADR (0xb)"
        words = smsd("outbox", "list", "--config", config).stdout
        assert words.startswith("0 waiting, oldest first\n1 never left, newest first\n")
        assert "…123  refused: the phone's number is not valid, ESME_RINVDSTADR (0xb)" in words
        assert PHONE not in words
        assert "AZE1111111" not in words
        done = smsd("outbox", "retry", str(letter["id"]), *WHO, "--config", config)
        assert done.exit_code == 0, done.output
        assert done.stdout == f"Reply {letter['id']} waits again; the daemon sends it.\n"
        phones.await_counter("received", 1)
        [received] = phones.received(PHONE)
        assert "AZE1111111" in received.text
        labels = {"smsc": "simulator", "outcome": "sent"}
        assert metric(address, "smsd_replies_total", labels) == 1
        assert daemon.terminate() == 0
        assert daemon.log.count('"policy_in_force"') == 0
    assert outbox("list", config=config)["dead"]["total"] == 0
    assert audited(config) == [("outbox_retry", f"reply {letter['id']}")]
    assert smsd("store", "verify", "--config", config).exit_code == 0


def test_all_that_an_smsc_refused_with_a_status_leave_in_order(
    config: Path, phones: ControlClient
) -> None:
    """By --status, by --all-of, or both; those of another status stay; urgent ones first."""
    with Daemon(config) as daemon:
        refuse(daemon, phones, (PHONE, "2 AZE 1111111"), (PHONE, "1 AZE 1111111"), status=INVALID)
        refuse(daemon, phones, (OTHER, "2 AZE 2222222"), status="ESME_RINVSRCADR")
        dead(config, count=3)
        done = outbox("retry", "--status", INVALID, "--all-of", "simulator", *WHO, config=config)
        assert len(done["done"]) == 2
        phones.await_counter("received", 2)
        assert {text.text[:21] for text in phones.received(PHONE)} == {
            "İcazə verildi (kod 1)",
            "İcazə verildi (kod 2)",
        }
        [left] = dead(config, count=1)
        assert left["phone"] == "…456"
        outbox("retry", "--all-of", "simulator", *WHO, config=config)
        phones.await_counter("received", 3)
        assert len(phones.received(OTHER)) == 1
        assert daemon.terminate() == 0
    nothing = smsd("outbox", "retry", "--all-of", "simulator", *WHO, "--config", config)
    assert nothing.exit_code == 1
    assert "There is no such reply that could still leave" in nothing.stderr


def test_what_is_put_back_without_a_daemon_is_sent_by_the_next(
    config: Path, phones: ControlClient
) -> None:
    """A restart reads it as it reads everything that waits."""
    with Daemon(config) as daemon:
        refuse(daemon, phones, (PHONE, "2 AZE 1111111"), status=INVALID)
        [letter] = dead(config, count=1)
        assert daemon.terminate() == 0
    done = smsd("outbox", "retry", str(letter["id"]), *WHO, "--config", config)
    assert "no daemon runs; the next one sends it" in done.stdout
    assert outbox("list", config=config)["waiting"]["total"] == 1
    with Daemon(config) as daemon:
        phones.await_counter("received", 1)
        assert daemon.terminate() == 0
    assert len(phones.received(PHONE)) == 1


def test_what_would_mislead_is_refused_with_the_reason(config: Path, phones: ControlClient) -> None:
    """Its permit was returned; another one ended; neither is sent, and the exit code says so."""
    with Daemon(config) as daemon:
        refuse(daemon, phones, (PHONE, "2 AZE 1111111"), (OTHER, "2 AZE 2222222"), status=INVALID)
        ended, returned = sorted(letter["id"] for letter in dead(config, count=2))
        phones.text(OTHER, "return")
        with dbapi.connect(str(config.parent / "smsd.db")) as connection:
            connection.execute("UPDATE reply SET not_after_us = 5 WHERE id = ?", (ended,))
        connection.close()
        done = smsd("outbox", "retry", str(ended), str(returned), "999", *WHO, "--config", config)
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr.splitlines() == [
            f"Reply {ended} would mislead: what it tells of has ended.",
            f"Reply {returned} would mislead: a permit that it tells of was ended by its holder.",
            "Reply 999 is not in the store.",
        ]
        assert daemon.terminate() == 0
    assert audited(config) == []


def test_a_dropped_reply_is_gone_from_the_list(config: Path, phones: ControlClient) -> None:
    """While the daemon runs only what never left; and it says who did it."""
    with Daemon(config) as daemon:
        refuse(daemon, phones, (PHONE, "2 AZE 1111111"), status=INVALID)
        [letter] = dead(config, count=1)
        phones.fault(hold_responses=True)
        phones.send(OTHER, "2 AZE 2222222")
        phones.await_counter("received", 1)
        [waits] = outbox("list", config=config)["waiting"]["replies"]
        done = smsd("outbox", "drop", str(letter["id"]), str(waits["id"]), *WHO, "--config", config)
        assert done.exit_code == 1
        assert done.stdout == f"Reply {letter['id']} is dropped.\n"
        assert "stop the daemon first to drop it" in done.stderr
        phones.fault(hold_responses=False)
        assert daemon.terminate() == 0
    assert outbox("list", config=config)["dead"]["total"] == 0
    assert audited(config) == [("outbox_drop", f"reply {letter['id']}")]


def test_whole_phone_numbers_are_shown_only_to_somebody_with_a_name(
    config: Path, phones: ControlClient
) -> None:
    """And the audit has it."""
    with Daemon(config) as daemon:
        refuse(daemon, phones, (PHONE, "2 AZE 1111111"), status=INVALID)
        dead(config, count=1)
        assert daemon.terminate() == 0
    refused = smsd("outbox", "list", "--reveal", "--config", config)
    assert refused.exit_code == 2
    assert PHONE not in refused.output
    found = outbox("list", "--reveal", *WHO, config=config)
    assert found["dead"]["replies"][0]["phone"] == PHONE
    assert audited(config) == [("outbox_reveal", "phones of 1 replies")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("retry",), "Give either IDs or"),
        (("retry", "5", "--all-of", "simulator"), "Give either IDs or"),
        (("retry", "five"), "five"),
        (("drop",), "Give the IDs"),
    ],
)
def test_wrong_usage_is_told(config: Path, arguments: tuple[str, ...], said: str) -> None:
    """Exit code 2, with what is missing."""
    refused = smsd("outbox", *arguments, *WHO, "--config", config)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert said in refused.stderr


@pytest.mark.parametrize(
    "command",
    [("list",), ("retry", "5", *WHO), ("retry", "--all-of", "x", *WHO), ("drop", "5", *WHO)],
)
def test_without_a_store_nothing_is_made(
    config: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """The likely cause is named."""
    refused = smsd("outbox", *command, "--config", config)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "there is no store at" in refused.stderr
    assert list(tmp_path.iterdir()) == [config]


def test_a_status_that_is_none_is_told(config: Path) -> None:
    """With how to write one."""
    refused = smsd("outbox", "retry", "--status", "busy", *WHO, "--config", config)
    assert refused.exit_code == 1
    assert "give its name as in ESME_RINVDSTADR" in refused.stderr


def test_the_signal_that_asks_to_look_never_ends_a_daemon(
    config: Path, phones: ControlClient
) -> None:
    """SIGUSR1 by default would, from the moment on at which a tool finds the daemon."""
    with Daemon(config) as daemon:
        while owner_pid(url(config)) is None:
            assert daemon.process.poll() is None
        daemon.process.send_signal(signal.SIGUSR1)
        daemon.wait_for("started")
        for _ in range(20):
            daemon.process.send_signal(signal.SIGUSR1)
        phones.await_bound()
        assert "AZE1111111" in phones.text(PHONE, "2 AZE 1111111").text
        assert daemon.terminate() == 0
