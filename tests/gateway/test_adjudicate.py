"""One batch inside one transaction: order, twins, parts, facts, and the daily limit's last word."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from gateway_stage import NewStage, sms
from structlog.testing import capture_logs
from virtual_reactor import HOUR_US, NOON_US, S_US

from rules import CompiledPolicy, Decision, Verdict
from smsd.gateway.adjudicate import Law, Settled, adjudicate
from smsd.smpp.pdu import Status
from storage import (
    InboundMessage,
    InboundPart,
    Register,
    ReplyOutcome,
    ReplyState,
    SqliteStore,
    StoreConflict,
    StoreUnavailable,
)
from storage.registry import import_csv
from storage.sqlite_library import dbapi

MIDNIGHT_US = int(datetime(2020, 4, 6, 20, 0, tzinfo=UTC).timestamp() * 1_000_000)  # in Baku
PEOPLE = """person,document,birth_date
P1,AZE1111111,1980-05-05
P1,AA1111112,1980-05-05
P2,AZE2222222,1990-01-01
P3,AZE3333333,1930-01-01
"""

Decide = Callable[..., Settled]


@pytest.fixture
def register(tmp_path: Path, policy: CompiledPolicy) -> Iterator[Register]:
    """P1 with two documents, P2, and P3 who is 90."""

    def canonical(text: str) -> str | None:
        document = policy.grammar.parse_document(text)
        return document.text if document else None

    path = tmp_path / "register.db"
    import_csv(io.StringIO(PEOPLE), path, canonical, date(2020, 4, 6))
    opened = Register(path)
    yield opened
    opened.close()


@pytest.fixture
def decide(store: SqliteStore, policy: CompiledPolicy) -> Decide:
    """Commit one batch without a register, unless one is given."""

    def run(*messages: InboundMessage, register: Register | None = None) -> Settled:
        with store.transaction(policy) as transaction:
            return adjudicate(transaction, Law(policy), register, messages)

    return run


def rules_of(settled: Settled) -> list[str]:
    return [decision.rule for decision in settled.decisions]


def references(decisions: list[Decision]) -> list[str]:
    return [decision.reference for decision in decisions]


def test_replies_come_in_the_order_of_arrival(decide: Decide) -> None:
    """Requests and SMS that are none, mixed: ids, replies and decisions keep the wire's order."""
    texts = ["1 AZE 1111111", "salam", "3 AZE 2222222", "7 AZE 3333333", "2 AZE 4444444"]
    settled = decide(*[sms(text, str(number)) for number, text in enumerate(texts)])
    assert [reply.phone for reply in settled.replies] == ["0", "1", "2", "3", "4"]
    ids = [reply.id for reply in settled.replies]
    assert ids == sorted(ids)
    assert [decision.code for decision in settled.decisions] == ["1", "3", "2"]
    assert settled.unrecognised == ["unreadable", "unknown_code"]


def test_an_empty_batch_does_nothing(decide: Decide) -> None:
    """A batch may hold outcomes only."""
    assert decide() == Settled()


def test_a_household_is_answered_in_the_order_typed(decide: Decide, register: Register) -> None:
    """One reply, a line each: granted, unknown, too old, granted; each decision on record."""
    text = "2 AZE 2222222, AZE 9999999, AZE 3333333, AZE 1111111 EN"
    settled = decide(sms(text), register=register)
    assert rules_of(settled) == ["granted", "not-registered", "senior", "granted"]
    [reply] = settled.replies
    first, unknown, senior, last = references(settled.decisions)
    assert reply.text.split("\n") == [
        "Code 2, 06.04:",
        f"AZE2222222 12:00-14:00 {first}",
        "AZE9999999 NO: not found",
        "AZE3333333 NO: 65+",
        f"AZE1111111 12:00-14:00 {last}",
    ]
    assert len({first, unknown, senior, last}) == 4


