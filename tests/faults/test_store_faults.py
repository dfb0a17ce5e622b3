"""The store alone on a failing disk: each call that can fail does, in a life of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from failing_disk import FAULTS, FailingDisk

ROUNDS = Path(__file__).with_name("store_rounds.py")
ROOT = Path(__file__).parents[2]
PATH = {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "tests" / "torture")))}
LIVES_MIN = 100  # fewer calls, and the batches no longer reach commits and checkpoints alike


@pytest.mark.parametrize(
    ("journal", "fault"),
    [
        ("WAL", "io-error-once"),
        ("WAL", "full-until-mended"),
        ("WAL", "short-write-once"),
        ("DELETE", "io-error-once"),
        ("DELETE", "io-error-until-mended"),
    ],
)
def test_no_single_call_that_fails_costs_an_acknowledged_sms(
    tmp_path: Path, library: Path, journal: str, fault: str
) -> None:
    """All or nothing of each batch, nothing lost by a power cut, and on it goes by itself."""
    store = tmp_path / "store" / "smsd.db"
    disk = FailingDisk(tmp_path / "disk", store)
    done = subprocess.run(
        [sys.executable, str(ROUNDS), str(disk.control), str(tmp_path), journal, fault],
        env=os.environ | PATH | disk.environment(library, remembers=True),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    survived = json.loads(done.stdout)
    assert survived["lives"] > LIVES_MIN
    # SQLite writes the rest of a short write itself.
    assert bool(survived["refusals"]) == bool(FAULTS[fault].error)
