"""The dashboard's stream over real TCP, of a real daemon to which a real phone texts."""

import http.client
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "daemon"))

from daemon_process import WAIT_S, Daemon, fetch, smsc_section, write_config

from simulators.process import SmscProcess


def snapshots(address: str) -> Iterator[dict[str, Any]]:
    """What the stream tells, as a browser would read it."""
    connection = http.client.HTTPConnection(address, timeout=WAIT_S)
    try:
        connection.request("GET", "/live", headers={"Accept": "text/event-stream"})
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/event-stream"
        for line in answer:
            if line.startswith(b"data: "):
                yield json.loads(line.removeprefix(b"data: "))
    finally:
        connection.close()


def test_an_sms_is_seen_by_who_watches(tmp_path: Path) -> None:
    """From the phone through the store to the stream, with its reply and what was decided."""
    with SmscProcess() as smsc, smsc.client() as phones:
        with Daemon(write_config(tmp_path, [smsc_section(smsc.port)])) as daemon:
            address = daemon.wait_for("started")["desk"]
            daemon.wait_for("bound")
            seen = snapshots(address)
            before = next(seen)
            assert before["smscs"][0]["state"] == "bound"
            assert before["smscs"][0]["received"] == 0
            phones.text("994507712345", "2 AZE 1234567")
            told = next(now for now in seen if now["smscs"][0]["sent"])
            assert told["smscs"][0]["received"] == 1
            assert told["minute"]["verdicts"]["grant"] == 1
            assert told["minute"]["turnaround"]["p50"] > 0
            assert "994507712345" not in json.dumps(told)
            phones.drop_links()
            lost = next(now for now in seen if now["events"][0]["kind"] == "bind_up")
            assert [event["kind"] for event in lost["events"][:2]] == ["bind_up", "bind_down"]
            seen.close()
            assert daemon.terminate() == 0
        with Daemon(write_config(tmp_path, [smsc_section(smsc.port)])) as again:
            address = again.wait_for("started")["desk"]
            status = json.loads(fetch(address, "status.json")[1])
            assert status["today"]["received"] == status["today"]["sent"] == 1
