"""What the dashboard shows and to whom: the page, the snapshot, the stream, the history."""

import json
from typing import Any

import pytest
from desk_stage import DeskStage, Got
from watched_desk import NewDesk, WatchedDesk

from smsd.desk.history.charts import RANGES_S

DATA = ("/live.json", "/status.json", "/history.json")


@pytest.fixture
def watched(desk: DeskStage) -> WatchedDesk:
    """A desk whose dashboard keeps history."""
    seen = WatchedDesk(desk)
    seen.room.start()
    return seen


def data(got: Got) -> Any:
    """Of an answer in JSON."""
    assert got.status == 200
    assert got.headers["content-type"] == "application/json"
    return json.loads(got.text)


@pytest.mark.parametrize("path", ["/", "/live", *DATA])
def test_nobody_from_elsewhere_sees_it(desk: DeskStage, path: str) -> None:
    """A page sends him to sign in, data refuses."""
    got = desk.ask("GET", path, peer="192.0.2.7")
    assert got.status == (303 if path == "/" else 401)
    assert "simulator" not in got.text


@pytest.mark.parametrize("language", ["en", "az", "ru"])
def test_the_page_tells_all_without_a_script(watched: WatchedDesk, language: str) -> None:
    """The figures stand in it, in each language; nothing is left for a script to fill."""
    watched.traffic(3, [2_000, 3_000, 4_000])
    watched.pass_time(5)
    got = watched.stage.ask("GET", "/", accept_language=language)
    assert got.status == 200
    for told in ("simulator", "8103", "granted", "12:00:05", "12:00:00"):
        assert told in got.text
    assert "None" not in got.text
    assert "{" not in got.text.partition("<h1")[2].partition("<h2")[0]


def test_a_snapshot_tells_the_last_minute_and_the_day(watched: WatchedDesk) -> None:
    """Each SMS once in each, and what it rests on besides."""
    watched.traffic(5, [2_000] * 5)
    watched.pass_time(65)
    watched.traffic(3, [20_000] * 3)
    watched.pass_time(1)
    now = data(watched.stage.ask("GET", "/live.json"))
    assert now["minute"]["verdicts"]["grant"] == 3
    assert now["minute"]["rules"] == [{"verdict": "grant", "rule": "granted", "count": 3}]
    assert 0.01 < now["minute"]["turnaround"]["p50"] <= 0.025
    assert now["minute"]["handset"] == {"p50": None, "p95": None, "p99": None}
    watched.pass_time(5)
    status = data(watched.stage.ask("GET", "/status.json"))
    assert status["today"]["received"] == status["today"]["sent"] == 8
    [smsc] = status["smscs"]
    assert (smsc["name"], smsc["state"], smsc["binds"]) == ("simulator", "down", 1)
    assert status["policy"]["id"] == "8103"
    assert status["policy"]["who"] == "smsd"
    assert status["store"]["file_bytes"] > 0
    assert not status["ready"]
    assert any("not bound" in reason for reason in status["not_ready"])
    assert [event["kind"] for event in status["events"]] == ["policy_in_force", "started"]


def test_a_snapshot_serves_everybody_who_asks_within_a_second(watched: WatchedDesk) -> None:
    """Three dashboards cost no more than one."""
    first = watched.room.snapshots.now()
    watched.traffic(1)
    assert watched.room.snapshots.now() is first
    watched.pass_time(1)
    later = watched.room.snapshots.now()
    assert later is not first
    assert later["rate"]["in"] == 1


def test_what_is_wrong_is_told_worst_first(watched: WatchedDesk) -> None:
    """By kinds for which there are words; what is right again is not told."""
    kinds = [each["kind"] for each in watched.room.snapshots.now()["problems"]]
    assert kinds == ["writer", "smsc_down"]
    expires_s = watched.stage.clock.now_us / 1e6
    watched.metrics.certificate_seen("simulator", "server", expires_s + 86_400)
    watched.metrics.certificate_seen("simulator", "client", expires_s - 1)
    smsc = next(iter(watched.premises.switchboard.smscs))
    smsc.suspended_since_us = 5
    watched.pass_time(1)
    problems = watched.room.snapshots.now()["problems"]
    assert {each["kind"]: each["level"] for each in problems} == {
        "writer": "bad",
        "all_suspended": "bad",
        "suspended": "warn",
        "certificate_server": "warn",
        "certificate_client_ended": "warn",
    }
    levels = [each["level"] for each in problems]
    assert levels == sorted(levels)
    page = watched.stage.ask("GET", "/").text
    assert "The certificate of simulator ends in 23" in page
    assert "Resume them: smsd smsc resume NAME" in page


