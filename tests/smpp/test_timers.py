"""Deadlines by name."""

from math import inf

import pytest

from smsd.smpp.timers import Timer, Timers


@pytest.mark.parametrize(
    ("now", "expired"), [(9.9, []), (10.0, [Timer.PDU_REST]), (10.1, [Timer.PDU_REST])]
)
def test_a_timer_runs_out_at_its_deadline(now: float, expired: list[Timer]) -> None:
    """The deadline itself counts as late; the instant before does not."""
    timers = Timers()
    timers.start(Timer.PDU_REST, 10.0)
    assert timers.expired(now) == expired


def test_a_timer_runs_out_once() -> None:
    """What has been reported is no longer running."""
    timers = Timers()
    timers.start(Timer.PDU_REST, 10.0)
    assert timers.expired(10.0) == [Timer.PDU_REST]
    assert Timer.PDU_REST not in timers
    assert timers.expired(10.0) == []


def test_timers_run_out_in_the_order_of_their_deadlines() -> None:
    """The order of starting does not matter, nor that a timer was started anew."""
    timers = Timers()
    timers.start(Timer.UNBIND_RESP, 1.0)
    timers.start(Timer.ENQUIRE_LINK, 3.0)
    timers.start(Timer.SESSION_INIT, 2.0)
    timers.start(Timer.UNBIND_RESP, 4.0)
    assert timers.deadline() == 2.0
    assert timers.expired(4.0) == [Timer.SESSION_INIT, Timer.ENQUIRE_LINK, Timer.UNBIND_RESP]


def test_stopped_timers_never_run_out() -> None:
    """stop and stop_all forget; stopping what does not run is nothing."""
    timers = Timers()
    for timer in Timer:
        timers.start(timer, 1.0)
    timers.stop(Timer.PDU_REST)
    timers.stop(Timer.PDU_REST)
    assert Timer.PDU_REST not in timers.expired(1.0)
    timers.start(Timer.ENQUIRE_LINK, 1.0)
    timers.stop_all()
    assert timers.expired(inf) == []
    assert timers.deadline() == inf
