"""A real store in a real file, and the shipped policy."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import rules
from storage import SqliteStore

POLICY_FILE = Path(rules.__file__).parent / "policies" / "8103.toml"


@pytest.fixture(scope="session")
def policy() -> rules.CompiledPolicy:
    return rules.load_policy(POLICY_FILE)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/smsd.db"


@pytest.fixture
def store(url: str) -> Iterator[SqliteStore]:
    opened = SqliteStore(url)
    yield opened
    opened.close()