def test_a_reply_is_void_when_its_first_permit_ends(decide: Decide) -> None:
    """A household whose members were granted at different hours: the earlier end counts."""
    decide(sms("1 AZE 1111111"))
    settled = decide(sms("1 AZE 2222222, AZE 1111111", at_us=NOON_US + HOUR_US))
    assert [decision.valid_until_us for decision in settled.decisions] == [
        NOON_US + 3 * HOUR_US,
        NOON_US + 2 * HOUR_US,
    ]
    assert settled.replies[0].not_after_us == NOON_US + 2 * HOUR_US


def test_two_documents_of_one_person_are_one_permit(decide: Decide, register: Register) -> None:
    """In one SMS, and in two of the same batch: the second names the permit of the first."""
    settled = decide(sms("2 AZE 1111111, AA 1111112"), register=register)
    assert rules_of(settled) == ["granted", "repeat"]
    assert len(set(references(settled.decisions))) == 1
    again = decide(sms("2 AA 1111112", "1"), sms("2 AZE 1111111", "2"), register=register)
    assert rules_of(again) == ["repeat", "repeat"]
    assert references(again.decisions) == references(settled.decisions)


def test_once_a_day_belongs_to_the_person_not_to_the_document(
    decide: Decide, register: Register
) -> None:
    """When the permit has ended, the other card gets none until tomorrow; another person does."""
    decide(sms("2 AZE 1111111"), register=register)
    later = NOON_US + 2 * HOUR_US
    settled = decide(
        sms("2 AA 1111112", at_us=later), sms("2 AZE 2222222", at_us=later), register=register
    )
    assert rules_of(settled) == ["once-a-day", "granted"]


def test_without_a_register_once_a_day_belongs_to_the_document(decide: Decide) -> None:
    """Nobody knows then that two cards are one person's."""
    settled = decide(sms("2 AZE 1111111", "1"), sms("2 AA 1111112", "2"))
    assert rules_of(settled) == ["granted", "granted"]
    later = decide(sms("2 AZE 1111111", at_us=NOON_US + 2 * HOUR_US))
    assert rules_of(later) == ["once-a-day"]


def test_a_batch_may_lie_across_midnight(decide: Decide) -> None:
    """The last microsecond of the day is refused, the first of the next one is granted."""
    decide(sms("2 AZE 1111111"))
    settled = decide(
        sms("2 AZE 1111111", "1", MIDNIGHT_US - 1), sms("2 AZE 1111111", "2", MIDNIGHT_US)
    )
    assert rules_of(settled) == ["once-a-day", "granted"]


def test_what_is_known_of_a_document_depends_on_the_register(
    store: SqliteStore, decide: Decide, register: Register
) -> None:
    """Unknown without one, false and true with one; recorded so, under person or document."""
    decide(sms("1 AZE 1111111"))
    decide(sms("1 AZE 9999999"), sms("1 AZE 2222222"), register=register)
    rows = store.connection.execute(
        "SELECT holder, json_extract(facts, '$.registered'),"
        " json_extract(facts, '$.birth_date'), verdict FROM decision ORDER BY serial"
    ).fetchall()
    assert rows == [
        ("d:AZE1111111", None, None, "grant"),
        ("d:AZE9999999", 0, None, "refuse"),
        ("p:P2", 1, "1990-01-01", "grant"),
    ]


def test_without_the_register_it_needs_nothing_is_decided(
    store: SqliteStore, decide: Decide, tmp_path: Path
) -> None:
    """Told as a temporary fault, with what to do; the batch leaves nothing."""
    with pytest.raises(StoreUnavailable, match=r"smsd registry import FILE\.csv"):
        decide(sms("1 AZE 1111111"), register=Register(tmp_path / "none.db"))
    assert store.connection.execute("SELECT count(*) FROM message").fetchone() == (0,)


