"""An SMSC that takes so many submissions a second, over real TCP: all replies arrive."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from daemon_process import POLICY_FILE, Daemon, metric, smsc_section, write_config

from rules import load_policy
from simulators.control_client import ControlClient
from simulators.process import SmscProcess
from smsd.gateway.adjudicate import Law, adjudicate
from storage import InboundMessage, SqliteStore
from storage.sqlite_library import dbapi

REPLIES = 120
LABELS = {"smsc": "simulator"}


@pytest.fixture
def strict() -> Iterator[SmscProcess]:
    """A simulator that takes forty submissions a second."""
    with SmscProcess("--throughput", "40") as process:
        yield process


@pytest.fixture
def phones(strict: SmscProcess) -> Iterator[ControlClient]:
    """Its phones."""
    with strict.client() as client:
        yield client


def decided(config: Path) -> None:
    """SMS that an earlier daemon has stored and not answered yet."""
    now_us = int(datetime.now(tz=UTC).timestamp()) * 1_000_000
    policy = load_policy(POLICY_FILE)
    texts = [(f"9945{number:08}", f"2 AZE {1_000_000 + number}") for number in range(REPLIES)]
    store = SqliteStore(f"sqlite:///{config.parent}/smsd.db")
    with store.transaction(policy) as transaction:
        adjudicate(
            transaction,
            Law(policy),
            None,
            [
                InboundMessage(
                    now_us, "simulator", phone, "8103", 0, text.encode(), text, True, None
                )
                for phone, text in texts
            ],
        )
    store.close()


def sent(config: Path) -> list[tuple[int, int]]:
    """(state, how many) in the store."""
    with dbapi.connect(f"file:{config.parent}/smsd.db?mode=ro", uri=True) as connection:
        return list(connection.execute("SELECT state, count(*) FROM reply GROUP BY state"))


def test_within_the_agreed_rate_the_smsc_throttles_nothing(
    tmp_path: Path, strict: SmscProcess, phones: ControlClient
) -> None:
    """A backlog leaves at thirty a second, in a window that would take it whole."""
    config = write_config(tmp_path, [smsc_section(strict.port, more="throughput = 30")])
    decided(config)
    with Daemon(config) as daemon:
        address = daemon.wait_for("started")["desk"]
        assert metric(address, "smsd_smsc_rate_limit", LABELS) == 30
        phones.await_counter("received", REPLIES)
        assert phones.status()["counters"]["submit_refused"] == 0
        assert metric(address, "smsd_smsc_throttled_total", LABELS) == 0
        assert daemon.terminate() == 0
        assert '"smsc_busy"' not in daemon.log
    assert sent(config) == [(1, REPLIES)]


def test_without_a_rate_the_gateway_finds_one_and_loses_nothing(
    tmp_path: Path, strict: SmscProcess, phones: ControlClient
) -> None:
    """ESME_RTHROTTLED for most of the first window; each phone has its reply in the end, once."""
    config = write_config(tmp_path, [smsc_section(strict.port)])
    decided(config)
    with Daemon(config) as daemon:
        address = daemon.wait_for("started")["desk"]
        assert "ESME_RTHROTTLED" in daemon.wait_for("smsc_busy")["status"]
        assert 0 < metric(address, "smsd_smsc_rate_limit", LABELS) < REPLIES
        phones.await_counter("received", REPLIES)
        counters = phones.status()["counters"]
        assert counters["submitted"] == counters["received"] == REPLIES
        throttled = metric(address, "smsd_smsc_throttled_total", LABELS)
        assert throttled == counters["submit_refused"] > 0
        assert daemon.terminate() == 0
    assert sent(config) == [(1, REPLIES)]
