"""How often one may try to sign in: both bounds, their windows, and what is remembered."""

import pytest

from smsd.desk.access.throttle import Throttle

MAX, ADDRESS_MAX, WINDOW_S, REMEMBERED = 3, 5, 300.0, 100


@pytest.fixture
def throttle() -> Throttle:
    """Three failures of a name and five of an address in five minutes."""
    return Throttle(MAX, ADDRESS_MAX, WINDOW_S, REMEMBERED)


def fail(throttle: Throttle, times: int, name: str, address: str, now_s: float = 0.0) -> None:
    for _ in range(times):
        assert throttle.begin(name, address, now_s) == 0


def test_a_name_is_tried_so_often_from_wherever(throttle: Throttle) -> None:
    """The try after the last that is allowed waits; other names do not."""
    for number in range(MAX):
        fail(throttle, 1, "leyla", f"192.0.2.{number}", number)
    assert throttle.begin("leyla", "192.0.2.99", 10.0) == WINDOW_S - 10
    assert throttle.begin("rashad", "192.0.2.99", 10.0) == 0


def test_an_address_tries_so_often_whomever(throttle: Throttle) -> None:
    """Who guesses one password for many names waits as well; other addresses do not."""
    for number in range(ADDRESS_MAX):
        fail(throttle, 1, f"user{number}", "192.0.2.7", number)
    assert throttle.begin("leyla", "192.0.2.7", 10.0) == WINDOW_S - 10
    assert throttle.begin("leyla", "192.0.2.8", 10.0) == 0


def test_waiting_ends_when_the_oldest_failure_is_past(throttle: Throttle) -> None:
    """A moment before it does not, and the next failure counts from its own time."""
    for now_s in (0.0, 100.0, 200.0):
        fail(throttle, 1, "leyla", "192.0.2.7", now_s)
    assert throttle.begin("leyla", "192.0.2.7", WINDOW_S - 0.5) == 0.5
    fail(throttle, 1, "leyla", "192.0.2.7", WINDOW_S)
    assert throttle.begin("leyla", "192.0.2.7", WINDOW_S) == 100.0


def test_a_try_that_was_turned_away_is_not_held_against_anybody(throttle: Throttle) -> None:
    """Whoever keeps knocking is let try at the same time as who waits."""
    fail(throttle, MAX, "leyla", "192.0.2.7")
    for now_s in range(1, 300):
        assert throttle.begin("leyla", "192.0.2.7", now_s) == WINDOW_S - now_s
    assert throttle.begin("leyla", "192.0.2.7", WINDOW_S) == 0


def test_a_good_try_forgets_the_failures_of_the_name(throttle: Throttle) -> None:
    """After two slips of the finger one starts anew."""
    for _ in range(3):
        fail(throttle, MAX, "leyla", f"192.0.2.{_}")
        throttle.succeeded("leyla", f"192.0.2.{_}")
    assert throttle.begin("leyla", "192.0.2.9", 0.0) == 0


def test_one_account_is_no_key_to_the_others(throttle: Throttle) -> None:
    """Signing in to his own between guesses gives a guesser not one guess more."""
    guesses = 0
    for number in range(10):
        if throttle.begin("mine", "192.0.2.7", 0.0) == 0:
            throttle.succeeded("mine", "192.0.2.7")
        guesses += throttle.begin(f"other{number}", "192.0.2.7", 0.0) == 0
    assert guesses == ADDRESS_MAX


def test_tries_at_once_count_before_they_are_answered(throttle: Throttle) -> None:
    """A thousand requests in a millisecond are no way around."""
    begun = [throttle.begin("leyla", f"10.0.0.{number}", 0.0) for number in range(100)]
    assert begun.count(0) == MAX


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("unix", "unix", True),
    ],
)
def test_a_network_is_one_address(throttle: Throttle, one: str, other: str, same: bool) -> None:
    """IPv6 gives everybody more addresses than there are passwords; 64 bits are one."""
    for number in range(ADDRESS_MAX):
        fail(throttle, 1, f"user{number}", one)
    assert bool(throttle.begin("leyla", other, 0.0)) is same


def test_what_is_remembered_is_bounded(throttle: Throttle) -> None:
    """The longest quiet are forgotten first; who was seen last is not."""
    fail(throttle, MAX, "leyla", "192.0.2.7")
    for number in range(REMEMBERED - 1):
        fail(throttle, 1, f"user{number}", f"10.0.{number}.1")
    assert throttle.begin("leyla", "192.0.2.8", 0.0)
    fail(throttle, 1, "one-more", "10.1.0.1")
    assert throttle.begin("leyla", "192.0.2.8", 0.0) == 0
