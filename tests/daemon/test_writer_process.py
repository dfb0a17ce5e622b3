"""The writer has a process of its own: its death costs a pause, the daemon's death ends it."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from daemon_process import WAIT_S, Daemon, smsc_section, write_config
from scripted_smsc import ScriptedSmsc
from test_durability import REQUEST, grants, submitted_text

from smsd.gateway.writer import Batch, Counts, Done, Page
from smsd.gateway.writer_wire import (
    frame,
    pack_batch,
    pack_done,
    unframe,
    unpack_batch,
    unpack_done,
)
from smsd.smpp.pdu import DeliverSmResp, Status
from storage import InboundMessage, InboundPart, Reply, ReplyOutcome, ReplyState
from storage.sqlite_library import dbapi


@contextmanager
def locked(store: Path) -> Iterator[None]:
    """The store's write lock in another process' hands: the writer waits, as on a slow disk."""
    connection = dbapi.connect(os.fspath(store), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.close()


def test_a_writer_that_is_killed_at_rest_is_started_again(tmp_path: Path) -> None:
    """The next SMS finds a new one, and is acknowledged and answered as if nothing had been."""
    with (
        ScriptedSmsc() as smsc,
        Daemon(write_config(tmp_path, [smsc_section(smsc.port)])) as daemon,
    ):
        writer = daemon.wait_for("writer_started")["pid"]
        peer = smsc.accept_bind()
        peer.text("1 AZE 2222222", 1)
        assert peer.read(DeliverSmResp).status == Status.ESME_ROK
        submitted_text(peer)
        os.kill(writer, signal.SIGKILL)
        daemon.wait_for("writer_ended")
        peer.text(REQUEST, 2)
        pdu = peer.read()
        while pdu.status == Status.ESME_RX_T_APPN:  # the outcome of the first reply went with it
            peer.text(REQUEST, 2)
            pdu = peer.read()
        assert pdu.status == Status.ESME_ROK
        assert "AZE1111111" in submitted_text(peer)
        assert daemon.wait_for("writer_started")["pid"] != writer


def test_sms_that_a_killed_writer_had_stay_with_the_smsc(tmp_path: Path) -> None:
    """Killed within a batch: ESME_RX_T_APPN, then the same SMS again is granted, once."""
    store = tmp_path / "smsd.db"
    with (
        ScriptedSmsc() as smsc,
        Daemon(write_config(tmp_path, [smsc_section(smsc.port)])) as daemon,
    ):
        writer = daemon.wait_for("writer_started")["pid"]
        peer = smsc.accept_bind()
        daemon.wait_for("bound")
        with locked(store):
            peer.text(REQUEST, 1)
            os.kill(writer, signal.SIGKILL)
            assert peer.read().status == Status.ESME_RX_T_APPN
        daemon.wait_for("store_unavailable")
        sequence, status = 1, int(Status.ESME_RX_T_APPN)
        while status == Status.ESME_RX_T_APPN:
            sequence += 1
            peer.text(REQUEST, sequence)
            status = peer.read().status
        assert status == Status.ESME_ROK
        assert "AZE1111111" in submitted_text(peer)
    assert grants(store) == 1


def test_the_writer_ends_with_the_daemon_and_a_successor_waits_for_it(tmp_path: Path) -> None:
    """SIGKILL to the daemon while its writer cannot finish: the next daemon starts all the same."""
    store = tmp_path / "smsd.db"
    with ScriptedSmsc() as smsc:
        config = write_config(tmp_path, [smsc_section(smsc.port)])
        with Daemon(config) as daemon:
            daemon.wait_for("writer_started")
            peer = smsc.accept_bind()
            daemon.wait_for("bound")
            with locked(store):
                peer.text(REQUEST, 1)
                os.kill(daemon.process.pid, signal.SIGKILL)
                daemon.process.wait(WAIT_S)
            with Daemon(config) as successor:
                peer = smsc.accept_bind()
                peer.text(REQUEST, 2)
                assert peer.read(DeliverSmResp).status == Status.ESME_ROK
                assert "AZE1111111" in submitted_text(peer)
                successor.terminate()
            # A log ends when the last process that writes to it has ended.
            daemon.wait()
    assert grants(store) == 1


INBOUND = InboundMessage(1, "one", "994500000001", "8103", 0, b"2", "2", True, None)
REPLY = Reply(7, "one", "994500000001", "yes", 9, 1, resent=True, starts_permit=False)


@pytest.mark.parametrize(
    "batch",
    [
        Batch([], [], []),
        Batch(
            [INBOUND, INBOUND._replace(part=InboundPart(0x80007, 2, 1), sound=False)],
            [ReplyOutcome(7, ReplyState.REFUSED, 5, "a b", 11, True, True)],
            [Page("one", 0, 10)],
        ),
    ],
)
def test_a_batch_survives_the_way_to_the_writer(batch: Batch) -> None:
    """Values and their types are the same on the other side."""
    found = unpack_batch(unframe(frame(pack_batch(batch))[4:]))
    assert found == batch
    assert [type(outcome.state) for outcome in found.outcomes] == [ReplyState] * len(batch.outcomes)
    assert [type(m.part) for m in found.messages] == [type(m.part) for m in batch.messages]


@pytest.mark.parametrize(
    "done",
    [
        Done(None, Counts({}, {}, {}, 0, 0, {}), [], ["gone"], "disk full", 0.5),
        Done(
            [REPLY],
            Counts(
                {("grant", "r"): 2}, {"empty": 1}, {"STATUS": 1}, 3, 4, {("grant", "refuse"): 1}
            ),
            [3],
            [[REPLY, REPLY._replace(id=8)], "gone"],
            None,
            0.01,
        ),
    ],
)
def test_what_became_of_a_batch_survives_the_way_back(done: Done) -> None:
    """Values and their types are the same on the other side."""
    found = unpack_done(unframe(frame(pack_done(done))[4:]))
    assert found == done
    assert all(type(reply) is Reply for reply in found.replies or [])
