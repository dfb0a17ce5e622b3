"""A simulator for the daemon that is watched."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.control_client import ControlClient
from simulators.process import SmscProcess

sys.path.append(str(Path(__file__).parents[1] / "daemon"))  # daemon_process


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
