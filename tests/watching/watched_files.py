"""The files for Prometheus and Grafana, read by what the tests ask of them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from smsd.desk import watching

FOLDER = Path(watching.__file__).parent
ALERTS = FOLDER / "alerts.yml"
ALERTS_TEST = FOLDER / "alerts_test.yml"
RUNBOOK = FOLDER / "RUNBOOK.md"
DASHBOARD = FOLDER / "grafana.json"

_RULE = re.compile(r"^ {6}- (alert|record): (\S+)$")
_FIELD = re.compile(r"^ +(\w+): (.*)$")
_BEGINS = re.compile(r"^ *(#|- name|\w+:$)")  # what belongs to no field
_SUFFIX = re.compile(r"_(bucket|sum|count)$")


class Rule(NamedTuple):
    """A rule of alerts.yml. kind: alert, record."""

    kind: str
    name: str
    fields: dict[str, str]


def rules() -> list[Rule]:
    """Every rule, in its order; the file keeps to one form, so that this need be no YAML."""
    found: list[Rule] = []
    field = ""
    for line in ALERTS.read_text(encoding="utf-8").splitlines():
        if begins := _RULE.match(line):
            found.append(Rule(begins[1], begins[2], {}))
        elif found and (told := _FIELD.match(line)):
            field = told[1]
            found[-1].fields[field] = told[2].removeprefix(">-")
        elif not line or _BEGINS.match(line):
            field = ""
        elif field:
            found[-1].fields[field] += f" {line.strip()}"
    return found


def alerts() -> list[Rule]:
    """Those that fire."""
    return [rule for rule in rules() if rule.kind == "alert"]


def dashboard() -> dict[str, Any]:
    """The dashboard for Grafana."""
    return dict(json.loads(DASHBOARD.read_text(encoding="utf-8")))


def panels() -> list[dict[str, Any]]:
    """Its panels, rows among them."""
    return list(dashboard()["panels"])


def queries() -> Iterator[str]:
    """Every expression of rules and dashboard."""
    yield from (rule.fields["expr"] for rule in rules())
    for panel in panels():
        yield from (target["expr"] for target in panel.get("targets", ()))
    for variable in dashboard()["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["query"]


def names_in(query: str) -> set[str]:
    """The metrics that an expression asks for, recorded ones among them."""
    # What a name is chosen by stands in quotes, as all other values of labels do.
    chosen = re.findall(r'__name__=~"([^"]*)"', query)
    bare = re.sub(r'"[^"]*"', "", query)
    words = re.findall(r"[A-Za-z_:][A-Za-z0-9_:]*", bare)
    words += [word for each in chosen for word in each.split("|")]
    return {word for word in words if word.startswith(("smsd_", "process_")) or ":" in word}


def family_of(name: str) -> str:
    """The name that # TYPE has for a sample's."""
    return _SUFFIX.sub("", name)
