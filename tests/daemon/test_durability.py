"""What a crash, a full disk and a redelivery must not do."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemon_process import Daemon, fetch, smsc_section, write_config
from scripted_smsc import Peer, ScriptedSmsc
from test_main_job import PHONE, reference_in

from simulators.control_client import ControlClient
from simulators.process import SmscProcess
from smsd.smpp import segments, text
from smsd.smpp.pdu import (
    BindReceiver,
    BindTransmitter,
    DeliverSmResp,
    Status,
    SubmitSm,
    SubmitSmResp,
    UnbindResp,
)

REQUEST = "2 AZE 1111111"


def submitted_text(peer: Peer) -> str:
    """Take one submit_sm, answer it, and read it as a phone would."""
    pdu = peer.read(SubmitSm)
    assert isinstance(pdu.body, SubmitSm)
    peer.send(SubmitSmResp(message_id="1"), pdu.sequence)
    return text.decode(pdu.body.data_coding, segments.unpack(pdu.body).octets).text


def await_unbind(peer: Peer) -> None:
    """Nothing but the goodbye may come."""
    pdu = peer.read()
    assert type(pdu.body).__name__ == "Unbind", pdu
    peer.send(UnbindResp(), pdu.sequence)


def test_killed_between_commit_and_reply_the_reply_comes_after_the_restart(
    tmp_path: Path,
) -> None:
    """The SMS is acknowledged, so it is durable; SIGKILL; the reply comes once, one permit."""
    with ScriptedSmsc() as smsc:
        section = smsc_section(smsc.port, more='bind = "transmitter+receiver"')
        config = write_config(tmp_path, [section])
        with Daemon(config) as daemon:
            asked = smsc.accept_binds()
            receiver = smsc.answer_bind(asked[BindReceiver])
            # The transmitter stays unanswered, so the reply cannot leave.
            receiver.text(REQUEST, 1)
            assert receiver.read(DeliverSmResp).status == Status.ESME_ROK
            daemon.kill()
        with Daemon(config) as daemon:
            asked = smsc.accept_binds()
            receiver = smsc.answer_bind(asked[BindReceiver])
            transmitter = smsc.answer_bind(asked[BindTransmitter])
            first = submitted_text(transmitter)
            # The SMSC may not have seen the acknowledgement before the crash, and sends again.
            receiver.text(REQUEST, 2)
            assert receiver.read(DeliverSmResp).status == Status.ESME_ROK
            again = submitted_text(transmitter)
            assert reference_in(first) == reference_in(again)
            daemon.process.terminate()
            await_unbind(transmitter)
            await_unbind(receiver)
            assert daemon.wait() == 0
    assert grants(tmp_path / "smsd.db") == 1


def test_sent_again_while_its_reply_waits_it_is_answered_once(tmp_path: Path) -> None:
    """Killed before the acknowledgement was read: the SMS comes again, and one reply serves."""
    with ScriptedSmsc() as smsc:
        section = smsc_section(smsc.port, more='bind = "transmitter+receiver"')
        config = write_config(tmp_path, [section])
        with Daemon(config) as daemon:
            asked = smsc.accept_binds()
            receiver = smsc.answer_bind(asked[BindReceiver])
            for sequence in (1, 2):
                receiver.text(REQUEST, sequence)
                assert receiver.read(DeliverSmResp).status == Status.ESME_ROK
            daemon.kill()
        with Daemon(config) as daemon:
            asked = smsc.accept_binds()
            receiver = smsc.answer_bind(asked[BindReceiver])
            receiver.text(REQUEST, 3)
            assert receiver.read(DeliverSmResp).status == Status.ESME_ROK
            transmitter = smsc.answer_bind(asked[BindTransmitter])
            assert "AZE1111111" in submitted_text(transmitter)
            daemon.process.terminate()
            await_unbind(transmitter)
            await_unbind(receiver)
            assert daemon.wait() == 0
    assert grants(tmp_path / "smsd.db") == 1


def test_a_lost_response_leads_to_a_resend_that_is_marked(tmp_path: Path) -> None:
    """submit_sm went out and the link broke: the outcome is unknown, so it goes again."""
    with ScriptedSmsc() as smsc:
        config = write_config(tmp_path, [smsc_section(smsc.port)])
        with Daemon(config) as daemon:
            peer = smsc.accept_bind()
            peer.text(REQUEST, 1)
            assert peer.read(DeliverSmResp).status == Status.ESME_ROK
            first = peer.read(SubmitSm).body
            peer.close()
            peer = smsc.accept_bind()
            pdu = peer.read(SubmitSm)
            assert isinstance(first, SubmitSm)
            assert isinstance(pdu.body, SubmitSm)
            assert pdu.body.short_message == first.short_message
            peer.send(SubmitSmResp(message_id="7"), pdu.sequence)
            daemon.process.terminate()
            await_unbind(peer)
            assert daemon.wait() == 0
    assert rows(tmp_path / "smsd.db", "SELECT state, resent, smsc_message_id FROM reply") == [
        (1, 1, "7")
    ]


def test_a_temporary_error_is_tried_again_and_a_permanent_one_is_not(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """ESME_RTHROTTLED waits and goes again; ESME_RINVDSTADR is final and is recorded."""
    with Daemon(write_config(tmp_path, [smsc_section(smsc.port)])) as daemon:
        phones.await_bound()
        phones.fault(submit_status="ESME_RTHROTTLED", submit_status_times=2)
        assert "AZE1111111" in phones.text(PHONE, REQUEST).text
        daemon.wait_for("smsc_busy")
        phones.fault(submit_status="ESME_RINVDSTADR", submit_status_times=1)
        phones.send(PHONE, "1 AZE 1111111")
        assert "ESME_RINVDSTADR" in daemon.wait_for("reply_refused")["status"]
        daemon.terminate()
    states = rows(tmp_path / "smsd.db", "SELECT state, status FROM reply ORDER BY id")
    assert states == [(1, 0), (2, Status.ESME_RINVDSTADR)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one mebibyte; needs root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a small tmpfs can only be mounted by root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_puts_sms_off_and_the_daemon_recovers_by_itself(
    tmp_path: Path, small_disk: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """ESME_RX_T_APPN while the disk is full; the SMSC keeps the SMS; no restart is needed."""
    config = write_config(tmp_path, [smsc_section(smsc.port)], store=small_disk / "smsd.db")
    with Daemon(config) as daemon:
        address = daemon.wait_for("started")["desk"]
        assert "AZE1111111" in phones.text(PHONE, REQUEST).text
        ballast = small_disk / "ballast"
        fill(ballast)
        phones.watch(PHONE)
        serial = phones.send(PHONE, "1 AZE 1111111")
        daemon.wait_for("store_unavailable")
        status, reasons = fetch(address, "readyz")
        assert (status, "store is unavailable" in reasons) == (503, True)
        assert phones.status()["binds"], "the link stays up"
        ballast.unlink()
        assert "AZE1111111" in phones.next_received(PHONE).text
        assert phones.message(serial)["state"] == "acknowledged"
        daemon.wait_for("store_available_again")
        assert daemon.terminate() == 0
    assert grants(small_disk / "smsd.db") == 2


def fill(file: Path) -> None:
    """Write until the disk is full."""
    with file.open("wb", buffering=0) as out, pytest.raises(OSError, match="No space left"):
        while True:
            out.write(b"x" * 512)


def test_a_second_daemon_on_the_same_store_is_refused(tmp_path: Path, smsc: SmscProcess) -> None:
    """Exit 1 with a clear line; the first goes on."""
    config = write_config(tmp_path, [smsc_section(smsc.port)])
    with Daemon(config) as first:
        first.wait_for("bound")
        with Daemon(config) as second:
            assert second.wait() == 1
            assert "is in use by another smsd; stop that one" in second.log
        assert first.terminate() == 0


def grants(database: Path) -> int:
    """How many permits a store holds."""
    return len(rows(database, "SELECT 1 FROM decision WHERE verdict = 'grant'"))


def rows(database: Path, query: str) -> list[tuple[object, ...]]:
    """Read a store as an auditor would."""
    from storage.sqlite_library import dbapi

    connection = dbapi.connect(os.fspath(database))
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()
