"""How large the parts of `make bench` are: as the goals want them, and as a coffee break allows."""

from enum import StrEnum
from typing import NamedTuple


class Part(StrEnum):
    """What can be measured alone."""

    REGISTER = "register"
    RATES = "rates"
    LATENCY = "latency"
    SLOW_SMSC = "slow-smsc"
    DASHBOARDS = "dashboards"
    OVERLOAD = "overload"
    STORED = "stored"
    RESTART = "restart"


class Sizes(NamedTuple):
    """How much of everything.

    people: in the register. messages: SMS of a closed loop. paced: of the open loop that is timed.
    overload_s: for how long too much is offered. stored: messages in the old store. permits and
    unsent: granted today, and replies that wait, when the daemon is killed.
    """

    people: int
    messages: int
    paced: int
    overload_s: float
    stored: int
    permits: int
    unsent: int

    def share(self, *names: str) -> float:
        """Of the full size, at most 1; of several the smallest."""
        shares: list[float] = [getattr(self, name) / getattr(FULL, name) for name in names]
        return min(1.0, *shares)

    def in_words(self) -> str:
        """Every size, and the full one where it differs."""
        return ", ".join(
            f"{name} {value:,}" + (f" of {full:,}" if value < full else "")
            for name, value, full in zip(self._fields, self, FULL, strict=True)
        )


FULL = Sizes(
    people=10_000_000,
    messages=100_000,
    paced=10_000,
    overload_s=60.0,
    stored=36_000_000,
    permits=1_000_000,
    unsent=100_000,
)
QUICK = FULL._replace(people=1_000_000, overload_s=10.0, stored=3_600_000)


def fraction(share: float) -> str:
    """A share of the full size as the table shows it, such as 1/10."""
    return "full" if share >= 1 else f"1/{1 / share:.3g}"
