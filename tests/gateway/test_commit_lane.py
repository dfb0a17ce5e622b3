"""The one lane to the disk: durable first, then spoken of; one fault costs no more than it must."""

import pytest
from gateway_stage import STORE_RETRY_S, GatewayStage, NewStage, store_replies
from memory_smsc import MemorySmsc
from twisted.internet.defer import Deferred
from virtual_reactor import NOON_US

from smsd.smpp.events import PeerFault
from smsd.smpp.pdu import Status
from storage import Register, Reply, ReplyOutcome, ReplyState, StoreUnavailable
from storage.sqlite_library import dbapi

PHONE = "994500000001"
OK, LATER = int(Status.ESME_ROK), int(Status.ESME_RX_T_APPN)
FULL = int(Status.ESME_RMSGQFUL)


class Lock:
    """The store's write lock in another process' hands: the writer waits, as on a slow disk."""

    def __init__(self, stage: GatewayStage) -> None:
        self._connection = dbapi.connect(str(stage.store.path), isolation_level=None)
        self._connection.execute("BEGIN IMMEDIATE")

    def release(self) -> None:
        """Let the writer write."""
        self._connection.close()


def ask(smsc: MemorySmsc, numbers: range) -> None:
    """One SMS from each of these phones, in one piece."""
    for number in numbers:
        smsc.text(b"1 AZE 1111111", str(int(PHONE) + number))


def statuses(smsc: MemorySmsc) -> list[int]:
    return list(smsc.responses.values())


def test_a_message_is_acknowledged_only_once_it_is_committed(new_stage: NewStage) -> None:
    """At the very write that carries the first deliver_sm_resp, another process sees the rows."""
    stage = new_stage().start()
    smsc = stage.bound()
    lock = Lock(stage)
    ask(smsc, range(3))
    assert smsc.responses == {}
    assert stage.rows("SELECT count(*) FROM message") == [(0,)]
    lock.release()
    counts = []
    carry = smsc.wire.write

    def look_then_carry(data: bytes) -> None:
        counts.extend(stage.rows("SELECT count(*) FROM reply"))
        carry(data)

    smsc.wire.write = look_then_carry  # type: ignore[method-assign]
    stage.run()
    assert counts[0] == (1,), "the first batch was one SMS, and its reply is on disk"
    assert counts[-1] == (3,)
    assert statuses(smsc) == [OK] * 3


def test_a_reply_never_overtakes_its_acknowledgement(new_stage: NewStage) -> None:
    """On one link deliver_sm_resp comes first, then submit_sm."""
    stage = new_stage().start()
    smsc = stage.bound()
    ask(smsc, range(1))
    stage.reactor.run_one()
    commands = [write[4:8].hex() for write in smsc.wire.writes]
    assert commands == ["80000005", "00000004"]


def test_the_batch_grows_while_the_writer_is_busy(new_stage: NewStage) -> None:
    """Nine SMS during one commit are one transaction; at rest each is its own."""
    stage = new_stage().start()
    smsc = stage.bound()
    lock = Lock(stage)
    ask(smsc, range(10))
    assert stage.lane.backlog == 9
    lock.release()
    stage.run()
    assert stage.seen.batches == [1, 9]
    for number in range(10, 13):
        ask(smsc, range(number, number + 1))
        stage.run()
    assert stage.seen.batches == [1, 9, 1, 1, 1]
    assert statuses(smsc) == [OK] * 13


def test_a_batch_is_never_larger_than_its_limit(new_stage: NewStage) -> None:
    """What exceeds batch_messages_max waits for the next one, in order."""
    stage = new_stage(limits={"batch_messages_max": 3}).start()
    smsc = stage.bound()
    lock = Lock(stage)
    ask(smsc, range(9))
    lock.release()
    stage.run()
    assert stage.seen.batches == [1, 3, 3, 2]
    assert stage.rows("SELECT phone FROM message ORDER BY id") == [
        (str(int(PHONE) + number),) for number in range(9)
    ]


