"""Recorded facts are as short as they can be and lose nothing."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import Block, Facts, HeldPermit
from storage import facts as recorded_facts

_INSTANTS = st.integers(0, 2**53)
_DAYS = st.integers(1, date.max.toordinal())
_PERMITS = st.builds(
    HeldPermit,
    st.integers(1, 2**53),
    st.text(min_size=1, max_size=2),
    _INSTANTS,
    _INSTANTS,
    _DAYS,
    st.none() | st.integers(0, 20),
)
_FACTS = st.builds(
    Facts,
    st.integers(1, 2**53),
    st.none() | st.booleans(),
    st.none() | st.dates(),
    st.lists(_PERMITS, max_size=3).map(tuple),
    st.lists(st.builds(Block, st.text(max_size=2), _DAYS), max_size=3).map(tuple),
    st.none() | st.just(0) | _DAYS,
    st.none() | st.text(),
    st.none() | st.integers(0, 10_000),
    st.none() | st.integers(0, 10_000),
    st.sampled_from(["sms", "call_centre", "web"]),
    st.booleans(),
)


@given(_FACTS)
def test_whatever_was_known_comes_back(facts: Facts) -> None:
    """Unknown stays apart from none and from zero; a region may hold any letters."""
    assert recorded_facts.from_json(facts.serial, recorded_facts.to_json(facts)) == facts


def test_a_row_of_the_first_schema_still_reads() -> None:
    """Permits had no slot then, and there were no more facts."""
    written = '{"registered":true,"birth_date":"1956-02-29","permits":[[3,"2",1,2,737521]]}'
    assert recorded_facts.from_json(9, written) == Facts(
        9, True, date(1956, 2, 29), (HeldPermit(3, "2", 1, 2, 737_521, None),)
    )


def test_what_nobody_asked_for_takes_no_room() -> None:
    """A million rows a day."""
    assert (
        recorded_facts.to_json(Facts(1, True, date(1980, 5, 5)))
        == '{"registered":true,"birth_date":"1980-05-05","permits":[]}'
    )


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({"quarantine_until_day": 0}, {"quarantine_until_day"}),
        ({"messages_today": 0, "documents_today": 0}, {"messages_today", "documents_today"}),
        ({"blocks": (Block("", 7),), "channel": "web"}, {"blocks", "channel"}),
        ({"region": ""}, {"region"}),
    ],
)
def test_only_the_facts_that_are_there_are_written(
    more: dict[str, object], names: set[str]
) -> None:
    """Zero is known, and is not what None is."""
    written = json.loads(recorded_facts.to_json(Facts(1)._replace(**more)))
    assert set(written) == {"registered", "birth_date", "permits"} | names
