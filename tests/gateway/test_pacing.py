"""The rate of one SMSC as a value that is told the time: even, falling at once, rising evenly."""

import random
from bisect import bisect_left

import pytest

from smsd.gateway.pacing import EVERYTHING, Pacing, PacingLimits

START = 86_400.0  # a machine that has been up for a day
BURST_S = 0.02


def pacing(rate: float = 0.0, least: float = 1.0, recovery: float = 0.0) -> Pacing:
    return Pacing(PacingLimits(rate, least, recovery, BURST_S))


def departures(
    paced: Pacing, seconds: float, late_s: float = 0.0, start: float = START
) -> list[float]:
    """When each message left that always had others behind it, with timers late by so much."""
    left, now = [], start
    while now < start + seconds:
        messages = paced.allowance(now)
        paced.left(messages, now)
        left += [now] * messages
        now += paced.wait_s(now) + late_s
    return left


def most_within_a_second(left: list[float]) -> int:
    return max(bisect_left(left, at + 1) - number for number, at in enumerate(left))


def send(paced: Pacing, messages: int, now: float) -> None:
    """So many at once, without asking."""
    paced.left(messages, now)


@pytest.mark.parametrize("rate", [0.5, 1, 7, 10, 333.3, 2_000])
@pytest.mark.parametrize("late_s", [0.0, 0.001, 0.015])
def test_messages_leave_evenly_and_not_too_few(rate: float, late_s: float) -> None:
    """No second has more than the rate and a burst; no ten seconds have less than the rate."""
    paced = pacing(rate, least=0.5)
    left = departures(paced, 10.0, late_s)
    burst = 1 + rate * BURST_S
    assert most_within_a_second(left) <= rate + burst
    assert 10 * rate - 1 <= len(left) <= 10 * rate + burst


def test_after_a_pause_only_the_burst_leaves_at_once() -> None:
    """An idle hour is not caught up with."""
    paced = pacing(100.0)
    send(paced, 1, START)
    assert paced.allowance(START + 3_600) == 3  # one, and what is due within 20 ms


def test_without_a_limit_everything_may_leave() -> None:
    """Whatever left before."""
    paced = pacing()
    send(paced, 100_000, START)
    assert paced.unlimited
    assert paced.allowance(START) == EVERYTHING
    assert paced.rate_per_s(START) == 0


def test_the_next_instant_is_the_first_at_which_one_may_leave() -> None:
    """Not a nanosecond's guess too early, and never a second too late."""
    rng = random.Random(5)
    paced = pacing(50.0)
    now = START
    for _ in range(2_000):
        now += rng.random() * 0.05
        allowed = paced.allowance(now)
        paced.left(rng.randint(0, allowed), now)
        wait_s = paced.wait_s(now)
        if paced.allowance(now) == 0:
            assert wait_s > 0
            assert paced.allowance(now + wait_s - 1e-6) == 0
        assert paced.allowance(now + wait_s) >= 1


def test_congestion_halves_the_configured_rate_once_a_second() -> None:
    """A thousand answers to what was sent before are one piece of news."""
    paced = pacing(80.0)
    left = departures(paced, 2.0)
    now = left[-1] + 1e-3
    assert paced.congested(now) == 40
    assert paced.congested(now) is None
    assert paced.congested(now + 0.999) is None
    departures(paced, 1.0, start=now)
    assert paced.congested(now + 1) == pytest.approx(20, abs=2)


def test_without_a_limit_it_falls_from_what_was_sent_and_later_ends() -> None:
    """Six hundred within a second; a minute later, without congestion, there is no rate again."""
    paced = pacing()
    send(paced, 400, START)
    send(paced, 200, START + 0.5)
    assert paced.congested(START + 0.6) == 300
    assert not paced.unlimited
    assert paced.rate_per_s(START + 0.6 + 29) == pytest.approx(300 + 29 * 10)
    assert 0 < paced.allowance(START + 20) < 20
    assert paced.allowance(START + 0.6 + 30) == EVERYTHING
    assert paced.rate_per_s(START + 40) == 0


