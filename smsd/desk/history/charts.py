"""A stretch of history as the columns that charts and the tables behind them are drawn from."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from smsd.desk.history.percentiles import buckets_of, percentile
from smsd.desk.history.totals import OTHER, counted
from smsd.desk.metrics import Metrics
from storage.history import Sample, Series

__all__ = ["RANGES_S", "columns"]

RANGES_S = {
    "5m": 300,
    "1h": 3_600,
    "6h": 21_600,
    "24h": 86_400,
    "7d": 604_800,
    "30d": 2_592_000,
}
"""What may be asked for, and how many seconds it reaches back."""

_LINES_MAX = 8  # of one chart: who can tell more of them apart
_PERCENTS = (50, 95, 99)

Column = list[float | None]


def columns(series: Series, metrics: Metrics) -> dict[str, Any]:
    """Ready for JSON.

    step_s, at: how long each span is and when it begins, UTC seconds. charts: by chart, by line,
    a value for each span; None: not known. rates and refusals in SMS a second, durations in
    seconds, outbox in replies at the worst moment.
    """
    return {
        "step_s": series.step_s,
        "at": [series.begin_s + at * series.step_s for at in range(len(series.samples))],
        "charts": {
            "rate": {
                "in": _rates(series, "received/"),
                "out": _rates(series, "replies/", "/sent"),
            },
            "turnaround": _percentiles(series, "turnaround", metrics.turnaround.bounds_us),
            "handset": _percentiles(series, "handset", metrics.handset.bounds_us),
            "outbox": _highest(series, "outbox/"),
            "verdicts": _lines(series, _verdict),
            "refusals": _lines(series, refusal),
            "commit": _percentiles(series, "commit", metrics.commit.bounds_us),
        },
    }


def refusal(name: str) -> str | None:
    """Why an SMS got no permit: ``rule/senior`` or ``text/no_code``; None: the series is no such.

    A request that was granted before is none.
    """
    kind, _, rest = name.partition("/")
    if kind == "unrecognised":
        return f"text/{rest}"
    if kind == "decisions" and rest.startswith("refuse/"):
        return f"rule/{rest.removeprefix('refuse/')}"
    return None


def _verdict(name: str) -> str | None:
    kind, _, rest = name.partition("/")
    if kind == "decisions":
        return rest.partition("/")[0]
    return kind if kind == "unrecognised" else None


def _a_second(count: int, sample: Sample) -> float | None:
    """None: of no time at all."""
    return round(count * 1_000 / sample.watched_ms, 3) if sample.watched_ms else None


def _rates(series: Series, start: str, end: str = "") -> Column:
    return [
        None if sample is None else _a_second(counted(sample, start, end), sample)
        for sample in series.samples
    ]


def _lines(series: Series, line_of: Callable[[str], str | None]) -> dict[str, Column]:
    """A line for each of the most frequent, the others as one."""
    known_line_of = cache(line_of)
    spans = [_by_line(sample, known_line_of) for sample in series.samples]
    sums: dict[str, int] = {}
    for span in spans:
        for line, count in span.items():
            sums[line] = sums.get(line, 0) + count
    lines = sorted(sums, key=lambda line: -sums[line])
    if len(lines) > _LINES_MAX:
        lines, others = lines[: _LINES_MAX - 1], lines[_LINES_MAX - 1 :]
        for span in spans:
            span[OTHER] = sum(span.get(line, 0) for line in others)
        lines.append(OTHER)
    return {
        line: [
            None if sample is None else _a_second(span.get(line, 0), sample)
            for span, sample in zip(spans, series.samples, strict=True)
        ]
        for line in lines
    }


def _by_line(sample: Sample | None, line_of: Callable[[str], str | None]) -> dict[str, int]:
    """How often each line happened in a span."""
    counts: dict[str, int] = {}
    for name, count in sample.counts.items() if sample is not None else ():
        if line := line_of(name):
            counts[line] = counts.get(line, 0) + count
    return counts


def _percentiles(series: Series, kind: str, bounds_us: Sequence[int]) -> dict[str, Column]:
    counted = [
        buckets_of(sample.buckets, kind) if sample is not None else [] for sample in series.samples
    ]
    return {
        f"p{percent}": [percentile(bounds_us, counts, percent) for counts in counted]
        for percent in _PERCENTS
    }


def _highest(series: Series, start: str) -> dict[str, Column]:
    names = {name for sample in series.samples if sample for name in sample.gauges}
    return {
        name.removeprefix(start): [_peak(sample, name) for sample in series.samples]
        for name in sorted(names)
        if name.startswith(start)
    }


def _peak(sample: Sample | None, name: str) -> float | None:
    gauges: Mapping[str, Sequence[float]] = sample.gauges if sample is not None else {}
    return None if sample is None else gauges.get(name, (0, 0))[1]