def test_refusals_are_set_against_the_quarter_before(watched: WatchedDesk) -> None:
    """Three times as many, and one reason that is new; before that there was nothing to compare."""
    watched.metrics.unrecognised.add(2, "no_code")
    watched.pass_time(60, 1)
    watched.wait_for_look()
    [first] = watched.room.snapshots.now()["refusals"]
    assert first == {"reason": "text/no_code", "now": 2, "trend": None}
    watched.pass_time(900, 5)
    watched.metrics.unrecognised.add(6, "no_code")
    watched.metrics.decisions.add(1, "refuse", "senior")
    watched.pass_time(60, 1)
    watched.wait_for_look()
    watched.pass_time(1)
    assert watched.room.snapshots.now()["refusals"] == [
        {"reason": "text/no_code", "now": 6, "trend": {"now": 6, "before": 2}},
        {"reason": "rule/senior", "now": 1, "trend": {"now": 1, "before": 0}},
    ]


@pytest.mark.parametrize("wanted", RANGES_S)
def test_each_range_has_columns_of_one_length(watched: WatchedDesk, wanted: str) -> None:
    """Few enough to draw; the SMS just counted is in the last of them."""
    watched.traffic(4)
    watched.pass_time(5)
    told = data(watched.stage.ask("GET", f"/history.json?range={wanted}"))
    assert 10 <= len(told["at"]) <= 300
    for lines in told["charts"].values():
        for column in lines.values():
            assert len(column) == len(told["at"])
    known = [rate for rate in told["charts"]["rate"]["in"] if rate]
    assert len(known) == 1


def test_history_is_read_once_for_all_who_look(watched: WatchedDesk) -> None:
    """And again when a span more is over."""
    watched.pass_time(5)
    first = watched.stage.ask("GET", "/history.json?range=5m").text
    watched.traffic(4)
    watched.pass_time(4)
    assert watched.stage.ask("GET", "/history.json?range=5m").text == first
    watched.pass_time(2)
    assert watched.stage.ask("GET", "/history.json?range=5m").text != first


def test_a_range_that_there_is_not_is_refused_with_those_that_there_are(desk: DeskStage) -> None:
    """In the visitor's language."""
    got = desk.ask("GET", "/history.json?range=1y")
    assert got.status == 400
    assert "5m, 1h, 6h, 24h, 7d, 30d" in got.text


def test_nothing_is_made_while_nobody_watches(watched: WatchedDesk) -> None:
    """The first who comes has one at once; then one a second for all, until the last is gone."""
    seen: tuple[list[bytes], list[bytes]] = ([], [])
    feed, calls = watched.room.feed, watched.stage.reactor.getDelayedCalls
    idle = len(calls())
    ends = [feed.begin(each.append) for each in seen]
    assert [len(each) for each in seen] == [2, 2]
    watched.pass_time(3)
    assert [len(each) for each in seen] == [5, 5]
    assert seen[0][-1] is seen[1][-1]
    assert seen[0][0].startswith(b"retry: ")
    json.loads(seen[0][-1].removeprefix(b"data: "))
    ends[0]()
    watched.pass_time(2)
    assert [len(each) for each in seen] == [5, 7]
    ends[1]()
    ends[1]()
    watched.pass_time(2)
    assert [len(each) for each in seen] == [5, 7]
    assert len(calls()) == idle


def test_who_is_above_a_bound_is_counted_in_a_process_of_its_own(watched: WatchedDesk) -> None:
    """Begun by whoever looks, told when done, not begun again for a quarter of an hour."""
    abuse = watched.room.abuse
    assert abuse.glance() == []
    watched.wait(abuse.counted)
    bounds = watched.room.snapshots.now()["abuse"]["bounds"]
    assert bounds[0]["id"] == "funerals"
    assert {(each["above"], each["everybody"]) for each in bounds} == {(0, 0)}
    counted = abuse.counted
    watched.pass_time(890, 10)
    abuse.glance()
    assert abuse.counted is counted
    watched.pass_time(20, 10)
    abuse.glance()
    assert abuse.counted is not counted
    watched.wait(abuse.counted)


def test_a_register_that_is_required_is_told_of(new_desk: NewDesk) -> None:
    """This desk needs none, and says so."""
    watched = WatchedDesk(new_desk(""))
    assert watched.room.snapshots.now()["register"]["required"] is False
    assert "not in use" in watched.stage.ask("GET", "/", accept_language="en").text


def test_what_stops_the_work_stands_before_what_may_wait(new_desk: NewDesk) -> None:
    """A disk that runs full is told below an SMSC that is away."""
    watched = WatchedDesk(new_desk(f"[desk.dashboard]\ndisk_free_min_bytes = {1 << 60}"))
    watched.wait_for_look()
    problems = watched.room.snapshots.now()["problems"]
    assert [each["kind"] for each in problems] == ["writer", "smsc_down", "disk"]
    assert "Make room, or delete" in watched.stage.ask("GET", "/", accept_language="en").text
