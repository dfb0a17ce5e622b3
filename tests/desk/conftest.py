"""A desk for every test that asks for one."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "gateway"))  # virtual_reactor

from desk_stage import DeskStage, write_config

import rules
from smsd.config import load_config

POLICY_FILE = Path(rules.__file__).parent / "policies" / "8103.toml"

NewDesk = Callable[[str], DeskStage]


@pytest.fixture
def new_desk(tmp_path: Path) -> Iterator[NewDesk]:
    """Desks with lines of [desk] of their own, one after the other."""
    stages: list[DeskStage] = []

    def build(desk: str = "") -> DeskStage:
        for stage in stages:
            stage.close()
        stages[:] = [DeskStage(load_config(write_config(tmp_path, POLICY_FILE, desk), {}))]
        return stages[0]

    yield build
    for stage in stages:
        stage.close()


@pytest.fixture
def desk(new_desk: NewDesk) -> DeskStage:
    """A desk as it comes."""
    return new_desk("")
