"""SMSCs that lie, stammer or refuse: the daemon says so in one line and goes on."""

import struct
from pathlib import Path

import pytest
from daemon_process import Daemon, metric, smsc_section, write_config
from scripted_smsc import ScriptedSmsc
from test_main_job import PHONE

from simulators.control_client import ControlClient
from simulators.process import SmscProcess
from smsd.smpp.codec import encode
from smsd.smpp.pdu import Command, DeliverSm, DeliverSmResp, EnquireLink, Status, SubmitSm

# Several times what the buffers of two sockets hold.
FLOOD_OCTETS = 32_000_000


@pytest.mark.parametrize(
    "octets",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        struct.pack(">IIII", 15, Command.DELIVER_SM, 0, 1),
        struct.pack(">IIII", 50_000_000, Command.DELIVER_SM, 0, 1),
        bytes(64),
    ],
    ids=["http", "under 16 octets", "50 MB", "zeros"],
)
def test_bytes_that_are_no_smpp_end_the_link_and_it_binds_again(
    tmp_path: Path, octets: bytes
) -> None:
    """A generic_nack, a closed link, one log line; then a new bind that works."""
    with (
        ScriptedSmsc() as smsc,
        Daemon(write_config(tmp_path, [smsc_section(smsc.port)])) as daemon,
    ):
        peer = smsc.accept_bind()
        peer.send_octets(octets)
        ending = peer.await_end()
        assert struct.unpack(">IIII", ending[-16:])[1] == Command.GENERIC_NACK
        assert daemon.wait_for("peer_fault")["reason"]
        peer = smsc.accept_bind()
        peer.text("2 AZE 1111111", 1)
        assert peer.read(DeliverSmResp).status == Status.ESME_ROK
        peer.read(SubmitSm)


def test_a_deliver_sm_cut_into_single_octets_is_taken(tmp_path: Path) -> None:
    """TCP may cut anywhere."""
    with ScriptedSmsc() as smsc, Daemon(write_config(tmp_path, [smsc_section(smsc.port)])):
        peer = smsc.accept_bind()
        body = DeliverSm(source_addr=PHONE, destination_addr="8103", short_message=b"1 AZE 1111111")
        for octet in encode(body, 1):
            peer.send_octets(bytes([octet]))
        assert peer.read(DeliverSmResp).status == Status.ESME_ROK
        peer.read(SubmitSm)


def test_a_wrong_password_is_told_and_other_smscs_go_on(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """One operator's refusal is no other operator's trouble, and it is logged once."""
    sections = [
        smsc_section(smsc.port, name="refused", password="wrong"),
        smsc_section(smsc.port, name="good"),
        smsc_section(1, name="down"),
    ]
    with Daemon(write_config(tmp_path, sections)) as daemon:
        refused = daemon.wait_for("bind_failed", smsc="refused")
        assert "ESME_RINVPASWD" in refused["reason"]
        assert "AZE1111111" in phones.text(PHONE, "2 AZE 1111111").text
        address = next(
            line for line in map(_event, daemon.lines) if line.get("event") == "started"
        )["desk"]
        labels = {"bind": "transceiver", "smsc": "good"}
        assert metric(address, "smsd_bind_up", labels) == 1
        phones.await_counter("bind_refused", 3)
        assert daemon.terminate() == 0
    assert daemon.log.count("ESME_RINVPASWD") == 1


def _event(line: str) -> dict[str, str]:
    import json

    return dict(json.loads(line))


def test_a_lost_link_is_bound_again_and_work_goes_on(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """Links drop at night; nobody should have to wake up."""
    with Daemon(write_config(tmp_path, [smsc_section(smsc.port)])) as daemon:
        assert "AZE1111111" in phones.text(PHONE, "2 AZE 1111111").text
        assert phones.drop_links() == 1
        daemon.wait_for("bind_lost")
        assert "AZE1111112" in phones.text(PHONE, "2 AZE 1111112").text


def test_a_peer_that_never_reads_is_left_and_costs_no_memory(tmp_path: Path) -> None:
    """It floods us and takes no answer: we stop reading, ask in vain, hang up, and bind again."""
    hasty = "enquire_link_s = 1\nresponse_timeout_s = 1"
    with (
        ScriptedSmsc() as smsc,
        Daemon(write_config(tmp_path, [smsc_section(smsc.port, more=hasty)])) as daemon,
    ):
        peer = smsc.accept_bind()
        before_kb = peak_memory_kb(daemon)
        taken = peer.flood(encode(EnquireLink(), 1) * 1_000, most=FLOOD_OCTETS)
        assert taken < FLOOD_OCTETS, "it reads on, though nobody takes its answers"
        assert daemon.wait_for("bind_lost")["reason"] == "enquire_link was not answered"
        assert peak_memory_kb(daemon) - before_kb < 16_384
        peer = smsc.accept_bind()
        peer.text("2 AZE 1111111", 1)
        assert peer.read(DeliverSmResp).status == Status.ESME_ROK


def peak_memory_kb(daemon: Daemon) -> int:
    """The most that the daemon has had resident so far."""
    status = Path(f"/proc/{daemon.process.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
