"""Recorded traffic: every SMS from an instant on with its decisions, beside a running daemon."""

import json
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from rules.analysis.recorded import RecordedDecision, RecordedMessage
from storage import facts as recorded_facts
from storage.beside import reading
from storage.sqlite_library import dbapi
from storage.store import StoreError

__all__ = ["PAGE_MESSAGES", "Recording", "recording"]

PAGE_MESSAGES = 4_000
"""Read at once: some 30 ms, so that checkpoints are not held up."""

# Ids follow the order of storing. A clock set back, or a batch that had to wait for the disk, may
# put an SMS before one that was received earlier; never this far.
_DISORDER_IDS = 100_000

_SELECT_PAGE = (
    "SELECT message.id, received_at_us, text, outcome, phone, channel, serial, document,"
    " decision.code, holder, facts, verdict, rule, permit, valid_from_us, valid_until_us,"
    " begins_with_reply, decision.policy,"
    " CASE WHEN repeat_of IS NOT NULL AND outcome <> 'repeated' THEN ("
    "SELECT json_group_array(late.serial) FROM decision AS late"
    " WHERE late.message = repeat_of AND late.ended_us = 0) END"
    " FROM (SELECT * FROM message WHERE id > ? AND id <= ? AND received_at_us >= ?"
    " ORDER BY id LIMIT ?) AS message"
    " LEFT JOIN decision ON decision.message = message.id ORDER BY message.id, serial"
)
_message_of = itemgetter(0, 1, 2, 3, 4, 5, 18)


class Recording(NamedTuple):
    """What the store held when it was asked: the SMS with ids above after_id, up to last_id."""

    url: str
    since_us: int
    after_id: int
    last_id: int

    def messages(self) -> Iterator[RecordedMessage]:
        """In the order of ids; read page by page, so that the store is never held for long.

        Raises:
            StoreError: the store cannot be read, or a row in it was spoiled.
        """
        after_id = self.after_id
        digests: dict[int, str] = {}
        while rows := self._page(after_id, digests):
            for message, of_message in groupby(rows, _message_of):
                number, at_us, text, outcome, phone, channel, _ = message
                decisions = tuple(
                    _decision(row, digests) for row in of_message if row[6] is not None
                )
                takes_back = tuple(json.loads(message[-1])) if message[-1] else ()
                yield RecordedMessage(
                    number, at_us, text, outcome, decisions, phone, channel, takes_back
                )
            after_id = rows[-1][0]

    def _page(self, after_id: int, digests: dict[int, str]) -> list[Any]:
        """The rows of the next messages; the digests of all policies, by their numbers."""
        with reading(self.url) as connection:
            bounds = (after_id, self.last_id, self.since_us, PAGE_MESSAGES)
            rows = connection.execute(_SELECT_PAGE, bounds).fetchall()
            digests.update(connection.execute("SELECT id, digest FROM policy"))
        return rows


def recording(url: str, since_us: int) -> Recording:
    """What was received from an instant on, up to now.

    Raises:
        StoreError: there is no store at `url`, or it cannot be read.
    """
    with reading(url) as connection:
        last = connection.execute("SELECT max(id) FROM message").fetchone()[0] or 0
        after = max(0, _id_before(connection, since_us, last) - _DISORDER_IDS)
    return Recording(url, since_us, after, last)


def _id_before(connection: "dbapi.Connection", since_us: int, last: int) -> int:
    """An id behind which, clocks going forward, the messages from an instant on lie.

    There is no index on time: every SMS would pay for what officers ask once a week.
    """
    low, high = 0, last
    while low < high:
        middle = (low + high) // 2
        found = connection.execute(
            "SELECT received_at_us FROM message WHERE id > ? ORDER BY id LIMIT 1", (middle,)
        ).fetchone()
        if found is None or found[0] >= since_us:
            high = middle
        else:
            low = middle + 1
    return low


def _decision(row: tuple[Any, ...], digests: dict[int, str]) -> RecordedDecision:
    serial, document, code, holder, written = row[6:11]
    try:
        facts = recorded_facts.from_json(serial, written)
    except (ValueError, KeyError, TypeError) as fault:
        raise StoreError(f"the recorded facts of decision {serial} cannot be read") from fault
    verdict, rule, permit, valid_from_us, valid_until_us, begins_with_reply, policy = row[11:18]
    return RecordedDecision(
        serial,
        document,
        code,
        holder,
        facts,
        verdict,
        rule,
        permit,
        valid_from_us,
        valid_until_us,
        bool(begins_with_reply),
        digests[policy],
    )
