"""A few minutes' share of `make torture`: it comes through, and each planted fault is caught."""

from pathlib import Path

import pytest
from invariants import ACKNOWLEDGED, ANSWERED, ONE_A_DAY, Broken
from power import CutDisk, NoPower
from rounds import Torture

SEED = 8103


def test_nothing_is_lost_by_sigkill(tmp_path: Path) -> None:
    """Daemon, writer or both, in the middle of a flood."""
    with Torture(tmp_path, SEED) as torture:
        survived = torture.kill_rounds(6, on_round=lambda _: None)
    assert survived.acknowledged > 0


@pytest.mark.parametrize(
    ("fault", "invariant"),
    [
        ("acknowledge-before-commit", ACKNOWLEDGED),
        ("dropped-index", ONE_A_DAY),
        ("forgotten-reload", ANSWERED),
    ],
)
def test_a_planted_fault_is_caught(tmp_path: Path, fault: str, invariant: str) -> None:
    """A test build with one fault breaks the invariant that it was made to break."""
    with Torture(tmp_path, SEED, fault, patience_s=3) as torture, pytest.raises(Broken) as broken:
        torture.kill_rounds(30, on_round=lambda _: None)
    assert broken.value.invariant == invariant


@pytest.mark.parametrize("fault", [None, "normal-sync"])
def test_a_power_cut_costs_only_who_does_not_sync(tmp_path: Path, fault: str | None) -> None:
    """The kernel forgets what was not synced: nothing of ours, and rows of the control."""
    try:
        with CutDisk(tmp_path) as disk, Torture(disk.mount_point, SEED, fault) as torture:
            if fault is None:
                assert torture.cut_rounds(disk, 2, on_round=lambda _: None).acknowledged > 0
                return
            with pytest.raises(Broken) as broken:
                torture.cut_rounds(disk, 10, on_round=lambda _: None)
            assert broken.value.invariant == ACKNOWLEDGED
    except NoPower as reason:
        pytest.skip(str(reason))
