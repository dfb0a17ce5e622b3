"""A law that is proposed, studied and put in force at the desk of a running daemon."""

import os
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from daemon_process import POLICY_FILE, Daemon, smsc_section, write_config
from desk_visitor import DeskVisitor

from simulators.control_client import ControlClient
from simulators.process import SmscProcess
from storage import policies, proposals, studies
from storage.audit_proof import verify
from storage.roles import Role
from storage.sqlite_library import dbapi
from storage.studies import Outcome

PHONE = "994500000001"
WHY = {"reason": "decree 17"}
LONGER = ('value = 120, source = "seed', 'value = 180, source = "seed')
_CASE = (
    '[[tests]]\ntitle = "?"\nat = 2020-05-01T00:00:00\ntext = "?"\nexpect = { reason = "empty" }\n'
)


def law(*changes: tuple[str, str]) -> bytes:
    """8103 with changes, and with one test instead of its own."""
    text = POLICY_FILE.read_text(encoding="utf-8")
    text = text[: text.index("[[tests]]")]
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return (text + _CASE).encode()


def config(folder: Path, port: int, desk: str = "") -> Path:
    """A daemon whose policy is a file of its own."""
    shutil.copy(POLICY_FILE, folder / "law.toml")
    file = write_config(folder, [smsc_section(port)], desk=desk)
    file.write_text(file.read_text().replace(str(POLICY_FILE), str(folder / "law.toml")))
    return file


class Desk:
    """A running daemon and two policy officers at its desk."""

    def __init__(self, folder: Path, daemon: Daemon) -> None:
        self.daemon = daemon
        self.store = folder / "smsd.db"
        self.url = f"sqlite:///{self.store}"
        self.address = daemon.wait_for("started")["desk"]
        self.aysel = DeskVisitor.of(self.address, f"sqlite:///{self.store}", "aysel", Role.POLICY)
        self.rauf = DeskVisitor.of(self.address, f"sqlite:///{self.store}", "rauf", Role.POLICY)

    def propose(self, octets: bytes) -> str:
        """The page of a proposal of the first officer."""
        done = self.aysel.upload("/policy/propose", octets, **WHY)
        assert done.status == 303, re.sub(r"\s+", " ", done.text)
        return done.location.partition("?")[0]

    def length_min(self) -> int:
        """Minutes of the newest permit."""
        with dbapi.connect(f"file:{self.store}?mode=ro", uri=True) as connection:
            (length,) = connection.execute(
                "SELECT valid_until_us - valid_from_us FROM decision ORDER BY serial DESC LIMIT 1"
            ).fetchone()
        return int(length) // 60_000_000


@contextmanager
def running(folder: Path, file: Path, *options: str) -> Iterator[Desk]:
    with Daemon(file, *options) as daemon:
        yield Desk(folder, daemon)


def studying(daemon: int) -> int:
    """The process of a daemon that studies; waits for it by looking on."""
    while True:
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = re.search(r"PPid:\t(\d+)", (entry / "status").read_text())
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if parent and int(parent[1]) == daemon and b"smsd.desk.study" in command:
                return int(entry.name)


