"""Long SMS through the whole gateway: whole by any way, or answered once that they are not."""

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from gateway_stage import STORE_RETRY_S, GatewayStage, NewStage
from memory_smsc import MemorySmsc
from virtual_reactor import HOUR_US, NOON_US

from smsd.smpp.pdu import Status
from smsd.smpp.segments import UDHI
from storage.sqlite_library import dbapi

PHONE = "994500000001"
WAIT_S = 120
SWEEP_S = 2
HALVES = {1: b"1 AZE 1111111, ", 2: b"AZE 2222222 EN"}
MESSAGES = "SELECT outcome, text, octets FROM message ORDER BY id"


def send_part(
    smsc: MemorySmsc, number: int, octets: bytes = b"", reference: int = 7, **fields: Any
) -> None:
    """One part of a phone's SMS of two; `HALVES` unless others are given."""
    header = bytes((5, 0, 3, reference, 2, number))
    smsc.text(header + (octets or HALVES[number]), PHONE, esm_class=UDHI, **fields)


def swept(new_stage: NewStage, **settings: Any) -> GatewayStage:
    """A gateway with a sweeper, as the daemon has; its SMSC may take its time to answer."""
    stage = new_stage(response_timeout_s=3_600, **settings).start()
    stage.sweeper.start()
    stage.run()
    return stage


def pass_wait(stage: GatewayStage, seconds: int = WAIT_S + SWEEP_S) -> None:
    """Sweep after sweep."""
    for _ in range(0, seconds, SWEEP_S):
        stage.pass_time(SWEEP_S)


def outcomes(stage: GatewayStage) -> list[str]:
    """Of each stored SMS."""
    return [outcome for outcome, *_ in stage.rows(MESSAGES)]


@pytest.mark.parametrize("order", list(permutations((1, 2))))
def test_whole_by_two_binds_though_each_part_comes_twice(
    new_stage: NewStage, order: tuple[int, int]
) -> None:
    """The link is lost in between; each part is acknowledged, and there is one reply."""
    stage = swept(new_stage)
    first = stage.bound()
    send_part(first, order[0])
    stage.run()
    first.hang_up()
    second = stage.reconnect()
    for number in (*order, order[1]):
        send_part(second, number)
        stage.run()
        assert set(second.responses.values()) == {0}
    pass_wait(stage)
    assert outcomes(stage) == ["decided"]
    assert len(second.submitted) == 1


@pytest.mark.parametrize("order", list(permutations((1, 2))))
def test_whole_across_a_restart(new_stage: NewStage, order: tuple[int, int]) -> None:
    """What was acknowledged is on disk."""
    stage = swept(new_stage)
    send_part(stage.bound(), order[0])
    stage.run()
    stage = swept(new_stage)
    smsc = stage.bound()
    send_part(smsc, order[1])
    stage.run()
    pass_wait(stage)
    assert outcomes(stage) == ["decided"]


def test_who_sent_half_an_sms_is_told_how_to_text_in_one(new_stage: NewStage) -> None:
    """After two minutes, once, counted; what came is kept as evidence."""
    stage = swept(new_stage)
    smsc = stage.bound()
    send_part(smsc, 1)
    pass_wait(stage, WAIT_S - SWEEP_S)
    assert smsc.submitted == []
    pass_wait(stage, 2 * SWEEP_S)
    assert smsc.texts == ["SMS-in hamısı gəlmədi. Bir SMS-də qısa yazın: 2 AZE 1234567"]
    assert smsc.phones == [PHONE]
    assert stage.rows(MESSAGES) == [("incomplete", "1 AZE 1111111, ", HALVES[1])]
    assert stage.seen.unrecognised == {"incomplete": 1}
    pass_wait(stage, 2 * WAIT_S)
    assert len(smsc.submitted) == 1
    assert stage.rows("SELECT received_at_us FROM message") == [(NOON_US,)]


