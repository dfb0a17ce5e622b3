"""The SMSCs at the desk: everybody sees how they fare, admins act, each act with its reason."""

import pytest
from desk_people import Person, person, url_of
from desk_stage import DeskStage

from storage import audit
from storage.roles import Role

REASON = "ticket 9"


@pytest.fixture
def admin(desk: DeskStage) -> Person:
    """Somebody who may act."""
    return person(desk, "leyla", Role.ADMIN)


def acts(desk: DeskStage) -> list[tuple[str, str, str, str]]:
    """What the audit has of SMSCs: who, what, with which, why."""
    lines = audit.since(url_of(desk), 0)
    return [
        (each.who, each.action, each.subject, each.reason)
        for each in lines
        if each.action.startswith("smsc_")
    ]


def test_a_viewer_sees_how_they_fare_and_no_way_to_act(desk: DeskStage) -> None:
    """State, address, pace; no form, and no letters."""
    page = person(desk, "nigar", Role.VIEWER).get("/smsc").text
    for words in ("simulator", "no connection", "127.0.0.1:2775", "no limit", "0 of 0"):
        assert words in page
    for words in ("/suspend", "/pace", "/smsc/letters"):
        assert words not in page


def test_an_admin_sets_the_pace_and_lifts_it(desk: DeskStage, admin: Person) -> None:
    """With a comma as people write it; what is so already is said to be."""
    set_to = admin.post("/smsc/simulator/pace", rate="12,5", reason=REASON)
    assert (set_to.status, set_to.headers["location"]) == (303, "/smsc?said=smsc.done_pace")
    page = admin.get("/smsc").text
    assert "at most 12.5 a second" in page
    assert "set by hand" in page
    again = admin.post("/smsc/simulator/pace", rate="12.5", reason=REASON)
    assert again.headers["location"] == "/smsc?said=smsc.nothing_to_do"
    admin.post("/smsc/simulator/pace", rate="", reason=REASON)
    assert "no limit" in admin.get("/smsc").text
    assert acts(desk) == [
        ("leyla", "smsc_pace", "simulator: 12.5/s", REASON),
        ("leyla", "smsc_pace", "simulator: as configured", REASON),
    ]


@pytest.mark.parametrize("rate", ["0", "0.9", "100001", "-3", "nan", "inf", "ten", "1e9", "1 000"])
def test_a_pace_that_is_none_is_told_by_its_field(
    desk: DeskStage, admin: Person, rate: str
) -> None:
    """With what was typed, reason included, and the bounds."""
    got = admin.post("/smsc/simulator/pace", rate=rate, reason=REASON)
    assert got.status == 400
    assert "A number from 1 to 100000, or nothing." in got.text
    assert f'value="{rate}"' in got.text
    assert f'value="{REASON}"' in got.text
    assert acts(desk) == []


@pytest.mark.parametrize("do", ["suspend", "reconnect", "pace"])
def test_nothing_is_done_without_a_reason(desk: DeskStage, admin: Person, do: str) -> None:
    """Blanks are none."""
    got = admin.post(f"/smsc/simulator/{do}", rate="5", reason="  ")
    assert got.status == 400
    assert "Give a reason" in got.text
    assert acts(desk) == []


def test_suspended_is_told_and_another_act_is_offered(desk: DeskStage, admin: Person) -> None:
    """A reconnect that somebody sends from an older page is turned away with words."""
    got = admin.post("/smsc/simulator/suspend", reason=REASON)
    assert got.headers["location"] == "/smsc?said=smsc.done_suspend"
    page = admin.get("/smsc").text
    assert "Suspended since" in page
    assert "/smsc/simulator/resume" in page
    assert "/smsc/simulator/suspend" not in page
    late = admin.post("/smsc/simulator/reconnect", reason=REASON)
    assert late.status == 400
    assert "Suspended since" in late.text
    assert acts(desk) == [("leyla", "smsc_suspend", "simulator", REASON)]


def test_an_smsc_that_is_not_there(desk: DeskStage, admin: Person) -> None:
    """A page, and nothing in the audit."""
    got = admin.post("/smsc/nowhere/suspend", reason=REASON)
    assert got.status == 404
    assert "There is no SMSC of this name" in got.text
    assert acts(desk) == []
