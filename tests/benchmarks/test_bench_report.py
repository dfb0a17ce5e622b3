"""What `make bench` says of what it measured: goals, sizes, refusals, chart."""

import io
import json
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from benchmarks import chart, goals, report
from benchmarks.dashboards import Watched
from benchmarks.driver import Result
from benchmarks.goals import Goal
from benchmarks.grown_store import Grown
from benchmarks.measuring import Found, Missing, Registered
from benchmarks.memory import Memory
from benchmarks.overload import Overload
from benchmarks.rates import BARE_LOOP, KANNEL, KANNEL_SPOOL, SMSD, Rate
from benchmarks.register import LookUp
from benchmarks.restart import Restarted
from benchmarks.sizes import FULL, QUICK, Part, Sizes, fraction
from benchmarks.slow_smsc import SlowSmsc

_SVG = "{http://www.w3.org/2000/svg}"


def run(rate: float, **fields: Any) -> Result:
    """A second of a run in which nothing went wrong but what is named."""
    known = dict.fromkeys(Result._fields, 0) | {"refused": {}, "replies": rate, "elapsed_s": 1.0}
    return Result(**(known | fields))


def closed(name: str, *rates: float, load: str = "window 1,000") -> Rate:
    return Rate(name, load, [run(rate) for rate in rates])


RATES = [
    closed(SMSD, 900, 1_100, 1_000),
    closed(SMSD, 2_000, 2_200, 1_900, load="window 5,000"),
    closed(KANNEL, 300, 275, 320),
    closed(KANNEL_SPOOL, 200, 110, 200),
    closed(BARE_LOOP, 8_000, 8_000, 8_000),
]


def judged(part: Part, found: Any, sizes: Sizes = FULL) -> list[Goal]:
    """The lines of one part."""
    return goals.judged({part: found}, sizes)


def overload(**fields: Any) -> Overload:
    """Twice 10,000/s for a minute."""
    known = {"refused": {}, "offered": 1_200_000, "sent": 600_000, "acknowledged": 600_000}
    known |= {"enquired": 60, "elapsed_s": 60.0} | fields
    return Overload(10_000.0, run(540_000, **known), 100.0, 140.0, 140.0, 3.0)


def report_of(found: Found) -> report.Report:
    machine = {"cpu": "A & B", "cores": 2, "memory_gib": 4, "kernel": "6", "python": "3"}
    return report.Report(
        "2030-01-01T00:00:00+00:00",
        machine | {"sqlite": "3.53"},
        QUICK,
        3,
        goals.judged(found, QUICK),
        found,
    )


def test_the_best_median_counts_and_the_spread_is_that_of_the_rounds() -> None:
    """2,000 beside 200 is ten times; the rounds were 10, 20 and 9.5 times apart."""
    spool, none, bare = judged(Part.RATES, RATES)
    assert (spool.measured, spool.met) == ("10.00 (9.50–20.00) ×: 2,000 to 200", True)
    assert (none.measured[:4], none.met) == ("6.67", False)
    assert (bare.measured[:4], bare.met) == ("0.25", False)


def test_a_gateway_that_is_not_there_costs_its_own_figure_only() -> None:
    """Without Kannel its two lines say why; the bare loop is judged."""
    absent = [
        rate._replace(runs=[], absent="not installed") if "Kannel" in rate.gateway else rate
        for rate in RATES
    ]
    spool, none, bare = judged(Part.RATES, absent)
    assert (spool.measured, spool.met, spool.size) == ("not installed", None, "")
    assert none.met is None
    assert bare.met is False


def test_a_part_that_could_not_be_had_has_all_its_lines() -> None:
    """Each says the reason."""
    lines = judged(Part.OVERLOAD, Missing("no C compiler"))
    assert [(line.measured, line.met) for line in lines] == [("no C compiler", None)] * 4


@pytest.mark.parametrize(
    ("at_once", "late", "met"),
    [
        (10_000, 8_000, True),
        (10_000, 7_999, False),
        (40_000, 16_000, True),
        (40_000, 15_999, False),
    ],
)
def test_a_slow_smsc_is_judged_by_what_the_window_admits(
    at_once: float, late: float, met: bool
) -> None:
    """1,000 in the window and 50 ms are 20,000/s, however fast the gateway is at 0 ms."""
    [line] = judged(Part.SLOW_SMSC, SlowSmsc([at_once], [late]))
    assert line.met is met


@pytest.mark.parametrize(("watched", "met"), [(98.0, True), (97.9, False)])
def test_open_dashboards_are_judged_pair_by_pair(watched: float, met: bool) -> None:
    """The median of the ratios, not the ratio of medians: a slow pair is slow for both."""
    pairs = Watched([100.0, 50.0, 200.0], [watched, 51.0, 150.0], [9, 9, 9])
    [line] = judged(Part.DASHBOARDS, pairs)
    assert line.met is met
    assert line.measured == f"{watched / 100:.3f} (0.750–1.020): {watched:,.0f} of 100/s"


def test_what_was_not_asked_for_has_no_line() -> None:
    """Only the parts that were chosen are judged."""
    assert [line.figure for line in judged(Part.STORED, Missing("-"))] == [
        "rate with 36 M messages stored"
    ]


@pytest.mark.parametrize(
    ("fields", "met"),
    [
        ({}, [True, True, True, True]),
        ({"replies": 539_999}, [False, True, True, True]),
        ({"unanswered": 1}, [True, False, True, True]),
        ({"twice": 1}, [True, False, True, True]),
        ({"enquiries_lost": 1}, [True, True, True, False]),
        ({"enquired": 0}, [True, True, True, False]),
    ],
)
def test_each_bound_of_overload_is_tried_on_both_sides(
    fields: dict[str, int], met: list[bool]
) -> None:
    """Exactly 0.9 of the capacity is enough; one SMS lost, or doubled, is too many."""
    assert [line.met for line in judged(Part.OVERLOAD, overload(**fields))] == met


