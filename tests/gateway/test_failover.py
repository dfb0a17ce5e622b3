"""Replies of an SMSC that is away leave through another, and come home when it is back."""

from collections.abc import Callable

import pytest
from gateway_stage import GatewayStage, NewStage, store_replies
from memory_smsc import MemorySmsc
from structlog.testing import capture_logs

from rules import CompiledPolicy
from smsd.config import LimitsSection, SmscSection
from smsd.gateway.binds import SmscBinds
from smsd.gateway.outbox import Outbox
from smsd.smpp.pdu import Status
from storage import SqliteStore

AFTER_S = 30.0
TAKEN_BY = (
    "SELECT reply.phone, smsc.name, reply.state FROM reply JOIN smsc ON smsc.id = reply.smsc"
    " ORDER BY reply.id"
)


class Others:
    """Further SMSCs on a stage, each failing over to the next one; `one` is the stage's own."""

    def __init__(self, stage: GatewayStage, **others: str | None) -> None:
        self.stage = stage
        self.outboxes = {"one": stage.outbox}
        self.binds = {"one": stage.binds}
        limits = LimitsSection()
        for name, failover in others.items():
            settings = SmscSection(
                name=name,
                password="secret",
                address="9000",
                window=2,
                failover=failover,
                failover_after_s=AFTER_S,
            )
            outbox = Outbox(stage.reactor, stage.clock, settings, stage.lane, 100, stage.seen)
            self.outboxes[name] = outbox
            self.binds[name] = SmscBinds(
                stage.reactor, stage.clock, settings, "x", limits, stage.lane, outbox, stage.seen
            )

    def start(self) -> None:
        """As the daemon does, except that nobody connects by himself."""
        self.stage.lane.start()
        for outbox in self.outboxes.values():
            outbox.look_on_disk()
            outbox.failover.begin(self.outboxes)
        self.stage.run()

    def bind(self, name: str) -> MemorySmsc:
        """A bound SMSC."""
        for bind in self.binds[name].binds:
            bind.start()
        return self.stage.bound()


@pytest.fixture
def away(new_stage: NewStage, url: str, policy: CompiledPolicy) -> Callable[..., Others]:
    """Builds SMSC one, away, with replies for some phones, and others beside it."""

    def build(phones: list[str], **others: str | None) -> Others:
        store = SqliteStore(url)
        store_replies(store, policy, phones)
        store.close()
        limits = {"outbox_memory_max": 4}
        stage = new_stage(limits=limits, failover="two", failover_after_s=AFTER_S, window=2)
        built = Others(stage, **others)
        built.start()
        return built

    return build


def test_replies_leave_through_the_other_after_a_while(away: Callable[..., Others]) -> None:
    """Not before; with the other's address; and the row says who took it."""
    stage = away(["994500000001"], two=None)
    two = stage.bind("two")
    stage.stage.pass_time(AFTER_S - 0.5)
    assert two.submitted == []
    stage.stage.pass_time(0.5)
    assert two.phones == ["994500000001"]
    assert two.submitted[0].source_addr == "9000"
    two.answer(message_id="t1")
    stage.stage.run()
    assert stage.stage.rows(TAKEN_BY) == [("994500000001", "two", 1)]
    assert stage.stage.states() == [(1, 0, 0, "t1")]
    assert stage.stage.rows("SELECT DISTINCT name FROM message JOIN smsc ON smsc.id = smsc") == [
        ("one",)
    ]


def test_a_bind_in_time_keeps_everything_at_home(away: Callable[..., Others]) -> None:
    """A link that drops and comes back is no failover."""
    stage = away(["994500000001"], two=None)
    two = stage.bind("two")
    stage.stage.pass_time(AFTER_S - 1)
    one = stage.bind("one")
    one.answer()
    stage.stage.pass_time(AFTER_S)
    assert (one.phones, two.phones) == (["994500000001"], [])
    assert stage.outboxes["one"].failover.host is None
    assert stage.stage.rows(TAKEN_BY) == [("994500000001", "one", 1)]


