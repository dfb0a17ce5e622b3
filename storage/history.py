"""What happened lately, in spans of time that merge: the source of the dashboard's charts.

Every sample is added to a row of each tier: short spans kept for hours, long ones for weeks. A span
in which no daemon ran has no row, so a gap stays a gap.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple

from storage.beside import reading, writing

__all__ = ["NOTHING", "Sample", "Series", "Tier", "add", "merged", "series"]

_US_PER_S = 1_000_000

_SELECT_ROW = "SELECT sample FROM history WHERE step_s = ? AND at_s = ?"
_REPLACE = "INSERT OR REPLACE INTO history (step_s, at_s, sample) VALUES (?,?,?)"
_DELETE_OLD = "DELETE FROM history WHERE step_s = ? AND at_s < ?"
_SELECT_SPAN = (
    "SELECT at_s, sample FROM history WHERE step_s = ? AND at_s >= ? AND at_s < ? ORDER BY at_s"
)


class Sample(NamedTuple):
    """What happened in a span of time.

    watched_ms: how much of the span is known. counts: by series, how often. buckets: by series,
    how many durations fell into each bucket, those of the end that are 0 left out. gauges: by
    series, the last value and the highest. A series that is left out is 0.
    """

    watched_ms: int
    counts: Mapping[str, int]
    buckets: Mapping[str, Sequence[int]]
    gauges: Mapping[str, Sequence[float]]


NOTHING = Sample(0, {}, {}, {})


class Tier(NamedTuple):
    """Rows of one length, and for how long they are kept."""

    step_s: int
    kept_s: int


class Series(NamedTuple):
    """Spans of equal length, in order. None: nobody watched."""

    step_s: int
    begin_s: int
    samples: list[Sample | None]


def merged(samples: Iterable[Sample]) -> Sample:
    """One sample of all their spans, told from the earliest on; in whatever groups, the same."""
    watched_ms = 0
    counts: dict[str, int] = {}
    buckets: dict[str, list[int]] = {}
    gauges: dict[str, tuple[float, float]] = {}
    for sample in samples:
        watched_ms += sample.watched_ms
        for name, count in sample.counts.items():
            counts[name] = counts.get(name, 0) + count
        for name, more in sample.buckets.items():
            known = buckets.get(name)
            buckets[name] = list(more) if known is None else _sums(known, more)
        for name, (_, before) in gauges.items():
            gauges[name] = (0, before)
        for name, (last, highest) in sample.gauges.items():
            gauges[name] = (last, max(highest, gauges[name][1] if name in gauges else 0))
    return Sample(watched_ms, counts, buckets, gauges)


def _sums(one: Sequence[int], other: Sequence[int]) -> list[int]:
    return [mine + yours for mine, yours in zip_longest(one, other, fillvalue=0)]


def add(url: str, samples: Iterable[tuple[int, Sample]], tiers: Sequence[Tier]) -> None:
    """Add samples, each with the UTC second of its span, and delete what is older than it is kept.

    Raises:
        StoreError: there is no store at `url`.
        StoreUnavailable: nothing was added.
    """
    with writing(url) as connection:
        for at_s, sample in samples:
            for step_s, kept_s in tiers:
                key = (step_s, at_s - at_s % step_s)
                row = connection.execute(_SELECT_ROW, key).fetchone()
                whole = merged((_read(row[0]), sample)) if row else sample
                connection.execute(_REPLACE, (*key, _written(whole)))
                connection.execute(_DELETE_OLD, (step_s, at_s - kept_s))


def series(
    url: str, since_us: int, until_us: int, points_max: int, tiers: Sequence[Tier]
) -> Series:
    """What happened between two instants, merged to at most `points_max` spans.

    It comes from the tier with the shortest spans of those that are kept for so long.

    Raises:
        StoreError: the store cannot be read.
    """
    lasting_s = -((since_us - until_us) // _US_PER_S)
    row_s = next((tier.step_s for tier in tiers if tier.kept_s >= lasting_s), tiers[-1].step_s)
    rows = -(-lasting_s // row_s)
    # One span less than there is room for, since the first one begins before the range does.
    step_s = row_s * max(1, -(-rows // max(1, points_max - 1)))
    begin_s = since_us // _US_PER_S // step_s * step_s
    end_s = -(-until_us // _US_PER_S)
    spans: list[list[Sample]] = [[] for _ in range(begin_s, end_s, step_s)]
    with reading(url) as connection:
        for at_s, written in connection.execute(_SELECT_SPAN, (row_s, begin_s, end_s)):
            spans[(at_s - begin_s) // step_s].append(_read(written))
    samples = [merged(span) if len(span) > 1 else span[0] if span else None for span in spans]
    return Series(step_s, begin_s, samples)


def _written(sample: Sample) -> str:
    return json.dumps(sample, separators=(",", ":"))


def _read(written: str) -> Sample:
    return Sample(*json.loads(written))