def test_a_store_that_cannot_be_written_puts_all_off_and_recovers(new_stage: NewStage) -> None:
    """ESME_RX_T_APPN to the batch and to what waits; after store_retry_s all is well again."""
    stage = new_stage().start()
    smsc = stage.bound()
    stage.store.connection.execute("PRAGMA query_only = ON")
    ask(smsc, range(3))
    stage.run()
    assert statuses(smsc) == [LATER] * 3
    assert sum(stage.seen.put_off) == 3
    assert stage.lane.fault == "attempt to write a readonly database"
    assert stage.recoveries == 0
    ask(smsc, range(3, 5))
    stage.run()
    assert len(smsc.responses) == 3, "during the pause nothing is tried"
    stage.store.connection.execute("PRAGMA query_only = OFF")
    stage.pass_time(STORE_RETRY_S)
    assert statuses(smsc) == [LATER] * 3 + [OK] * 2
    assert stage.recoveries == 1
    assert stage.lane.fault is None
    assert stage.seen.store_faults == ["attempt to write a readonly database", None]
    assert stage.rows("SELECT count(*) FROM message") == [(2,)]


def test_a_store_that_stays_away_is_tried_once_a_pause(new_stage: NewStage) -> None:
    """Each pause costs what came in it; nothing is stored, nothing told as stored."""
    stage = new_stage().start()
    smsc = stage.bound()
    stage.store.connection.execute("PRAGMA query_only = ON")
    for number in range(3):
        ask(smsc, range(number, number + 1))
        stage.pass_time(STORE_RETRY_S)
    stage.pass_time(STORE_RETRY_S)
    assert statuses(smsc) == [LATER] * 3
    assert stage.recoveries == 0
    assert len(stage.seen.store_faults) == 1
    assert stage.seen.batches == []
    stage.store.connection.execute("PRAGMA query_only = OFF")


def test_the_store_is_known_to_be_back_though_no_sms_comes(new_stage: NewStage) -> None:
    """Once a pause the disk itself is asked; what was committed meanwhile is looked for once."""
    stage = new_stage().start()
    smsc = stage.bound()
    stage.store.connection.execute("PRAGMA query_only = ON")
    ask(smsc, range(1))
    stage.run()
    stage.pass_time(STORE_RETRY_S)
    assert stage.lane.fault == "attempt to write a readonly database"
    stage.store.connection.execute("PRAGMA query_only = OFF")
    stage.pass_time(STORE_RETRY_S)
    assert stage.lane.fault is None
    stage.pass_time(2 * STORE_RETRY_S)
    assert stage.recoveries == 1
    assert statuses(smsc) == [LATER]
    assert stage.seen.batches == []


def test_outcomes_wait_out_a_store_that_is_away(new_stage: NewStage) -> None:
    """What the SMSC took stays told: the outcome is recorded once the store is back."""
    stage = new_stage()
    store_replies(stage.store, stage.policy, [PHONE, "994500000002"])
    stage.start()
    smsc = stage.bound()
    stage.store.connection.execute("PRAGMA query_only = ON")
    smsc.answer(message_id="a")
    stage.run()
    smsc.answer(message_id="b")
    stage.run()
    assert [row[0] for row in stage.states()] == [ReplyState.UNSENT] * 2
    stage.store.connection.execute("PRAGMA query_only = OFF")
    stage.pass_time(STORE_RETRY_S)
    assert [(row[0], row[3]) for row in stage.states()] == [(1, "a"), (1, "b")]


