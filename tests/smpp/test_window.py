"""Unanswered requests: room, time and numbers."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.smpp.pdu import Command
from smsd.smpp.window import SEQUENCE_MAX, Unanswered, Window, WindowFull

SUBMITTED = int(Command.SUBMIT_SM_RESP)
DELIVERED = int(Command.DELIVER_SM_RESP)
ENQUIRED = int(Command.ENQUIRE_LINK_RESP)


def put(window: Window, context: object, now: float = 0.0) -> int:
    """Put a submit_sm under the next free number."""
    sequence = window.next_sequence()
    window.put(sequence, SUBMITTED, context, now)
    return sequence


def test_room_ends_with_the_last_place() -> None:
    """A window takes as many requests as it has places, and refuses the next one unchanged."""
    window = Window(size=2, timeout_s=30)
    put(window, "a")
    assert window.room == 1
    put(window, "b")
    assert window.room == 0
    with pytest.raises(WindowFull):
        put(window, "c")
    assert window.drain() == [Unanswered(1, "a"), Unanswered(2, "b")]


def test_a_settled_request_gives_its_place_back() -> None:
    """Taking a request returns its context once and frees its place."""
    window = Window(size=1, timeout_s=30)
    sequence = put(window, "a")
    taken = window.take(sequence, SUBMITTED)
    assert taken is not None
    assert taken[1] == "a"
    assert window.room == 1
    assert window.take(sequence, SUBMITTED) is None


def test_a_response_of_another_kind_settles_nothing() -> None:
    """deliver_sm_resp does not answer submit_sm, though it carries its number."""
    window = Window(size=1, timeout_s=30)
    sequence = put(window, "a")
    assert window.take(sequence, DELIVERED) is None
    assert window.room == 0
    assert window.awaits(sequence) == SUBMITTED


@pytest.mark.parametrize(("now", "late"), [(39.9, []), (40.0, ["a"]), (40.1, ["a"])])
def test_time_is_up_at_the_deadline(now: float, late: list[str]) -> None:
    """A request of second 10 with 30 s to wait is late at second 40, not before."""
    window = Window(size=2, timeout_s=30)
    put(window, "a", now=10.0)
    put(window, "b", now=11.0)
    assert [context for _, context in window.expired(now)] == late


def test_the_deadline_is_that_of_the_oldest_request_left() -> None:
    """The next deadline moves on as requests are settled, whichever goes first."""
    window = Window(size=3, timeout_s=30)
    assert window.deadline() == inf
    first, second = put(window, "a", now=0.0), put(window, "b", now=1.0)
    put(window, "c", now=2.0)
    assert window.deadline() == 30.0
    window.take(second, SUBMITTED)
    assert window.deadline() == 30.0
    window.take(first, SUBMITTED)
    assert window.deadline() == 32.0


def test_the_number_after_the_last_is_one() -> None:
    """Sequence numbers run to 0x7FFFFFFF and then from 1 again, never through 0 (§5.1.4)."""
    window = Window(size=3, timeout_s=30, first_sequence=SEQUENCE_MAX)
    assert put(window, "a") == SEQUENCE_MAX
    assert put(window, "b") == 1


def test_numbers_in_use_are_passed_over() -> None:
    """Coming round, the counter skips every number that still awaits a response, own ones too."""
    window = Window(size=3, timeout_s=30, first_sequence=SEQUENCE_MAX)
    assert put(window, "a") == SEQUENCE_MAX
    window.put_own(1, ENQUIRED)
    window.put(2, SUBMITTED, "b", 0.0)
    window.put_own(SEQUENCE_MAX - 1, ENQUIRED)  # the counter stands here now
    assert window.next_sequence() == 3


def test_the_sessions_own_requests_take_no_room_and_no_time() -> None:
    """A full window still lets an enquire_link through, and never times it out by itself."""
    window = Window(size=1, timeout_s=30)
    put(window, "a")
    own = window.next_sequence()
    window.put_own(own, ENQUIRED)
    assert window.awaits(own) == ENQUIRED
    assert window.take(own, ENQUIRED) is None
    assert window.drain() == [Unanswered(1, "a")]
    assert not window.take_own(own, SUBMITTED)
    assert window.take_own(own, ENQUIRED)
    assert not window.take_own(own, ENQUIRED)


@given(st.lists(st.tuples(st.sampled_from(["put", "take", "wait"]), st.integers(0, 9))))
def test_every_request_comes_back_exactly_once(steps: list[tuple[str, int]]) -> None:
    """Put, answered or left, each context leaves the window once, and the room adds up."""
    window = Window(size=4, timeout_s=5)
    now, waiting, sent, back = 0.0, list[int](), 0, list[object]()
    for step, number in steps:
        if step == "put" and window.room:
            waiting.append(put(window, sent, now))
            sent += 1
        elif step == "take" and waiting:
            sequence = waiting[number % len(waiting)]
            taken = window.take(sequence, SUBMITTED)
            assert taken is not None
            waiting.remove(sequence)
            back.append(taken[1])
        elif step == "wait":
            now += number / 2
            for sequence, context in window.expired(now):
                waiting.remove(sequence)
                back.append(context)
        assert window.room == 4 - len(waiting)
    back += [context for _, context in window.drain()]
    assert sorted(back, key=str) == sorted(range(sent), key=str)
