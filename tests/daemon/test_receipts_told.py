"""Delivery receipts end to end: real daemon, real simulator, real TCP and SQLite."""

import sys
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "cli"))

import pytest
from daemon_process import Daemon, metric, smsc_section, write_config
from smsd_command import smsd
from test_main_job import reference_in

from simulators.control_client import ControlClient
from simulators.process import SmscProcess
from storage.sqlite_library import dbapi

PHONE = "994500000001"
TOLD = "SELECT receipt_state, receipt_at_us > settled_at_us, segments_arrived FROM reply"
LABELS = {"smsc": "simulator"}


def rows(store: Path, query: str) -> list[tuple[Any, ...]]:
    """What another process sees."""
    with closing(dbapi.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        return list(connection.execute(query))


def configured(folder: Path, smsc: SmscProcess, form: str = "as_is") -> Path:
    """Receipts are asked for."""
    more = f'receipts = true\nmessage_id_form = "{form}"'
    return write_config(folder, [smsc_section(smsc.port, more=more)])


@pytest.mark.parametrize("decimal", [False, True])
def test_the_daemon_learns_that_its_reply_arrived(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient, decimal: bool
) -> None:
    """By TLVs, or by the text alone of an SMSC that answers in hex and reports in decimal."""
    config = configured(tmp_path, smsc, "hex_to_decimal" if decimal else "as_is")
    phones.fault(receipt_decimal=decimal)
    with Daemon(config) as daemon:
        address = daemon.wait_for("started")["desk"]
        for number in range(12):  # beyond the digits that both bases share
            reply = phones.text(PHONE, f"1 AZE {1_000_000 + number}").text
        phones.await_counter("acknowledged", 24)  # the SMS and the receipts
        assert metric(address, "smsd_receipts_total", {**LABELS, "state": "delivered"}) == 12
        assert metric(address, "smsd_handset_seconds_count", LABELS) == 12
        assert metric(address, "smsd_receipts_unmatched_total", LABELS) == 0
        daemon.terminate()
    assert [row[0] for row in rows(tmp_path / "smsd.db", TOLD)] == [2] * 12
    assert "receipt: delivered, " in smsd("explain", reference_in(reply), "--config", config).stdout


def test_an_smsc_that_delivers_before_it_answers(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """The receipt is stored and acknowledged; when the response comes, they find each other."""
    store = tmp_path / "smsd.db"
    phones.fault(hold_responses=True)
    with Daemon(configured(tmp_path, smsc)) as daemon:
        phones.text(PHONE, "1 AZE 1111111")
        phones.await_counter("acknowledged", 2)
        assert rows(store, "SELECT count(*) FROM early_receipt") == [(1,)]
        assert rows(store, "SELECT state, receipt_state FROM reply") == [(0, None)]
        phones.fault(hold_responses=False)
        daemon.terminate()
        assert rows(store, "SELECT state, receipt_state FROM reply") == [(1, 2)]
        assert rows(store, "SELECT count(*) FROM early_receipt") == [(0,)]


def test_a_long_reply_that_expired_is_known_to_have_failed(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """One receipt for each of its segments."""
    phones.fault(receipt_state=3)
    with Daemon(configured(tmp_path, smsc)) as daemon:
        address = daemon.wait_for("started")["desk"]
        phones.text(PHONE, "2 " + ", ".join(f"DYI {7000001 + n}" for n in range(7)))
        segments = phones.status()["counters"]["receipts"]
        assert segments > 1
        phones.await_counter("acknowledged", 1 + segments)
        name = {**LABELS, "state": "expired"}
        assert metric(address, "smsd_receipts_total", name) == segments
        assert metric(address, "smsd_handset_seconds_count", LABELS) == 0
        daemon.terminate()
    assert [(row[0], row[2]) for row in rows(tmp_path / "smsd.db", TOLD)] == [(3, 0)]
