"""Numbers in addresses and forms: what is none of ours is not there, however long it is."""

import pytest
from desk_people import person
from desk_stage import DeskStage

from smsd.desk.web.numbers import number_in
from storage.roles import Role

ODD = ("9" * 19, "9" * 5_000, "-1", "+1", "x", "²", "1e3", "1.0")


@pytest.mark.parametrize(
    ("typed", "number"), [("0", 0), ("007", 7), ("9" * 18, 10**18 - 1), ("", None)]
)
def test_digits_are_a_number_as_far_as_the_store_can_hold_it(
    typed: str, number: int | None
) -> None:
    """On both sides of the bound, which no row reaches."""
    assert number_in(typed) == number


@pytest.mark.parametrize("typed", ODD)
def test_what_is_no_number_of_ours_leads_nowhere(desk: DeskStage, typed: str) -> None:
    """It is a visitor's mistake, told as such; never a fault of ours."""
    assert number_in(typed) is None
    everything = person(desk, "leyla", *Role)
    for path in (f"/look-up/{typed}", f"/policy/proposals/{typed}"):
        assert everything.get(path).status == 404
    form = {"block": typed, "reason": "a mistake"}
    assert everything.post("/look-up/1/unblock", **form).status == 404
    form = {f"reply-{typed}": "1", "reason": "a mistake"}
    assert everything.post("/smsc/letters/drop", **form).status == 400
    assert everything.get(f"/audit?before={typed}").status == 200