def test_once_across_a_restart_too(new_stage: NewStage) -> None:
    """Stopped before the time, or after it: whoever runs then answers, and nobody again."""
    stage = swept(new_stage)
    smsc = stage.bound()
    send_part(smsc, 1)
    pass_wait(stage, WAIT_S // 2)
    now_us = stage.clock.now_us
    told = []
    for _ in range(2):
        stage = new_stage(response_timeout_s=3_600).start()
        stage.clock.now_us = now_us
        stage.sweeper.start()
        smsc = stage.bound()
        pass_wait(stage)
        for _ in smsc.submitted:
            smsc.answer()
        stage.run()
        told.append(len(smsc.submitted))
    assert told == [1, 0]
    assert outcomes(stage) == ["incomplete"]


def test_long_after_an_outage_nobody_is_bothered(new_stage: NewStage) -> None:
    """The SMS is recorded as incomplete, and its answer has expired like any refusal."""
    stage = swept(new_stage)
    send_part(stage.bound(), 1)
    stage.run()
    stage = new_stage().start()
    stage.clock.now_us = NOON_US + 3 * HOUR_US
    smsc = stage.bound()
    stage.sweeper.start()
    stage.run()
    assert smsc.submitted == []
    assert outcomes(stage) == ["incomplete"]
    assert [state for state, *_ in stage.states()] == [3]


def test_the_other_half_still_makes_it_whole(new_stage: NewStage) -> None:
    """It is decided after all, in a reply of its own."""
    stage = swept(new_stage)
    smsc = stage.bound()
    send_part(smsc, 1)
    pass_wait(stage)
    send_part(smsc, 2)
    pass_wait(stage)
    assert outcomes(stage) == ["incomplete", "decided"]
    assert "AZE2222222" in smsc.texts[1]
    assert len(smsc.submitted) == 2


def test_a_repeat_of_half_an_answered_sms_is_no_half_sms(new_stage: NewStage) -> None:
    """The SMSC missed one of our acknowledgements; the phone has its permit."""
    stage = swept(new_stage)
    smsc = stage.bound()
    for number in (1, 2, 2):
        send_part(smsc, number)
        stage.run()
    pass_wait(stage)
    assert outcomes(stage) == ["decided"]


def test_who_texts_anew_meanwhile_gets_the_permit(new_stage: NewStage) -> None:
    """The reply to half an SMS is on its way; an SMS equal to that half is no repeat of it."""
    stage = swept(new_stage)
    smsc = stage.bound()
    send_part(smsc, 1, b"1 AZE 1111111")
    pass_wait(stage)
    smsc.text(b"1 AZE 1111111", PHONE)
    stage.run()
    assert outcomes(stage) == ["incomplete", "decided"]
    assert len(smsc.submitted) == 2


def test_in_one_batch_with_it_too(new_stage: NewStage) -> None:
    """The sweep and the new SMS are written together."""
    stage = swept(new_stage)
    smsc = stage.bound()
    send_part(smsc, 1, b"1 AZE 1111111")
    pass_wait(stage, WAIT_S - SWEEP_S)
    stage.clock.now_us += 2 * SWEEP_S * 1_000_000
    blocker = dbapi.connect(str(stage.store.path), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    smsc.text(b"salam", "994500000002")  # keeps the writer busy
    stage.reactor.advance(SWEEP_S)
    smsc.text(b"1 AZE 1111111", PHONE)
    blocker.close()
    stage.run()
    assert outcomes(stage) == ["unreadable", "incomplete", "decided"]


def test_its_letters_choose_the_language(new_stage: NewStage) -> None:
    """Or the language that the phone has chosen."""
    stage = swept(new_stage)
    smsc = stage.bound()
    half = "Здравствуйте! Дайте, пожалуйста, разре".encode("utf-16-be")
    send_part(smsc, 1, half, data_coding=8)
    pass_wait(stage)
    assert smsc.texts == ["СМС дошла не целиком. Напишите короче, одной СМС: 2 AZE 1234567"]
    smsc.text(b"EN", PHONE)
    stage.run()
    send_part(smsc, 1, b"half", reference=8)
    pass_wait(stage)
    assert smsc.texts[2].startswith("Only part of your SMS arrived")


def test_half_sms_are_junk_like_any_other(new_stage: NewStage) -> None:
    """Ten are answered, the next is told that it is too much, and then there is silence."""
    stage = swept(new_stage, limits={"incomplete_sms_s": 1})
    smsc = stage.bound()
    for reference in range(13):
        send_part(smsc, 1, reference=reference)
    stage.run()
    pass_wait(stage, 2 * SWEEP_S)
    assert len(smsc.submitted) == 11
    assert outcomes(stage).count("silent") == 2


def test_while_the_store_cannot_be_written_it_waits(new_stage: NewStage) -> None:
    """The sweep that failed is made up for by a later one."""
    stage = swept(new_stage)
    stage.store.connection.execute("PRAGMA busy_timeout = 0")
    smsc = stage.bound()
    send_part(smsc, 1)
    pass_wait(stage, WAIT_S - SWEEP_S)
    blocker = dbapi.connect(str(stage.store.path), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    pass_wait(stage, 3 * SWEEP_S)
    assert smsc.submitted == []
    blocker.close()
    stage.pass_time(STORE_RETRY_S)
    pass_wait(stage, 2 * SWEEP_S)
    assert len(smsc.submitted) == 1
    assert set(smsc.responses.values()) == {Status.ESME_ROK}


def test_a_sweep_that_finds_nothing_is_no_batch(new_stage: NewStage) -> None:
    """An idle daemon neither writes nor counts."""
    stage = swept(new_stage)
    files = [stage.store.path, Path(f"{stage.store.path}-wal")]
    before = [file.stat().st_size for file in files]
    pass_wait(stage)
    assert [file.stat().st_size for file in files] == before
    assert stage.seen.commits == 0
