"""The shipped policy, and gateways over real stores that end with their test."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gateway_stage import GatewayStage, NewStage

import rules
from storage import Register, SqliteStore

POLICY_FILE = Path(rules.__file__).parent / "policies" / "8103.toml"


@pytest.fixture(scope="session")
def policy() -> rules.CompiledPolicy:
    """The law as it is shipped."""
    return rules.load_policy(POLICY_FILE)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Where a store may lie."""
    return f"sqlite:///{tmp_path}/smsd.db"


@pytest.fixture
def store(url: str) -> Iterator[SqliteStore]:
    """A store of its own."""
    opened = SqliteStore(url)
    yield opened
    opened.close()


@pytest.fixture
def new_stage(url: str, policy: rules.CompiledPolicy) -> Iterator[NewStage]:
    """Gateways over the store at `url`, one after the other."""
    stages: list[GatewayStage] = []

    def build(**settings: Any) -> GatewayStage:
        if stages:
            stages[-1].stop()
        stages.append(GatewayStage(url, policy, **settings))
        return stages[-1]

    yield build
    for stage in stages[-1:]:
        stage.stop()


@pytest.fixture
def damaged(tmp_path: Path) -> Iterator[Register]:
    """A register in which AZE9999999 has a date of birth that no calendar has."""
    path = tmp_path / "register.db"
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TABLE holder (document TEXT PRIMARY KEY, person TEXT NOT NULL,"
        " birth_ordinal INTEGER NOT NULL, region TEXT, quarantine_until_day INTEGER)"
        " STRICT, WITHOUT ROWID"
    )
    connection.executemany(
        "INSERT INTO holder VALUES (?,?,?,NULL,NULL)",
        [("AZE9999999", "P9", 0), ("AZE1111111", "P1", 722_815), ("AZE2222222", "P2", 722_815)],
    )
    connection.commit()
    connection.close()
    register = Register(path)
    yield register
    register.close()