def test_outcomes_keep_their_order_over_a_store_that_is_away(new_stage: NewStage) -> None:
    """Of two outcomes of one reply the later one stays, though the first had to be tried again."""
    stage = new_stage()
    [reply] = store_replies(stage.store, stage.policy, [PHONE])
    stage.lane.start()
    stage.store.connection.execute("PRAGMA query_only = ON")
    first = ReplyOutcome(reply.id, ReplyState.REFUSED, NOON_US, "", 11, False)
    stage.lane.settle(first)
    stage.lane.settle(first._replace(state=ReplyState.SENT, status=0))
    stage.run()
    stage.store.connection.execute("PRAGMA query_only = OFF")
    stage.pass_time(STORE_RETRY_S)
    assert stage.states() == [(ReplyState.SENT, 0, 0, "")]


def test_reading_a_page_is_no_sign_that_the_store_can_be_written(new_stage: NewStage) -> None:
    """A full disk reads well: until something is written, the fault stands."""
    stage = new_stage().start()
    smsc = stage.bound()
    stage.store.connection.execute("PRAGMA query_only = ON")
    ask(smsc, range(1))
    stage.run()
    stage.pass_time(STORE_RETRY_S)
    pages: list[list[Reply]] = []
    stage.lane.unsent("one", 0, 10).addCallback(pages.append)
    stage.pass_time(STORE_RETRY_S)
    assert pages == [[]]
    assert stage.lane.fault is not None
    assert stage.recoveries == 0


def test_a_message_that_meets_a_bug_costs_only_itself(
    new_stage: NewStage, damaged: Register
) -> None:
    """One of four cannot be decided: it stays with the SMSC, the others have their replies."""
    stage = new_stage(register=damaged).start()
    smsc = stage.bound()
    lock = Lock(stage)
    smsc.text(b"1 AZE 1111111", "994500000001")
    smsc.text(b"1 AZE 1111111", "994500000002")
    smsc.text(b"1 AZE 9999999", "994500000003")
    smsc.text(b"1 AZE 2222222", "994500000004")
    lock.release()
    stage.run()
    assert smsc.responses == {
        ("994500000001", b"1 AZE 1111111"): OK,
        ("994500000002", b"1 AZE 1111111"): OK,
        ("994500000003", b"1 AZE 9999999"): LATER,
        ("994500000004", b"1 AZE 2222222"): OK,
    }
    assert smsc.phones == ["994500000001", "994500000002", "994500000004"]
    assert stage.rows("SELECT phone FROM message ORDER BY id") == [
        ("994500000001",),
        ("994500000002",),
        ("994500000004",),
    ]
    assert stage.seen.put_off == [1]
    assert stage.seen.batches == [1, 2]
    assert not [event for event in smsc.events if isinstance(event, PeerFault)]
    assert stage.lane.fault is None
    assert stage.recoveries == 0


def test_a_bug_beside_outcomes_loses_none_of_them(new_stage: NewStage, damaged: Register) -> None:
    """The outcome that shared the batch with the faulty message is recorded."""
    stage = new_stage(register=damaged)
    store_replies(stage.store, stage.policy, [PHONE])
    stage.start()
    smsc = stage.bound()
    lock = Lock(stage)
    smsc.text(b"1 AZE 1111111", "994500000002")
    smsc.answer(message_id="a")
    smsc.text(b"1 AZE 9999999", "994500000003")
    lock.release()
    stage.run()
    assert stage.states()[0] == (ReplyState.SENT, 0, 0, "a")
    assert stage.seen.put_off == [1]


def test_a_twin_beside_a_bug_is_still_answered_once(new_stage: NewStage, damaged: Register) -> None:
    """Message by message, the second of two equal SMS finds the first one's reply on its way."""
    stage = new_stage(register=damaged).start()
    smsc = stage.bound()
    lock = Lock(stage)
    smsc.text(b"1 AZE 2222222", "994500000009")
    for octets in (b"1 AZE 9999999", b"1 AZE 1111111", b"1 AZE 1111111"):
        smsc.text(octets, PHONE)
    lock.release()
    stage.run()
    assert smsc.phones == ["994500000009", PHONE]
    assert stage.rows("SELECT outcome FROM message ORDER BY id") == [
        ("decided",),
        ("decided",),
        ("repeated",),
    ]


