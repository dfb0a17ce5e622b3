"""The failing disk, built once; daemon and storm are those of the neighbouring folders."""

import sys
from pathlib import Path

import pytest
from failing_disk import NoCompiler, build

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS / "daemon"))
sys.path.insert(0, str(TESTS / "torture"))


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What LD_PRELOAD must name."""
    try:
        return build(tmp_path_factory.mktemp("library"))
    except NoCompiler as reason:
        pytest.skip(str(reason))
