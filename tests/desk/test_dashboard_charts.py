"""From samples to what is drawn: percentiles, rates, gaps, and no more lines than can be told."""

from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.desk.history.charts import columns, refusal
from smsd.desk.history.percentiles import buckets_of, percentile
from smsd.desk.metrics import Metrics
from storage.history import Sample, Series, merged

BOUNDS_US = [1_000, 10_000, 100_000]
durations = st.lists(st.integers(0, 200_000), max_size=40)


def bucketed(durations_us: list[int]) -> list[int]:
    """As `smsd.desk.tallies.Durations` has them."""
    counts = [0] * (len(BOUNDS_US) + 1)
    for each in durations_us:
        counts[bisect_left(BOUNDS_US, each)] += 1
    return counts


@given(durations, durations, st.sampled_from([1, 50, 95, 99, 100]))
def test_percentiles_of_a_merged_span_are_those_of_all_its_durations(
    one: list[int], other: list[int], percent: int
) -> None:
    """Not the mean of two percentiles; and within the bucket of the one that is meant."""
    parts = [Sample(1, {}, {"turnaround/one": bucketed(part)}, {}) for part in (one, other)]
    found = percentile(BOUNDS_US, buckets_of(merged(parts).buckets, "turnaround"), percent)
    assert found == percentile(BOUNDS_US, bucketed(one + other), percent)
    every = sorted(one + other)
    if not every:
        assert found is None
        return
    meant = every[max(0, -(-len(every) * percent // 100) - 1)]
    place = bisect_left(BOUNDS_US, meant)
    lowest = BOUNDS_US[place - 1] if place else 0
    highest = BOUNDS_US[min(place, len(BOUNDS_US) - 1)]
    assert min(lowest, highest) <= round(found * 1_000_000) <= highest


@pytest.mark.parametrize(
    ("counts", "percent", "expected"),
    [
        ([], 50, None),
        ([0, 0, 0, 0], 50, None),
        ([2], 50, 0.0005),
        ([2], 100, 0.001),
        ([1, 1], 50, 0.001),
        ([0, 100], 50, 0.0055),
        ([0, 0, 0, 7], 50, 0.1),
        ([99, 0, 1], 99, 0.001),
        ([98, 0, 2], 99, 0.055),
    ],
)
def test_a_percentile_lies_between_the_bounds_of_its_bucket(
    counts: list[int], percent: int, expected: float | None
) -> None:
    """Evenly spread within it; above all bounds, no more is said than that."""
    assert percentile(BOUNDS_US, counts, percent) == expected


def test_all_smscs_together_have_one_spread() -> None:
    """Those of another kind do not count."""
    buckets = {"turnaround/one": [1, 2], "turnaround/two": [0, 0, 3], "handset/one": [9]}
    assert buckets_of(buckets, "turnaround") == [1, 2, 3]


def series(*samples: Sample | None) -> Series:
    """Spans of five seconds."""
    return Series(5, 100, list(samples))


def test_rates_are_of_the_time_that_was_watched_and_gaps_stay_gaps() -> None:
    """Half a span after a start is not half the rate; nobody watching is no rate at all."""
    busy = Sample(
        2_500, {"received/one": 10, "replies/one/sent": 5, "replies/one/expired": 5}, {}, {}
    )
    quiet = Sample(5_000, {}, {}, {})
    told = columns(series(busy, None, quiet), Metrics("1", "3"))
    assert told["at"] == [100, 105, 110]
    assert told["charts"]["rate"] == {"in": [4, None, 0], "out": [2, None, 0]}
    assert told["charts"]["turnaround"]["p50"] == [None, None, None]


def test_the_outbox_is_told_at_its_worst_moment() -> None:
    """The last value of a span may be long after the peak."""
    deep = Sample(5_000, {}, {}, {"outbox/one": (2, 900)})
    told = columns(series(deep, None, Sample(5_000, {}, {}, {})), Metrics("1", "3"))
    assert told["charts"]["outbox"] == {"one": [900, None, 0]}


def test_of_many_reasons_the_most_frequent_have_lines_and_the_rest_share_one() -> None:
    """No SMS is left out of the sum."""
    counts = {f"decisions/refuse/rule-{number}": number for number in range(1, 21)}
    counts |= {"decisions/grant/granted": 500, "unrecognised/no_code": 30}
    told = columns(series(Sample(1_000, counts, {}, {})), Metrics("1", "3"))
    refusals = told["charts"]["refusals"]
    assert len(refusals) == 8
    assert list(refusals)[:2] == ["text/no_code", "rule/rule-20"]
    assert sum(column[0] for column in refusals.values()) == 30 + 210
    assert refusals["other"] == [sum(range(1, 15))]
    assert told["charts"]["verdicts"] == {"grant": [500], "refuse": [210], "unrecognised": [30]}


def test_what_is_a_refusal() -> None:
    """A granted request is none, nor is one that was granted before; a command is no request."""
    assert refusal("decisions/refuse/senior") == "rule/senior"
    assert refusal("unrecognised/no_code") == "text/no_code"
    for other in ("decisions/grant/granted", "decisions/already_granted/x", "commands/stop"):
        assert refusal(other) is None