def test_from_an_upload_to_the_next_sms(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """Proposed by one, studied by a process of its own, put in force by another."""
    with running(tmp_path, config(tmp_path, smsc.port)) as desk:
        phones.text(PHONE, "1 AZE 1000001")
        assert desk.length_min() == 120
        page = desk.propose(law(LONGER))
        desk.daemon.wait_for("studied", outcome="sound")
        shown = desk.rauf.get(page).text
        assert "granted for 3" in shown
        assert "granted for 2\xa0h" in shown
        assert "Of 1 SMS, 1 outcomes change." in shown
        done = desk.rauf.post(f"{page}/activate", **WHY)
        assert (done.status, done.location) == (303, "/policy?said=policy.activated")
        phones.text(PHONE, "1 AZE 1000002")
        assert desk.length_min() == 180
        first = policies.history(desk.url)[-1].digest
        back = {"digest": first, "reason": "it grants too much"}
        assert desk.rauf.post("/policy/rollback", **back).status == 303
        phones.text(PHONE, "1 AZE 1000003")
        assert desk.length_min() == 120
        while "every rule has a test" not in desk.rauf.get("/policy").text:
            pass  # what the rules in force cover is found out beside, once it is asked for
        assert desk.daemon.terminate() == 0
    assert verify(desk.url).sound


@pytest.mark.parametrize("killed", [False, True])
def test_what_is_queued_decides_from_its_midnight_on(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient, killed: bool
) -> None:
    """The clock of a rehearsal passes it while the daemon runs, or while it does not."""
    clock = tmp_path / "offset"
    file = config(tmp_path, smsc.port)
    rehearsal = ("--clock-offset-file", str(clock))
    with running(tmp_path, file, *rehearsal) as desk:
        page = desk.propose(law(LONGER))
        desk.daemon.wait_for("studied", outcome="sound")
        due = re.search(r'type="datetime-local" value="([^"]+)"', desk.rauf.get(page).text)
        assert due is not None
        assert due[1].endswith("T00:00")
        assert desk.rauf.post(f"{page}/queue", **WHY, due=due[1]).status == 303
        phones.text(PHONE, "1 AZE 1000001")
        assert desk.length_min() == 120
        if killed:
            desk.daemon.kill()
        clock.write_text("86400")
        if not killed:
            desk.daemon.wait_for("policy_in_force")
            phones.text(PHONE, "1 AZE 1000002")
            assert desk.length_min() == 180
            return
    with running(tmp_path, file, *rehearsal) as desk:
        phones.text(PHONE, "1 AZE 1000002")
        assert desk.length_min() == 180


@pytest.mark.parametrize(
    ("octets", "status", "said"),
    [
        (b"", 400, "Choose a file"),
        (b"\xff\xfe[policy]", 400, "is not UTF-8 text"),
        (b"policy:\n  id: 8103\n", 400, "Line 1"),
        (b"k = " + b"[" * 100_000, 400, "nests brackets far too deep"),
        (b"#" * 1_000_001, 400, "is over 1000000 bytes long"),
        (b"#" * 2_000_000, 413, "That is more than 1024 KB"),
    ],
    ids=["empty", "not UTF-8", "YAML", "deep", "over the bound", "2 MB"],
)
def test_what_is_no_policy_is_refused_in_words(
    hostile: Desk, octets: bytes, status: int, said: str
) -> None:
    """Nothing is proposed, and no trace is shown."""
    got = hostile.aysel.upload("/policy/propose", octets, **WHY)
    assert (got.status, said in got.text) == (status, True), got.text
    assert "Traceback" not in got.text
    assert proposals.recent(hostile.url, 10) == []


def test_every_fault_of_a_policy_is_told_at_once(hostile: Desk) -> None:
    """With its line, and with what was typed to be mended right there; tests and gaps too."""
    bad = law(('reply = "senior"', 'reply = "seniors"'), ('reply = "granted"', 'reply = "grant"'))
    got = hostile.aysel.post("/policy/propose", **WHY, text=bad.decode())
    assert got.status == 400
    assert "there is no reply &#34;seniors&#34;" in got.text
    assert "there is no reply &#34;grant&#34;" in got.text
    assert "reply = &#34;seniors&#34;" in got.text
    granted = b'id = "granted"\n'
    gap = law().replace(granted, granted + b'except = { code = ["3"] }\n')
    got = hostile.aysel.upload("/policy/propose", gap, **WHY)
    assert "meets no rule that applies" in got.text
    untrue = law().replace(b'{ reason = "empty" }', b'{ reason = "no_code" }')
    got = hostile.aysel.upload("/policy/propose", untrue, **WHY)
    assert "tests[1].expect" in got.text
    assert proposals.recent(hostile.url, 10) == []


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A daemon for all that is thrown at it; its SMSC is not there."""
    folder = tmp_path_factory.mktemp("hostile")
    with running(folder, config(folder, 1)) as desk:
        yield desk


def test_a_study_that_does_not_end_is_ended(tmp_path: Path) -> None:
    """It has its time; then the page says so, and nothing unstudied is put in force."""
    with running(tmp_path, config(tmp_path, 1, "study_s = 0.05")) as desk:
        page = desk.propose(law(LONGER))
        assert desk.daemon.wait_for("study_failed")["reason"] == "it took longer than 0.05 s"
        while (study := studies.newest(desk.url, 1)) is None or study.outcome is None:
            pass
        shown = desk.rauf.get(page).text
        assert "could not be studied" in shown
        assert "it took longer than 0.05 s" in shown
        refused = desk.rauf.post(f"{page}/activate", **WHY)
        assert (refused.status, "not studied to the end" in refused.text) == (409, True)


def test_a_study_whose_process_is_killed_can_be_asked_for_again(tmp_path: Path) -> None:
    """As by a machine without memory; the daemon stays."""
    with running(tmp_path, config(tmp_path, 1)) as desk:
        page = desk.propose(law(LONGER))
        os.kill(studying(desk.daemon.process.pid), signal.SIGKILL)
        assert "signal 9" in desk.daemon.wait_for("study_failed")["reason"]
        desk.daemon.wait_for("studied", outcome="failed")
        assert desk.rauf.post(f"{page}/study").status == 303
        desk.daemon.wait_for("studied", outcome="sound")


def test_a_killed_daemon_leaves_no_study_behind_and_the_next_makes_it(tmp_path: Path) -> None:
    """Nobody asks for it again; its process ends with the daemon it studied for."""
    file = config(tmp_path, 1)
    with running(tmp_path, file) as desk:
        desk.propose(law(LONGER))
        child = studying(desk.daemon.process.pid)
        os.kill(child, signal.SIGSTOP)  # so that it cannot have ended before
        desk.daemon.kill()
        os.kill(child, signal.SIGCONT)
        while (
            Path(f"/proc/{child}").exists()
            and b"smsd" in Path(f"/proc/{child}/cmdline").read_bytes()
        ):
            pass
    study = studies.newest(desk.url, 1)
    assert study is not None
    assert study.outcome is None
    with running(tmp_path, file) as desk:
        desk.daemon.wait_for("studied", outcome="sound")
        assert desk.daemon.terminate() == 0
    study = studies.newest(desk.url, 1)
    assert study is not None
    assert study.outcome is Outcome.SOUND
