"""All that the daemon has counted so far, at one moment; two of them make a sample."""

from collections.abc import Mapping
from itertools import islice
from typing import NamedTuple

from smsd.desk.metrics import Metrics
from smsd.desk.tallies import Tally
from storage.history import Sample

__all__ = ["OTHER", "Totals", "counted", "difference", "rates", "totals"]

OTHER = "other"

# Names of `Metrics`, and the first part of the names of series.
_TALLIES = (
    "received", "stored", "put_off", "replies", "decisions", "unrecognised", "commands", "receipts",
    "congestion", "repeated", "silent", "renewed",
)  # fmt: skip
_DURATIONS = ("turnaround", "handset", "commit")


class Totals(NamedTuple):
    """Since the start of the daemon.

    at: monotonic seconds. counts: by series, as in ``decisions/refuse/senior``; buckets: by series,
    as in ``turnaround/azercell``, how many durations fell into each.
    """

    at: float
    counts: Mapping[str, int]
    buckets: Mapping[str, tuple[int, ...]]


def totals(metrics: Metrics, at: float, series_max: int) -> Totals:
    """What is counted now; of each kind `series_max` series, all others as one."""
    counts: dict[str, int] = {}
    for name in _TALLIES:
        tally: Tally = getattr(metrics, name)
        for labels, count in islice(tally.counts.items(), series_max):
            counts["/".join((name, *labels))] = count
        for labels, count in islice(tally.counts.items(), series_max, None):
            other = "/".join((name, *labels[:-1], OTHER))
            counts[other] = counts.get(other, 0) + count
    buckets = {
        f"{name}/{label}": counted
        for name in _DURATIONS
        for label, counted in getattr(metrics, name).buckets().items()
    }
    return Totals(at, counts, buckets)


def difference(
    now: Totals, before: Totals, gauges: Mapping[str, tuple[float, float]] | None = None
) -> Sample:
    """What happened from one moment to a later one."""
    counts = {
        name: count - before.counts.get(name, 0)
        for name, count in now.counts.items()
        if count != before.counts.get(name, 0)
    }
    buckets = {}
    for name, counted in now.buckets.items():
        earlier = before.buckets.get(name)
        if counted != earlier:
            new = (
                list(counted)
                if earlier is None
                else [late - early for late, early in zip(counted, earlier, strict=True)]
            )
            while new and not new[-1]:
                new.pop()
            buckets[name] = new
    return Sample(round((now.at - before.at) * 1_000), counts, buckets, gauges or {})


def counted(sample: Sample, start: str, end: str = "") -> int:
    """How often all series together whose name begins and ends so."""
    return sum(
        count
        for name, count in sample.counts.items()
        if name.startswith(start) and name.endswith(end)
    )


def rates(sample: Sample) -> dict[str, float]:
    """SMS ``in`` and replies ``out``, a second."""
    lasted_s = max(sample.watched_ms, 1) / 1_000
    return {
        "in": round(counted(sample, "received/") / lasted_s, 2),
        "out": round(counted(sample, "replies/", "/sent") / lasted_s, 2),
    }
