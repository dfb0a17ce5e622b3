"""The dashboard before and after its script wakes: each value is told in the same words."""

import json
from typing import Any

import pytest
from daemon_process import fetch
from open_desk import OpenDesk

from smsd.desk.live.telling import PROBLEMS, REASONS, STATES, VERDICTS, Teller
from smsd.desk.web.words import load_words

ZONE = "Asia/Baku"
NUMBERS = (0, 0.04, 0.5, 3, 9.96, 10, 99.4, 999.6, 1_000, 12_345.6, 40_000_000)
DURATIONS_S = (0, 0.0004, 0.0123, 0.9994, 1, 9.87, 99.94, 100, 3_599.6, 86_399, 90_061, 8_640_000)
MOMENTS_US = (0, 1_586_160_005_000_000, 1_798_761_599_999_999)
SMSC = {"smsc": "azercell", "bind": "transceiver", "reason": "connection refused"}
VALUES: dict[str, Any] = {
    **SMSC,
    "rate": 12_345,
    "up": 1,
    "binds": 2,
    "age_s": 200_000,
    "waited_s": 61,
    "left_s": 86_400,
    "free_bytes": 1_900_000_000,
}
CHANGES = ({"next_us": None, "next_s": None}, {"next_us": MOMENTS_US[1], "next_s": 90_061})
TOLD: tuple[tuple[str, Any], ...] = (
    ("count", None),
    *(("rate", number) for number in NUMBERS),
    *(("limit", number) for number in NUMBERS),
    *(("count", round(number)) for number in NUMBERS),
    *(("bytes", round(number) * 1_000) for number in NUMBERS),
    *(("seconds", duration) for duration in DURATIONS_S),
    *(("lasting", duration) for duration in DURATIONS_S),
    *(("clock", moment) for moment in MOMENTS_US),
    *(("moment", moment) for moment in MOMENTS_US),
    *(("verdict", verdict) for verdict in VERDICTS),
    *(("state", state) for state in STATES),
    *(("reason", f"text/{reason}") for reason in REASONS),
    ("reason", "rule/senior"),
    *(("trend", {"now": now, "before": before}) for now in (0, 5, 100) for before in (0, 5, 98)),
    *(("change", change) for change in CHANGES),
    ("candidate", {"candidate": None, "candidate_digest": None}),
    ("candidate", {"candidate": "next", "candidate_digest": "0123456789abcdef"}),
    ("event", {"kind": "bind_down", "values": SMSC}),
    *(("problem", {"kind": kind, "values": VALUES}) for kind in PROBLEMS),
    *(("todo", {"kind": kind, "values": VALUES}) for kind in PROBLEMS),
)
TELL_ALL = """async (told) => {
  const { tell } = await import(document.getElementById("dashboard").dataset.format);
  return told.map(([way, value]) => tell(way, value));
}"""


@pytest.mark.parametrize("language", ["en", "az", "ru"])
def test_page_and_script_tell_the_same(empty_desk: OpenDesk, language: str) -> None:
    """Numbers, durations, moments and sentences; whatever is written twice must not drift."""
    teller = Teller(load_words().of(language), ZONE)
    with empty_desk.visitor(locale=language) as page:
        page.goto("/")
        told = page.evaluate(TELL_ALL, json.loads(json.dumps(TOLD)))
    expected = [teller.tell(way, value) for way, value in TOLD]
    assert dict(zip(map(str, TOLD), told, strict=True)) == dict(
        zip(map(str, TOLD), expected, strict=True)
    )


def test_the_snapshot_has_no_figure_that_the_page_lacks(empty_desk: OpenDesk) -> None:
    """Every place that the page names is there, so that no figure stays a dash by a slip."""
    now = json.loads(fetch(empty_desk.origin.removeprefix("http://"), "live.json")[1])
    with empty_desk.visitor() as page:
        page.goto("/")
        places = page.locator("[data-figure]").evaluate_all(
            "all => all.filter((each) => !each.closest('[data-list]'))"
            ".map((each) => each.dataset.figure)"
        )
    assert len(places) > 30
    for place in places:
        item = now
        for name in place.split("."):
            assert name in item, place
            item = item[name]
