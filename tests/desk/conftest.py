"""A desk for every test that asks for one."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "gateway"))  # virtual_reactor

from desk_stage import DeskStage, NewDesk, open_stage


@pytest.fixture
def new_desk(tmp_path: Path) -> Iterator[NewDesk]:
    """Desks with lines of [desk] of their own, one after the other over one store."""
    with ExitStack() as stages:

        def build(desk: str = "") -> DeskStage:
            stages.close()
            return stages.enter_context(open_stage(tmp_path, desk))

        yield build


@pytest.fixture
def desk(new_desk: NewDesk) -> DeskStage:
    """A desk as it comes."""
    return new_desk("")
