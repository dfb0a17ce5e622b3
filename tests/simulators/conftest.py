"""A simulator in a process of its own for every test that asks for one."""

from collections.abc import Iterator

import pytest

from simulators.control_client import ControlClient
from simulators.process import SmscProcess


@pytest.fixture
def smsc() -> Iterator[SmscProcess]:
    """A running simulator that repeats a delivery soon, on free ports."""
    with SmscProcess("--retry-delay", "0.05") as process:
        yield process


@pytest.fixture
def control(smsc: SmscProcess) -> Iterator[ControlClient]:
    """A control connection to ``smsc``."""
    with smsc.client() as client:
        yield client
