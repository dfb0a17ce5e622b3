"""Conversations read back: as the phone saw them, by every way in, and no more than asked for."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from decisions_stored import (
    DAY_US,
    DOCUMENT,
    HOUR_US,
    MINUTE_US,
    NOON_US,
    PHONE,
    decided,
    grant,
    sms,
    stored,
)
from test_query_plans import filled

from rules import CompiledPolicy, Document, reference
from rules.commands import Ended
from storage import (
    DESK,
    InboundReceipt,
    ReceiptState,
    ReplyOutcome,
    ReplyState,
    SqliteStore,
    conversations,
    permits,
)
from storage.beside import reading
from storage.conversations import (
    around,
    asked_at,
    naming_document,
    naming_reference,
    of_phone,
)
from storage.permits import Standing, permit_numbered, permits_of
from storage.sqlite_library import dbapi

OTHER = "994500000002"
PERIOD = reference.SERIALS


def ids(found: list[conversations.Exchange]) -> list[int]:
    return [each.id for each in found]


def test_a_conversation_is_told_as_the_phone_saw_it(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """What it sent, what was decided, what it got, when the SMSC took it, when it arrived."""
    with store.transaction(policy) as transaction:
        number = stored(transaction, decided(transaction, policy))
        sent = ReplyOutcome(number, ReplyState.SENT, NOON_US + 7, "a1", 0, True, smsc="one")
        transaction.flush()
        transaction.settle([sent._replace(awaits=("a1",))])
        transaction.receipts.record([InboundReceipt("one", "a1", 2, NOON_US + 9)])
    [told] = of_phone(url, PHONE, NOON_US, 1, 10)
    assert (told.id, told.phone, told.smsc, told.channel) == (number, PHONE, "one", "sms")
    assert (told.text, told.outcome, told.received_at_us) == ("2 AZE1111111", "decided", NOON_US)
    answer = told.answer
    assert answer is not None
    assert (answer.text, answer.state, answer.settled_at_us) == (
        "a reply",
        ReplyState.SENT,
        NOON_US + 7,
    )
    assert (answer.resent, answer.smsc, answer.sent_before_us) == (True, "one", None)
    assert (answer.receipt_state, answer.receipt_at_us) == (ReceiptState.DELIVERED, NOON_US + 9)
    [judged] = told.judgements
    assert (judged.document, judged.code, judged.verdict) == ("AZE1111111", "2", "grant")
    assert (judged.valid_until_us, judged.ended_us) == (NOON_US + 2 * HOUR_US, None)


def test_only_so_many_days_and_so_many_sms(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """The newest, in the order in which they came; other phones' are not among them."""
    for day in range(5):
        grant(store, policy, document=Document("AZE", f"{day:07}"), at_us=NOON_US + day * DAY_US)
        grant(store, policy, "1", Document("AA", f"{day:07}"), NOON_US, phone=OTHER)
    last_us = NOON_US + 4 * DAY_US
    assert ids(of_phone(url, PHONE, last_us, 5, 100)) == [1, 3, 5, 7, 9]
    assert ids(of_phone(url, PHONE, last_us, 2, 100)) == [7, 9]
    assert ids(of_phone(url, PHONE, last_us, 5, 3)) == [5, 7, 9]
    assert ids(around(url, 5, 1, 100)) == [5, 7], "of its day and the one after"
    assert ids(around(url, 5, 3, 100)) == [1, 3, 5, 7]
    assert ids(around(url, 5, 3, 1)) == [5, 7], "the one that was asked for is always there"
    assert around(url, 99, 3, 1) == []


