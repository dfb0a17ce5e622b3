"""Rules, runbook and dashboard for the operators' own tools: whole, and about what there is."""

import re
import shutil
import subprocess

import pytest
from watched_files import (
    ALERTS,
    ALERTS_TEST,
    FOLDER,
    RUNBOOK,
    Rule,
    alerts,
    dashboard,
    names_in,
    panels,
    queries,
    rules,
)

SEVERITIES = {"critical", "warning", "info"}
COLUMNS = 24  # of a dashboard
KINDS = {"row", "stat", "timeseries", "table", "bargauge", "gauge", "text", "state-timeline"}

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)"
)


def promtool(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run it where the files lie."""
    return subprocess.run(
        ["promtool", *arguments],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@needs_promtool
def test_prometheus_takes_the_rules() -> None:
    """Syntax, expressions, templates."""
    checked = promtool("check", "rules", ALERTS.name)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(rules())} rules found" in checked.stdout


@needs_promtool
def test_every_alert_fires_when_it_should_and_not_before() -> None:
    """Prometheus's own unit tests, on both sides of each bound."""
    tested = promtool("test", "rules", ALERTS_TEST.name)
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_what_is_recorded_is_asked_for_and_the_other_way_round() -> None:
    """No recording without a reader, and no reader of what nobody records."""
    recorded = {rule.name for rule in rules() if rule.kind == "record"}
    asked = set().union(*map(names_in, queries()))
    assert {name for name in asked if ":" in name} == recorded


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
def test_an_alert_says_what_it_is_and_where_to_read_on(alert: Rule) -> None:
    """In words of its own, with a section of the runbook that names it."""
    assert alert.name.startswith("Smsd")
    assert alert.fields["labels"].removeprefix("{severity: ").removesuffix("}") in SEVERITIES
    assert len(alert.fields["summary"]) < 80
    assert alert.fields["description"].strip().endswith(".")
    file, _, fragment = alert.fields["runbook_url"].partition("#")
    assert file == RUNBOOK.name
    section = runbook()[fragment]
    assert alert.name in section
    for part in ("**To people:**", "**Look at:**", "**Do:**"):
        assert part in section


def test_the_runbook_has_no_section_without_an_alert() -> None:
    """What nothing leads to is read by nobody."""
    assert set(runbook()) == {alert.fields["runbook_url"].partition("#")[2] for alert in alerts()}


def runbook() -> dict[str, str]:
    """Its sections by the fragment that leads to each."""
    parts = re.split(r"^### (\w+)$", RUNBOOK.read_text(encoding="utf-8"), flags=re.M)
    return {
        heading.lower(): f"{heading}{text}"
        for heading, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def test_every_link_within_the_runbook_leads_somewhere() -> None:
    """Sections refer to one another."""
    for fragment in re.findall(r"\]\(#([^)]+)\)", RUNBOOK.read_text(encoding="utf-8")):
        assert fragment in runbook()


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
def test_an_alert_is_tried_on_both_sides(alert: Rule) -> None:
    """At least once it is expected to fire, and once not to."""
    text = ALERTS_TEST.read_text(encoding="utf-8")
    tried = re.findall(rf'alertname="{alert.name}".*\n.*\n +exp_samples:( \[\])?', text)
    assert set(tried) == {"", " []"}


def test_the_dashboard_is_one_for_grafana() -> None:
    """What Grafana asks of a file that it imports: schema, identity, a datasource to choose."""
    whole = dashboard()
    assert whole["schemaVersion"] >= 36
    assert whole["id"] is None
    assert re.fullmatch(r"[a-z0-9-]{1,40}", whole["uid"])
    assert whole["title"]
    variables = {variable["name"]: variable for variable in whole["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "prometheus"


def test_every_panel_has_its_place_and_asks_the_chosen_datasource() -> None:
    """None lies on another; each says what it shows, in which unit, and asks something."""
    ids = [panel["id"] for panel in panels()]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= COLUMNS
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["type"] in KINDS
        assert panel["title"]
        if panel["type"] == "row":
            continue
        chosen = {"type": "prometheus", "uid": "${datasource}"}
        assert panel["datasource"] == chosen
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        references = [target["refId"] for target in panel["targets"]]
        assert references
        assert len(set(references)) == len(references)
        assert all(target["datasource"] == chosen for target in panel["targets"])
        assert all(
            'job="smsd"' in target["expr"] or ":" in target["expr"] for target in panel["targets"]
        )