def test_the_rate_rises_evenly_to_the_limit_and_not_above() -> None:
    """Four a second each second, as configured."""
    paced = pacing(100.0, recovery=4.0)
    departures(paced, 2.0)
    now = START + 2
    assert paced.congested(now) == 50
    risen = [paced.rate_per_s(now + second) for second in (0, 1, 2, 12, 12.5, 13, 3_600)]
    assert risen == [50, 54, 58, 98, 100, 100, 100]


def test_what_leaves_while_it_rises_rises_evenly() -> None:
    """Second by second, about four more than in the one before."""
    paced = pacing(100.0, recovery=4.0)
    departures(paced, 2.0)
    now = START + 2
    paced.congested(now)
    left = departures(paced, 10.0, start=now)
    seconds = [sum(int(at - now) == second for at in left) for second in range(10)]
    assert seconds == pytest.approx([51 + 4 * second for second in range(10)], abs=3)


@pytest.mark.parametrize("rate", [0.0, 64.0])
def test_it_never_falls_below_the_least(rate: float) -> None:
    """A queue that stays full is asked once a second, not never."""
    paced = pacing(rate, least=1.0, recovery=0.001)
    send(paced, 64, START)
    for second in range(1, 12):
        paced.congested(START + second)
        paced.left(paced.allowance(START + second), START + second)
    assert paced.rate_per_s(START + 11) == pytest.approx(1.0, abs=0.01)
    assert paced.allowance(START + 12.1) == 1


@pytest.mark.parametrize("rate", [0.0, 64.0])
def test_after_a_fall_nothing_leaves_before_an_interval_has_passed(rate: float) -> None:
    """What the burst had in hand is gone too."""
    paced = pacing(rate)
    send(paced, 64, START)
    fallen = paced.congested(START)
    assert fallen == 32
    assert paced.allowance(START) == 0
    assert paced.wait_s(START) == pytest.approx(1 / 32)
    assert paced.allowance(START + 1 / 32) == 1


def test_a_single_reply_that_meets_congestion_waits_too() -> None:
    """Little was sent, so there is nothing to halve; yet it is not tried again at once."""
    paced = pacing()
    send(paced, 1, START)
    assert paced.congested(START) == 1
    assert paced.allowance(START + 0.9) == 0
    assert paced.allowance(START + 1.1) >= 1


def test_another_limit_holds_from_then_on() -> None:
    """Lower, then higher, whatever congestion had made of it; each to the message."""
    paced = pacing(100.0)
    departures(paced, 2.0)
    now = START + 2
    paced.congested(now)
    paced.limit(10.0, now)
    assert paced.rate_per_s(now) == 10
    assert len(departures(paced, 10.0, start=now)) in (100, 101)
    now += 10
    paced.limit(200.0, now)
    assert len(departures(paced, 1.0, start=now)) in range(199, 205)
    paced.limit(0.0, now + 1)
    assert paced.unlimited
    assert paced.allowance(now + 1) == EVERYTHING


def test_a_limit_that_was_set_is_what_congestion_falls_from_and_rises_to() -> None:
    """With none configured, too: it does not end when the rate is back."""
    paced = pacing()
    paced.limit(40.0, START)
    departures(paced, 2.0)
    now = START + 2
    assert paced.congested(now) == 20
    assert paced.rate_per_s(now + 60) == 40
    assert paced.allowance(now + 60) < 3
    assert not paced.unlimited


def test_a_higher_limit_does_not_wait_out_the_interval_of_the_lower() -> None:
    """One in ten seconds, of which the first second has passed."""
    paced = pacing(0.1, least=0.1)
    send(paced, 1, START)
    paced.limit(10.0, START + 1)
    assert paced.wait_s(START + 1) == pytest.approx(0.1)
