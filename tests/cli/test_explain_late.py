"""`smsd explain` where a reply came too late: what became of the permit, and what came instead."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "gateway"))

from late_replies import EXPLAINS, RENEWS, Outage, law
from smsd_command import smsd
from virtual_reactor import NOON_US

from rules import reference
from smsd.gateway.adjudicate import Law
from storage import InboundMessage, SqliteStore

CONFIG = """\
[policy]
file = "unused.toml"
[store]
url = "sqlite:///{folder}/smsd.db"
[register]
mode = "off"
[[smsc]]
name = "one"
password = "secret"
"""
SMS = InboundMessage(NOON_US, "one", "994500000001", "8103", 0, b"", "2 AZE 1111111 EN", True, None)

Explain = Callable[[int], str]


@pytest.fixture
def after_outage(tmp_path: Path) -> Callable[..., Explain]:
    """Lets a permit of noon be told too late, at three, and then explains serials."""

    def run(decided_by: Law, resent: bool = False) -> Explain:
        store = SqliteStore(f"sqlite:///{tmp_path}/smsd.db")
        outage = Outage(store, decided_by)
        outage.send(*outage.expire(*outage.replies(SMS), resent=resent).replies or [])
        store.close()
        config = tmp_path / "config.toml"
        config.write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
        return lambda serial: smsd("explain", reference.encode(serial), "--config", config).stdout

    return run


def test_a_permit_that_was_taken_back_says_so_and_names_the_new_one(
    after_outage: Callable[..., Explain],
) -> None:
    """Nobody takes it for one that its holder returned."""
    explain = after_outage(law())
    old, new = explain(1), explain(2)
    assert "taken back: 2020-04-06 15:00:00 +04, because its reply came too late" in old
    assert f"decided anew: as {reference.encode(2)}" in old
    assert "[expired]" in old
    assert "ended:" not in old
    assert "stands for: the SMS of 2020-04-06 12:00:00 +04, whose reply came too late" in new
    assert "taken back" not in new


def test_what_was_told_instead_is_quoted(after_outage: Callable[..., Explain]) -> None:
    """The call centre sees what the phone saw."""
    told = after_outage(law((RENEWS, EXPLAINS)))(1)
    assert "taken back: 2020-04-06 15:00:00" in told
    assert "told instead: Too late, text again, like 2 AZE 1234567" in told
    assert "decided anew" not in told


def test_a_permit_that_stood_was_not_taken_back(after_outage: Callable[..., Explain]) -> None:
    """Its reply was perhaps sent: only what came of it later is told."""
    told = after_outage(law(), resent=True)(1)
    assert "taken back" not in told
    assert f"decided anew: as {reference.encode(2)}" in told
    assert "[expired, resent]" in told
