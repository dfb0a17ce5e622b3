"""What a person may hold or have been granted today, as far as the rules can tell it apart."""

from collections.abc import Sequence
from itertools import product
from math import prod

from rules.analysis.cell_features import PERMITS, Feature, Ground
from rules.analysis.cell_moments import Moment
from rules.analysis.cell_traits import Choice, Patch, TooManyCells, Trait
from rules.decide import HeldPermit

__all__ = ["HISTORIES_MAX", "permit_choices"]

HISTORIES_MAX = 4_000
"""Histories of permits for one code; daily limits up to 30 for two kinds of codes fit."""

_MINUTE_US = 60_000_000


def permit_choices(features: Sequence[Feature], grounds: Sequence[Ground]) -> list[Choice]:
    """Every count of permits granted today up to the limits, with and without a valid one.

    Codes that every rule counts in the same way are one kind of code. Raises TooManyCells.
    """
    own = grounds[0].scope.code
    codes = dict.fromkeys([own, *(code for ground in grounds for code in ground.content.codes)])
    counting = [feature for feature in features if feature.bounds]
    kinds: dict[tuple[bool, ...], str] = {}
    for code in codes:
        kind = (code == own, *(not f.names or code in f.names for f in counting))
        kinds.setdefault(kind, code)
    limits = {
        code: max((f.bounds[0] for f, counts in zip(counting, kind[1:], strict=True) if counts),
                  default=0)
        for kind, code in kinds.items()
    }  # fmt: skip
    other = next((code for code in codes if code != own), None)
    valid = [(), (own,), *([(other,), (own, other)] if other is not None else [])]
    ranges = [range(limit + 1) for limit in limits.values()]
    histories = prod(map(len, ranges)) * len(valid)
    if histories > HISTORIES_MAX:
        raise TooManyCells(
            f"the daily limits for code {own} tell {histories} histories of permits apart, "
            f"and {HISTORIES_MAX} is the limit"
        )
    return [
        _choice(dict(zip(limits, counts, strict=True)), held)
        for counts in product(*ranges)
        for held in valid
    ]


def _choice(today: dict[str, int], valid: Sequence[str]) -> Choice:
    """today: permits granted, by code; valid: the codes of which one is valid."""
    words = [f"{count} with {code} today" for code, count in today.items() if count]
    name = ", ".join([*words, *(f"a valid one with {code}" for code in valid)]) or "none"

    def fill(moment: Moment) -> Sequence[Patch]:
        variants = (_history(today, valid, moment, late) for late in (False, True))
        return tuple({"permits": permits} for permits in dict.fromkeys(variants))

    return Choice(Trait(PERMITS, name), fill)


def _history(
    today: dict[str, int], valid: Sequence[str], moment: Moment, late: bool
) -> tuple[HeldPermit, ...]:
    """The permits; all others ended at this very instant.

    late: a valid one has not begun yet, and was granted today if any of its code was; else it is
    in its last microsecond, and was granted yesterday.
    """
    at_us, day, start_us = moment
    found: list[HeldPermit] = []
    for code, count in today.items():
        for slot in range(count):
            valid_now = late and slot == 0 and code in valid
            span = (at_us + _MINUTE_US, at_us + 2 * _MINUTE_US) if valid_now else (start_us, at_us)
            found.append(HeldPermit(len(found) + 1, code, *span, day, slot))
    for code in valid:
        if late and today.get(code):
            continue
        begins_us = at_us + _MINUTE_US if late else start_us - 1
        ends_us = at_us + 2 * _MINUTE_US if late else at_us + 1
        found.append(HeldPermit(len(found) + 1, code, begins_us, ends_us, day - 1, 0))
    return tuple(found)
