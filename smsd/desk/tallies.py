"""Counts of what happens, kept plain: worded when /metrics is asked, read as they are by the desk.

A child of the library's own Counter or Histogram takes a lock for each increment: 1 to 2 µs,
for every SMS and more than once. These are only ever touched in the reactor's thread.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

_US_PER_S = 1_000_000


class Tally(Collector):
    """A counter, with labels or without. counts: by their values, in the order of `labels`."""

    def __init__(self, name: str, documentation: str, labels: tuple[str, ...] = ()) -> None:
        self._name = name
        self._documentation = documentation
        self._labels = labels
        self.counts: dict[tuple[str, ...], int] = {} if labels else {(): 0}

    def inc(self, *labels: str) -> None:
        """One more of these."""
        self.counts[labels] = self.counts.get(labels, 0) + 1

    def add(self, count: int, *labels: str) -> None:
        """So many more of these."""
        self.counts[labels] = self.counts.get(labels, 0) + count

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        family = CounterMetricFamily(self._name, self._documentation, labels=self._labels)
        for labels, count in self.counts.items():
            family.add_metric(labels, count)
        yield family


class _Series:
    """The durations of one label; `counts` of each bucket alone, the last above all bounds."""

    def __init__(self, buckets: int) -> None:
        self.counts = [0] * buckets
        self.sum_us = 0


class Durations(Collector):
    """A histogram with one label or none, of durations observed many at a time.

    bounds_us: the highest duration of each bucket; there is one bucket more, for what is above.
    """

    def __init__(
        self, name: str, documentation: str, label: str, buckets_s: tuple[float, ...]
    ) -> None:
        """Without a label, `observe` with the label ""."""
        self._name = name
        self._documentation = documentation
        self._label = label
        self._buckets_s = buckets_s
        self.bounds_us = [round(bound * _US_PER_S) for bound in buckets_s]
        self._series: dict[str, _Series] = {} if label else {"": self._new()}

    def _new(self) -> _Series:
        return _Series(len(self.bounds_us) + 1)

    def observe(self, label: str, durations_us: Iterable[int]) -> None:
        """Take durations in microseconds; a negative one, of a clock set back, counts as none."""
        series = self._series.get(label)
        if series is None:
            series = self._series[label] = self._new()
        counts, bounds_us = series.counts, self.bounds_us
        for duration_us in durations_us:
            counts[bisect_left(bounds_us, duration_us)] += 1
            if duration_us > 0:
                series.sum_us += duration_us

    def buckets(self) -> dict[str, tuple[int, ...]]:
        """By label, how many durations fell into each bucket alone."""
        return {label: tuple(series.counts) for label, series in self._series.items()}

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        labels = [self._label] if self._label else []
        family = HistogramMetricFamily(self._name, self._documentation, labels=labels)
        bounds = [*(str(float(bound)) for bound in self._buckets_s), "+Inf"]
        for label, series in self._series.items():
            total = 0
            buckets = []
            for bound, count in zip(bounds, series.counts, strict=True):
                total += count
                buckets.append((bound, total))
            values = [label] if self._label else []
            family.add_metric(values, buckets, series.sum_us / _US_PER_S)
        yield family
