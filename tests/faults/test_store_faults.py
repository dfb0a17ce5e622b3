"""The store alone on a failing disk: each call that can fail does, in a life of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from failing_disk import FAULTS, FailingDisk

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LIVES_MIN = 100  # with fewer calls the script no longer does what it is for


def survived(folder: Path, library: Path, script: str, case: str, fault: str) -> dict[str, int]:
    """What a script of this folder came through, in a process whose disk is the failing one."""
    disk = FailingDisk(folder / "disk", folder / "store" / "smsd.db")
    path = {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "tests" / "torture")))}
    done = subprocess.run(
        [sys.executable, str(HERE / script), str(disk.control), str(folder), case, fault],
        env=os.environ | path | disk.environment(library, remembers=True),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


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
    found = survived(tmp_path, library, "store_rounds.py", journal, fault)
    assert found["lives"] > LIVES_MIN
    # SQLite writes the rest of a short write itself.
    assert bool(found["refusals"]) == bool(FAULTS[fault].error)


@pytest.mark.parametrize(
    ("age", "fault"), [("new", "full-until-mended"), ("grown", "io-error-once")]
)
def test_a_store_that_could_not_be_opened_opens_once_the_disk_is_back(
    tmp_path: Path, library: Path, age: str, fault: str
) -> None:
    """Whichever call of its making or of its migration fails: refused in words, nothing spoiled."""
    found = survived(tmp_path, library, "opening_rounds.py", age, fault)
    assert found["attempts"] > LIVES_MIN
    assert found["refused"]
