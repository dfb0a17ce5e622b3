"""An SMSC that comes back after a permit has ended, in rehearsed time: what its phones then get."""

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "cli"))

from daemon_process import Daemon, metric, smsc_section, write_config
from scripted_smsc import Peer, ScriptedSmsc
from smsd_command import smsd
from test_durability import await_unbind, rows, submitted_text
from test_main_job import reference_in

from rules import reference
from smsd.smpp.pdu import BindReceiver, BindTransmitter, DeliverSmResp, Status
from storage.sqlite_library import dbapi

SHOPPER, PATIENT = "994500000001", "994500000002"
OUTAGE_S = 3 * 3_600
US_PER_S = 1_000_000


def configured(folder: Path, smsc: ScriptedSmsc) -> Path:
    """SMS come by one bind, replies leave by another, which the test answers when it likes."""
    return write_config(folder, [smsc_section(smsc.port, more='bind = "transmitter+receiver"')])


def ask(receiver: Peer, text: str, sequence: int, phone: str) -> None:
    receiver.text(text, sequence, phone)
    assert receiver.read(DeliverSmResp).status == Status.ESME_ROK


def sound(config: Path) -> bool:
    """Nothing in the store that must not be, and every decision is made again."""
    replay = ("policy", "replay", "--since", "7d", "--verify")
    done = [smsd(*command, "--config", config) for command in (("store", "verify"), replay)]
    return [each.exit_code for each in done] == [0, 0]


def test_back_after_the_permits_ended_it_is_given_the_renewed_ones(tmp_path: Path) -> None:
    """Two phones, three hours: one SMS for each, who needs a doctor first; operators can see it."""
    store, offset = tmp_path / "smsd.db", tmp_path / "offset"
    with ScriptedSmsc() as smsc:
        config = configured(tmp_path, smsc)
        with Daemon(config, "--clock-offset-file", str(offset)) as daemon:
            address = daemon.wait_for("started")["desk"]
            asked = smsc.accept_binds()
            receiver = smsc.answer_bind(asked[BindReceiver])
            ask(receiver, "2 AZE 1111111", 1, SHOPPER)
            ask(receiver, "1 AZE 2222222", 2, PATIENT)
            offset.write_text(str(OUTAGE_S))
            labels = {"smsc": "simulator"}
            assert metric(address, "smsd_outbox_depth", labels) == 2
            assert metric(address, "smsd_outbox_oldest_seconds", labels) >= OUTAGE_S
            assert metric(address, "smsd_store_bytes") == store.stat().st_size
            wal_bytes = Path(f"{store}-wal").stat().st_size
            assert metric(address, "smsd_store_wal_bytes") == wal_bytes > 0
            transmitter = smsc.answer_bind(asked[BindTransmitter])
            treatment, shopping = submitted_text(transmitter), submitted_text(transmitter)
            assert metric(address, "smsd_messages_renewed_total") == 2
            assert metric(address, "smsd_outbox_oldest_seconds", labels) == 0
            daemon.process.terminate()
            await_unbind(transmitter)
            await_unbind(receiver)
            assert daemon.wait() == 0
    assert "AZE2222222" in treatment
    assert "AZE1111111" in shopping
    assert rows(store, "SELECT state, resent FROM reply ORDER BY id") == [(3, 0)] * 2 + [(1, 0)] * 2
    assert sound(config)
    check_told(config, shopping)


def check_told(config: Path, reply: str) -> None:
    """The references of the old permit and of the new one lead to each other."""
    new = reference_in(reply)
    [case] = json.loads(smsd("explain", new, "--json", "--config", config).stdout)
    assert case["at_us"] - case["renews_us"] >= OUTAGE_S * US_PER_S
    old = reference.encode(1)
    [case] = json.loads(smsd("explain", old, "--json", "--config", config).stdout)
    assert (case["renewed_as"], case["reply_state"], case["ended_us"]) == (new, "expired", None)
    assert case["taken_back_us"] - case["at_us"] >= OUTAGE_S * US_PER_S


def test_killed_before_the_lateness_was_stored_it_is_noticed_again(tmp_path: Path) -> None:
    """The disk is not to be written when the SMSC is back; SIGKILL; the next daemon sees to it.

    It cannot know what the first one had sent, so the permit stands, and the phone is told of it.
    """
    store, offset = tmp_path / "smsd.db", tmp_path / "offset"
    with ScriptedSmsc() as smsc:
        config = configured(tmp_path, smsc)
        with Daemon(config, "--clock-offset-file", str(offset)) as daemon:
            asked = smsc.accept_binds()
            ask(smsc.answer_bind(asked[BindReceiver]), "2 AZE 1111111", 1, SHOPPER)
            offset.write_text(str(OUTAGE_S))
            blocker = dbapi.connect(str(store), isolation_level=None)
            blocker.execute("BEGIN IMMEDIATE")
            smsc.answer_bind(asked[BindTransmitter])
            daemon.wait_for("store_unavailable")
            daemon.kill()
            blocker.close()
        assert rows(store, "SELECT state FROM reply") == [(0,)]
        with Daemon(config, "--clock-offset-file", str(offset)) as daemon:
            asked = smsc.accept_binds()
            receiver = smsc.answer_bind(asked[BindReceiver])
            transmitter = smsc.answer_bind(asked[BindTransmitter])
            assert "AZE1111111" in submitted_text(transmitter)
            daemon.process.terminate()
            await_unbind(transmitter)
            await_unbind(receiver)
            assert daemon.wait() == 0
    assert rows(store, "SELECT state, resent FROM reply ORDER BY id") == [(3, 1), (1, 0)]
    assert rows(store, "SELECT ended_us FROM decision ORDER BY serial")[0] == (None,)
    assert sound(config)
