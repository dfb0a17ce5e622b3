"""Long SMS of which parts lack, end to end: killed in between, by two binds, answered once."""

from pathlib import Path

from daemon_process import Daemon, metric, smsc_section, write_config
from scripted_smsc import Peer, ScriptedSmsc
from test_durability import await_unbind, rows, submitted_text

from smsd.smpp.pdu import BindReceiver, BindTransmitter, DeliverSm, DeliverSmResp, Status, SubmitSm
from smsd.smpp.segments import UDHI

PHONE = "994500000001"
HALVES = {1: b"1 AZE 1111111, ", 2: b"AZE 2222222 EN"}
OUTCOMES = "SELECT outcome FROM message ORDER BY id"


def hand_over(peer: Peer, number: int, sequence: int) -> None:
    """One part; it is acknowledged once it is durable."""
    header = bytes((5, 0, 3, 7, 2, number))
    body = DeliverSm(
        source_addr=PHONE,
        destination_addr="8103",
        esm_class=UDHI,
        short_message=header + HALVES[number],
    )
    peer.send(body, sequence)
    assert peer.read(DeliverSmResp).status == Status.ESME_ROK


def test_a_daemon_killed_between_two_parts_answers_the_whole(tmp_path: Path) -> None:
    """The first part was acknowledged, so the SMSC will not send it again."""
    with ScriptedSmsc() as smsc:
        config = write_config(tmp_path, [smsc_section(smsc.port)])
        with Daemon(config) as daemon:
            hand_over(smsc.accept_bind(), 2, 1)
            daemon.kill()
        with Daemon(config):
            peer = smsc.accept_bind()
            hand_over(peer, 1, 1)
            told = submitted_text(peer)
    assert "AZE1111111" in told
    assert "AZE2222222" in told


def test_the_parts_may_come_by_two_binds_at_once(tmp_path: Path) -> None:
    """Two accounts at one operator; the reply leaves by the one that completed the SMS."""
    with ScriptedSmsc() as smsc:
        sections = [smsc_section(smsc.port, name) for name in ("east", "west")]
        with Daemon(write_config(tmp_path, sections)):
            one, other = smsc.accept_bind(), smsc.accept_bind()
            hand_over(one, 1, 1)
            hand_over(other, 2, 1)
            assert "AZE1111111" in submitted_text(other)
    assert rows(tmp_path / "smsd.db", OUTCOMES) == [("decided",)]


def test_half_an_sms_is_answered_once_though_the_daemon_is_killed(tmp_path: Path) -> None:
    """Killed before the answer is due, and again when it is stored: one row, one answer."""
    store, offset = tmp_path / "smsd.db", tmp_path / "offset"
    with ScriptedSmsc() as smsc:
        section = smsc_section(smsc.port, more='bind = "transmitter+receiver"')
        config = write_config(tmp_path, [section], limits="sweep_s = 0.05")
        with Daemon(config, "--clock-offset-file", str(offset)) as daemon:
            hand_over(smsc.answer_bind(smsc.accept_binds()[BindReceiver]), 1, 1)
            daemon.kill()
        offset.write_text("120")
        with Daemon(config, "--clock-offset-file", str(offset)) as daemon:
            asked = smsc.accept_binds()
            transmitter = smsc.answer_bind(asked[BindTransmitter])
            transmitter.read(SubmitSm)
            daemon.kill()
        with Daemon(config, "--clock-offset-file", str(offset)) as daemon:
            address = daemon.wait_for("started")["desk"]
            asked = smsc.accept_binds()
            transmitter = smsc.answer_bind(asked[BindTransmitter])
            receiver = smsc.answer_bind(asked[BindReceiver])
            assert "2 AZE 1234567" in submitted_text(
                transmitter
            )  # nobody had said that it is taken
            assert metric(address, "smsd_unrecognised_total", {"reason": "incomplete"}) == 0
            daemon.process.terminate()
            await_unbind(transmitter)
            await_unbind(receiver)
            assert daemon.wait() == 0
    assert rows(store, OUTCOMES) == [("incomplete",)]
    assert rows(store, "SELECT state, resent FROM reply") == [(1, 1)]
