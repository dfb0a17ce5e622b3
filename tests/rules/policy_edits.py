"""Policies for tests, made by editing the parsed content of a shipped file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import rules
from rules import CompiledPolicy, Policy, compile_policy
from rules.policy import PolicyFile
from rules.toml_lines import load_toml

POLICIES = Path(rules.__file__).parent / "policies"

Data = dict[str, Any]


def edited(*edits: Callable[[Data], object], name: str = "8103.toml") -> Policy:
    """A shipped policy, its TOML edited in place; its digest and lines stay as they were."""
    policy = rules.load(POLICIES / name)
    data, _ = load_toml(policy.source, name)
    for edit in edits:
        edit(data)
    return Policy(name, policy.source, policy.digest, PolicyFile.model_validate(data), policy.lines)


def compiled(*edits: Callable[[Data], object], name: str = "8103.toml") -> CompiledPolicy:
    """The same, compiled without its own tests."""
    return compile_policy(edited(*edits, name=name), trial=False)


def rule(data: Data, key: str) -> Data:
    """The rule with an id."""
    found: Data = next(each for each in data["rules"] if each["id"] == key)
    return found


def parameter(name: str, unit: str, value: object) -> Callable[[Data], None]:
    """Adds a parameter that always had this value."""
    entry = {"title": name, "unit": unit, "values": [{"value": value, "source": "ours"}]}

    def add(data: Data) -> None:
        data["parameters"][name] = entry

    return add


def before(data: Data, key: str, **new: Any) -> None:
    """Puts a new rule before the one with the id ``key``."""
    place = data["rules"].index(rule(data, key))
    data["rules"].insert(place, {"source": "ours", **new})


def silenced(key: str) -> Callable[[Data], None]:
    """Makes a rule never apply; taken out, its reply and its tests would lead nowhere."""
    return lambda data: rule(data, key).update({"except": {}})
