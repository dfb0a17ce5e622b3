"""What a row says of a pair of ends, column by column."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from subprocess import TimeoutExpired
from typing import NamedTuple, TypeAlias

from simulators.control_client import NoAnswer


class Column(StrEnum):
    """What two ends must be able to do with each other."""

    BIND = "bind"
    MO = "MO"
    MT = "MT"
    LONG_MO = "long MO"
    LONG_MT = "long MT"
    RECEIPT = "receipt"
    ENQUIRED_BY_PEER = "enquire by it"
    ENQUIRED_BY_US = "enquire by us"
    UNBOUND_BY_PEER = "unbind by it"
    UNBOUND_BY_US = "unbind by us"
    TSHARK = "tshark"


class Outcome(StrEnum):
    """How it went: as the standard has it, not at all for want of the peer's, or wrong."""

    DONE = "done"
    LACKING = "lacking"
    FAILED = "failed"
    SKIPPED = "skipped"


class NotInstalled(Exception):
    """What a step needs besides the peer is not on this machine; the text says what."""


class Cell(NamedTuple):
    """An outcome, and in words how it was done or what is amiss."""

    outcome: Outcome
    words: str


# What the authors of a peer left out or got wrong, in words, by the column that shows it.
Lacks: TypeAlias = Mapping[Column, str]

# How a step says what is amiss: what came was wrong, did not come, or did not end.
AMISS = (AssertionError, NoAnswer, TimeoutExpired)

# A step does what its column asks for, and may say how. Where the peer is known to lack something,
# the step holds it to all the rest.
Step: TypeAlias = Callable[[], str | None]


def judge(steps: Mapping[Column, Step], lacks: Lacks) -> dict[Column, Cell]:
    """Take all steps in order, whatever becomes of those before."""
    cells = {}
    for column, step in steps.items():
        try:
            how = step()
        except NotInstalled as reason:
            cells[column] = Cell(Outcome.SKIPPED, str(reason))
        except AMISS as fault:
            cells[column] = Cell(Outcome.FAILED, str(fault) or repr(fault))
        else:
            lacking = column in lacks
            outcome = Outcome.LACKING if lacking else Outcome.DONE
            cells[column] = Cell(outcome, lacks[column] if lacking else how or "")
    return cells