def test_what_there_is_no_room_for_stays_with_the_smsc(new_stage: NewStage) -> None:
    """At intake_messages_max the next is turned away, not one before; each batch makes room."""
    stage = new_stage(limits={"intake_messages_max": 4, "batch_messages_max": 1}).start()
    smsc = stage.bound()
    lock = Lock(stage)
    ask(smsc, range(5))  # one with the writer, four wait
    assert (stage.lane.room, stage.seen.turned_away, statuses(smsc)) == (0, 0, [])
    ask(smsc, range(5, 7))
    assert (stage.seen.turned_away, statuses(smsc)) == (2, [FULL, FULL])
    lock.release()
    stage.run()
    assert stage.lane.room == 4
    ask(smsc, range(5, 7))
    stage.run()
    assert statuses(smsc) == [OK] * 7
    assert stage.rows("SELECT count(*) FROM message") == [(7,)]


def test_a_full_lane_still_hears_what_became_of_replies(new_stage: NewStage) -> None:
    """A submit_sm_resp behind SMS that are turned away is taken; else no reply could leave."""
    stage = new_stage(limits={"intake_messages_max": 1, "batch_messages_max": 1}).start()
    smsc = stage.bound()
    ask(smsc, range(1))
    stage.run()
    lock = Lock(stage)
    ask(smsc, range(1, 4))
    assert (stage.seen.turned_away, stage.seen.outcomes) == (1, [])
    smsc.answer()
    assert stage.seen.outcomes == [ReplyState.SENT]
    lock.release()
    stage.run()


def test_stop_finishes_the_batch_under_way(new_stage: NewStage) -> None:
    """The thread ends only when what it was given is durable; the store is closed after."""
    stage = new_stage().start()
    smsc = stage.bound()
    ask(smsc, range(1))
    stage.lane.stop()
    assert not stage.lane.alive
    assert stage.rows("SELECT outcome FROM message") == [("decided",)]
    with pytest.raises(StoreUnavailable, match="closed database"):
        stage.store.unsent("one", 0, 1)
    stage.reactor.run_one()
    smsc.exchange()
    assert statuses(smsc) == [OK], "and it can still be told"


def test_idle_fires_when_nothing_waits_any_more(new_stage: NewStage) -> None:
    """At once when idle; else after the last batch; also when the store is away."""
    stage = new_stage().start()
    smsc = stage.bound()
    assert stage.lane.idle().called
    lock = Lock(stage)
    ask(smsc, range(2))
    idle: Deferred[None] = stage.lane.idle()
    assert not idle.called
    lock.release()
    stage.reactor.run_one()
    assert not idle.called, "the second SMS waits for its batch"
    stage.run()
    assert idle.called
    stage.store.connection.execute("PRAGMA query_only = ON")
    ask(smsc, range(2, 3))
    idle = stage.lane.idle()
    stage.run()
    assert idle.called


def test_a_page_that_cannot_be_read_fails_and_the_writer_lives(new_stage: NewStage) -> None:
    """The failure is the store's, and what was committed beside it is told all the same."""
    stage = new_stage().start()
    smsc = stage.bound()
    stage.store.connection.execute("CREATE TABLE keep AS SELECT 1")
    lock = Lock(stage)
    ask(smsc, range(1))
    lock.release()
    stage.run()
    stage.store.connection.execute("ALTER TABLE reply RENAME TO hidden")
    failed: list[object] = []
    page = stage.lane.unsent("one", 0, 10)
    page.addErrback(lambda failure: failed.append(failure.trap(StoreUnavailable)))
    stage.run()
    assert failed == [StoreUnavailable]
    stage.store.connection.execute("ALTER TABLE hidden RENAME TO reply")
    ask(smsc, range(1, 2))
    stage.run()
    assert statuses(smsc) == [OK] * 2
