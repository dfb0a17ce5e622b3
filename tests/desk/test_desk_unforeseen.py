"""A fault of ours, wherever it happens, ends one thing: no stream's place, no watch, no history."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from desk_people import url_of
from desk_stage import DeskStage, NewDesk
from structlog.testing import capture_logs
from twisted.internet.address import IPv4Address
from twisted.internet.defer import ensureDeferred
from twisted.internet.testing import StringTransport
from virtual_reactor import NOON_US, S_US
from watched_desk import WatchedDesk

from smsd.gateway.witness import AuditWitness
from storage import audit
from storage.history import add
from storage.proposal_states import State
from storage.proposals import Proposal

HOUR_S = 3_600.0
WAIT_S = 10.0
FINE = "SELECT at_s FROM history WHERE step_s = 5 ORDER BY at_s"


def breaks(*_: Any, **_named: Any) -> Any:
    """What nobody thought of."""
    raise ValueError("2 AZE 1111111")


def knock(stage: DeskStage, request: str) -> StringTransport:
    """The octets of a request at the desk's own protocol; what it wrote once it began to."""
    here = IPv4Address("TCP", "127.0.0.1", 8103)
    transport = StringTransport(here, here)
    channel = stage.desk._site.buildProtocol(None)
    channel.makeConnection(transport)
    channel.dataReceived(f"{request} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    while not transport.value() and not transport.disconnecting:
        stage.reactor.run_one()
    return transport


def test_a_stream_that_cannot_begin_takes_nobody_s_place(
    new_desk: NewDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is hung up on and told in the log; the next one gets the only place there is."""
    desk = new_desk("streams_max = 1")
    with capture_logs() as logs, monkeypatch.context() as patch:
        patch.setattr("smsd.desk.live.snapshot.problems", breaks)
        assert knock(desk, "GET /live").disconnecting
    assert [line["event"] for line in logs] == ["desk_failed"]
    assert b" 200 " in knock(desk, "GET /live").value()


def test_one_stream_too_many_is_refused_with_all_headers(new_desk: NewDesk) -> None:
    """The browser then asks for snapshots one by one; who asks for headers alone gets those."""
    desk = new_desk("streams_max = 1")
    asked = knock(desk, "HEAD /live").value()
    assert b" 200 " in asked
    assert b"Content-Length: 0" in asked.title()
    assert b" 200 " in knock(desk, "GET /live").value()
    refused = knock(desk, "GET /live").value()
    assert b" 503 " in refused
    assert b"Retry-After: 30" in refused
    assert b"Content-Security-Policy: default-src 'none'" in refused


def test_history_goes_on_and_ends_well(desk: DeskStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not written is with the next sample; a stop is not kept from its end."""
    watched = WatchedDesk(desk)
    watched.room.start()
    with capture_logs() as logs, monkeypatch.context() as patch:
        patch.setattr("smsd.desk.history.sampler.add", breaks)
        watched.pass_time(5)
    assert [line["event"] for line in logs] == ["desk_failed"]
    watched.pass_time(5)
    assert len(watched.rows(FINE)) == 2
    monkeypatch.setattr("smsd.desk.history.sampler.add", breaks)
    ended = ensureDeferred(desk.desk.close())
    watched.wait(ended)
    assert ended.result is None


def test_samples_that_came_during_a_long_write_are_written_after_it(
    desk: DeskStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that hangs for more than a minute costs what was before that minute, no more."""
    watched, goes_on = WatchedDesk(desk), threading.Event()
    watched.room.start()

    def slow(*arguments: Any) -> None:
        goes_on.wait(WAIT_S)
        add(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr("smsd.desk.history.sampler.add", slow)
        for _ in range(14):
            desk.clock.now_us += 5 * S_US
            desk.reactor.advance(5)
        written = watched.room.sampler.written
        goes_on.set()
        watched.wait(written)
    watched.pass_time(5)
    assert len(watched.rows(FINE)) == 1 + 12


def test_the_audit_s_head_is_told_again(desk: DeskStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop whose work fails would stop, and nobody would notice."""
    audit.note(url_of(desk), NOON_US, "officer", "check", "permit", "")
    witness = AuditWitness(desk.reactor, url_of(desk), HOUR_S)
    with capture_logs() as logs:
        with monkeypatch.context() as patch:
            patch.setattr("smsd.gateway.witness.audit.head", breaks)
            witness.start()
            desk.settle()
        desk.reactor.advance(HOUR_S)
        desk.settle()
        witness.stop()
        desk.settle()
    assert [line["event"] for line in logs] == ["audit_head_unknown", "audit_head", "audit_head"]


def test_what_is_queued_while_the_store_cannot_be_read_is_known_a_second_later(
    desk: DeskStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its instant would pass, and nobody look before the next start."""
    timetable = desk.desk._rooms._timetable
    timetable.start()
    desk.settle()
    store = Path(url_of(desk).removeprefix("sqlite:///"))
    away = store.with_suffix(".away")
    store.rename(away)
    looked = ensureDeferred(timetable.look())
    desk.settle()
    away.rename(store)
    looked.addErrback(lambda _failure: None)
    queued = Proposal(1, "d", False, "a", NOON_US, "why", State.QUEUED, NOON_US + HOUR_S * S_US)
    monkeypatch.setattr("smsd.desk.timetable.proposals.queued", lambda _url: queued)
    desk.reactor.advance(1)
    desk.settle()
    assert timetable.next == queued


UNATTENDED = """\
from smsd import logs
from smsd.desk.unattended import unattended
async def count_sheep():
    raise ValueError("2 AZE 1111111")
logs.configure("error", "json")
unattended(count_sheep())
"""


def test_the_log_says_where_and_not_what() -> None:
    """The message of a fault may quote an SMS."""
    command = [sys.executable, "-c", UNATTENDED]
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    assert '"event": "desk_failed"' in done.stderr
    assert "count_sheep" in done.stderr
    assert "ValueError" in done.stderr
    assert "1111111" not in done.stderr


def test_who_walks_the_audit_ends_with_the_daemon(tmp_path: Path) -> None:
    """Standard input is all that ties the two: its end is the daemon's, killed or not."""
    store = tmp_path / "smsd.db"
    os.mkfifo(store)  # which nobody writes: the walk would wait for ever
    command = [sys.executable, "-m", "smsd.desk.audit_walk", f"sqlite:///{store}", "3600"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as walk:
        try:
            assert walk.stdin is not None
            walk.stdin.close()
            assert walk.wait(WAIT_S) == 1
        finally:
            walk.kill()
