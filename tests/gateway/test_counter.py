"""The call centre's counter: one lane, one set of limits, nothing spoken before it is durable."""

import io
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from counting_rules import counting
from gateway_stage import GatewayStage, NewStage
from late_replies import law
from memory_smsc import MemorySmsc
from test_commit_lane import Lock
from twisted.internet.defer import Deferred
from virtual_reactor import HOUR_US, NOON_US, S_US

from rules import CompiledPolicy
from rules.analysis.recorded import reproduces
from rules.analysis.replay import replay
from smsd.gateway.counter import CHANNEL, Addressee, Counter
from storage import DESK, InboundMessage, Register, ReplyState, StoreUnavailable
from storage.abuse import measure
from storage.conversations import Exchange, around, asked_at
from storage.dead_letters import retry
from storage.purge import purge
from storage.recorded import recording
from storage.registry import import_csv
from storage.sqlite_library import dbapi
from storage.upkeep import verify

PHONE = "994500000001"
PEOPLE = "person,document,birth_date\nP1,AZE1111111,1980-05-05\nP1,AA1111112,1980-05-05\n"
OLD = "P3,AZE3333333,1930-01-01\n"
CODE_2, OTHER_CARD, SENIOR = "2 AZE1111111 EN", "2 AA1111112 EN", "2 AZE3333333 EN"


@pytest.fixture
def register(tmp_path: Path, policy: CompiledPolicy) -> Iterator[Register]:
    """P1 with two documents, and P3 who is 90."""

    def canonical(text: str) -> str | None:
        document = policy.grammar.parse_document(text)
        return document.text if document else None

    path = tmp_path / "register.db"
    import_csv(io.StringIO(PEOPLE + OLD), path, canonical, date(2020, 4, 6))
    opened = Register(path)
    yield opened
    opened.close()


class Desk:
    """An agent at the counter of a running gateway, and a phone at its SMSC."""

    def __init__(self, stage: GatewayStage) -> None:
        self.stage = stage
        self.counter = Counter(stage.lane, stage.clock)

    def ask(self, text: str, to: Addressee | None = None, override: bool = False) -> Exchange:
        """What came of a request, read back from the store."""
        asked = self.counter.ask(text, to or Addressee(), override)
        self.stage.run()
        return self.read(result(asked))

    def text(self, smsc: MemorySmsc, text: str) -> None:
        """The phone texts, and gets its reply."""
        smsc.text(text.encode(), PHONE)
        self.stage.run()
        self.deliver(smsc)

    def deliver(self, smsc: MemorySmsc) -> None:
        """The SMSC takes what it was sent."""
        while smsc.requests:
            smsc.answer()
        self.stage.run()

    def read(self, message: InboundMessage) -> Exchange:
        """The exchange that the store has of a message of the counter."""
        number = asked_at(self.url, message.phone, message.received_at_us)
        assert number is not None
        [found] = [each for each in around(self.url, number, 1, 50) if each.id == number]
        return found

    @property
    def url(self) -> str:
        """The store's."""
        return f"sqlite:///{self.stage.store.path}"


def result(deferred: "Deferred[InboundMessage]") -> InboundMessage:
    """What a Deferred that has fired has brought; raises what it failed with."""
    got: list[InboundMessage] = []
    wrong: list[BaseException] = []
    deferred.addCallbacks(got.append, lambda failure: wrong.append(failure.value))
    if wrong:
        raise wrong[0]
    [message] = got
    return message


def rules_of(exchange: Exchange) -> list[str]:
    return [judgement.rule for judgement in exchange.judgements]


@pytest.fixture
def desk(new_stage: NewStage, register: Register) -> Callable[[], Desk]:
    """A counter of a gateway that has begun."""
    return lambda: Desk(new_stage(register=register).start())


def test_a_caller_without_a_phone_is_answered_aloud(desk: Callable[[], Desk]) -> None:
    """Decided, durable, never in an outbox; the reply is on record as told, and when."""
    at = desk()
    smsc = at.stage.bound()
    told = at.ask(CODE_2)
    assert rules_of(told) == ["granted"]
    assert (told.phone, told.smsc, told.channel, told.outcome) == ("", DESK, CHANNEL, "decided")
    assert told.answer is not None
    assert (told.answer.state, told.answer.settled_at_us) == (ReplyState.TOLD, NOON_US)
    assert told.answer.text.startswith("Permit granted (code 2): AZE1111111")
    assert smsc.submitted == []


@pytest.mark.parametrize("sms_first", [True, False])
def test_limits_are_shared_across_channels(desk: Callable[[], Desk], sms_first: bool) -> None:
    """Code 2 by SMS and by the call centre is one limit, whichever comes first, for any card."""
    at = desk()
    smsc = at.stage.bound()
    rules = []
    for by_sms in (sms_first, not sms_first):
        if by_sms:
            at.text(smsc, CODE_2)
        else:
            rules += rules_of(at.ask(OTHER_CARD))
        at.stage.pass_time(3 * 3_600)  # the first permit is over
    stored = at.stage.rows("SELECT rule FROM decision ORDER BY serial")
    assert stored == [("granted",), ("once-a-day",)]
    assert rules == [("once-a-day" if sms_first else "granted")]