def test_callers_without_a_phone_are_not_one_conversation(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Each stands alone, and is found by its instant."""
    for after_us in (0, 1, 2):
        message = sms("2 AZE1", "", NOON_US + after_us, "call_centre")._replace(smsc=DESK)
        with store.transaction(policy) as transaction:
            number = transaction.add_message(message, "decided")
            transaction.tell(number, message, "yes", NOON_US)
    found = asked_at(url, "", NOON_US + 1)
    assert found == 2
    assert asked_at(url, "", NOON_US + 3) is None
    [told] = around(url, found, 5, 100)
    assert told.answer is not None
    assert told.answer.state is ReplyState.TOLD


def test_a_reference_leads_to_the_sms_that_got_it(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Of a refusal too; a number that comes round again finds the newest first."""
    with store.transaction(policy) as transaction:
        refused = decided(transaction, policy, at_us=NOON_US - 5_000 * DAY_US)
        number = stored(transaction, refused)
    assert refused.permit is None
    assert ids(naming_reference(url, refused.serial, PERIOD, 10)) == [number]
    again = grant(store, policy, at_us=NOON_US + 1)
    assert ids(naming_reference(url, again.serial, 1, 1)) == [2]
    assert naming_reference(url, 77, PERIOD, 10) == []


@pytest.mark.parametrize("at_once", [1, 2, 200_000])
def test_a_document_is_found_in_refusals_and_households(
    url: str,
    store: SqliteStore,
    policy: CompiledPolicy,
    monkeypatch: pytest.MonkeyPatch,
    at_once: int,
) -> None:
    """From an instant on, whoever sent it; each SMS once, however many rows are read at once."""
    monkeypatch.setattr(conversations, "_SERIALS_AT_ONCE", at_once)
    grant(store, policy, at_us=NOON_US - DAY_US)
    with store.transaction(policy) as transaction:
        refused = decided(transaction, policy, at_us=NOON_US - 5_000 * DAY_US)
        stored(transaction, refused._replace(at_us=NOON_US), phone=OTHER)
    grant(store, policy, "1", Document("AA", "7777777"), NOON_US + 1)
    grant(store, policy, "1", at_us=NOON_US + 2)
    assert ids(naming_document(url, DOCUMENT.text, NOON_US, 100)) == [2, 4]
    assert ids(naming_document(url, DOCUMENT.text, NOON_US - DAY_US, 100)) == [1, 2, 4]
    assert ids(naming_document(url, DOCUMENT.text, NOON_US - DAY_US, 1)) == [4]


def test_a_permit_that_was_named_again_is_told_as_it_stands_now(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Returned after the repeat, so the repeat tells when."""
    first = grant(store, policy)
    with store.transaction(policy) as transaction:
        held = transaction.permits(["p:P1"], 0)["p:P1"]
        repeat = decided(transaction, policy, at_us=NOON_US + 1, permits=held)
        number = stored(transaction, repeat)
        transaction.end_permits([Ended(first.serial, NOON_US + HOUR_US, False)])
    [judged] = around(url, number, 1, 10)[-1].judgements
    assert (judged.verdict, judged.ended_us) == ("already_granted", NOON_US + HOUR_US)
    permit = permit_numbered(url, repeat.serial, PERIOD)
    assert permit is not None
    assert (permit.serial, permit.ended_us) == (first.serial, NOON_US + HOUR_US)


@pytest.mark.parametrize(
    ("at_us", "standing"),
    [
        (NOON_US - 1, Standing.TO_COME),
        (NOON_US, Standing.VALID),
        (NOON_US + 2 * HOUR_US - 1, Standing.VALID),
        (NOON_US + 2 * HOUR_US, Standing.OVER),
    ],
)
def test_a_permit_is_valid_from_its_first_to_its_last_microsecond(
    url: str, store: SqliteStore, policy: CompiledPolicy, at_us: int, standing: Standing
) -> None:
    """Half-open, as everywhere."""
    serial = grant(store, policy).serial
    permit = permit_numbered(url, serial, PERIOD)
    assert permit is not None
    assert permit.standing(at_us) is standing


@pytest.mark.parametrize(
    ("ended_us", "standing"),
    [
        (0, Standing.TAKEN_BACK),
        (NOON_US + HOUR_US, Standing.VALID),
        (NOON_US + HOUR_US - 1, Standing.ENDED),
        (NOON_US - MINUTE_US, Standing.ENDED),
    ],
)
def test_what_was_ended_or_taken_back_is_not_valid(
    url: str, store: SqliteStore, policy: CompiledPolicy, ended_us: int, standing: Standing
) -> None:
    """From that instant on; one that was cancelled before it began, at no time."""
    serial = grant(store, policy).serial
    store.connection.execute("UPDATE decision SET ended_us = ?", (ended_us,))
    permit = permit_numbered(url, serial, PERIOD)
    assert permit is not None
    assert permit.standing(NOON_US + HOUR_US - 1 + (standing is Standing.ENDED)) is standing


def test_a_person_has_the_permits_of_today_and_those_still_valid(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Over all documents; yesterday's that reaches over midnight, not yesterday's that is over."""
    night_us = NOON_US + 11 * HOUR_US  # 23:00 in Baku
    grant(store, policy, "1")
    late = grant(store, policy, "2", at_us=night_us)
    next_day_us = NOON_US + 12 * HOUR_US
    today = grant(store, policy, "1", Document("AA", "1111112"), next_day_us)
    grant(store, policy, "1", at_us=next_day_us, holder="p:P2")
    found = permits_of(url, "p:P1", policy.calendar, next_day_us + 1)
    assert [permit.serial for permit in found] == [today.serial, late.serial]
    found = permits_of(url, "p:P1", policy.calendar, next_day_us + HOUR_US)
    assert [permit.serial for permit in found] == [today.serial]
    assert permits_of(url, "d:AZE1111111", policy.calendar, next_day_us) == []


def test_a_refusal_has_no_permit(url: str, store: SqliteStore, policy: CompiledPolicy) -> None:
    """Nor has a number that nobody was given."""
    with store.transaction(policy) as transaction:
        refused = decided(transaction, policy, at_us=NOON_US - 5_000 * DAY_US)
        stored(transaction, refused)
    assert permit_numbered(url, refused.serial, PERIOD) is None
    assert permit_numbered(url, refused.serial + 1, PERIOD) is None


_BY_INDEX = {
    "of_phone": lambda url, policy: of_phone(url, PHONE, NOON_US, 7, 100),
    "around": lambda url, policy: around(url, 7, 7, 100),
    "asked_at": lambda url, policy: asked_at(url, "", NOON_US),
    "naming_reference": lambda url, policy: naming_reference(url, 7, PERIOD, 100),
    "permit_numbered": lambda url, policy: permit_numbered(url, 7, PERIOD),
    "permits_of": lambda url, policy: permits_of(url, "p:P7", policy.calendar, NOON_US),
}


@pytest.mark.parametrize("analysed", [False, True])
@pytest.mark.parametrize("look", [*_BY_INDEX, "naming_document"])
def test_no_look_up_scans_a_table(
    url: str,
    policy: CompiledPolicy,
    monkeypatch: pytest.MonkeyPatch,
    look: str,
    analysed: bool,
) -> None:
    """As SQLite would run them; the scan by document reads a range of numbers, from one on."""
    store = filled(url, analysed)
    ran: list[str] = []

    @contextmanager
    def traced(url: str) -> "Iterator[dbapi.Connection]":
        with reading(url) as connection:
            connection.set_trace_callback(ran.append)
            yield connection

    monkeypatch.setattr(conversations, "reading", traced)
    monkeypatch.setattr(permits, "reading", traced)
    if look in _BY_INDEX:
        _BY_INDEX[look](url, policy)
    else:
        naming_document(url, "AZE1", NOON_US + 1_900, 5)
    selects = [each for each in ran if each.startswith("SELECT")]
    assert selects
    scan = re.compile(r"SCAN (message|decision|reply)\b|AUTOMATIC")
    for statement in selects:
        for row in store.connection.execute(f"EXPLAIN QUERY PLAN {statement}"):
            assert not scan.search(row[3]), f"{row[3]}: {statement}"
    store.close()
