"""The desk of a running daemon: metrics for Prometheus, health with reasons, quiet errors."""

import http.client
import json
import socket
from pathlib import Path

import pytest
from daemon_process import WAIT_S, Daemon, fetch, smsc_section, write_config
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from smsd_command import smsd, smsd_process

from simulators.control_client import ControlClient
from simulators.process import SmscProcess

LABELS = {"smsc", "bind", "verdict", "rule", "reason", "outcome", "id", "digest", "version"} | {
    "sqlite",
    "le",
    "role",
    "which",
    "command",
    "candidate_verdict",
    "state",
}


def metrics(address: str) -> dict[str, Metric]:
    """The families of /metrics, by name."""
    status, page = fetch(address, "metrics")
    assert status == 200
    return {family.name: family for family in text_string_to_metric_families(page)}


def ask(address: str, method: str, page: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body."""
    connection = http.client.HTTPConnection(address, timeout=WAIT_S)
    try:
        connection.request(method, page)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        connection.close()


def conversation(phones: ControlClient, first: int) -> None:
    """Two people with documents of their own, one with nonsense."""
    for number in range(first, first + 2):
        phones.text(f"9945077{number}", f"2 AZE 10{number}")
    phones.text(f"9945077{first + 2}", "nonsense")


def test_prometheus_can_read_the_metrics(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """Every family has a type, words, and the prefix; what was texted is counted."""
    with Daemon(write_config(tmp_path, [smsc_section(smsc.port)])) as daemon:
        address = daemon.wait_for("started")["desk"]
        conversation(phones, 77100)
        families = metrics(address)
    for name, family in families.items():
        assert name.startswith(("smsd_", "process_"))
        assert family.documentation
        assert family.type in {"counter", "gauge", "histogram"}, name
    values = {
        name: sum(
            sample.value
            for sample in families[name].samples
            if not sample.name.endswith(("_created", "_bucket", "_sum"))
        )
        for name in families
    }
    assert values["smsd_messages_received"] == values["smsd_messages_stored"] == 3
    assert values["smsd_decisions"] == 2
    assert values["smsd_unrecognised"] == 1
    assert values["smsd_bind_up"] == 1
    assert values["smsd_store_up"] == 1
    assert values["smsd_ready"] == 1
    assert 0 < values["smsd_store_disk_free_bytes"] <= values["smsd_store_disk_total_bytes"]
    # Two processes, and each has its own figures.
    assert values["process_resident_memory_bytes"] > 0
    assert values["smsd_writer_process_resident_memory_bytes"] > 0
    assert values["process_start_time_seconds"] <= values["smsd_policy_loaded_timestamp_seconds"]
    assert values["smsd_policy_newest_in_force"] == 1


def test_labels_are_few_and_name_nobody(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """More phones and documents make larger numbers, never more series."""
    with Daemon(write_config(tmp_path, [smsc_section(smsc.port)])) as daemon:
        address = daemon.wait_for("started")["desk"]
        series = []
        for first in (77100, 77200):
            conversation(phones, first)
            samples = [
                (sample.name, tuple(sorted(sample.labels.items())))
                for family in metrics(address).values()
                for sample in family.samples
                if family.name != "smsd_replies"  # counted when its response comes, maybe later
            ]
            series.append(set(samples))
            assert len(samples) == len(series[-1])
        page = fetch(address, "metrics")[1]
    assert series[0] == series[1]
    assert {name for _, labels in series[0] for name, _ in labels} <= LABELS
    assert len(series[0]) < 200
    for number in (*range(77100, 77103), *range(77200, 77203)):
        assert str(number) not in page


def test_health_tells_what_is_missing_until_all_is_there(tmp_path: Path, smsc: SmscProcess) -> None:
    """Alive from the start; ready once it is bound and has its register."""
    sections = [smsc_section(smsc.port, "here"), smsc_section(smsc.port, "there", "wrong")]
    config = write_config(tmp_path, sections, mode="required")
    with Daemon(config) as daemon:
        address = daemon.wait_for("started")["desk"]
        daemon.wait_for("bound", smsc="here")
        assert fetch(address, "livez") == (200, "alive\n")
        assert fetch(address, "readyz") == (
            503,
            "not ready: smsc there: transceiver is not bound\n"
            "not ready: no register: import one with smsd registry import FILE.csv\n",
        )
        people = tmp_path / "people.csv"
        people.write_text("person,document,birth_date\nA,AZE1111111,1980-01-01\n")
        smsd("registry", "import", people, "--config", config)
        assert fetch(address, "readyz") == (
            503,
            "not ready: smsc there: transceiver is not bound\n",
        )


def test_a_daemon_that_lost_its_smsc_is_alive_and_not_ready(
    tmp_path: Path, smsc: SmscProcess
) -> None:
    """A restart would not help, so liveness holds."""
    with Daemon(write_config(tmp_path, [smsc_section(smsc.port)])) as daemon:
        address = daemon.wait_for("started")["desk"]
        daemon.wait_for("bound")
        assert fetch(address, "readyz") == (200, "ready\n")
        smsc.kill()
        daemon.wait_for("bind_lost")
        assert fetch(address, "readyz")[0] == 503
        assert fetch(address, "livez")[0] == 200
        (up,) = metrics(address)["smsd_bind_up"].samples
        assert up.value == 0


@pytest.fixture
def lonely(config: Path) -> Daemon:
    """A daemon whose SMSC is not there."""
    return Daemon(config)


def test_every_method_and_page_is_answered_without_a_trace(lonely: Daemon) -> None:
    """HEAD as GET without a body; what is not offered is refused; nothing of it in the log."""
    with lonely as daemon:
        address = daemon.wait_for("started")["desk"]
        for page, status in (("/livez", 200), ("/metrics", 200), ("/readyz", 503)):
            assert ask(address, "HEAD", page)[::2] == (status, "")
            got, headers, body = ask(address, "GET", page)
            assert (got, headers["Cache-Control"]) == (status, "no-store")
            assert body
            refused, headers, body = ask(address, "POST", page)
            assert refused == 405
            assert sorted(headers["Allow"].split(", ")) == ["GET", "HEAD"]
            assert "Traceback" not in body
            assert ask(address, "DELETE", page)[0] in {405, 501}
        for page in ("/nothing", "/static/0/nothing", "/metricsandmore", "/%ff%00"):
            missing, _, body = ask(address, "GET", page)
            assert missing == 404
            assert "Traceback" not in body
        with socket.create_connection(tuple(address.split(":")), WAIT_S) as stranger:  # type: ignore[arg-type]
            stranger.sendall(b"\x00\x00\x00\x10no http\r\n\r\n")
            assert stranger.recv(100).startswith(b"HTTP/1.1 400 ")
        assert fetch(address, "livez")[0] == 200
        said = daemon.log
    for trace in ("Traceback", "unhandled_error", "livez", "POST"):
        assert trace not in said


def test_lines_of_the_audit_that_cannot_be_read_keep_it_from_starting(config: Path) -> None:
    """They stand nowhere else; where, and what to do with them, is one line of the log."""
    waiting = config.parent / "smsd.db.audit-waiting"
    waiting.write_bytes(b"\xff\n")
    done = smsd_process("run", "--config", config)
    assert done.returncode == 1
    [line] = [json.loads(line) for line in done.stderr.splitlines() if "cannot_start" in line]
    assert f"{waiting} is damaged; keep it elsewhere" in line["reason"]
    assert "Traceback" not in done.stderr
