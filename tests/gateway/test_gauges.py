"""What /metrics says of how things stand: SMSCs, policy, disks; in virtual time."""

import io
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from gateway_stage import GatewayStage, NewStage
from prometheus_client import CollectorRegistry
from test_readiness import Book
from virtual_reactor import NOON_US, S_US

import rules
from smsd.config import Config
from smsd.desk.gauges import Gauges
from smsd.desk.readiness import Readiness
from storage.registry import import_csv

SMSC = {"smsc": "one"}
LOADED_US = NOON_US - 5 * S_US
HISTORY = Path(rules.__file__).parent / "policies" / "az-8103-history.toml"


class Scrape:
    """The gauges of a stage, read as Prometheus does."""

    def __init__(self, stage: GatewayStage, folder: Path, **sections: Any) -> None:
        self.registry = CollectorRegistry()
        config = Config.model_validate(
            {
                "store": {"url": f"sqlite:///{folder}/smsd.db"},
                "register": {"mode": "required", "file": folder / "register.db"},
                "smsc": [{"name": "one", "password": "secret"}],
                **sections,
            }
        )
        book: Any = Book(LOADED_US)
        smscs = [stage.binds]
        ready = Readiness(smscs, stage.lane, config.register_, book)
        self.certificate_expires_s: float | None = None
        self.gauges = Gauges(
            self.registry,
            config,
            stage.clock,
            smscs,
            stage.lane,
            book,
            ready,
            lambda: self.certificate_expires_s,
        )
        self.gauges.look()

    def __call__(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


def test_the_window_is_that_of_binds_that_may_transmit(new_stage: NewStage, tmp_path: Path) -> None:
    """A receiver has none; what awaits its response is counted."""
    stage = new_stage(bind="transmitter+receiver", window=7).start()
    scrape = Scrape(stage, tmp_path)
    assert scrape("smsd_smsc_window_size", **SMSC) == 0
    transmitter, receiver = stage.bound(), stage.bound()
    assert scrape("smsd_smsc_window_size", **SMSC) == 7
    assert scrape("smsd_smsc_window_used", **SMSC) == 0
    receiver.text(b"2 AZE 1111111", "994500000001")
    stage.run()
    assert scrape("smsd_smsc_window_used", **SMSC) == 1
    transmitter.answer()
    stage.run()
    assert scrape("smsd_smsc_window_used", **SMSC) == 0
    assert scrape("smsd_smsc_suspended", **SMSC) == 0
    stage.binds.suspended_since_us = 1
    assert scrape("smsd_smsc_suspended", **SMSC) == 1


def test_the_next_change_of_the_policy_is_told_until_there_is_none(
    new_stage: NewStage, tmp_path: Path
) -> None:
    """To the microsecond before it, then the one behind it; after the last there is no sample."""
    stage = new_stage().start()
    scrape = Scrape(stage, tmp_path)
    stage.lane.change_law(stage.lane.law._replace(policy=rules.load_policy(HISTORY)))
    first, second, *_, last = stage.lane.law.policy.boundaries_us
    name = "smsd_policy_next_change_timestamp_seconds"
    for at_us, told in ((first - 1, first), (first, second), (last - 1, last)):
        stage.clock.now_us = at_us
        assert scrape(name) == told / S_US
    stage.clock.now_us = last
    assert scrape(name) is None
    assert scrape("smsd_policy_loaded_timestamp_seconds") == LOADED_US / S_US
    assert scrape("smsd_clock_timestamp_seconds") == last / S_US


def test_the_register_is_told_by_its_import(new_stage: NewStage, tmp_path: Path) -> None:
    """Not before the first, and by the newest when it was looked at again."""
    stage = new_stage().start()
    scrape = Scrape(stage, tmp_path)
    assert scrape("smsd_register_documents") is None
    assert scrape("smsd_register_imported_timestamp_seconds") is None
    file = tmp_path / "register.db"
    for people in (1, 3):
        rows = [f"p{number},A{number},1980-02-29" for number in range(people)]
        source = io.StringIO("\n".join(["person,document,birth_date", *rows]))
        import_csv(source, file, lambda text: text, date(2020, 4, 6))
        scrape.gauges.look()
        assert scrape("smsd_register_documents") == people
        imported = scrape("smsd_register_imported_timestamp_seconds")
        assert imported == pytest.approx(file.stat().st_mtime)


def test_a_register_without_a_summary_has_its_time(new_stage: NewStage, tmp_path: Path) -> None:
    """One that an older smsd imported, or no register at all: nobody counts its rows."""
    (tmp_path / "register.db").write_bytes(b"of yesterday")
    scrape = Scrape(new_stage().start(), tmp_path)
    assert scrape("smsd_register_documents") is None
    assert scrape("smsd_register_imported_timestamp_seconds") is not None


def test_the_end_of_the_desks_certificate_is_told(new_stage: NewStage, tmp_path: Path) -> None:
    """Of the one in use now; a desk without TLS has none."""
    scrape = Scrape(new_stage().start(), tmp_path)
    name = "smsd_desk_certificate_expiry_timestamp_seconds"
    assert scrape(name) is None
    scrape.certificate_expires_s = 1_924_905_600.0
    assert scrape(name) == 1_924_905_600


def test_a_bind_is_down_until_it_is_up(new_stage: NewStage, tmp_path: Path) -> None:
    """There from the start: an alert does not fire on what is not there."""
    stage = new_stage().start()
    scrape = Scrape(stage, tmp_path)
    transceiver = {**SMSC, "bind": "transceiver"}
    assert scrape("smsd_bind_up", **transceiver) == 0
    assert scrape("smsd_smsc_in_service", **SMSC) == 0
    smsc = stage.bound()
    assert scrape("smsd_bind_up", **transceiver) == 1
    assert scrape("smsd_smsc_in_service", **SMSC) == 1
    smsc.hang_up()
    assert scrape("smsd_bind_up", **transceiver) == 0


def test_the_oldest_reply_ages_until_it_leaves(new_stage: NewStage, tmp_path: Path) -> None:
    """In seconds of the clock on the wall; none is younger than no time at all."""
    stage = new_stage(window=1).start()
    scrape = Scrape(stage, tmp_path)
    smsc = stage.bound()
    for number in (1, 2):
        smsc.text(b"2 AZE 111111%d" % number, f"99450000000{number}")
        stage.run()
    stage.pass_time(7)
    assert scrape("smsd_outbox_depth", **SMSC) == 1
    assert scrape("smsd_outbox_oldest_seconds", **SMSC) == 7
    stage.clock.now_us = NOON_US - S_US
    assert scrape("smsd_outbox_oldest_seconds", **SMSC) == 0
    smsc.answer()
    stage.run()
    assert scrape("smsd_outbox_depth", **SMSC) == 0
    assert scrape("smsd_outbox_oldest_seconds", **SMSC) == 0


def test_a_disk_that_does_not_answer_has_no_figures(new_stage: NewStage, tmp_path: Path) -> None:
    """No figure is better than a 0, which would wake somebody for another reason."""
    stage = new_stage().start()
    scrape = Scrape(stage, tmp_path, store={"url": f"sqlite:///{tmp_path}/gone/smsd.db"})
    assert scrape("smsd_store_disk_free_bytes") is None
    assert scrape("smsd_ready") == 0