def test_a_new_register_counts_from_the_next_batch(
    decide: Decide, register: Register, policy: CompiledPolicy
) -> None:
    """An import while the daemon runs needs no restart."""
    assert rules_of(decide(sms("1 AZE 5555555"), register=register)) == ["not-registered"]
    more = io.StringIO(PEOPLE + "P5,AZE5555555,1980-01-01\n")
    import_csv(more, register.path, lambda text: text.replace(" ", ""), date(2020, 4, 6))
    settled = decide(sms("1 AZE 5555555", at_us=NOON_US + S_US), register=register)
    assert settled.repeated == 1, "the refusal is still on its way"
    assert rules_of(decide(sms("1 AZE 5555555", "2"), register=register)) == ["granted"]


def test_equal_sms_whose_reply_waits_are_answered_once(store: SqliteStore, decide: Decide) -> None:
    """In one batch and across batches; told as repeated, with the message that they repeat."""
    first = decide(sms("2 AZE 1111111"), sms("2 AZE 1111111"), sms("2 AZE 1111111", "2"))
    second = decide(sms("2 AZE 1111111", at_us=NOON_US + S_US))
    assert (len(first.replies), first.repeated) == (2, 1)
    assert (len(second.replies), second.repeated) == (0, 1)
    original = first.replies[0].id
    rows = store.connection.execute("SELECT outcome, repeat_of FROM message ORDER BY id")
    assert rows.fetchall() == [
        ("decided", None),
        ("repeated", original),
        ("decided", None),
        ("repeated", original),
    ]


@pytest.mark.parametrize("state", [ReplyState.SENT, ReplyState.REFUSED, ReplyState.EXPIRED])
def test_an_sms_whose_reply_has_an_outcome_is_answered_anew(
    store: SqliteStore, policy: CompiledPolicy, decide: Decide, state: ReplyState
) -> None:
    """With the same permit, and a reply of its own."""
    first = decide(sms("2 AZE 1111111"))
    with store.transaction(policy) as transaction:
        outcome = ReplyOutcome(first.replies[0].id, state, NOON_US, "", 0, False)
        transaction.settle([outcome])
    second = decide(sms("2 AZE 1111111", at_us=NOON_US + S_US))
    assert rules_of(second) == ["repeat"]
    assert references(second.decisions) == references(first.decisions)
    assert len(second.replies) == 1


def part(number: int, octets: bytes, total: int = 2, data_coding: int = 0) -> InboundMessage:
    message = sms(octets.decode("latin-1"))
    place = InboundPart(8 << 16 | 7, total, number)
    return message._replace(octets=octets, part=place, data_coding=data_coding)


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
def test_a_long_sms_is_decided_with_its_last_part(
    store: SqliteStore, decide: Decide, order: tuple[int, int, int]
) -> None:
    """Until then its parts are only kept; joined by number, whatever came first."""
    octets = {1: b"1 AZE 1111111, ", 2: b"AZE 2222222, ", 3: b"AZE 3333333"}
    parts = [part(number, octets[number], total=3) for number in order]
    assert decide(parts[0]) == Settled()
    assert decide(parts[1]) == Settled()
    settled = decide(parts[2])
    assert [decision.document.text for decision in settled.decisions] == [
        "AZE1111111",
        "AZE2222222",
        "AZE3333333",
    ]
    assert store.connection.execute("SELECT text FROM message").fetchall() == [
        ("1 AZE 1111111, AZE 2222222, AZE 3333333",)
    ]


def test_a_letter_cut_between_parts_is_read_whole(decide: Decide) -> None:
    """Parts are joined as octets and then decoded: a UCS-2 unit may lie in two of them."""
    octets = "2 MYİ 1111111".encode("utf-16-be")
    settled = decide(part(1, octets[:9], data_coding=8), part(2, octets[9:], data_coding=8))
    assert [decision.document.text for decision in settled.decisions] == ["MYI1111111"]


