"""What is counted becomes rows of the store: exactly, whoever stops or hinders it."""

import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from desk_stage import DeskStage
from structlog.testing import capture_logs
from watched_desk import NewDesk, WatchedDesk

from smsd.desk.history.totals import totals
from smsd.desk.metrics import Metrics
from smsd.gateway.writer import NOTHING

sys.path.append(str(Path(__file__).parents[1] / "storage"))

from small_disk import full_disk

FINE = "SELECT at_s, sample FROM history WHERE step_s = 5 ORDER BY at_s"


@pytest.fixture
def watched(desk: DeskStage) -> WatchedDesk:
    """A desk whose dashboard keeps history."""
    seen = WatchedDesk(desk)
    seen.room.start()
    return seen


def test_each_row_holds_what_happened_in_its_five_seconds(watched: WatchedDesk) -> None:
    """With the clock's own fives, however the daemon was started."""
    watched.pass_time(7.375)
    begins = watched.stage.clock.now_us
    for messages in (3, 0, 4):
        watched.traffic(messages)
        watched.pass_time(5)
    rows = watched.rows(FINE)
    assert [at_s % 5 for at_s, _ in rows] == [0] * len(rows)
    counts = {at_s: json.loads(sample)[1].get("received/simulator", 0) for at_s, sample in rows}
    first = begins // 1_000_000 // 5 * 5
    assert [counts[first + 5 * at] for at in range(3)] == [3, 0, 4]
    assert {json.loads(sample)[0] for _, sample in rows[1:]} == {5_000}


@pytest.mark.parametrize("hours", [-3, 7])
def test_a_clock_that_is_set_makes_no_row_of_another_time(watched: WatchedDesk, hours: int) -> None:
    """What happened just before is told of the new time, not of the middle between the two."""
    watched.pass_time(5)
    watched.traffic(3)
    watched.stage.clock.now_us += hours * 3_600_000_000
    watched.pass_time(5)
    counts = {
        at_s: json.loads(sample)[1].get("received/simulator", 0)
        for at_s, sample in watched.rows(FINE)
    }
    now_s = watched.stage.clock.now_us // 1_000_000
    assert [at_s for at_s, count in counts.items() if count] == [now_s - 5]


def test_durations_are_kept_as_buckets_and_what_stands_as_gauges(watched: WatchedDesk) -> None:
    """So that percentiles of an hour are those of its SMS; with the disk's own figures."""
    watched.traffic(3, [900, 2_000, 2_100])
    watched.pass_time(5)
    _, _, buckets, gauges = json.loads(watched.rows(FINE)[-1][1])
    assert buckets["turnaround/simulator"] == [1, 2]
    assert sum(buckets["commit/"]) == 1
    assert gauges["file_bytes"][0] > 0
    assert gauges["free_bytes"][0] > 0


def test_a_restart_goes_on_and_leaves_a_gap(new_desk: NewDesk) -> None:
    """What happened since the last sample is written at the stop; while it was down is no zero."""
    before = WatchedDesk(new_desk(""))
    before.room.start()
    before.traffic(2)
    before.pass_time(5)
    before.traffic(7)
    before.pass_time(2)
    stopped_us = before.stage.clock.now_us
    after = WatchedDesk(new_desk(""))
    after.stage.clock.now_us = stopped_us + 60_000_000
    after.room.start()
    after.traffic(1)
    after.pass_time(10)
    rows = [(at_s, json.loads(sample)) for at_s, sample in after.rows(FINE)]
    assert [sample[1].get("received/simulator", 0) for _, sample in rows] == [2, 7, 1, 0]
    assert rows[1][1][0] == 2_000
    gaps = [later[0] - earlier[0] for earlier, later in pairwise(rows)]
    assert gaps == [5, 60, 5]


def test_a_store_that_cannot_be_written_loses_no_more_than_it_must(watched: WatchedDesk) -> None:
    """One line in the log; when there is room again, the last minute is written after all."""
    watched.pass_time(5)
    written = len(watched.rows(FINE))
    with capture_logs() as logs, full_disk(0):
        for _ in range(15):
            watched.traffic(1)
            watched.pass_time(5)
    assert [line["event"] for line in logs] == ["history_not_written"]
    assert len(watched.rows(FINE)) == written
    watched.pass_time(5)
    rows = watched.rows(FINE)
    assert len(rows) - written == 12
    counts = [json.loads(sample)[1].get("received/simulator", 0) for _, sample in rows[written:]]
    assert counts == [1] * 11 + [0]


def test_of_many_names_the_first_are_kept_and_the_rest_are_others() -> None:
    """A policy with a thousand rules makes no thousand lines; the sums stay right."""
    metrics = Metrics("1", "3")
    for number in range(80):
        decisions = {("refuse", f"rule-{number}"): 2, ("grant", "granted"): 1}
        metrics.committed(NOTHING._replace(decisions=decisions), 3, 0.001)
    for series_max in (1, 50, 81, 82):
        counts = totals(metrics, 0.0, series_max).counts
        decided = {name: count for name, count in counts.items() if name.startswith("decisions/")}
        assert sum(decided.values()) == 240
        assert len(decided) <= series_max + 2  # others that were granted, others that were refused
        assert ("decisions/refuse/other" in decided) is (series_max < 81)
