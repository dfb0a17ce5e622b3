"""Which address is next and after how long: pure, told what happened."""

from collections.abc import Callable

import pytest

from smsd.config import SmscSection
from smsd.gateway.rounds import Rounds, backoff
from smsd.smpp.pdu import Status

THREE = ("a:1", "b:2", "[::1]:3")


def settings(**smsc: object) -> SmscSection:
    """An SMSC that waits 4 to 16 s, 60 s when refused, 10 s when bound already."""
    fields = {"name": "x", "password": "y", "reconnect_delay_min_s": 4, "reconnect_delay_max_s": 16}
    return SmscSection.model_validate(fields | smsc)


@pytest.fixture
def rounds() -> Rounds:
    """Three hosts."""
    return Rounds(settings(hosts=THREE))


def test_the_backoff_doubles_within_its_bounds_and_is_jittered() -> None:
    """From the shortest to the longest delay and no further, each within its upper half."""
    smsc = settings(reconnect_delay_min_s=1, reconnect_delay_max_s=60)
    lowest = backoff(smsc, lambda low, _high: low)
    highest = backoff(smsc, lambda _low, high: high)
    assert [highest(failures) for failures in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert [lowest(failures) for failures in range(1, 4)] == [0.5, 1, 2]
    assert highest(10_000) == 60


def test_a_round_has_no_pauses_and_each_round_is_followed_by_a_longer_one(rounds: Rounds) -> None:
    """a, b and c at once; then 4 s, 8 s, 16 s and no more."""
    for longest in (4, 8, 16, 16):
        for address in (("a", 1), ("b", 2), ("::1", 3)):
            assert rounds.address == address
            rounds.failed()
            assert rounds.delay_s == 0 or address == ("::1", 3)
        assert longest / 2 <= rounds.delay_s <= longest


def test_a_lost_bind_is_sought_where_it_was_and_soon(rounds: Rounds) -> None:
    """b had let us in: b is tried first, after the shortest pause, then a whole round."""
    for _ in range(4):
        rounds.failed()
    assert rounds.address == ("b", 2)
    rounds.bound()
    rounds.lost(of_use=True)
    assert rounds.address == ("b", 2)
    assert 2 <= rounds.delay_s <= 4
    seen = []
    for _ in THREE:
        seen.append(rounds.address[0])
        rounds.failed()
    assert seen == ["b", "::1", "a"]
    assert 2 <= rounds.delay_s <= 4


def test_a_bind_that_is_of_no_use_is_sought_later_each_time(rounds: Rounds) -> None:
    """4 s, 8 s, 16 s and no more; once one was of use, 4 s again."""
    for longest in (4, 8, 16, 16):
        rounds.bound()
        rounds.lost(of_use=False)
        assert longest / 2 <= rounds.delay_s <= longest
    rounds.bound()
    rounds.lost(of_use=True)
    assert 2 <= rounds.delay_s <= 4


REFUSED = (Status.ESME_RINVPASWD, Status.ESME_RINVSYSID, Status.ESME_RBINDFAIL)


@pytest.mark.parametrize(
    ("status", "least"),
    [
        *((status, 60) for status in REFUSED),
        (Status.ESME_RALYBND, 10),
        (Status.ESME_RSYSERR, 2),
        (0x400, 2),
        (None, 2),
    ],
)
def test_the_status_says_how_long_to_wait(status: int | None, least: float) -> None:
    """A wrong account is not tried every second; a session that lingers gets time to end."""
    rounds = Rounds(settings(reconnect_refused_delay_s=60, reconnect_already_bound_delay_s=10))
    rounds.failed(status)
    assert least <= rounds.delay_s <= max(least, 4)


def test_the_longest_pause_of_a_round_counts_once(rounds: Rounds) -> None:
    """Refused at the first host: the others are tried at once, and the next round is a new one."""
    rounds.failed(Status.ESME_RINVPASWD)
    assert rounds.delay_s == 0
    rounds.failed()
    rounds.failed()
    assert rounds.delay_s == 60
    for _ in THREE:
        rounds.failed()
    assert 4 <= rounds.delay_s <= 8


def test_failures_that_grow_outlast_the_pause_of_a_status() -> None:
    """Whichever is longer."""
    rounds = Rounds(settings(reconnect_already_bound_delay_s=5))
    for _ in range(5):
        rounds.failed(Status.ESME_RALYBND)
    assert 8 <= rounds.delay_s <= 16


@pytest.mark.parametrize("end", [Rounds.bound, Rounds.start], ids=["bound", "start"])
def test_success_and_a_new_start_forget_what_failed(end: Callable[[Rounds], None]) -> None:
    """The next failure is a first one again."""
    rounds = Rounds(settings())
    for _ in range(3):
        rounds.failed(Status.ESME_RINVPASWD)
    end(rounds)
    rounds.failed()
    assert 2 <= rounds.delay_s <= 4


def test_a_start_begins_at_the_first_address(rounds: Rounds) -> None:
    """An operator who reconnects wants the preferred host."""
    rounds.failed()
    rounds.start()
    assert rounds.address == ("a", 1)
    assert rounds.delay_s == 0