def test_all_that_waits_leaves_by_the_windows_of_the_other(away: Callable[..., Others]) -> None:
    """Page by page from disk, no more at once than the other's window takes, oldest first."""
    phones = [str(994500000000 + number) for number in range(25)]
    stage = away(phones, two=None)
    two = stage.bind("two")
    stage.stage.pass_time(AFTER_S)
    while two.requests:
        assert len(two.requests) <= 2
        two.answer()
        stage.stage.run()
    assert two.phones == phones
    assert stage.stage.rows(TAKEN_BY) == [(phone, "two", 1) for phone in phones]


def test_what_comes_during_a_failover_leaves_too(away: Callable[..., Others]) -> None:
    """Replies committed while the guest is away are passed on at once."""
    stage = away([], two=None)
    one, two = stage.bind("one"), stage.bind("two")
    one.hang_up()
    stage.stage.pass_time(AFTER_S)
    assert stage.outboxes["one"].failover.host is stage.outboxes["two"]
    reply = store_replies(stage.stage.store, stage.stage.policy, ["994500000007"])
    stage.outboxes["one"].enqueue(reply)
    stage.stage.run()
    assert two.phones == ["994500000007"]


def test_what_has_not_left_comes_home_with_the_bind(away: Callable[..., Others]) -> None:
    """What the other has in its window it finishes; the rest leaves by its own SMSC again."""
    phones = [str(994500000000 + number) for number in range(6)]
    stage = away(phones, two=None)
    two = stage.bind("two")
    with capture_logs() as logs:
        stage.stage.pass_time(AFTER_S)
        one = stage.bind("one")
    assert (two.phones, one.phones) == (phones[:2], phones[2:4])
    two.answer()
    stage.stage.run()
    assert two.phones == phones[:2]  # it has room, and takes no more of what is not its own
    two.answer(Status.ESME_RTHROTTLED)
    stage.stage.pass_time(0)
    while one.requests:
        one.answer()
        stage.stage.run()
    assert one.phones == [*phones[2:4], phones[1], *phones[4:]]  # throttled there, sent from home
    assert [row[1:] for row in stage.stage.rows(TAKEN_BY)] == [("two", 1), *([("one", 1)] * 5)]
    told = [(line["event"], line["smsc"]) for line in logs if line["event"].startswith("failover")]
    assert told == [("failover", "one"), ("failover_ended", "one")]


def test_the_own_replies_of_the_other_leave_first(
    away: Callable[..., Others], policy: CompiledPolicy
) -> None:
    """Who fails does not slow who works: guests take what room is left."""
    guests = ["994500000001", "994500000002", "994500000003"]
    stage = away(guests, two=None)
    two = stage.bind("two")
    stage.stage.pass_time(AFTER_S)
    own = store_replies(stage.stage.store, policy, ["994500000004"])
    stage.outboxes["two"].enqueue([reply._replace(smsc="two") for reply in own])
    two.answer_at_once(Status.ESME_ROK, Status.ESME_ROK)
    stage.stage.run()
    assert two.phones == [*guests[:2], "994500000004", guests[2]]


def test_a_chain_leads_on_while_the_next_is_away_too(away: Callable[..., Others]) -> None:
    """one → two → three; and when two is back, by two."""
    stage = away(["994500000001", "994500000002", "994500000003"], two="three", three=None)
    three = stage.bind("three")
    stage.stage.pass_time(AFTER_S)
    assert three.phones == ["994500000001", "994500000002"]
    two = stage.bind("two")
    assert two.phones == ["994500000003"]
    three.hang_up()
    stage.stage.pass_time(0)
    assert two.phones == ["994500000003", "994500000001"]  # its window is full again
    two.answer()
    assert two.phones[2:] == ["994500000002"]


def test_a_lost_link_of_the_other_gives_the_replies_back(away: Callable[..., Others]) -> None:
    """What was in its window may have arrived: marked, and sent again from home."""
    stage = away(["994500000001"], two=None)
    two = stage.bind("two")
    stage.stage.pass_time(AFTER_S)
    two.hang_up()
    one = stage.bind("one")
    assert one.phones == ["994500000001"]
    one.answer()
    stage.stage.run()
    assert stage.stage.rows(TAKEN_BY) == [("994500000001", "one", 1)]
    assert stage.stage.states()[0][1] == 1
