"""Urgent replies leave first, whatever memory holds and however often something comes back."""

from typing import Any

import pytest
from gateway_stage import RETRY_S, GatewayStage, NewStage
from memory_smsc import MemorySmsc
from virtual_reactor import HOUR_US, NOON_US, S_US

from smsd.smpp.pdu import Status

DOCTOR, FOOD = b"1 AZE 1111111", b"2 AZE 1111111"


def phone(number: int) -> str:
    return str(994_500_000_000 + number)


def ask(smsc: MemorySmsc, octets: bytes, *numbers: int) -> None:
    for number in numbers:
        smsc.text(octets, phone(number))


def answer_all(stage: GatewayStage, smsc: MemorySmsc) -> None:
    """ESME_ROK to whatever comes, until nothing comes any more."""
    while smsc.requests:
        smsc.answer_at_once(*[Status.ESME_ROK] * len(smsc.requests))
        stage.run()


def order(smsc: MemorySmsc) -> list[int]:
    """The phones in the order in which replies went to them, by their numbers."""
    return [int(each) - 994_500_000_000 for each in smsc.phones]


def receiving(new_stage: NewStage, **settings: Any) -> tuple[GatewayStage, MemorySmsc, MemorySmsc]:
    """A gateway that takes SMS in and cannot send yet; its transmitter and its receiver."""
    stage = new_stage(bind="transmitter+receiver", **settings).start()
    transmitter = stage.connect()
    return stage, transmitter, stage.bound()


def test_who_needs_a_doctor_is_answered_before_who_came_earlier(new_stage: NewStage) -> None:
    """Each kind in its own order; an SMS that is no request is not urgent."""
    stage, transmitter, receiver = receiving(new_stage, window=1)
    ask(receiver, FOOD, 1)
    ask(receiver, DOCTOR, 2)
    ask(receiver, b"hello", 3)
    ask(receiver, FOOD, 4)
    ask(receiver, DOCTOR, 5)
    stage.run()
    transmitter.accept()
    stage.run()
    answer_all(stage, transmitter)
    assert order(transmitter) == [2, 5, 1, 3, 4]


def test_a_refusal_of_an_urgent_code_is_urgent_too(new_stage: NewStage) -> None:
    """It tells when no SMS is needed, or how to text: nobody should wait for that."""
    stage, transmitter, receiver = receiving(new_stage)
    stage.clock.now_us = NOON_US - 365 * 24 * HOUR_US  # before the policy is in force
    ask(receiver, FOOD, 1)
    ask(receiver, DOCTOR, 2)
    stage.run()
    assert stage.rows("SELECT verdict FROM decision") == [("refuse",)] * 2
    transmitter.accept()
    stage.run()
    assert order(transmitter) == [2, 1]


@pytest.mark.parametrize("memory_max", [1, 2, 3, 4, 5, 20_000])
def test_the_order_survives_overflow_and_restart(new_stage: NewStage, memory_max: int) -> None:
    """Memory is bounded for each kind; the rest comes from disk, page by page, after a restart."""
    limits = {"outbox_memory_max": memory_max}
    stage, _, receiver = receiving(new_stage, limits=limits)
    for number in range(0, 12, 2):
        ask(receiver, FOOD, number)
        ask(receiver, DOCTOR, number + 1)
    stage.run()
    assert stage.outbox.depth <= 2 * memory_max
    again = new_stage(limits=limits, window=2).start()
    again.run()
    assert again.outbox.depth <= 2 * memory_max
    smsc = again.bound()
    answer_all(again, smsc)
    urgent, usual = [1, 3, 5, 7, 9, 11], [0, 2, 4, 6, 8, 10]
    assert sorted(order(smsc)) == sorted(urgent + usual)
    assert [n for n in order(smsc) if n % 2] == urgent
    assert [n for n in order(smsc) if not n % 2] == usual
    if memory_max > 12:
        assert order(smsc) == urgent + usual


def test_an_urgent_reply_overtakes_a_long_backlog_on_disk(new_stage: NewStage) -> None:
    """Memory is full of others, and more of them wait on disk: it leaves next all the same."""
    stage, transmitter, receiver = receiving(new_stage, window=1, limits={"outbox_memory_max": 2})
    ask(receiver, FOOD, *range(10))
    stage.run()
    ask(receiver, DOCTOR, 77)
    stage.run()
    transmitter.accept()
    stage.run()
    answer_all(stage, transmitter)
    assert order(transmitter) == [77, *range(10)]


def test_what_the_smsc_could_not_take_goes_back_among_its_kind(new_stage: NewStage) -> None:
    """Throttled together: the urgent one leaves first again, then the others in their order."""
    stage = new_stage(window=3).start()
    smsc = stage.bound()
    ask(smsc, FOOD, 1, 2)
    stage.run()
    ask(smsc, DOCTOR, 3)
    stage.run()
    smsc.answer_at_once(*[Status.ESME_RTHROTTLED] * 3)
    stage.run()
    ask(smsc, DOCTOR, 4)
    stage.run()
    stage.pass_time(RETRY_S)
    answer_all(stage, smsc)
    assert order(smsc) == [1, 2, 3, 3, 4, 1, 2]


def test_the_oldest_wait_is_that_of_either_kind(new_stage: NewStage) -> None:
    """When its SMS came; None once all have left."""
    stage, transmitter, receiver = receiving(new_stage)
    assert stage.outbox.oldest_us is None
    ask(receiver, DOCTOR, 1)
    stage.run()
    assert stage.outbox.oldest_us == NOON_US
    stage.clock.now_us += S_US
    ask(receiver, FOOD, 2)
    stage.run()
    assert stage.outbox.oldest_us == NOON_US
    transmitter.accept()
    stage.run()
    assert stage.outbox.oldest_us is None
