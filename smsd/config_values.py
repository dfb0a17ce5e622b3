"""The kinds of value that several sections of config.toml share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["HOST_PORT", "PORT_MAX", "Count", "Seconds", "Section", "with_port"]

PORT_MAX = 65_535
HOST_PORT = r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9_.-]+):\d{1,5}$"

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Count = Annotated[int, Field(ge=1, le=10_000_000)]


class Section(BaseModel):
    """A table of config.toml: frozen, and without keys that nobody reads."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


def with_port(address: str, lowest: int) -> str:
    """`address` as it is, when its port exists."""
    if not lowest <= int(address.rpartition(":")[2]) <= PORT_MAX:
        raise ValueError(f"the port must be {lowest} to {PORT_MAX}; got {address!r}")
    return address
