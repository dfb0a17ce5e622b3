"""Segments of long SMS (MO): kept until their SMS is whole, or given up.

Each is stored before its SMSC is told, so neither a restart nor another bind loses one. What was
used stays for an hour, since an SMSC that missed our answer sends it again; by then the phone may
have given the reference to another SMS.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from storage.records import InboundMessage, InboundPart, Sweep
from storage.sqlite_library import dbapi

_LIFETIME_US = 3_600_000_000
_GIVEN_UP_MAX = 200  # SMS in one sweep: each is answered, as if it came now
_FORGOTTEN_MAX = 500  # rows in one sweep


class PartState(IntEnum):
    """What a stored segment is good for."""

    WAITS = 0  # for the others
    USED = 1  # its SMS was whole
    AGAIN = 2  # came once more after that: alone it is a repeat, with all others an SMS
    TOLD = 3  # the phone was told that its SMS is not whole; it may still become so


# By the state of the same segment when it comes again.
_ARRIVES_AGAIN = {
    PartState.WAITS: PartState.WAITS,
    PartState.USED: PartState.AGAIN,
    PartState.AGAIN: PartState.AGAIN,
    PartState.TOLD: PartState.TOLD,
}
# The numbers of PartState stand in the statements.
_SELECT_FRESH = (
    "SELECT number, octets, state FROM part"
    " WHERE phone = ? AND reference = ? AND total = ? AND received_at_us > ?"
)
_INSERT = (
    "INSERT INTO part (phone, reference, total, number, octets, received_at_us, smsc, short_number,"
    " data_coding, state) VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE"
    " SET octets = excluded.octets, received_at_us = excluded.received_at_us,"
    " smsc = excluded.smsc, short_number = excluded.short_number,"
    " data_coding = excluded.data_coding, state = excluded.state"
)
_DELETE_SMS = "DELETE FROM part WHERE phone = ? AND reference = ? AND total = ?"
_USE = "UPDATE part SET state = 1 WHERE phone = ? AND reference = ? AND total = ?"
# Those whose newest segment is old; one that still trickles in is left alone.
_SELECT_OLD = (
    "SELECT DISTINCT phone, reference, total FROM part INDEXED BY part_age"
    " WHERE state IN (0, 2) AND received_at_us <= ?1"
    " AND NOT EXISTS (SELECT 1 FROM part AS newer WHERE newer.phone = part.phone"
    " AND newer.reference = part.reference AND newer.total = part.total"
    " AND newer.received_at_us > ?1) LIMIT ?2"
)
_SELECT_SMS = (
    "SELECT number, octets, state, received_at_us, smsc.name, short_number, data_coding"
    " FROM part LEFT JOIN smsc ON smsc.id = part.smsc"
    " WHERE phone = ? AND reference = ? AND total = ? ORDER BY number"
)
_GIVE_UP = (
    "UPDATE part SET state = CASE state WHEN 0 THEN 3 WHEN 2 THEN 1 ELSE state END"
    " WHERE phone = ? AND reference = ? AND total = ?"
)
_FORGET = (
    "DELETE FROM part WHERE (phone, reference, total, number) IN"
    " (SELECT phone, reference, total, number FROM part INDEXED BY part_age"
    " WHERE state IN (1, 3) AND received_at_us <= ? LIMIT ?)"
)
_ANY_DUE = (
    "SELECT EXISTS (SELECT 1 FROM part INDEXED BY part_age"
    " WHERE state IN (0, 2) AND received_at_us <= ?)"
    " OR EXISTS (SELECT 1 FROM part INDEXED BY part_age"
    " WHERE state IN (1, 3) AND received_at_us <= ?)"
)


def add_part(
    connection: "dbapi.Connection", smsc_id: int, message: InboundMessage, part: InboundPart
) -> bytes | None:
    """Keep a segment; the user data of its SMS if that is whole now."""
    at_us = message.received_at_us
    key = (message.phone, part.reference, part.total)
    # A stray segment of an old SMS must not complete a new one.
    fresh = connection.execute(_SELECT_FRESH, (*key, at_us - _LIFETIME_US))
    known = {number: (octets, state) for number, octets, state in fresh}
    octets, state = known.get(part.number, (message.octets, None))
    if octets != message.octets:  # the reference has come round: another SMS
        connection.execute(_DELETE_SMS, key)
        known, state = {}, None
    arrived = int(PartState.WAITS if state is None else _ARRIVES_AGAIN[PartState(state)])
    content = message.octets, at_us, smsc_id, message.short_number, message.data_coding, arrived
    connection.execute(_INSERT, (*key, part.number, *content))
    known[part.number] = message.octets, arrived
    if len(known) < part.total or any(state == PartState.USED for _, state in known.values()):
        return None
    connection.execute(_USE, key)
    return b"".join(known[number][0] for number in sorted(known))


def any_due(connection: "dbapi.Connection", sweep: Sweep) -> bool:
    """Whether `give_up` has anything to do."""
    ages = sweep.now_us - sweep.incomplete_us, sweep.now_us - _LIFETIME_US
    return bool(connection.execute(_ANY_DUE, ages).fetchone()[0])


def give_up(connection: "dbapi.Connection", sweep: Sweep) -> list[InboundMessage]:
    """What came of SMS that were never whole, to be answered: each once, oldest parts first.

    `text` is left empty, for whoever can decode; `part` says how many came of how many.
    """
    old = (sweep.now_us - sweep.incomplete_us, _GIVEN_UP_MAX)
    incomplete = []
    for key in connection.execute(_SELECT_OLD, old).fetchall():
        parts = connection.execute(_SELECT_SMS, key).fetchall()
        states = {state for _, _, state, *_ in parts}
        # A phone that was told once is not told again when another part comes late.
        if PartState.WAITS in states and PartState.TOLD not in states:
            incomplete.append(_joined(key, parts))
        connection.execute(_GIVE_UP, key)
    connection.execute(_FORGET, (sweep.now_us - _LIFETIME_US, _FORGOTTEN_MAX))
    return incomplete


def _joined(key: Sequence[Any], parts: list[Any]) -> InboundMessage:
    """The segments that came, in their order, as one message of the time of the last one."""
    phone, reference, total = key
    octets = b"".join(each[1] for each in parts)
    came_us = max(each[3] for each in parts)
    smsc, short_number, data_coding = parts[0][4:]
    place = InboundPart(reference, total, len(parts))
    return InboundMessage(came_us, smsc, phone, short_number, data_coding, octets, "", False, place)
