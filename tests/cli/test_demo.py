"""`smsd demo`: the whole product in one command, on the fixed ports that it tells people of."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from smsd_command import smsd

import smsd as package
from smsd.demo.script import conversation

PORTS = (2775, 2776, 8103)
DEMO_S = 120.0


def free(port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@pytest.fixture
def ports() -> Iterator[None]:
    """The demo's ports for one test at a time, also among test runs on the same machine."""
    with (Path(tempfile.gettempdir()) / "smsd-demo-tests.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if taken := [port for port in PORTS if not free(port)]:
            pytest.skip(f"the demo's port {taken[0]} is in use on this machine")
        yield


def demo(*options: str | Path, cwd: Path | None = None) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "smsd", "demo", *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        cwd=cwd,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def today() -> date:
    return datetime.now(tz=ZoneInfo("Asia/Baku")).date()


@pytest.mark.usefixtures("ports")
def test_the_conversation_comes_back_as_expected(tmp_path: Path) -> None:
    """Code 0, and on the screen every SMS with its reply, word for word."""
    days = [today()]
    said, complaints = (process := demo("--once", "--folder", tmp_path / "demo")).communicate(
        timeout=DEMO_S
    )
    days.append(today())  # It may have passed midnight.
    assert process.returncode == 0, complaints
    assert complaints == ""
    shown = [line.strip(" →←") for line in said.splitlines()]
    for day in days:
        lines = conversation(day)
        expected = [part for line in lines for part in (line.text, *line.reply.splitlines())]
        if set(expected) <= set(shown):
            break
    assert set(expected) <= set(shown)
    assert f"{len(lines)} SMS, {len(lines)} replies as expected" in said
    assert all(map(free, PORTS))


@pytest.mark.usefixtures("ports")
def test_a_second_demo_in_the_same_folder_starts_anew(tmp_path: Path) -> None:
    """What the first one left is not in its way, and the permits are new."""
    folder = tmp_path / "demo"
    for _ in range(2):
        assert demo("--once", "--folder", folder).wait(DEMO_S) == 0


@pytest.mark.usefixtures("ports")
def test_a_reply_that_is_not_the_expected_one_ends_with_one(tmp_path: Path) -> None:
    """A copy of the program with another script: the wrong reply is shown beside the right one."""
    assert package.__file__
    shutil.copytree(Path(package.__file__).parent, tmp_path / "smsd")
    script = tmp_path / "smsd" / "demo" / "conversation.toml"
    first = script.read_text(encoding="utf-8").split("[[sms]]")[1]
    wrong = 'reply = "Come in"\n'
    script.write_text(f"[[sms]]{first.split('reply')[0]}{wrong}", encoding="utf-8")
    process = demo("--once", "--folder", tmp_path / "demo", cwd=tmp_path)
    said, complaints = process.communicate(timeout=DEMO_S)
    assert process.returncode == 1, complaints
    assert "       expected: Come in\n" in said
    assert "1 SMS, 0 replies as expected" in said


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 128 + signal.SIGTERM)]
)
@pytest.mark.usefixtures("ports")
def test_it_stays_up_until_told_to_end_and_leaves_nothing_running(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """Meanwhile the commands that it prints work from another terminal."""
    folder = tmp_path / "demo"
    process = demo("--folder", folder)
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line.strip())
        if line.startswith("Ctrl-C ends it"):
            break
    try:
        send = '.venv/bin/smsd-sim send --from 994501234567 "2 AZE 1234567"'
        assert send in said
        reply = subprocess.check_output(
            [sys.executable, "-m", "simulators", "send", "--from", "994501234567", "2 AZE 1234567"],
            text=True,
        )
        assert "AZE1234567" in reply
        assert f".venv/bin/smsd explain REFERENCE --config {folder}/config.toml" in said
        number_given = reply.rstrip().rpartition("№ ")[2]
        told = smsd("explain", number_given, "--config", folder / "config.toml")
        assert "'2 AZE 1234567'" in told.stdout
    finally:
        process.send_signal(number)
        process.communicate(timeout=DEMO_S)
    assert process.returncode == code
    assert all(map(free, PORTS))


@pytest.mark.usefixtures("ports")
@pytest.mark.parametrize("port", PORTS)
def test_a_port_in_use_is_named_before_anything_is_touched(tmp_path: Path, port: int) -> None:
    """It would talk to a stranger's daemon or simulator, or empty the folder of a running demo."""
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "clock-offset").write_text("0")
    with socket.create_server(("127.0.0.1", port)):
        result = smsd("demo", "--once", "--folder", folder)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"demo: 127.0.0.1:{port} cannot be used (Address already in")
    assert "is another demo, smsd or smsd-sim running?" in result.stderr
    assert [each.name for each in folder.iterdir()] == ["clock-offset"]


@pytest.mark.usefixtures("ports")
def test_a_folder_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    """`--folder ~` must not cost anybody their home."""
    treasure = tmp_path / "treasure.txt"
    treasure.write_text("mine")
    result = smsd("demo", "--once", "--folder", tmp_path)
    assert result.exit_code == 1
    assert result.stderr == (
        f"demo: {tmp_path} holds files that no demo made; name another with --folder\n"
    )
    assert treasure.read_text() == "mine"


def test_every_line_of_the_script_is_complete() -> None:
    """In order of time, on one day, with people whom nobody can reach."""
    lines = conversation(date(2026, 2, 28))
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    for line in lines:
        assert line.phone.startswith("994")
        assert len(line.phone) == 12
        assert line.who
        assert line.text
        assert "{" not in line.reply
