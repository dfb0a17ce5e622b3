"""A configuration whose files all lie in a folder of the test, and a simulator with its phones."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.control_client import ControlClient
from simulators.process import SmscProcess

# The daemon in a process of its own is the same there and here.
sys.path.append(str(Path(__file__).parents[1] / "daemon"))

from daemon_process import smsc_section, write_config


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A sound configuration; nothing listens where its SMSC should be."""
    return write_config(tmp_path, [smsc_section(port=1)], mode="required")


@pytest.fixture
def smsc() -> Iterator[SmscProcess]:
    """A simulator on free ports."""
    with SmscProcess() as process:
        yield process


@pytest.fixture
def phones(smsc: SmscProcess) -> Iterator[ControlClient]:
    """The phones of `smsc`."""
    with smsc.client() as client:
        yield client
