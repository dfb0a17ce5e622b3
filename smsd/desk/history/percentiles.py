"""Percentiles of durations of which only buckets are known."""

from collections.abc import Mapping, Sequence
from itertools import accumulate, zip_longest

__all__ = ["buckets_of", "percentile"]

_US_PER_S = 1_000_000


def percentile(bounds_us: Sequence[int], counts: Sequence[int], percent: float) -> float | None:
    """The duration in seconds that so many percent do not exceed; None: there are none.

    Within a bucket durations count as evenly spread, as Prometheus's histogram_quantile has it; of
    those above all bounds no more is known than that.
    """
    sums = list(accumulate(counts))
    if not sums or not sums[-1]:
        return None
    wanted = sums[-1] * percent / 100
    place = next(at for at, total in enumerate(sums) if total >= wanted and counts[at])
    if place >= len(bounds_us):
        return bounds_us[-1] / _US_PER_S
    lowest = bounds_us[place - 1] if place else 0
    share = (wanted - (sums[place] - counts[place])) / counts[place]
    return round(lowest + (bounds_us[place] - lowest) * max(0.0, share)) / _US_PER_S


def buckets_of(buckets: Mapping[str, Sequence[int]], kind: str) -> list[int]:
    """The buckets of all series of a kind as one: ``turnaround`` over all SMSCs."""
    total: list[int] = []
    for name, counts in buckets.items():
        if name.startswith(f"{kind}/"):
            total = [one + other for one, other in zip_longest(total, counts, fillvalue=0)]
    return total
