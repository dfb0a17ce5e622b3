"""An SMSC that is away for longer than a permit lasts: what its phones get when it is back."""

from typing import Any

from gateway_stage import SMSC, STORE_RETRY_S, GatewayStage, NewStage, sms
from late_replies import LATE_US, Outage, expired, law
from memory_smsc import MemorySmsc
from structlog.testing import capture_logs
from virtual_reactor import HOUR_US, NOON_US

from smsd.gateway.writer import Writer
from smsd.smpp.pdu import Status
from storage import Register, ReplyState, SqliteStore

FOOD = b"2 AZE 1111111"
EXPIRED = (ReplyState.EXPIRED, 0)
SENT = (ReplyState.SENT, 0)
UNSENT = (ReplyState.UNSENT, 0)


def phone(number: int) -> str:
    return str(994_500_000_000 + number)


def receiving(new_stage: NewStage, **settings: Any) -> tuple[GatewayStage, MemorySmsc, MemorySmsc]:
    """A gateway that takes SMS in and cannot send yet; its transmitter and its receiver."""
    stage = new_stage(bind="transmitter+receiver", **settings).start()
    transmitter = stage.connect()
    return stage, transmitter, stage.bound()


def answer_all(stage: GatewayStage, smsc: MemorySmsc) -> None:
    """ESME_ROK to whatever comes, until nothing comes any more."""
    while smsc.requests:
        smsc.answer_at_once(*[Status.ESME_ROK] * len(smsc.requests))
        stage.run()


def states(stage: GatewayStage) -> list[tuple[Any, ...]]:
    """(state, resent) of every reply on disk, oldest first."""
    return [row[:2] for row in stage.states()]


def test_back_too_late_it_gets_the_renewed_reply_and_not_the_old_one(new_stage: NewStage) -> None:
    """Asked at noon, back at three: a permit from three to five, in one SMS."""
    stage, transmitter, receiver = receiving(new_stage)
    receiver.text(FOOD, phone(1))
    stage.run()
    stage.clock.now_us = NOON_US + 3 * HOUR_US
    transmitter.accept()
    stage.run()
    answer_all(stage, transmitter)
    [told] = transmitter.texts
    assert "15:00–17:00" in told
    assert states(stage) == [EXPIRED, SENT]
    assert stage.seen.outcomes == [ReplyState.EXPIRED, ReplyState.SENT]


def test_gone_again_at_once_it_finds_one_more_renewal(new_stage: NewStage) -> None:
    """The renewed reply waits like any other; nothing spins while the SMSC is away."""
    stage, transmitter, receiver = receiving(new_stage, window=1)
    receiver.text(FOOD, phone(1))
    receiver.text(b"1 AZE 2222222", phone(2))
    stage.run()
    stage.clock.now_us = NOON_US + 3 * HOUR_US
    transmitter.accept()
    stage.run()  # the urgent one fills the window
    transmitter.hang_up()
    stage.run()
    assert states(stage) == [EXPIRED, EXPIRED, UNSENT, UNSENT]
    stage.clock.now_us += 3 * HOUR_US
    back = stage.reconnect()
    answer_all(stage, back)
    assert states(stage) == [EXPIRED, EXPIRED, (ReplyState.EXPIRED, 1), EXPIRED, SENT, SENT]
    assert ["18:00–20:00" in told for told in back.texts] == [True, True]
    assert sum(stage.seen.renewed) == 4


def test_outcomes_come_before_the_rules_in_bounded_batches(new_stage: NewStage) -> None:
    """A hundred thousand late replies must not be one transaction."""
    stage, transmitter, receiver = receiving(new_stage, limits={"batch_messages_max": 2})
    for number in range(5):
        receiver.text(FOOD.replace(b"1", b"%d" % (number + 1)), phone(number))
    stage.run()
    stage.clock.now_us = NOON_US + 3 * HOUR_US
    transmitter.accept()
    stage.run()
    answer_all(stage, transmitter)
    assert sum(stage.seen.renewed) == 5
    assert max(stage.seen.renewed) == 2
    assert states(stage) == [EXPIRED] * 5 + [SENT] * 5


def test_an_expiry_that_could_not_be_stored_is_stored_later(new_stage: NewStage) -> None:
    """The disk is full when it is noticed: nothing is renewed until it is stored, then once."""
    stage, transmitter, receiver = receiving(new_stage)
    receiver.text(FOOD, phone(1))
    stage.run()
    stage.clock.now_us = NOON_US + 3 * HOUR_US
    stage.store.connection.execute("PRAGMA query_only = ON")
    transmitter.accept()
    stage.run()
    assert states(stage) == [UNSENT]
    stage.store.connection.execute("PRAGMA query_only = OFF")
    stage.pass_time(STORE_RETRY_S)
    answer_all(stage, transmitter)
    assert states(stage) == [EXPIRED, SENT]
    assert len(transmitter.submitted) == 1


def test_an_expiry_that_was_never_stored_is_noticed_again_after_a_restart(
    new_stage: NewStage,
) -> None:
    """The process ended between the noticing and the COMMIT: the next one finds it unsent."""
    stage, transmitter, receiver = receiving(new_stage)
    receiver.text(FOOD, phone(1))
    stage.run()
    stage.clock.now_us = NOON_US + 3 * HOUR_US
    stage.store.connection.execute("PRAGMA query_only = ON")
    transmitter.accept()
    stage.run()
    assert states(stage) == [UNSENT]
    again = new_stage()
    again.clock.now_us = NOON_US + 3 * HOUR_US
    smsc = again.start().bound()
    answer_all(again, smsc)
    assert states(again) == [EXPIRED, SENT]
    assert "15:00–17:00" in smsc.texts[0]


def test_a_bug_beside_a_late_reply_keeps_nobody_from_the_renewed_one(
    store: SqliteStore, damaged: Register
) -> None:
    """The faulty SMS stays with its SMSC; what was decided anew before it leaves."""
    outage = Outage(store, law(), damaged)
    [late] = outage.replies(sms("2 AZE 1111111"))
    done = outage.ask(sms("2 AZE 9999999", phone(2), LATE_US), outcomes=expired(late))
    assert [reply.phone for reply in done.replies or []] == [late.phone]
    assert (done.counts.renewed, done.refused) == (1, [0])


def test_a_bug_in_deciding_anew_costs_no_outcome(store: SqliteStore, damaged: Register) -> None:
    """It is logged; the old reply is settled, its permit stands, other SMS have their replies."""
    outage = Outage(store, law())
    [late] = outage.replies(sms("2 AZE 9999999"))
    outage.writer = Writer(store, damaged, law(), lambda: 0.0)
    with capture_logs() as logs:
        done = outage.expire(late)
    assert (done.replies, done.fault) == ([], None)
    assert [line["event"] for line in logs] == ["batch_failed", "renewal_failed"]
    assert outage.rows("SELECT state FROM reply") == [(ReplyState.EXPIRED,)]
    assert outage.rows("SELECT ended_us FROM decision") == [(None,)]
    assert [reply.smsc for reply in outage.replies(sms("2 AZE 1111111", phone(2)))] == [SMSC]
