"""A real Prometheus scrapes a real daemon, with the rules as they are shipped."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from daemon_process import Daemon, fetch, smsc_section, write_config
from prometheus_process import Prometheus
from watched_files import family_of, names_in, queries, rules

from simulators.control_client import ControlClient
from simulators.process import SmscProcess

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None or shutil.which("promtool") is None,
    reason="prometheus is not installed (Debian: prometheus)",
)


def test_it_knows_what_the_daemon_did_and_fires_when_an_smsc_is_gone(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """SMS counted, figures recorded, every rule evaluated; a loss is on its way to an alert."""
    with Daemon(write_config(tmp_path, [smsc_section(smsc.port)])) as daemon:
        address = daemon.wait_for("started")["desk"]
        for number in range(3):
            phones.text(f"99450000000{number}", f"2 AZE 111111{number}")
        with Prometheus(tmp_path, address) as prometheus:
            prometheus.comes_to("smsd_messages_received_total", [3])
            assert prometheus.values('up{job="smsd"}') == [1]
            assert prometheus.values("smsd_ready") == [1]
            assert prometheus.values('sum(smsd_decisions_total{verdict="grant"})') == [3]
            [build] = prometheus.ask("query", query="smsd_build_info")["result"]
            assert build["metric"]["job"] == "smsd"
            assert_rules_are_healthy(prometheus)
            smsc.kill()
            daemon.wait_for("bind_lost")
            prometheus.comes_to('ALERTS{alertname="SmsdSmscOutOfService"}', [1])


def assert_rules_are_healthy(prometheus: Prometheus) -> None:
    """All of them are loaded, were evaluated, and found nothing wrong with themselves."""
    groups = prometheus.until(
        "rules",
        lambda data: all(rule["health"] != "unknown" for rule in _of(data)),
    )
    loaded = _of(groups)
    assert sorted(rule["name"] for rule in loaded) == sorted(rule.name for rule in rules())
    assert {rule["health"] for rule in loaded} == {"ok"}


def _of(data: Any) -> list[dict[str, Any]]:
    return [rule for group in data["groups"] for rule in group["rules"]]


def test_its_linter_finds_nothing_amiss_and_no_rule_asks_for_what_is_not_there(
    tmp_path: Path, smsc: SmscProcess, phones: ControlClient
) -> None:
    """All of /metrics of a daemon that has worked: names, units, words; rules and dashboard."""
    with Daemon(write_config(tmp_path, [smsc_section(smsc.port)])) as daemon:
        address = daemon.wait_for("started")["desk"]
        phones.text("994500000001", "2 AZE 1111111")
        page = fetch(address, "metrics")[1]
    linted = subprocess.run(
        ["promtool", "check", "metrics"],
        input=page,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (linted.returncode, linted.stdout + linted.stderr) == (0, "")
    families = set(re.findall(r"^# TYPE (\S+)", page, re.M))
    asked = {name for query in queries() for name in names_in(query) if ":" not in name}
    missing = {name for name in asked if family_of(name) not in families}
    assert not missing
