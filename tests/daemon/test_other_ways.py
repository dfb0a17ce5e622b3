"""A real daemon with more than one way out: another host, another bind, another SMSC."""

import sqlite3
from pathlib import Path

from daemon_process import Daemon, smsc_section, write_config
from scripted_smsc import Peer, ScriptedSmsc

from smsd.smpp.pdu import BindTransceiver, DeliverSmResp, SubmitSm, SubmitSmResp


def test_a_reply_leaves_through_the_smsc_that_failover_names(tmp_path: Path) -> None:
    """Its own SMSC is gone with the submit_sm unanswered; the other takes it, and is stored."""
    with ScriptedSmsc() as own, ScriptedSmsc() as other:
        sections = [
            smsc_section(own.port, "own", more='failover = "other"\nfailover_after_s = 0.3'),
            smsc_section(other.port, "other"),
        ]
        with Daemon(write_config(tmp_path, sections)) as daemon:
            peer, relief = own.accept_bind(), other.accept_bind()
            peer.text("2 AZE 1111111", 1)
            peer.read(DeliverSmResp)
            lost = peer.read(SubmitSm).body
            own.close()
            daemon.wait_for("failover", smsc="own", through="other")
            submitted = relief.read(SubmitSm)
            assert isinstance(submitted.body, SubmitSm)
            assert isinstance(lost, SubmitSm)
            assert submitted.body.short_message == lost.short_message
            relief.send(SubmitSmResp("id-1"), submitted.sequence)
            # Whatever is stored after it comes in a later batch.
            relief.text("hello", 2, "994500000009")
            relief.read(DeliverSmResp)
            assert daemon.terminate() == 0
    with sqlite3.connect(tmp_path / "smsd.db") as store:
        row = store.execute(
            "SELECT smsc.name, smsc_message_id, state, resent FROM reply"
            " JOIN smsc ON smsc.id = reply.smsc WHERE phone = '994500000001'"
        ).fetchone()
    assert row == ("other", "id-1", 1, 1)


def test_the_next_host_is_taken_when_the_first_is_gone(tmp_path: Path) -> None:
    """And while the first is down for good, work goes on at the second."""
    with ScriptedSmsc() as first, ScriptedSmsc() as second:
        hosts = f'["127.0.0.1:{first.port}", "127.0.0.1:{second.port}"]'
        section = smsc_section(0).replace("port = 0", f"hosts = {hosts}")
        with Daemon(write_config(tmp_path, [section])) as daemon:
            first.accept_bind()
            first.close()
            daemon.wait_for("bind_lost")
            peer = second.accept_bind()
            peer.text("2 AZE 1111111", 1)
            peer.read(DeliverSmResp)
            peer.read(SubmitSm)


def test_one_bind_of_two_carries_the_work_when_the_other_is_lost(tmp_path: Path) -> None:
    """SMS come and replies leave by either."""
    with (
        ScriptedSmsc() as smsc,
        Daemon(write_config(tmp_path, [smsc_section(smsc.port, more="binds = 2")])) as daemon,
    ):
        peers = [smsc.accept_bind(), smsc.accept_bind()]
        names = {daemon.wait_for("bound")["bind"] for _ in peers}
        assert names == {"transceiver-1", "transceiver-2"}
        peers[0].close()
        daemon.wait_for("bind_lost")
        peers[1].text("2 AZE 1111111", 1)
        peers[1].read(DeliverSmResp)
        peers[1].read(SubmitSm)
        assert isinstance(smsc.accept().read().body, BindTransceiver)  # and it comes back


def test_smscs_that_fail_slow_nobody(tmp_path: Path) -> None:
    """One that never answers a bind, one that never answers a submit_sm, and one that works."""
    with ScriptedSmsc() as silent, ScriptedSmsc() as stingy, ScriptedSmsc() as good:
        sections = [
            smsc_section(silent.port, "silent"),
            smsc_section(stingy.port, "stingy", more="window = 1"),
            smsc_section(good.port, "good", more="window = 1"),
        ]
        with Daemon(write_config(tmp_path, sections)):
            silent.accept()
            peers = stingy.accept_bind(), good.accept_bind()
            good_peer = peers[1]
            good_peer.text("hello", 9, "994510000009")  # until the writer is there, all is slow
            assert next_submitted(good_peer) == "994510000009"
            for number in range(1, 4):
                for at, peer in enumerate(peers):
                    peer.text(f"2 AZE 111111{number}", number, f"9945{at}000000{number}")
            for number in range(1, 4):
                assert next_submitted(good_peer) == f"99451000000{number}"


def next_submitted(peer: Peer) -> str:
    """Take the next submit_sm with ESME_ROK; for which phone it is."""
    while True:
        pdu = peer.read()
        if isinstance(pdu.body, SubmitSm):
            peer.send(SubmitSmResp(f"id-{pdu.sequence}"), pdu.sequence)
            return pdu.body.destination_addr
