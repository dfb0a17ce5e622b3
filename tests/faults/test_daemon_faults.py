"""The whole daemon on a failing disk: it puts SMS off, keeps its links, goes on by itself."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from daemon_process import WAIT_S, Daemon, fetch, smsc_section, write_config
from failing_disk import FAULTS, FailingDisk
from invariants import Examiner
from scripted_smsc import ScriptedSmsc
from storm_smsc import Storm

from smsd.smpp.pdu import DeliverSmResp, Status, SubmitSm, SubmitSmResp, Unbind, UnbindResp
from storage.sqlite_library import dbapi

SMS = 150
UNTIL_MENDED = FAULTS["io-error-until-mended"]
OUTCOMES = "SELECT state, smsc_message_id, resent FROM reply ORDER BY id"
MARKED = "SELECT id FROM reply WHERE resent = 1"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Where the store lies: in a folder of its own, whose syncs belong to the disk that fails."""
    folder = tmp_path / "store"
    folder.mkdir()
    return folder / "smsd.db"


@pytest.fixture
def disk(
    tmp_path: Path, store: Path, library: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FailingDisk]:
    """Under every process that the test starts; mended at its end, so that they can go."""
    disk = FailingDisk(tmp_path / "disk", store)
    for name, value in disk.environment(library).items():
        monkeypatch.setenv(name, value)
    yield disk
    disk.mend()


@pytest.mark.parametrize(
    ("nth", "fault"),
    [
        (1, "io-error-once"),
        (30, "io-error-once"),
        (150, "io-error-once"),
        (2, "io-error-until-mended"),
        (45, "full-until-mended"),
    ],
)
def test_sms_wait_out_a_disk_that_fails_under_a_flood(
    tmp_path: Path, store: Path, disk: FailingDisk, nth: int, fault: str
) -> None:
    """Put off meanwhile, each answered once afterwards, on the same links, without a resend."""
    with Storm(random.Random(nth)) as storm:
        ledger = storm.ledger
        sections = [smsc_section(smsc.port, name) for name, smsc in storm.smscs.items()]
        config = write_config(tmp_path, sections, store=store)
        examiner = Examiner(store, ledger)
        with Daemon(config) as daemon:
            writer = daemon.wait_for("writer_started")["pid"]
            address = daemon.wait_for("started")["desk"]
            assert storm.run_until(lambda: ledger.binds == len(storm.smscs), WAIT_S)
            # A single fault must meet the SMS, not a chart that the desk happens to write.
            disk.fail(nth, FAULTS[fault], 0 if FAULTS[fault].persistent else writer)
            while not disk.hits:  # how many calls a flood needs, its batches decide
                storm.text(SMS)
                assert storm.run_until(lambda: disk.hits > 0 or storm.quiet, WAIT_S)
            if FAULTS[fault].persistent:
                storm.text(SMS)
                assert storm.run_until(lambda: ledger.put_off > 0, WAIT_S)
                storm.enquire()
                assert storm.run_until(lambda: ledger.enquired == len(storm.smscs), WAIT_S)
                status, reasons = fetch(address, "readyz")
                assert (status, "store is unavailable" in reasons) == (503, True)
                disk.mend()
            assert storm.run_until(lambda: storm.quiet and not examiner.unsent_count, WAIT_S)
            daemon.wait_for("store_available_again")
            assert fetch(address, "readyz")[0] == 200
            assert ledger.binds == len(storm.smscs), "a link was lost"
            assert not rows(store, MARKED), "sent twice, though no outcome was unknown"
            examiner.examine()
            examiner.examine_closely(config)


def test_an_outcome_waits_until_the_disk_is_back(
    tmp_path: Path, store: Path, disk: FailingDisk
) -> None:
    """What the SMSC took while nothing could be stored is recorded afterwards, as it was."""
    with ScriptedSmsc() as smsc:
        config = write_config(tmp_path, [smsc_section(smsc.port)], store=store)
        with Daemon(config) as daemon:
            peer = smsc.accept_bind()
            peer.text("2 AZE 1111111", 1)
            assert peer.read(DeliverSmResp).status == Status.ESME_ROK
            reply = peer.read(SubmitSm)
            disk.fail(1, UNTIL_MENDED)
            peer.send(SubmitSmResp(message_id="taken"), reply.sequence)
            daemon.wait_for("store_unavailable")
            assert rows(store, OUTCOMES) == [(0, None, 0)]
            disk.mend()
            daemon.wait_for("store_available_again")
            assert rows(store, OUTCOMES) == [(1, "taken", 0)]


