"""`smsd smsc …` against a real daemon, through its control socket."""

import contextlib
import json
import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
from daemon_process import Daemon, fetch, smsc_section, write_config
from scripted_smsc import ScriptedSmsc
from smsd_command import smsd, smsd_process

from simulators.control_client import ControlClient
from simulators.process import SmscProcess
from smsd.smpp.pdu import Unbind, UnbindResp
from storage import audit

PHONE = "994500000001"


@pytest.fixture
def config(tmp_path: Path, smsc: SmscProcess) -> Path:
    """Two SMSCs, the one there, the other refusing."""
    sections = [smsc_section(smsc.port, "here"), smsc_section(smsc.port, "there", "wrong")]
    return write_config(tmp_path, sections)


def told(*arguments: str | Path, exit_code: int = 0) -> list[dict[str, Any]]:
    """What `smsd smsc … --json` prints."""
    result = smsd("smsc", *arguments, "--json")
    assert result.exit_code == exit_code, result.output
    return list(json.loads(result.stdout))


def test_list_says_who_is_bound_and_why_not(config: Path) -> None:
    """Exit code 1 where one is not; in words and as JSON."""
    with Daemon(config) as daemon:
        daemon.wait_for("bound", smsc="here")
        daemon.wait_for("bind_failed", smsc="there")
        here, there = told("list", "--config", config, exit_code=1)
        assert (here["state"], there["state"]) == ("bound", "not bound")
        assert there["binds"][0]["reason"] == "bind refused: ESME_RINVPASWD (0xe)"
        words = smsd("smsc", "list", "--config", config)
        assert "here: bound, 0 replies wait\n  transceiver    127.0.0.1:" in words.stdout
        assert ": bind refused: ESME_RINVPASWD (0xe)\n" in words.stdout


def test_an_smsc_is_suspended_and_resumed(config: Path, smsc: SmscProcess) -> None:
    """/readyz tells of it, the audit has who and why, and SMS come again afterwards."""
    with Daemon(config) as daemon, smsc.client() as phones:
        address = daemon.wait_for("started")["desk"]
        daemon.wait_for("bound", smsc="here")
        options = ("--config", config, "--who", "Leyla", "--reason", "ticket 7")
        [suspended] = told("suspend", "there", *options)
        assert suspended["state"] == "suspended"
        assert fetch(address, "readyz") == (200, "ready\nsmsc there: suspended\n")
        told("suspend", "here", *options)
        assert fetch(address, "readyz") == (
            503,
            "not ready: every smsc is suspended\nsmsc here: suspended\nsmsc there: suspended\n",
        )
        again = smsd("smsc", "suspend", "here", *options)
        assert again.stdout.startswith("Nothing to do: here was suspended.\n")
        assert "resume it" not in again.stdout
        [resumed] = told("resume", "here", *options)
        assert resumed["state"] == "bound"
        assert fetch(address, "readyz") == (200, "ready\nsmsc there: suspended\n")
        assert "AZE1111111" in phones.text(PHONE, "2 AZE 1111111").text
        [refused] = told("resume", "there", *options, exit_code=1)
        assert refused["binds"][0]["reason"] == "bind refused: ESME_RINVPASWD (0xe)"
        told("reconnect", "here", "--config", config)
    lines = audit.since(f"sqlite:///{config.parent / 'smsd.db'}", 0)
    acts = [(line.action, line.subject, line.who, line.reason) for line in lines]
    assert [act for act in acts if act[0].startswith("smsc_")][:4] == [
        ("smsc_suspend", "there", "Leyla", "ticket 7"),
        ("smsc_suspend", "here", "Leyla", "ticket 7"),
        ("smsc_resume", "here", "Leyla", "ticket 7"),
        ("smsc_resume", "there", "Leyla", "ticket 7"),
    ]
    assert acts[-1][:2] == ("smsc_reconnect", "here")


def test_an_smsc_is_paced_until_that_is_lifted(config: Path, smsc: SmscProcess) -> None:
    """In words and as JSON, with who and why in the audit; nonsense is told before it is tried."""
    options = ("--config", config, "--who", "Leyla", "--reason", "ticket 8")
    with Daemon(config) as daemon:
        daemon.wait_for("bound", smsc="here")
        [paced] = told("pace", "here", "25", *options)
        assert (paced["rate_per_s"], paced["limit_per_s"], paced["configured_per_s"]) == (25, 25, 0)
        words = smsd("smsc", "list", "--config", config).stdout
        assert ", at most 25 messages a second (set by hand)\n" in words
        again = smsd("smsc", "pace", "here", "25", *options)
        assert again.stdout.startswith("Nothing to do: that is the pace of here.\n")
        [lifted] = told("pace", "here", "configured", *options)
        assert lifted["rate_per_s"] == 0
        refused = smsd("smsc", "pace", "here", "0.5", *options)
        assert (refused.exit_code, refused.stderr) == (
            1,
            "a pace is 1 to 100000 messages a second\n",
        )
        wrong = smsd("smsc", "pace", "here", "fast", *options)
        assert wrong.exit_code == 2
        assert "neither messages a second nor the word configured" in wrong.stderr
    lines = audit.since(f"sqlite:///{config.parent / 'smsd.db'}", 0)
    assert [(e.who, e.subject, e.reason) for e in lines if e.action == "smsc_pace"] == [
        ("Leyla", "here: 25/s", "ticket 8"),
        ("Leyla", "here: as configured", "ticket 8"),
    ]


