"""How much junk one phone may send before it is no longer answered."""

from enum import Enum
from typing import NamedTuple

__all__ = ["Bucket", "Flow", "PhoneState"]


class Bucket(NamedTuple):
    """The bounds of one policy version: so many at once, and one more after each refill_us."""

    junk_max: int
    refill_us: int


class PhoneState(NamedTuple):
    """What is kept of a phone.

    language: that it chose; junk_us: the instant at which its bucket will be full again;
    told: it was told that it is no longer answered.
    """

    language: str | None = None
    junk_us: int = 0
    told: bool = False


class Flow(Enum):
    """What becomes of a junk SMS."""

    ANSWER = "answer"
    LAST = "last"
    SILENT = "silent"
