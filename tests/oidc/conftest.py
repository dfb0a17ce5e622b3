"""A provider of OpenID Connect for every test that asks for one."""

from collections.abc import Iterator

import pytest
from hostile_provider import HostileProvider


@pytest.fixture
def hostile() -> Iterator[HostileProvider]:
    """One that does as it is told."""
    with HostileProvider() as provider:
        yield provider
