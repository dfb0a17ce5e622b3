"""The open dashboards of the benchmark do what pages do: they see what the daemon sends."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.dashboards import compared
from benchmarks.driver import CannotMeasure

sys.path.append(str(Path(__file__).parents[1] / "daemon"))

from daemon_process import WAIT_S, Daemon, smsc_section, write_config

TURN_S = 6


def test_they_watch_in_turns_until_the_daemon_ends(tmp_path: Path) -> None:
    """Each turn all of them see something; between two of them nobody watches."""
    config = write_config(tmp_path, [smsc_section(port=1)])
    with Daemon(config) as daemon:
        port = daemon.wait_for("started")["desk"].rpartition(":")[2]
        command = [sys.executable, "-m", "benchmarks.onlookers", port, "3", "0.2"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as onlookers:
            try:
                assert onlookers.stdout is not None
                turns = [json.loads(onlookers.stdout.readline()) for _ in range(2)]
                assert daemon.terminate() == 0
                _, complaints = onlookers.communicate(timeout=WAIT_S)
            finally:
                onlookers.kill()
    assert complaints == ""
    (began, ended, *seen), (began_again, _, *seen_again) = turns
    assert began < ended < began_again
    assert [count > 0 for count in seen + seen_again] == [True] * 6


def test_a_turn_is_set_beside_the_two_around_it() -> None:
    """Half the rate while watched is half, whatever the flood does in the long run."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE reply (settled_at_us INTEGER)")
        for second in range(14 * TURN_S):  # alone for a turn, watched for one, …
            watched = second // TURN_S % 2
            rate = (200 + 2 * second) // (2 if watched else 1)
            replies = [(second * 1_000_000 + at * 1_000_000 // rate,) for at in range(rate)]
            connection.executemany("INSERT INTO reply VALUES (?)", replies)
        turns = [
            [second * 1_000_000, (second + TURN_S) * 1_000_000, 2, 2, 2]
            for second in range(TURN_S, 14 * TURN_S, 2 * TURN_S)
        ]
        found = compared(connection, turns)
    assert found.snapshots == [10, 10, 10]
    assert len(found.ratios) == 5
    assert all(0.49 < ratio < 0.51 for ratio in found.ratios)


def test_too_few_turns_are_no_figure() -> None:
    """The first and the last are none."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE reply (settled_at_us INTEGER)")
        turns = [
            [second * 1_000_000, (second + TURN_S) * 1_000_000, 2]
            for second in range(TURN_S, 12 * TURN_S, 2 * TURN_S)
        ]
        with pytest.raises(CannotMeasure, match="more messages"):
            compared(connection, turns)