def test_a_long_sms_sent_twice_is_answered_once(decide: Decide) -> None:
    """All parts come again while the reply waits: one reply, though the parts were used up."""
    parts = [part(1, b"1 AZE 11"), part(2, b"11111")]
    settled = decide(*parts, *parts)
    assert (len(settled.replies), settled.repeated) == (1, 1)


def test_a_daily_place_taken_by_another_gateway_rolls_the_batch_back(
    store: SqliteStore, policy: CompiledPolicy, decide: Decide
) -> None:
    """The unique index refuses what stale facts allow; anew, the facts show the rival's permit."""
    [rival] = decide(sms("2 AZE 1111111", "1")).decisions
    hide_permits(store.connection)
    with pytest.raises(StoreConflict):
        decide(sms("1 AZE 2222222", "2"), sms("2 AZE 1111111", "3"))
    assert store.connection.execute("SELECT count(*) FROM message").fetchone() == (1,)
    show_permits(store.connection)
    settled = decide(sms("1 AZE 2222222", "2"), sms("2 AZE 1111111", "3"))
    assert rules_of(settled) == ["granted", "repeat"]
    assert settled.decisions[1].verdict is Verdict.ALREADY_GRANTED
    assert settled.decisions[1].reference == rival.reference


def hide_permits(connection: "dbapi.Connection") -> None:
    """As if a rival had not committed when the facts were read; the index knows all the same."""
    connection.execute("UPDATE decision SET valid_until_us = -valid_until_us")


def show_permits(connection: "dbapi.Connection") -> None:
    """The rival's commit is there to be read."""
    connection.execute("UPDATE decision SET valid_until_us = abs(valid_until_us)")


def test_the_lane_decides_again_after_a_conflict(new_stage: NewStage) -> None:
    """The rival's permit shows between two attempts: one permit, and the phone is told of it."""
    stage = new_stage().start()
    smsc = stage.bound()
    smsc.text(b"2 AZE 1111111 EN", "994500000001")
    stage.run()
    hide_permits(stage.store.connection)
    rival = dbapi.connect(str(stage.store.path), isolation_level=None, check_same_thread=False)
    begun = []

    def as_a_batch_begins(statement: str) -> None:
        if statement == "BEGIN IMMEDIATE":
            begun.append(statement)
            if len(begun) == 2:
                show_permits(rival)

    stage.store.connection.set_trace_callback(as_a_batch_begins)
    with capture_logs() as logs:
        smsc.text(b"2 AZE 1111111 EN", "994500000002")
        stage.run()
    assert logs == [], "no bug: it happens whenever two gateways serve one person"
    stage.store.connection.set_trace_callback(None)
    rival.close()
    assert len(begun) == 2
    granted, repeated = smsc.texts
    assert "Permit granted" in granted
    assert "Your permit is still valid" in repeated
    assert stage.rows("SELECT verdict FROM decision ORDER BY serial") == [
        ("grant",),
        ("already_granted",),
    ]


def test_an_index_that_never_agrees_costs_only_its_message(new_stage: NewStage) -> None:
    """A damaged row must not stop the country: that SMS stays with the SMSC, the rest go on."""
    stage = new_stage().start()
    smsc = stage.bound()
    smsc.text(b"2 AZE 1111111", "994500000001")
    stage.run()
    hide_permits(stage.store.connection)
    lock = dbapi.connect(str(stage.store.path), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    smsc.text(b"1 AZE 3333333", "994500000004")  # its batch waits, so the next two are one
    smsc.text(b"2 AZE 1111111", "994500000002")
    smsc.text(b"2 AZE 2222222", "994500000003")
    lock.close()
    stage.run()
    assert smsc.responses["994500000002", b"2 AZE 1111111"] == Status.ESME_RX_T_APPN
    assert smsc.responses["994500000003", b"2 AZE 2222222"] == Status.ESME_ROK
    assert stage.lane.fault is None
