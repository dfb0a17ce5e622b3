"""The history that charts are drawn from: it merges exactly, is bounded, and survives restarts."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_disk import full_disk

from storage import SqliteStore, StoreUnavailable
from storage.history import Sample, Tier, add, merged, series

TIERS = (Tier(5, 100), Tier(60, 1_200), Tier(900, 9_000))
BEGIN_S = 1_586_160_000  # 2020-04-06T08:00Z, on the hour
US = 1_000_000

names = st.sampled_from(["received/one", "decisions/refuse/senior", "replies/one/sent"])
numbers = st.integers(0, 10**9)
samples = st.builds(
    Sample,
    st.integers(1, 10_000),
    st.dictionaries(names, numbers),
    st.dictionaries(names, st.lists(numbers, max_size=17)),
    st.dictionaries(names, numbers.map(lambda number: (number, number))),
)


def sample(count: int = 1, depth: float = 0) -> Sample:
    """Five seconds in which so many SMS came."""
    gauges = {"outbox/one": (depth, depth)} if depth else {}
    return Sample(5_000, {"received/one": count}, {"turnaround/one": [0, count]}, gauges)


def same(one: Sample, other: Sample) -> bool:
    """Equal but for what is 0, and for tuples that JSON has as lists."""
    return _plain(one) == _plain(other)


def _plain(each: Sample) -> object:
    buckets = {name: list(counts) for name, counts in each.buckets.items()}
    for counts in buckets.values():
        while counts and not counts[-1]:
            counts.pop()
    return (
        each.watched_ms,
        {name: count for name, count in each.counts.items() if count},
        {name: counts for name, counts in buckets.items() if counts},
        {name: tuple(pair) for name, pair in each.gauges.items() if any(pair)},
    )


@given(st.lists(samples, min_size=1, max_size=9), st.lists(st.integers(1, 4)))
def test_merging_in_any_grouping_gives_the_same(parts: list[Sample], sizes: list[int]) -> None:
    """Counts and buckets add up, so the percentiles of an hour are those of its seconds; the last
    gauge is the last, and the highest the highest."""
    groups, rest = [], list(parts)
    for size in sizes:
        if rest:
            groups.append(merged(rest[:size]))
        rest = rest[size:]
    assert same(merged([*groups, *rest]), merged(parts))
    assert json.loads(json.dumps(merged(parts)))[0] == sum(part.watched_ms for part in parts)


def test_a_sample_is_in_every_tier_at_once(store: SqliteStore, url: str) -> None:
    """Three of one minute are three rows of five seconds, and one of a minute."""
    depths = enumerate((3, 7, 2))
    add(url, [(BEGIN_S + 1 + 5 * at, sample(at, depth)) for at, depth in depths], TIERS)
    rows = store.connection.execute("SELECT step_s, at_s, sample FROM history").fetchall()
    assert [row[:2] for row in rows] == [
        (5, BEGIN_S), (5, BEGIN_S + 5), (5, BEGIN_S + 10), (60, BEGIN_S), (900, BEGIN_S),
    ]  # fmt: skip
    for _, _, written in rows[3:]:
        assert json.loads(written) == [
            15_000,
            {"received/one": 3},
            {"turnaround/one": [0, 3]},
            {"outbox/one": [2, 7]},
        ]


@pytest.mark.parametrize(("tier", "kept"), [(0, 21), (1, 21), (2, 11)])
def test_rows_are_kept_to_the_second_that_is_named(
    store: SqliteStore, url: str, tier: int, kept: int
) -> None:
    """The row that is exactly so old stays, the one before it goes; so the store does not grow."""
    step_s, kept_s = TIERS[tier]
    for number in range(40):
        add(url, [(BEGIN_S + number * step_s, sample())], TIERS)
        count, oldest = store.connection.execute(
            "SELECT count(*), min(at_s) FROM history WHERE step_s = ?", (step_s,)
        ).fetchone()
        newest_s = BEGIN_S + number * step_s
        assert oldest == max(BEGIN_S, newest_s - kept_s)
        assert count == min(number + 1, kept)


@pytest.mark.parametrize(
    ("lasting_s", "row_s"), [(99, 5), (100, 5), (101, 60), (1_200, 60), (1_201, 900), (90_000, 900)]
)
def test_a_range_is_read_from_the_finest_tier_that_reaches_so_far(
    store: SqliteStore, url: str, lasting_s: int, row_s: int
) -> None:
    """Tried on both sides of how long each is kept; whatever the range, no more points."""
    until_us = BEGIN_S * US + 1
    found = series(url, until_us - lasting_s * US, until_us, 300, TIERS)
    assert found.step_s == row_s
    for points_max in (10, 11, 300):
        few = series(url, until_us - lasting_s * US, until_us, points_max, TIERS)
        assert len(few.samples) <= points_max
        assert few.step_s % row_s == 0


def test_a_range_holds_all_that_happened_in_it(store: SqliteStore, url: str) -> None:
    """Whatever it is merged to; and nothing of what came after."""
    add(url, [(BEGIN_S + at, sample(at)) for at in range(0, 65, 5)], TIERS)
    for points_max in (2, 3, 5, 10, 300):
        found = series(url, BEGIN_S * US, (BEGIN_S + 60) * US, points_max, TIERS)
        total = merged([each for each in found.samples if each is not None])
        assert total.counts == {"received/one": sum(range(0, 60, 5))}, points_max
        assert total.buckets["turnaround/one"][1] == sum(range(0, 60, 5))


def test_where_nobody_watched_is_a_gap_and_no_zero(store: SqliteStore, url: str) -> None:
    """An hour at rest is known; one without a daemon is not."""
    add(url, [(BEGIN_S, Sample(5_000, {}, {}, {})), (BEGIN_S + 15, sample())], TIERS)
    found = series(url, BEGIN_S * US, (BEGIN_S + 20) * US, 300, TIERS)
    assert found.begin_s == BEGIN_S
    known = [each if each is None else dict(each.counts) for each in found.samples]
    assert known == [{}, None, None, {"received/one": 1}]


def test_a_restart_goes_on_in_the_same_rows(url: str) -> None:
    """What the daemon before had of this minute is not lost, nor counted twice."""
    for _ in range(2):
        SqliteStore(url).close()
        add(url, [(BEGIN_S + 10, sample(3))], TIERS)
    found = series(url, BEGIN_S * US, (BEGIN_S + 1_000) * US, 300, TIERS)
    assert found.step_s == 60
    [minute] = [each for each in found.samples if each is not None]
    assert (minute.watched_ms, minute.counts) == (10_000, {"received/one": 6})


def test_a_store_without_room_keeps_what_it_had(url: str, tmp_path: Path) -> None:
    """All of the samples or none, and a fault that can be told."""
    SqliteStore(url).close()
    add(url, [(BEGIN_S, sample())], TIERS)
    octets = (tmp_path / "smsd.db").stat().st_size
    many = {f"unrecognised/{number}": 1 for number in range(9_000)}
    with full_disk(octets), pytest.raises(StoreUnavailable):
        add(url, [(BEGIN_S, sample()), (BEGIN_S, Sample(5_000, many, {}, {}))], TIERS)
    [kept] = series(url, BEGIN_S * US, (BEGIN_S + 5) * US, 300, TIERS).samples
    assert kept is not None
    assert same(kept, sample())
