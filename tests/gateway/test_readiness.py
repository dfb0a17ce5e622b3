"""When the daemon is ready, and what it says where something is missing; in virtual time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from gateway_stage import GatewayStage, NewStage

from smsd.config import RegisterSection
from smsd.desk.readiness import Readiness

OFF = RegisterSection(mode="off")


class Book(NamedTuple):
    """What the lawbook tells."""

    loaded_at_us: int = 0
    fault: str = ""


def readiness(
    stage: GatewayStage, register: RegisterSection = OFF, book: Book | None = None
) -> Readiness:
    return Readiness([stage.binds], stage.lane, register, book or Book())  # type: ignore[arg-type]


def lone(stage: GatewayStage) -> None:
    """One transceiver, which does both."""
    stage.bound()


def both(stage: GatewayStage) -> None:
    """A transmitter and a receiver."""
    stage.bound()
    stage.bound()


TRANSMITTER, RECEIVER = (f"smsc one: {kind} is not bound" for kind in ("transmitter", "receiver"))


@pytest.mark.parametrize(
    ("settings", "bind", "reasons", "remarks"),
    [
        ({}, lambda stage: None, ["smsc one: transceiver is not bound"], []),
        ({}, lone, [], []),
        ({"binds": 2}, lone, [], ["smsc one: transceiver-2 is not bound"]),
        (
            {"binds": 2},
            lambda stage: None,
            ["smsc one: transceiver-1 is not bound", "smsc one: transceiver-2 is not bound"],
            [],
        ),
        # The transmitter connects first: it sends, and nothing would ever come to be answered.
        ({"bind": "transmitter+receiver"}, lone, [RECEIVER], []),
        ({"bind": "transmitter+receiver"}, both, [], []),
        (
            {"bind": "transmitter+receiver", "binds": 2},
            both,
            [],
            ["smsc one: transmitter-2 is not bound", "smsc one: receiver-2 is not bound"],
        ),
    ],
)
def test_an_smsc_is_ready_with_one_bind_each_way(
    new_stage: NewStage,
    settings: dict[str, Any],
    bind: Callable[[GatewayStage], None],
    reasons: list[str],
    remarks: list[str],
) -> None:
    """What is missing beside that is a remark."""
    stage = new_stage(**settings).start()
    bind(stage)
    asked = readiness(stage)
    assert (asked.reasons(), asked.remarks()) == (reasons, remarks)


def test_a_suspended_smsc_is_a_remark_unless_it_is_the_only_one(new_stage: NewStage) -> None:
    """Its missing bind is no news then."""
    stage = new_stage().start()
    stage.binds.suspended_since_us = 1
    asked = readiness(stage)
    assert asked.reasons() == ["every smsc is suspended"]
    assert asked.remarks() == ["smsc one: suspended"]


def test_a_policy_that_was_turned_down_is_a_remark(new_stage: NewStage) -> None:
    """The one before decides, and phones are answered."""
    stage = new_stage().start()
    lone(stage)
    asked = readiness(stage, book=Book(fault="line 3: a secret of the drafts"))
    assert asked.reasons() == []
    assert asked.remarks() == ["policy: the newest could not be loaded; the one before decides"]


def test_store_register_and_the_end_are_reasons(new_stage: NewStage, tmp_path: Path) -> None:
    """Each of them alone."""
    stage = new_stage().start()
    lone(stage)
    missing = RegisterSection(mode="required", file=tmp_path / "register.db")
    asked = readiness(stage, missing)
    assert asked.reasons() == ["no register: import one with smsd registry import FILE.csv"]
    (tmp_path / "register.db").touch()
    assert asked.reasons() == []
    stage.lane.fault = "disk full"
    assert asked.reasons() == ["the store is unavailable: disk full"]
    stage.lane.fault = None
    asked.stopping = True
    assert asked.reasons() == ["stopping"]
    asked.stopping = False
    stage.lane.stop()
    assert asked.reasons() == ["the writer is not running"]