def test_a_suspension_ends_with_the_daemon(config: Path, phones: ControlClient) -> None:
    """What somebody typed in one night is not found by surprise after the next restart."""
    with Daemon(config) as daemon:
        daemon.wait_for("bound", smsc="here")
        told("suspend", "here", "--config", config)
        assert daemon.terminate() == 0
    with Daemon(config) as daemon:
        daemon.wait_for("bound", smsc="here")


def test_what_is_not_there_is_told(config: Path) -> None:
    """The names there are."""
    with Daemon(config) as daemon:
        daemon.wait_for("started")
        result = smsd("smsc", "suspend", "nowhere", "--config", config)
        assert (result.exit_code, result.stderr) == (
            1,
            "no such SMSC; there are: here, there\n",
        )


def test_without_a_daemon_there_is_nobody_to_ask(config: Path) -> None:
    """Before it ran, and after it was killed."""
    for _ in range(2):
        result = smsd("smsc", "list", "--config", config)
        assert result.exit_code == 1
        assert "No daemon answers at" in result.stderr
        with Daemon(config) as daemon:
            daemon.wait_for("started")
            daemon.kill()


def test_a_daemon_takes_the_door_of_one_that_was_killed(config: Path) -> None:
    """The socket that it left behind keeps nobody out, and nobody but its user may open it."""
    for _ in range(2):
        with Daemon(config) as daemon:
            daemon.wait_for("bound", smsc="here")
            assert told("list", "--config", config, exit_code=1)
            door = config.parent / "smsd.db.sock"
            assert stat.S_IMODE(door.stat().st_mode) == 0o600
            daemon.kill()


def test_the_door_closes_before_the_binds_do(tmp_path: Path) -> None:
    """Nobody brings an SMSC back into a daemon that is leaving."""
    with (
        ScriptedSmsc() as smsc,
        Daemon(write_config(tmp_path, [smsc_section(smsc.port)])) as daemon,
    ):
        peer = smsc.accept_bind()
        door = tmp_path / "smsd.db.sock"
        assert door.exists()
        daemon.process.terminate()
        unbind = peer.read(Unbind)
        assert not door.exists()
        peer.send(UnbindResp(), unbind.sequence)
        assert daemon.wait() == 0


@pytest.mark.parametrize("place", ["no/such/folder/s", "x" * 120, "file"])
def test_a_door_that_cannot_be_opened_keeps_nobody_up(config: Path, place: str) -> None:
    """One log line that says what to do; permits are worth more than a door."""
    (config.parent / "file").write_text("somebody's")
    text = config.read_text().replace(
        "[limits]", f'[control]\nsocket = "{config.parent / place}"\n[limits]'
    )
    config.write_text(text)
    with Daemon(config) as daemon:
        assert "control.socket" in daemon.wait_for("no_control")["advice"]
        daemon.wait_for("bound", smsc="here")
        assert smsd("smsc", "list", "--config", config).exit_code == 1
    assert (config.parent / "file").read_text() == "somebody's"


def test_another_daemons_door_is_left_to_it(config: Path, tmp_path: Path) -> None:
    """Two stores, one socket by mistake: the second goes without."""
    door = f'[control]\nsocket = "{tmp_path}/door"\n[limits]'
    config.write_text(config.read_text().replace("[limits]", door))
    other = tmp_path / "other.toml"
    other.write_text(config.read_text().replace("smsd.db", "other.db"))
    with Daemon(config) as first:
        first.wait_for("bound", smsc="here")
        with Daemon(other) as second:
            second.wait_for("no_control")
        assert told("list", "--config", config, exit_code=1)


NONSENSE = (
    b"",
    b"{",
    b"[]",
    b"list",
    b"\xff",
    b"[" * 4_000,
    b'{"do": ["list"]}',
    b'{"do": "suspend"}',
    b'{"do": "suspend", "smsc": {}}',
)


def test_the_door_bears_anything(config: Path) -> None:
    """An answer with an error, and the next request is answered as ever."""
    with Daemon(config) as daemon:
        daemon.wait_for("started")
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(config.parent / "smsd.db.sock"))
            answers = caller.makefile("rb")
            for line in NONSENSE:
                caller.sendall(line + b'\n{"do": "list"}\n')
                assert json.loads(answers.readline())["ok"] is False, line
                assert json.loads(answers.readline())["ok"] is True, line
            caller.sendall(b"x" * 4_200)  # and no end in sight
            assert json.loads(answers.readline())["error"] == "a request has at most 4096 octets"
            with contextlib.suppress(ConnectionResetError):
                assert answers.readline() == b""
        assert smsd("smsc", "list", "--config", config).exit_code == 1
        assert "control_failed" not in daemon.log


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_stranger_is_told_that_it_is_not_his_to_ask(config: Path) -> None:
    """Another user of the machine."""
    with Daemon(config) as daemon:
        daemon.wait_for("started")
        door = config.parent / "smsd.db.sock"
        asked = os.fork()
        if asked == 0:
            os.setuid(65534)
            try:
                socket.socket(socket.AF_UNIX).connect(str(door))
            except PermissionError:
                os._exit(13)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(asked, 0)[1]) == 13


def test_it_is_named_in_the_help() -> None:
    """Whoever looks for it finds it."""
    assert "smsc" in smsd_process("--help").stdout
