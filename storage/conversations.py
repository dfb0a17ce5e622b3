"""Conversations as phones saw them: SMS in, replies out, and what was decided in between.

Short reads beside a running daemon, each bounded: so many SMS, so many days.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from rules import Facts
from storage import facts as recorded_facts
from storage.beside import reading
from storage.halving import first_serial
from storage.records import ReceiptState, ReplyState
from storage.sqlite_library import dbapi
from storage.sqlite_reach import DAY_US
from storage.store import StoreError

__all__ = [
    "Answer",
    "Exchange",
    "Judgement",
    "around",
    "asked_at",
    "naming_document",
    "naming_reference",
    "of_phone",
]

# INDEXED BY and CROSS JOIN: as in storage.sqlite_transaction, so that statistics change nothing.
# The index of messages begins with the UTC day, so many microseconds long.
_OF_PHONE = (
    "SELECT message.id FROM json_each(?) AS days CROSS JOIN message INDEXED BY message_phone"
    " ON received_at_us / 86400000000 = days.value AND phone = ? ORDER BY message.id DESC LIMIT ?"
)
# The newest first: what was asked just now is met after a few rows.
_ASKED_AT = (
    "SELECT id FROM message INDEXED BY message_phone"
    " WHERE received_at_us / 86400000000 = ? AND phone = ? AND received_at_us = ?"
    " ORDER BY id DESC LIMIT 1"
)
# No index leads from a document to what was refused: it would cost every SMS a page. Statements
# that read the rows of some days, all of it outside Python; "+" keeps SQLite to reading them
# forwards, as disks like it.
_NAMING_DOCUMENT = (
    "SELECT message FROM decision WHERE serial >= ? AND serial < ? AND document = ?"
    " ORDER BY +serial DESC LIMIT ?"
)
_SERIALS_AT_ONCE = 200_000  # some 50 ms: a long read holds up the checkpoints of a busy daemon
_NAMING_SERIAL = "SELECT message FROM decision WHERE serial = ?"
_EXCHANGES = (
    "SELECT message.id, received_at_us, smsc.name, message.phone, short_number, channel,"
    " message.text, outcome, repeat_of, reply.text, state, settled_at_us, not_after_us, resent,"
    " sent_before_us, coalesce(status, 0), receipt_state, receipt_at_us, sender.name"
    " FROM json_each(?) AS wanted CROSS JOIN message ON message.id = wanted.value"
    " CROSS JOIN smsc ON smsc.id = message.smsc"
    " LEFT JOIN reply ON reply.id = message.id LEFT JOIN smsc AS sender ON sender.id = reply.smsc"
    " ORDER BY message.id"
)
# What a repeat named is told as it stands now, not as it stood then.
_JUDGEMENTS = (
    "SELECT decision.message, decision.serial, decision.at_us, decision.document, decision.code,"
    " decision.verdict, decision.rule, decision.permit,"
    " coalesce(held.valid_from_us, decision.valid_from_us),"
    " coalesce(held.valid_until_us, decision.valid_until_us),"
    " nullif(held.ended_us, 0), held.ended_us IS 0, decision.holder, decision.facts, digest"
    " FROM json_each(?) AS wanted CROSS JOIN decision INDEXED BY decision_message"
    " ON decision.message = wanted.value"
    " CROSS JOIN policy ON policy.id = decision.policy"
    " LEFT JOIN decision AS held ON held.serial = decision.permit"
    " ORDER BY decision.serial"
)


class Answer(NamedTuple):
    """A reply.

    settled_at_us: when the SMSC took or refused it, or an agent read it out; None: it waits.
    sent_before_us: when the SMSC had taken it before somebody had it sent again. status: the
    SMSC's command_status. receipt_state: what its receipts said; None: nothing. smsc: which took
    it.
    """

    text: str
    state: ReplyState
    settled_at_us: int | None
    not_after_us: int
    resent: bool
    sent_before_us: int | None
    status: int
    receipt_state: ReceiptState | None
    receipt_at_us: int | None
    smsc: str


class Judgement(NamedTuple):
    """A decision about one document.

    permit: the serial of the permit that the reply named. ended_us: when its holder ended it
    early. taken_back: its reply never left, so it was of use to nobody. facts: on which it rests;
    policy: the digest of the one that decided.
    """

    serial: int
    at_us: int
    document: str
    code: str
    verdict: str
    rule: str
    permit: int | None
    valid_from_us: int | None
    valid_until_us: int | None
    ended_us: int | None
    taken_back: bool
    holder: str
    facts: Facts
    policy: str


class Exchange(NamedTuple):
    """One SMS and what came of it.

    phone: empty: a caller without one, whose agent asked. outcome: as the store says. stands_for:
    the id of the SMS that it repeats or stands in for. answer: None: none of its own.
    """

    id: int
    received_at_us: int
    smsc: str
    phone: str
    short_number: str
    channel: str
    text: str
    outcome: str
    stands_for: int | None
    answer: Answer | None
    judgements: tuple[Judgement, ...]


def of_phone(url: str, phone: str, last_us: int, days: int, most: int) -> list[Exchange]:
    """The newest SMS of a phone within some UTC days up to that of `last_us`, oldest first.

    Raises:
        StoreError: the store cannot be read; so do all of these.
    """
    with reading(url) as connection:
        return _exchanges(connection, _ids_of_phone(connection, phone, last_us, days, most))


def around(url: str, message_id: int, days: int, most: int) -> list[Exchange]:
    """An SMS, with the others of its phone from some UTC days before to the one after it.

    Without a phone it is alone; empty: there is none of this number.
    """
    with reading(url) as connection:
        found = connection.execute(
            "SELECT phone, received_at_us FROM message WHERE id = ?", (message_id,)
        ).fetchone()
        if found is None:
            return []
        phone, at_us = found
        ids = {message_id}
        if phone:
            ids.update(_ids_of_phone(connection, phone, at_us + DAY_US, days + 1, most))
        return _exchanges(connection, sorted(ids))


def asked_at(url: str, phone: str, at_us: int) -> int | None:
    """The id of what an agent asked for a phone at an instant; None: it is not there."""
    with reading(url) as connection:
        row = connection.execute(_ASKED_AT, (at_us // DAY_US, phone, at_us)).fetchone()
    return None if row is None else int(row[0])


def naming_document(url: str, document: str, since_us: int, most: int) -> list[Exchange]:
    """The newest SMS from an instant on in which a document was decided about, oldest first.

    document: in canonical form. Reads every decision since: some 0.3 s for a million.
    """
    found: list[int] = []
    with reading(url) as connection:
        first = first_serial(connection, since_us)
        end = 1 + (connection.execute("SELECT max(serial) FROM decision").fetchone()[0] or 0)
        while end > first and len(found) < most:
            begin = max(first, end - _SERIALS_AT_ONCE)
            wanted = (begin, end, document, most - len(found))
            found += [message for (message,) in connection.execute(_NAMING_DOCUMENT, wanted)]
            end = begin
        return _exchanges(connection, found)


def naming_reference(url: str, number: int, period: int, most: int) -> list[Exchange]:
    """The newest SMS whose decision is `number` modulo `period`, oldest first."""
    with reading(url) as connection:
        last = connection.execute("SELECT max(serial) FROM decision").fetchone()[0] or 0
        newest = last - (last - number) % period
        serials = range(newest, 0, -period)[:most]
        rows = [connection.execute(_NAMING_SERIAL, (serial,)).fetchone() for serial in serials]
        return _exchanges(connection, [row[0] for row in rows if row])


def _ids_of_phone(
    connection: "dbapi.Connection", phone: str, last_us: int, days: int, most: int
) -> list[int]:
    last_day = last_us // DAY_US
    within = json.dumps(list(range(last_day - days + 1, last_day + 1)))
    return [number for (number,) in connection.execute(_OF_PHONE, (within, phone, most))]


def _exchanges(connection: "dbapi.Connection", ids: Sequence[int]) -> list[Exchange]:
    wanted = json.dumps(sorted(set(ids)))
    judged: dict[int, list[Judgement]] = {}
    for message, *fields in connection.execute(_JUDGEMENTS, (wanted,)):
        judged.setdefault(message, []).append(_judgement(fields))
    return [
        Exchange._make((*row[:9], _answer(row[9:]), tuple(judged.get(row[0], ()))))
        for row in connection.execute(_EXCHANGES, (wanted,))
    ]


def _judgement(columns: Sequence[Any]) -> Judgement:
    *told, taken_back, holder, facts, policy = columns
    try:
        known = recorded_facts.from_json(told[0], facts)
    except (ValueError, KeyError, TypeError) as fault:
        raise StoreError(f"the recorded facts of decision {told[0]} cannot be read") from fault
    return Judgement._make((*told, bool(taken_back), holder, known, policy))


def _answer(columns: Sequence[Any]) -> Answer | None:
    text, state, settled_us, not_after_us, resent, before_us, status, receipt, *rest = columns
    if text is None:
        return None
    receipt_state = None if receipt is None else ReceiptState(receipt)
    told = (settled_us, not_after_us, bool(resent), before_us, status, receipt_state)
    return Answer(text, ReplyState(state), *told, *rest)