def test_nothing_is_said_before_it_is_durable(desk: Callable[[], Desk]) -> None:
    """While somebody else has the disk the agent waits; then the row is there first."""
    at = desk()
    lock = Lock(at.stage)
    asked = at.counter.ask(CODE_2)
    assert not asked.called
    lock.release()
    at.stage.run()
    assert at.read(result(asked)).judgements


def test_when_the_store_takes_nothing_the_agent_is_told(desk: Callable[[], Desk]) -> None:
    """And nothing happened; asked again when it can be written, it is decided once."""
    at = desk()
    connection = dbapi.connect(str(at.stage.store.path), isolation_level=None)
    connection.execute(
        "CREATE TRIGGER full BEFORE INSERT ON message BEGIN SELECT raise(ABORT, 'full'); END"
    )
    asked = at.counter.ask(CODE_2)
    at.stage.run()
    with pytest.raises(StoreUnavailable, match="nothing was decided"):
        result(asked)
    connection.execute("DROP TRIGGER full")
    connection.close()
    at.stage.pass_time(2)
    assert rules_of(at.ask(CODE_2)) == ["granted"]
    assert at.stage.rows("SELECT count(*) FROM message") == [(1,)]


def test_the_lane_has_room_or_says_that_it_has_none(
    new_stage: NewStage, register: Register
) -> None:
    """The bound of what waits for the store holds for the counter too, on both sides."""
    at = Desk(new_stage(register=register, limits={"intake_messages_max": 2}).start())
    at.stage.run()
    lock = Lock(at.stage)
    under_way = at.counter.ask(SENIOR)
    waiting = [at.counter.ask(SENIOR) for _ in range(2)]
    with pytest.raises(StoreUnavailable, match="ask again"):
        result(at.counter.ask(SENIOR))
    lock.release()
    at.stage.run()
    for asked in (under_way, *waiting):
        assert rules_of(at.read(result(asked))) == ["senior"]


def test_two_at_one_instant_are_two_on_record(desk: Callable[[], Desk]) -> None:
    """The clock stands; each request is found again by an instant of its own."""
    at = desk()
    first, second = at.counter.ask(CODE_2), at.counter.ask(CODE_2)
    at.stage.run()
    told = [at.read(result(each)) for each in (first, second)]
    assert [rules_of(each) for each in told] == [["granted"], ["repeat"]]
    assert [each.received_at_us for each in told] == [NOON_US, NOON_US + 1]


def test_a_clock_that_is_set_back_is_believed(desk: Callable[[], Desk]) -> None:
    """Else a permit would begin at an hour that is still to come."""
    at = desk()
    at.ask(SENIOR)
    at.stage.clock.now_us -= HOUR_US
    told = at.ask(CODE_2)
    assert told.received_at_us == NOON_US - HOUR_US
    assert told.judgements[0].valid_from_us == NOON_US - HOUR_US


def test_callers_share_no_phone(desk: Callable[[], Desk]) -> None:
    """No allowance of junk is used up, no language kept, nobody suspected of many people."""
    at = desk()
    assert rules_of(at.ask(CODE_2)) == ["granted"]
    for _ in range(15):
        assert at.ask(SENIOR).answer is not None
        assert at.ask("salam").answer is not None
    assert at.stage.rows("SELECT * FROM phone") == []
    assert measure(at.url, "people_of_phone", (), 0, 1).everybody == 0


def test_what_agents_ask_counts_for_no_phone(new_stage: NewStage, url: str) -> None:
    """Rules about how much a phone sent today see only what it sent, whoever asked besides."""
    stage = new_stage()
    stage.stop()
    at = Desk(GatewayStage(url, law(*counting(2)).policy).start())
    smsc = at.stage.bound()
    try:
        for _ in range(4):
            assert rules_of(at.ask(CODE_2)) != ["busy"]
        at.text(smsc, "1 AZE1111111")
        for _ in range(4):
            at.ask(SENIOR, Addressee(PHONE, "one"), override=True)
            at.deliver(smsc)
        at.text(smsc, "1 AZE2222222")
        at.text(smsc, "1 AZE4444444")
        by_sms = at.stage.rows(
            "SELECT rule FROM decision JOIN message ON message.id = message"
            " WHERE channel = 'sms' ORDER BY serial"
        )
        assert by_sms[:2] == [("granted",), ("granted",)]
        assert by_sms[2] == ("busy",)
    finally:
        at.stage.stop()


# By override.


def test_an_override_is_told_aloud_or_by_sms(desk: Callable[[], Desk]) -> None:
    """To the phone of the conversation it goes by the outbox of the SMSC it came from."""
    at = desk()
    smsc = at.stage.bound()
    at.text(smsc, SENIOR)
    aloud = at.ask(SENIOR, override=True)
    assert rules_of(aloud) == ["override"]
    at.stage.pass_time(3 * 3_600)
    by_sms = at.ask(SENIOR, Addressee(PHONE, "one"), override=True)
    assert rules_of(by_sms) == ["override"]
    assert smsc.phones == [PHONE, PHONE]
    at.deliver(smsc)
    assert at.stage.rows("SELECT state FROM reply ORDER BY id") == [(1,), (6,), (1,)]


