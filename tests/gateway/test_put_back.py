"""Replies put back beside a running gateway: each leaves once, in its place; memory is bounded."""

import pytest
from gateway_stage import SMSC, GatewayStage, NewStage, store_replies
from memory_smsc import MemorySmsc

from smsd.smpp.pdu import Status
from storage import ReplyOutcome, ReplyState, SqliteStore
from storage.dead_letters import retry

SENT = (ReplyState.SENT, 0, 0, "")


def phones(count: int, first: int = 1) -> list[str]:
    return [str(994_500_000_000 + number) for number in range(first, first + count)]


def answer_all(stage: GatewayStage, smsc: MemorySmsc, status: int = Status.ESME_ROK) -> None:
    while smsc.requests:
        smsc.answer_at_once(*[status] * len(smsc.requests))
        stage.run()


def with_refused(stage: GatewayStage, count: int) -> list[int]:
    """A store in which so many replies were refused by an earlier daemon's SMSC; their ids."""
    ids = [reply.id for reply in store_replies(stage.store, stage.policy, phones(count))]
    refuse(stage.store, stage, ids)
    return ids


def refuse(store: SqliteStore, stage: GatewayStage, ids: list[int]) -> None:
    with store.transaction(stage.policy) as transaction:
        transaction.settle(
            [ReplyOutcome(i, ReplyState.REFUSED, stage.clock.now_us, "", 11, False) for i in ids]
        )


def put_back(stage: GatewayStage, *ids: int) -> None:
    """As the command does, beside the daemon, which is not told yet."""
    done = retry(f"sqlite:///{stage.store.path}", ids, [SMSC], "A. O.", "why", stage.clock.now_us)
    assert not any(done.values())


@pytest.mark.parametrize("memory_max", [1, 2, 3, 5, 20_000])
def test_what_is_put_back_leaves_once_in_the_order_of_that(
    new_stage: NewStage, memory_max: int
) -> None:
    """However little memory holds, told once or twice, and beside what comes newly."""
    stage = new_stage(limits={"outbox_memory_max": memory_max}, window=1)
    ids = with_refused(stage, 7)
    stage.start()
    smsc = stage.bound()
    put_back(stage, *ids)
    stage.outbox.look_on_disk()
    stage.outbox.look_on_disk()
    stage.run()
    assert stage.outbox.depth <= memory_max
    for phone in phones(3, first=8):
        smsc.text(b"2 AZE 1111111", phone)
        stage.run()
    answer_all(stage, smsc)
    assert smsc.phones == phones(10)
    assert stage.states() == [SENT] * 10


def test_what_is_put_back_while_a_page_is_read_is_not_missed(new_stage: NewStage) -> None:
    """The page was read before, the word came meanwhile: it is read again."""
    stage = new_stage()
    first, second = with_refused(stage, 2)
    stage.start()
    smsc = stage.bound()
    put_back(stage, first)
    stage.outbox.look_on_disk()  # asks for a page
    while not stage.lane.quiet:
        stage.reactor.run_one()
        if not stage.rows(f"SELECT 1 FROM reply WHERE id = {second} AND state = 0"):
            put_back(stage, second)
            stage.outbox.look_on_disk()
    stage.run()
    answer_all(stage, smsc)
    assert smsc.phones == phones(2)


def test_refused_again_it_can_be_put_back_again(new_stage: NewStage) -> None:
    """Each time it leaves once more."""
    stage = new_stage()
    [number] = with_refused(stage, 1)
    stage.start()
    smsc = stage.bound()
    for times in (1, 2, 3):
        put_back(stage, number)
        stage.outbox.look_on_disk()
        stage.run()
        assert len(smsc.submitted) == times
        answer_all(stage, smsc, Status.ESME_RINVDSTADR if times < 3 else Status.ESME_ROK)
    assert stage.states() == [SENT]


def test_put_back_it_is_new_to_the_smsc(new_stage: NewStage) -> None:
    """That it was turned away before is forgotten: it is tried again, and does not rest."""
    stage = new_stage(enquire_link_s=86_400)
    [number] = with_refused(stage, 1)
    stage.start()
    smsc = stage.bound()
    for times in (1, 3):
        put_back(stage, number)
        stage.outbox.look_on_disk()
        stage.run()
        smsc.answer(Status.ESME_RMSGQFUL)
        stage.pass_time(1.1)
        assert len(smsc.submitted) == times + 1
        smsc.answer(Status.ESME_RINVDSTADR)
        stage.pass_time(1.1)


def test_a_restart_sends_what_was_put_back_and_has_no_outcome(new_stage: NewStage) -> None:
    """What left stays sent; the rest goes with what waits, each once."""
    first = new_stage(window=1)
    ids = with_refused(first, 3)
    store_replies(first.store, first.policy, phones(2, first=4))
    put_back(first, *ids)
    first.start()
    smsc = first.bound()
    smsc.answer()
    first.run()
    second = new_stage().start()
    smsc = second.bound()
    answer_all(second, smsc)
    assert sorted(smsc.phones) == phones(4, first=2)
    assert second.states() == [SENT] * 5


def test_what_is_urgent_leaves_first_when_it_is_put_back_too(new_stage: NewStage) -> None:
    """Who needs a doctor is before who shops, whoever was put back first."""
    stage = new_stage().start()
    smsc = stage.bound()
    smsc.text(b"2 AZE 1111111", phones(1)[0])
    stage.run()
    smsc.text(b"1 AZE 1111112", phones(2)[1])
    stage.run()
    answer_all(stage, smsc, Status.ESME_RINVDSTADR)
    ids = [number for (number,) in stage.rows("SELECT id FROM reply ORDER BY id")]
    smsc.hang_up()
    stage.run()
    put_back(stage, *ids)
    stage.outbox.look_on_disk()
    stage.run()
    again = stage.reconnect()
    answer_all(stage, again)
    assert again.phones == [phones(2)[1], phones(1)[0]]


def test_a_page_that_cannot_be_read_is_asked_for_again(new_stage: NewStage) -> None:
    """An I/O error delays what was put back, and does not lose it."""
    stage = new_stage()
    [number] = with_refused(stage, 1)
    stage.start()
    smsc = stage.bound()
    put_back(stage, number)
    stage.store.connection.execute("ALTER TABLE reply RENAME TO hidden")
    stage.outbox.look_on_disk()
    stage.run()
    stage.store.connection.execute("ALTER TABLE hidden RENAME TO reply")
    stage.pass_time(5.0)
    answer_all(stage, smsc)
    assert smsc.phones == phones(1)
