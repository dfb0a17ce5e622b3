"""A simulator for every test that asks for one."""

from collections.abc import Iterator

import pytest

from simulators.control_client import ControlClient
from simulators.process import SmscProcess


@pytest.fixture
def smsc() -> Iterator[SmscProcess]:
    """A simulator on free ports that repeats an unacknowledged delivery soon."""
    with SmscProcess("--retry-delay", "0.05") as process:
        yield process


@pytest.fixture
def phones(smsc: SmscProcess) -> Iterator[ControlClient]:
    """The phones of `smsc`."""
    with smsc.client() as client:
        yield client