def test_an_override_twice_is_one_permit_and_then_another(desk: Callable[[], Desk]) -> None:
    """While it is valid the second names it; a limit that is used up does not stop the next."""
    at = desk()
    assert rules_of(at.ask(CODE_2)) == ["granted"]
    at.stage.pass_time(2 * 3_600)
    told = [at.ask(CODE_2, override=True) for _ in range(2)]
    assert [rules_of(each) for each in told] == [["override"], ["repeat"]]
    assert told[0].judgements[0].permit == told[1].judgements[0].permit
    at.stage.pass_time(2 * 3_600)
    assert rules_of(at.ask(CODE_2, override=True)) == ["override"]


def test_after_an_override_an_sms_is_judged_by_the_law(desk: Callable[[], Desk]) -> None:
    """The permit in hand is named; when it is over, the refusal is what it was."""
    at = desk()
    smsc = at.stage.bound()
    granted = at.ask(SENIOR, override=True)
    for _ in range(2):
        at.text(smsc, SENIOR)
        at.stage.pass_time(2 * 3_600)
    rows = at.stage.rows("SELECT rule, permit FROM decision WHERE serial > 1 ORDER BY serial")
    assert rows == [("repeat", granted.judgements[0].serial), ("senior", None)]


def test_no_sms_is_an_override(desk: Callable[[], Desk]) -> None:
    """Whatever a phone writes, the fact is not set."""
    at = desk()
    smsc = at.stage.bound()
    at.text(smsc, f"{SENIOR} override call_centre")
    assert at.stage.rows("SELECT rule, facts LIKE '%override%' FROM decision") == [("senior", 0)]


def test_an_override_is_no_twin_of_the_sms_it_is_for(desk: Callable[[], Desk]) -> None:
    """The SMSC has not taken the refusal; the override is decided all the same."""
    at = desk()
    smsc = at.stage.bound()
    smsc.text(SENIOR.encode(), PHONE)
    at.stage.run()
    assert at.stage.rows("SELECT state FROM reply") == [(ReplyState.UNSENT,)]
    given = at.ask(SENIOR, Addressee(PHONE, "one"), override=True)
    assert rules_of(given) == ["override"]


def test_an_override_that_came_too_late_is_renewed_as_one(desk: Callable[[], Desk]) -> None:
    """An outage takes nobody's override; the new permit begins now, and counts nowhere."""
    at = desk()
    given = at.ask(SENIOR, Addressee(PHONE, "one"), override=True)
    at.stage.pass_time(3 * 3_600)
    smsc = at.stage.bound()
    rows = at.stage.rows("SELECT rule, ended_us, quota, valid_from_us FROM decision")
    later_us = NOON_US + 3 * HOUR_US
    assert rows == [("override", 0, None, NOON_US), ("override", None, None, later_us)]
    assert len(smsc.submitted) == 1
    assert given.id == 1


# What others make of such rows.


def test_tools_stay_right_with_rows_of_the_counter(
    desk: Callable[[], Desk], policy: CompiledPolicy
) -> None:
    """Verify finds nothing, each decision is reproduced, a replay changes none, a purge ends."""
    at = desk()
    smsc = at.stage.bound()
    at.text(smsc, CODE_2)
    at.ask(OTHER_CARD)
    at.ask(SENIOR, override=True)
    at.ask(SENIOR, Addressee(PHONE, "one"), override=True)
    at.ask("1 AZE1111111")
    at.deliver(smsc)
    assert not any(verify(at.url, lambda _check: None).values())
    messages = list(recording(at.url, 0).messages())
    assert len(messages) == 5
    for message in messages:
        for decision in message.decisions:
            assert reproduces(decision, message, policy) == []
    assert list(replay(messages, policy, "recorded")) == []
    assert list(replay(messages, policy, "cascading")) == []
    end_us = NOON_US + 48 * HOUR_US
    *_, done = purge(at.url, end_us, end_us, "operator", "test", "all")
    assert (done.messages, done.kept) == (4, 1), "the newest keeps its number"


def test_a_second_sending_takes_nothing_back(desk: Callable[[], Desk]) -> None:
    """A reply that arrived once and expires when it is sent again leaves its permit alone."""
    at = desk()
    smsc = at.stage.bound()
    at.text(smsc, CODE_2)
    smsc.hang_up()
    now_us = NOON_US + S_US
    assert retry(at.url, [1], {"one"}, "agent", "lost", now_us, again=True) == {1: None}
    at.stage.outbox.look_on_disk()
    at.stage.pass_time(3 * 3_600)
    at.stage.reconnect()
    assert at.stage.rows("SELECT state, resent, sent_before_us FROM reply") == [(3, 1, NOON_US)]
    assert at.stage.rows("SELECT ended_us FROM decision") == [(None,)]
    assert at.stage.rows("SELECT count(*) FROM message") == [(1,)]
