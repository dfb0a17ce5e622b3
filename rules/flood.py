"""How much junk one phone may send before it is no longer answered."""

from enum import Enum
from typing import NamedTuple

__all__ = ["Bucket", "Flow", "PhoneState", "take"]


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


def take(bucket: Bucket, state: PhoneState, at_us: int) -> tuple[Flow, PhoneState]:
    """Count one junk SMS of a phone; whether it is answered, and what is kept of the phone.

    A token bucket, kept as the instant at which it will be full again (the generic cell rate
    algorithm of ITU-T I.371): one number, and no timer. A refused SMS costs nothing, so that
    whoever stops is answered again after one refill.
    """
    full_us = max(state.junk_us, at_us) + bucket.refill_us
    if full_us - at_us <= bucket.junk_max * bucket.refill_us:
        return Flow.ANSWER, state._replace(junk_us=full_us, told=False)
    if state.told:
        return Flow.SILENT, state
    return Flow.LAST, state._replace(told=True)
