"""No batch reads a whole table, however many SMS the store holds."""

import re

import pytest
from decisions_stored import (
    DOCUMENT,
    HOLDER,
    HOUR_US,
    MINUTE_US,
    NOON_US,
    PHONE,
    decided,
    sms,
    stored,
)

from rules import CompiledPolicy
from rules.commands import Ended
from rules.flood import PhoneState
from storage import (
    InboundPart,
    InboundReceipt,
    ReplyOutcome,
    ReplyState,
    SqliteStore,
    Sweep,
)

_MANY = 2_000
# A search among all ids above a bound is a scan by another name.
_READS_WHOLE_TABLE = re.compile(
    r"SCAN (message|decision|reply|phone|block|part|newer|submission)\b|\(rowid[<>]|AUTOMATIC"
)


def filled(url: str, analysed: bool) -> SqliteStore:
    """A store with many rows of many phones and people, so that the planner can weigh them."""
    store = SqliteStore(url)
    store.connection.execute("BEGIN")
    fill(store)
    store.connection.execute("COMMIT")
    if analysed:
        store.connection.execute("ANALYZE")
    store.close()
    return SqliteStore(url)


def fill(store: SqliteStore) -> None:
    """Rows in every table that a batch uses."""
    numbers = [(n, NOON_US + n, f"9945{n % 500:08}", f"p:P{n % 500}") for n in range(1, _MANY)]
    execute = store.connection.executemany
    store.connection.execute("INSERT INTO smsc VALUES (1, 'one')")
    store.connection.execute("INSERT INTO policy VALUES (1, 'digest', 'text', 0)")
    execute(
        "INSERT INTO message (id, received_at_us, smsc, phone, short_number, data_coding, text,"
        " outcome) VALUES (?, ?, 1, ?, '8103', 0, 'text', 'decided')",
        [row[:3] for row in numbers],
    )
    execute(
        "INSERT INTO decision (serial, message, at_us, holder, document, code, verdict, rule,"
        " policy, facts, valid_from_us, valid_until_us, day)"
        " VALUES (?1, ?1, ?2, ?3, 'AZE1', '1', 'grant', 'r', 1,"
        ' \'{"registered":null,"birth_date":null,"permits":[]}\', ?2, ?2 + 7200000000, 1)',
        [(n, at_us, holder) for n, at_us, _, holder in numbers],
    )
    execute(
        "INSERT INTO reply (id, message, smsc, phone, text, not_after_us, state)"
        " VALUES (?1, ?1, 1, ?2, 'text', 0, ?1 > 1900)",
        [(n, phone) for n, _, phone, _ in numbers],
    )
    execute("INSERT INTO phone VALUES (?, NULL, 0, 0)", [(f"8{n}",) for n in range(_MANY)])
    execute(
        "INSERT INTO block (holder, document, code, until_day, reason, added_by, added_at_us)"
        " VALUES (?, '', '', 1, '', '', 0)",
        [(f"p:B{n}",) for n in range(_MANY)],
    )
    execute(
        "INSERT INTO part (phone, reference, total, number, octets, received_at_us, smsc, state)"
        " VALUES (?1, 1, 2, 1, x'00', ?2, 1, ?3)",
        [(f"8{n}", NOON_US, n % 4) for n in range(_MANY)],
    )
    day = NOON_US // 86_400_000_000
    execute(
        "INSERT INTO submission VALUES (?, 1, ?, ?, 0, 1)",
        [(day - n % 9, f"id{n}", n) for n in range(1, _MANY)],
    )
    execute(
        "INSERT INTO early_receipt VALUES (1, ?, 2, ?)",
        [(f"early{n}", NOON_US - n) for n in range(_MANY)],
    )


def use_everything(store: SqliteStore, policy: CompiledPolicy) -> None:
    """Every method of a transaction, and the outbox."""
    message = sms()
    with store.transaction(policy) as transaction:
        transaction.unsent_twins([message])
        part = message._replace(part=InboundPart(1, 1, 1), octets=b"x")
        transaction.add_part(part)
        transaction.permits([HOLDER], NOON_US)
        transaction.blocks([HOLDER])
        transaction.phone_states([PHONE])
        transaction.set_phone_states({PHONE: PhoneState("az", 1, False)})
        transaction.messages_since([PHONE], NOON_US)
        transaction.asked_since([PHONE], NOON_US)
        transaction.phone_permits([PHONE], NOON_US)
        decision = decided(transaction, policy, "1", DOCUMENT)
        number = stored(transaction, decision, starts_permit=True)
        transaction.silence(number)
        transaction.end_permits([Ended(1, NOON_US, False), Ended(2, NOON_US, True)])
    with store.transaction(policy) as transaction:
        sent = ReplyOutcome(number, ReplyState.SENT, NOON_US, "id early7", 0, False, True)
        transaction.settle([sent._replace(smsc="one", awaits=("id", "early7"))])
        transaction.receipts.record([InboundReceipt("one", "id", 2, NOON_US)])
        transaction.receipts.record([InboundReceipt("one", "nobody's", 2, NOON_US)])
        sweep = Sweep(NOON_US + HOUR_US, MINUTE_US, MINUTE_US, 10)
        assert store.due(sweep)
        transaction.give_up_parts(sweep)
        transaction.receipts.give_up(sweep)
        transaction.take_back([ReplyOutcome(7, ReplyState.EXPIRED, NOON_US, "", 0, False)])
        transaction.to_renew([7])
    store.unsent("one", 0, 500)
    store.unsent("one", 0, 500, urgent=True)
    store.unsent("one", 0, 500, retried=True)
    store.unsent_count("one")


@pytest.mark.parametrize("analysed", [False, True])
def test_no_statement_of_a_batch_scans_a_table(
    url: str, policy: CompiledPolicy, analysed: bool
) -> None:
    """As SQLite ran them; with statistics too, which an operator's ANALYZE leaves behind."""
    store = filled(url, analysed)
    ran: list[str] = []
    store.connection.set_trace_callback(ran.append)
    use_everything(store, policy)
    store.connection.set_trace_callback(None)
    statements = [each for each in ran if re.match("SELECT|UPDATE|DELETE|INSERT", each)]
    assert len(set(statements)) > 20
    for statement in statements:
        for row in store.connection.execute(f"EXPLAIN QUERY PLAN {statement}"):
            assert not _READS_WHOLE_TABLE.search(row[3]), f"{row[3]}: {statement}"
    store.close()