def test_memory_beyond_its_bound_is_missed() -> None:
    """Half a MiB is too much."""
    grown = overload()._replace(peak_mib=140.5)
    assert [line.met for line in judged(Part.OVERLOAD, grown)] == [True, True, False, True]


def test_overload_that_ended_early_says_so() -> None:
    """Where people ran out after six seconds the size is a tenth, whatever was asked for."""
    assert judged(Part.OVERLOAD, overload(offered=120_000))[0].size == "1/10"


def test_an_import_is_judged_pro_rata() -> None:
    """18 s for a tenth of the people are three minutes for all; the line says what it was."""
    look_ups = [LookUp(1, 5.1, 5.0, 5.2), LookUp(100, 5.0, 4.0, 6.0)]
    imported, single, batch = judged(Part.REGISTER, Registered(18.0, look_ups), QUICK)
    assert (imported.measured, imported.met, imported.size) == (
        "18.0 s, 180 s pro rata",
        True,
        "1/10",
    )
    assert (single.met, batch.met) == (False, True)
    assert judged(Part.REGISTER, Registered(180.1, look_ups))[0].met is False


def test_the_rate_of_an_old_store_is_beside_an_empty_one() -> None:
    """Median over median, and the spread of the rounds."""
    grown = Grown(36, [100.0, 100.0, 200.0], [90.0, 80.0, 120.0], 1.0, 1)
    (line,) = judged(Part.STORED, grown)
    assert (line.measured, line.met, line.size) == (
        "0.90 (0.60–0.90): 90 of 100/s",
        True,
        "full",
    )


@pytest.mark.parametrize(
    ("resident_mib", "ready_s", "met"), [(143.0, 5.0, [True, True]), (143.1, 5.1, [False, False])]
)
def test_resident_counts_both_processes_in_full(
    resident_mib: float, ready_s: float, met: list[bool]
) -> None:
    """300 MB are 286.1 MiB, with what the two share in both; five seconds are enough."""
    memory = [Memory(resident_mib, 1.0)] * 2
    found = Restarted(1, 1, 1.0, 1.0, ready_s, 6.0, 9.0, memory)
    assert [line.met for line in judged(Part.RESTART, found)] == met


def test_latency_that_left_sms_out_is_no_latency() -> None:
    """A deliver_sm that was put off has none, and would flatter the others."""
    times = {"p50_s": 0.005, "p99_s": 0.05}
    paced = Rate(SMSD, "open loop", [run(1_000, **times)])
    assert judged(Part.LATENCY, [paced])[0].met is True
    refusing = paced._replace(runs=[run(1_000, refused={"0x00000014": 1}, **times)])
    assert judged(Part.LATENCY, [refusing])[0].met is False


def test_sizes_under_the_full_ones_are_named() -> None:
    """As a fraction in the table, and in full beneath it."""
    assert (fraction(1.0), fraction(0.1), fraction(0.15)) == ("full", "1/10", "1/6.67")
    assert FULL._replace(people=99_000_000).share("people") == 1
    assert "people 1,000,000 of 10,000,000" in QUICK.in_words()
    assert " of " not in FULL.in_words()


def test_the_report_tells_refusals_by_gateway_and_status() -> None:
    """Summed over the runs, also those under overload."""
    refusing = Rate(KANNEL, "window 9", [run(1, refused={"0x64": 2}), run(1, refused={"0x64": 3})])
    found = {Part.RATES: [*RATES, refusing], Part.OVERLOAD: overload(refused={"0x14": 7})}
    assert report.put_off(report_of(found)) == [
        "Kannel without store, window 9: 5 SMS put off with status 0x64",
        "smsd, 2 × capacity: 7 SMS put off with status 0x14",
        "smsd, 2 × capacity: 600,000 SMS stayed with the SMSC",
    ]


def test_the_report_is_json_with_names_and_a_table_with_every_line() -> None:
    """Named tuples keep their names; the machine and the sizes stand below the tables."""
    told = report_of({Part.RATES: RATES, Part.STORED: Missing("too small a disk")})
    data = json.loads(json.dumps(report.plain(told)))
    assert data["found"]["rates"][0]["runs"][1]["replies"] == 1_100
    assert data["sizes"]["stored"] == QUICK.stored
    console = Console(file=io.StringIO(), width=140)
    report.show(told, console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    for words in ("smsd, window 5,000", "too small a disk", "machine: A & B", "workload: people"):
        assert words in printed


def test_the_chart_is_xml_with_a_bar_for_each_gateway() -> None:
    """Markup in a name is text; what has no figure has no bar; a long limit is cut."""
    rates = [*RATES, Rate("<&>", "window 1", [run(50)]), Rate("gone", "window 1", [], "why")]
    bars = chart.bars(rates)
    assert [bar.label for bar in bars][:2] == ["bare loop, window 1,000", "smsd, window 5,000"]
    svg = ElementTree.fromstring(chart.draw(bars, 3, "A & B"))
    texts = ["".join(text.itertext()) for text in svg.iter(f"{_SVG}text")]
    assert {"<&>, window 1", "A & B", "8,000", "2,0001,900–2,200"} <= set(texts)
    widths = [float(rect.attrib["width"]) for rect in svg.iter(f"{_SVG}rect")][1:]
    assert len(widths) == len(bars) == 6
    assert widths[0] / widths[1] == pytest.approx(2_200 / 2_000, rel=0.01)
    assert len([path for path in svg.iter(f"{_SVG}path") if path.attrib["class"] == "gap"]) == 2
