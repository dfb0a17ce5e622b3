"""How often an agent may override: counted by name and day, and noted before it happens."""

from decisions_stored import DAY_US, NOON_US

from storage import SqliteStore, audit
from storage.overrides import ACTION, note_override

DAY_START_US = NOON_US - DAY_US // 2


def override(url: str, at_us: int, who: str = "leyla", most: int = 2) -> bool:
    """On the day that began at `DAY_START_US`."""
    return note_override(url, at_us, DAY_START_US, most, who, "code 2", "ill", "AZE1111111")


def test_so_many_a_day_and_no_more(url: str, store: SqliteStore) -> None:
    """Each agent's are his own; who may not leaves no line."""
    assert [override(url, NOON_US + n) for n in range(3)] == [True, True, False]
    assert override(url, NOON_US + 3, "aysel")
    lines = [(line.who, line.action, line.reason, line.about) for line in audit.since(url, 0)]
    about = ("ill", "AZE1111111")
    assert lines == [("leyla", ACTION, *about)] * 2 + [("aysel", ACTION, *about)]


def test_where_none_is_allowed_there_is_none(url: str, store: SqliteStore) -> None:
    """A desk may go without."""
    assert not override(url, NOON_US, most=0)


def test_yesterday_s_do_not_count(url: str, store: SqliteStore) -> None:
    """The last microsecond of the day before, and the first of this one; whatever else is noted."""
    assert override(url, DAY_START_US - 1, most=1)
    audit.note(url, DAY_START_US, "leyla", "look_up", "phone", "")
    assert override(url, DAY_START_US, most=1)
    assert not override(url, DAY_START_US + 1, most=1)


def test_a_line_that_came_late_hides_none_of_the_day(url: str, store: SqliteStore) -> None:
    """Lines that waited beside the store over midnight stand behind those of the new day."""
    assert override(url, DAY_START_US, most=1)
    for number in range(20):
        audit.note(url, DAY_START_US - 1, "police", "check", f"check {number}", "")
    assert not override(url, NOON_US, most=1)