def test_the_daemon_is_ready_again_though_no_sms_comes(
    tmp_path: Path, store: Path, disk: FailingDisk
) -> None:
    """The disk itself is asked: an SMSC that does not send again must not keep us unready."""
    with ScriptedSmsc() as smsc:
        config = write_config(tmp_path, [smsc_section(smsc.port)], store=store)
        with Daemon(config) as daemon:
            address = daemon.wait_for("started")["desk"]
            peer = smsc.accept_bind()
            daemon.wait_for("bound")
            disk.fail(1, UNTIL_MENDED)
            peer.text("2 AZE 1111111", 1)
            assert peer.read().status == Status.ESME_RX_T_APPN
            assert fetch(address, "readyz")[0] == 503
            disk.mend()
            daemon.wait_for("store_available_again")
            assert fetch(address, "readyz")[0] == 200


def test_a_writer_that_dies_while_the_disk_fails_is_started_until_it_can(
    tmp_path: Path, store: Path, disk: FailingDisk
) -> None:
    """Its successors cannot open the store; the link stays, and the SMS is taken in the end."""
    with ScriptedSmsc() as smsc:
        config = write_config(tmp_path, [smsc_section(smsc.port)], store=store)
        with Daemon(config) as daemon:
            writer = daemon.wait_for("writer_started")["pid"]
            peer = smsc.accept_bind()
            daemon.wait_for("bound")
            disk.fail(1, UNTIL_MENDED)
            os.kill(writer, signal.SIGKILL)
            daemon.wait_for("writer_ended")
            for _ in range(2):
                peer.text("2 AZE 1111111", 1)
                assert peer.read().status == Status.ESME_RX_T_APPN
            assert "disk I/O error" in daemon.wait_for("store_not_opened")["reason"]
            disk.mend()
            daemon.wait_for("store_available_again")
            peer.text("2 AZE 1111111", 2)
            assert peer.read(DeliverSmResp).status == Status.ESME_ROK
            peer.read(SubmitSm)
    assert "Traceback" not in daemon.log


def test_a_log_that_cannot_be_written_stops_nothing(
    tmp_path: Path, store: Path, disk: FailingDisk
) -> None:
    """The log lies on the disk that is full: what it should tell is lost, and no more than that."""
    with ScriptedSmsc() as smsc, Path("/dev/full").open("w") as full:
        config = write_config(tmp_path, [smsc_section(smsc.port)], store=store)
        command = [sys.executable, "-m", "smsd", "run", "--config", str(config)]
        with subprocess.Popen(command, stderr=full) as daemon:
            try:
                peer = smsc.accept_bind()
                disk.fail(1, FAULTS["full-until-mended"])
                peer.text("2 AZE 1111111", 1)
                assert peer.read().status == Status.ESME_RX_T_APPN
                disk.mend()
                sequence, status = 1, int(Status.ESME_RX_T_APPN)
                while status == Status.ESME_RX_T_APPN:
                    sequence += 1
                    peer.text("2 AZE 1111111", sequence)
                    status = peer.read().status
                assert status == Status.ESME_ROK
                reply = peer.read(SubmitSm)
                peer.send(SubmitSmResp(message_id="1"), reply.sequence)
                daemon.terminate()
                peer.send(UnbindResp(), peer.read(Unbind).sequence)
                daemon.wait(WAIT_S)
            finally:
                daemon.kill()


def rows(store: Path, query: str) -> list[tuple[Any, ...]]:
    """What is committed, as another process sees it."""
    connection = dbapi.connect(f"file:{os.fspath(store)}?mode=ro", uri=True)
    try:
        return list(connection.execute(query))
    finally:
        connection.close()
