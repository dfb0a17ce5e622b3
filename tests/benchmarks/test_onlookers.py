"""The open dashboards of the benchmark do what pages do: they see what the daemon sends."""

import json
import subprocess
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "daemon"))

from daemon_process import WAIT_S, Daemon, smsc_section, write_config


def test_each_of_them_sees_snapshots_until_the_daemon_ends(tmp_path: Path) -> None:
    """Started with it, told by it, ended with it."""
    config = write_config(tmp_path, [smsc_section(port=1)])
    with Daemon(config) as daemon:
        port = daemon.wait_for("started")["desk"].rpartition(":")[2]
        command = [sys.executable, "-m", "benchmarks.onlookers", port, "3"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as onlookers:
            try:
                assert onlookers.stderr is not None
                assert onlookers.stderr.readline() == "watching\n"
                assert daemon.terminate() == 0
                told, complaints = onlookers.communicate(timeout=WAIT_S)
            finally:
                onlookers.kill()
    assert complaints == ""
    assert [seen > 0 for seen in json.loads(told)] == [True, True, True]
