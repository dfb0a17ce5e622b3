"""Replies that wait or will never leave: found, put back, dropped, beside a running daemon."""

import json
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from storage import audit
from storage.beside import give_way, must_be_up_to_date, reading, transaction, writer
from storage.records import ReplyState
from storage.sqlite_library import dbapi

__all__ = [
    "DEAD",
    "RETRIABLE",
    "Letter",
    "Listed",
    "Lot",
    "WhyNot",
    "drop",
    "list_letters",
    "lots",
    "retriable",
    "retry",
]

# The daemon waits 2 s for its turn and loses its batch then: each of ours takes milliseconds.
_BATCH_REPLIES = 200

DEAD = (ReplyState.REFUSED, ReplyState.EXPIRED, ReplyState.UNKNOWN)
RETRIABLE = (ReplyState.REFUSED, ReplyState.UNKNOWN)
"""The states of replies that never left, and of those that somebody may send again."""

# The permits that a reply tells of are those of its message's decisions; 0 is one taken back.
_LETTER = """
SELECT reply.id, smsc.name, reply.phone, state, coalesce(status, 0), received_at_us,
       settled_at_us, not_after_us, urgent, resent,
       EXISTS (SELECT 1 FROM decision INDEXED BY decision_message
                 JOIN decision AS permit ON permit.serial = decision.permit
                WHERE decision.message = reply.message AND decision.valid_until_us IS NOT NULL
                  AND permit.ended_us IS NOT NULL)
"""
_JOINED = " JOIN message ON message.id = reply.message JOIN smsc ON smsc.id = reply.smsc"
_BY_ID = f"{_LETTER} FROM json_each(?) AS wanted CROSS JOIN reply ON reply.id = value {_JOINED}"
# {}: the tables whose columns are asked for, none for a count. ?1: '' for every SMSC.
_WAITING = (
    "FROM reply INDEXED BY reply_unsent {}"
    " WHERE state = 0 AND reply.smsc IN (SELECT id FROM smsc WHERE ?1 IN ('', name))"
)
_GONE = (
    "FROM reply INDEXED BY reply_dead {} WHERE state > 1 AND settled_at_us >= ?2"
    " AND state IN (SELECT value FROM json_each(?3))"
    " AND reply.smsc IN (SELECT id FROM smsc WHERE ?1 IN ('', name))"
    " AND ?4 IN (0, coalesce(status, 0))"
)
_LOTS = (
    "SELECT smsc.name, state, coalesce(status, 0), count(*), sum(not_after_us > ?5)"
    f" {_GONE.format('JOIN smsc ON smsc.id = reply.smsc')}"
    " GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3"
)
_PUT_BACK = (
    "UPDATE reply SET state = 0, settled_at_us = NULL, smsc_message_id = NULL, status = NULL,"
    " retried = ? WHERE id = ?"
)
# Its permits began with the first time, and who was told once need not be told that it is late.
# What receipts say from now on is of the second time.
_SEND_AGAIN = (
    "UPDATE reply SET state = 0, sent_before_us = settled_at_us, settled_at_us = NULL,"
    " smsc_message_id = NULL, status = NULL, receipt_state = NULL, receipt_at_us = NULL,"
    " segments_arrived = 0, starts_permit = 0, resent = 1, retried = ? WHERE id = ?"
)
_DROP = "UPDATE reply SET state = ?, settled_at_us = ? WHERE id = ?"


class Letter(NamedTuple):
    """A reply as its operator sees it; never its text.

    status: the SMSC's command_status, 0: none. received_at_us: when the SMS came. settled_at_us:
    None while it waits. ended: a permit that it tells of was ended by its holder since.
    """

    id: int
    smsc: str
    phone: str
    state: ReplyState
    status: int
    received_at_us: int
    settled_at_us: int | None
    not_after_us: int
    urgent: bool
    resent: bool
    ended: bool


class Listed(NamedTuple):
    """Letters, as many as were asked for, and how many there are."""

    letters: list[Letter]
    total: int


class Lot(NamedTuple):
    """Replies that never left for one and the same reason.

    status: the SMSC's command_status, 0: none. in_time: how many of them could still leave.
    """

    smsc: str
    state: ReplyState
    status: int
    letters: int
    in_time: int


class WhyNot(StrEnum):
    """Why nothing was done about a reply, as it is told behind its number."""

    UNKNOWN = "is not in the store"
    WAITS = "waits already, and will leave by itself"
    SENT = "was taken by the SMSC"
    TOLD = "was read out to a caller without a phone"
    TOO_LATE = "would mislead: what it tells of has ended"
    ENDED = "would mislead: a permit that it tells of was ended by its holder"
    NO_SMSC = "cannot leave: its SMSC is no longer in the configuration"
    ON_ITS_WAY = "waits and may be on its way now; stop the daemon first to drop it"
    DROPPED = "was dropped before"


def list_letters(
    url: str,
    smsc: str,
    since_us: int,
    limit: int,
    states: Collection[ReplyState] = DEAD,
    status: int = 0,
) -> tuple[Listed, Listed]:
    """What waits, oldest first, and what will never leave since an instant, newest first.

    smsc: its name; empty: of all. states, status: of what will never leave only such; 0: whatever
    the SMSC's command_status was.

    Raises:
        StoreError: the store cannot be read, or its schema is not the newest.
    """
    with reading(url) as connection:
        must_be_up_to_date(connection)
        dead = (smsc, since_us, json.dumps(list(states)), status)
        return (
            _listed(connection, _WAITING, (smsc,), "reply.id", limit),
            _listed(connection, _GONE, dead, "settled_at_us DESC, reply.id DESC", limit),
        )


def lots(url: str, since_us: int, at_us: int) -> list[Lot]:
    """What will never leave since an instant, by SMSC and reason, the largest lot first."""
    with reading(url) as connection:
        must_be_up_to_date(connection)
        rows = connection.execute(_LOTS, ("", since_us, json.dumps(DEAD), 0, at_us))
        return [Lot(row[0], ReplyState(row[1]), *row[2:]) for row in rows]


def retriable(
    url: str,
    smsc: str,
    status: int,
    at_us: int,
    states: Collection[ReplyState] = RETRIABLE,
) -> list[int]:
    """The replies that the SMSC refused or left unanswered and that may still leave.

    smsc: of this one only; empty: of all. status: only those refused with it; 0: whatever it was.
    states: only those, and of them only what may be sent again.
    """
    states = [state for state in states if state in RETRIABLE]
    with reading(url) as connection:
        must_be_up_to_date(connection)
        rows = connection.execute(
            f"SELECT reply.id {_GONE.format('')} AND not_after_us > ?5 ORDER BY reply.id",
            (smsc, 0, json.dumps(states), status, at_us),
        )
        return [number for (number,) in rows]


def retry(
    url: str,
    ids: Sequence[int],
    smscs: Collection[str],
    who: str,
    reason: str,
    at_us: int,
    again: bool = False,
) -> dict[int, WhyNot | None]:
    """Put replies back to their places in the outboxes; by id, why not; None: it is done.

    smscs: the names of the SMSCs that are configured. again: also what the SMSC took, since the
    phone may have lost it. A daemon must be told to look on disk.

    Raises:
        StoreError: the store cannot be used; what was put back so far stays so.
    """

    def put_back(connection: "dbapi.Connection", letter: Letter) -> None:
        told = at_us, who, "outbox_retry", f"reply {letter.id}", reason, letter.phone
        line = audit.write(connection, *told)
        how = _SEND_AGAIN if letter.state is ReplyState.SENT else _PUT_BACK
        connection.execute(how, (line, letter.id))

    return _each(url, ids, lambda letter: _why_not_retried(letter, smscs, at_us, again), put_back)


def drop(
    url: str, ids: Sequence[int], daemon_runs: bool, who: str, reason: str, at_us: int
) -> dict[int, WhyNot | None]:
    """Settle that replies shall never leave; by id, why not; None: it is done. Permits stay.

    daemon_runs: then what waits cannot be dropped, since it may be on its way.

    Raises:
        StoreError: the store cannot be used; what was dropped so far stays so.
    """

    def settle(connection: "dbapi.Connection", letter: Letter) -> None:
        told = at_us, who, "outbox_drop", f"reply {letter.id}", reason, letter.phone
        audit.write(connection, *told)
        connection.execute(_DROP, (int(ReplyState.DROPPED), at_us, letter.id))

    return _each(url, ids, lambda letter: _why_not_dropped(letter, daemon_runs), settle)


def _why_not_retried(
    letter: Letter, smscs: Collection[str], at_us: int, again: bool
) -> WhyNot | None:
    if letter.state is ReplyState.UNSENT:
        return WhyNot.WAITS
    if letter.state is ReplyState.TOLD:
        return WhyNot.TOLD
    if letter.state is ReplyState.SENT and not again:
        return WhyNot.SENT
    if at_us >= letter.not_after_us:
        return WhyNot.TOO_LATE
    if letter.ended:
        return WhyNot.ENDED
    return None if letter.smsc in smscs else WhyNot.NO_SMSC


def _why_not_dropped(letter: Letter, daemon_runs: bool) -> WhyNot | None:
    if letter.state is ReplyState.UNSENT and daemon_runs:
        return WhyNot.ON_ITS_WAY
    if letter.state is ReplyState.TOLD:
        return WhyNot.TOLD
    if letter.state is ReplyState.SENT:
        return WhyNot.SENT
    return WhyNot.DROPPED if letter.state is ReplyState.DROPPED else None


def _each(
    url: str,
    ids: Sequence[int],
    why_not: Callable[[Letter], WhyNot | None],
    change: "Callable[[dbapi.Connection, Letter], None]",
) -> dict[int, WhyNot | None]:
    """Change those replies that may be changed, in small transactions."""
    ids = list(dict.fromkeys(ids))
    done: dict[int, WhyNot | None] = {}
    began_s = 0.0
    with writer(url) as connection:
        for start in range(0, len(ids), _BATCH_REPLIES):
            if start:
                give_way(began_s)
            began_s = time.monotonic()
            some = ids[start : start + _BATCH_REPLIES]
            with transaction(connection):
                found = {each.id: each for each in _letters(connection, _BY_ID, json.dumps(some))}
                for number in some:
                    letter = found.get(number)
                    done[number] = WhyNot.UNKNOWN if letter is None else why_not(letter)
                    if letter is not None and done[number] is None:
                        change(connection, letter)
    return done


def _listed(
    connection: "dbapi.Connection", source: str, values: tuple[object, ...], order: str, limit: int
) -> Listed:
    total = connection.execute(f"SELECT count(*) {source.format('')}", values).fetchone()[0]
    query = f"{_LETTER} {source.format(_JOINED)} ORDER BY {order} LIMIT {limit:d}"
    return Listed(list(_letters(connection, query, *values)), int(total))


def _letters(connection: "dbapi.Connection", query: str, *values: object) -> Iterator[Letter]:
    for (
        number,
        smsc,
        phone,
        state,
        status,
        received_us,
        settled_us,
        not_after_us,
        *flags,
    ) in connection.execute(query, values):
        told = received_us, settled_us, not_after_us
        yield Letter(number, smsc, phone, ReplyState(state), status, *told, *map(bool, flags))
