"""Delivery receipts: which reply they are about, what they make of it, those that come too soon.

A receipt may come before the response to its submit_sm, twice, or for one segment of several.
A segment that arrived stays so; of a reply in several segments the phone has nothing to read until
all arrived, so until then the last failure counts.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from storage.records import InboundReceipt, ReceiptState, ReplyOutcome, Sweep
from storage.sqlite_library import dbapi
from storage.sqlite_reach import DAY_US

if TYPE_CHECKING:
    from storage.sqlite import SqliteStore

_DELIVERED = ReceiptState.DELIVERED  # 2 in the statements
_FORGOTTEN_MAX = 500  # rows in one sweep
_NULL = ""  # see storage.sqlite_transaction

# An SMSC may give an id out again, and the newest segment is meant.
_EXPECT = "INSERT OR REPLACE INTO submission VALUES (?,?,?,?,?,?)"
_SELECT_SUBMITTED = (
    "SELECT submission.message_id, reply.id, segment, segments, receipt_state,"
    " receipt_at_us, segments_arrived, received_at_us"
    " FROM json_each(?) AS days CROSS JOIN json_each(?) AS wanted CROSS JOIN submission"
    " ON submission.day = days.value AND submission.smsc = ?"
    " AND submission.message_id = wanted.value"
    " CROSS JOIN reply ON reply.id = submission.reply"
    " CROSS JOIN message ON message.id = reply.message ORDER BY days.value"
)
_NOTE = (
    "UPDATE reply SET receipt_state = nullif(?,''), receipt_at_us = nullif(?,''),"
    " segments_arrived = ? WHERE id = ?"
)
_KEEP_EARLY = (
    "INSERT INTO early_receipt VALUES (?,?,?,?) ON CONFLICT DO UPDATE"
    " SET state = excluded.state WHERE state <> 2"
)
_ANY_EARLY = "SELECT 1 FROM early_receipt LIMIT 1"
_SELECT_EARLY = (
    "SELECT message_id, state, came_at_us FROM json_each(?) AS wanted CROSS JOIN early_receipt"
    " ON early_receipt.smsc = ? AND early_receipt.message_id = wanted.value"
)
_DROP_EARLY = "DELETE FROM early_receipt WHERE smsc = ? AND message_id = ?"
# The oldest, of which there are too many or which are too old.
_DROP_OLD = (
    "DELETE FROM early_receipt WHERE (smsc, message_id) IN (SELECT smsc, message_id"
    " FROM early_receipt INDEXED BY early_receipt_age WHERE came_at_us <= ?"
    " ORDER BY came_at_us LIMIT ?) RETURNING smsc"
)
_COUNT_EARLY = "SELECT count(*) FROM early_receipt"
_FORGET = (
    "DELETE FROM submission WHERE (day, smsc, message_id) IN"
    " (SELECT day, smsc, message_id FROM submission WHERE day < ? LIMIT ?)"
)
_ANY_DUE = (
    "SELECT EXISTS (SELECT 1 FROM early_receipt INDEXED BY early_receipt_age"
    " WHERE came_at_us <= ?) OR EXISTS (SELECT 1 FROM submission WHERE day < ?)"
    " OR (SELECT count(*) FROM early_receipt) > ?"
)


class _Reply(NamedTuple):
    """How far the receipts of a reply have come; `segments_arrived` has a bit for each."""

    state: int | None
    at_us: int | None
    segments_arrived: int

    def after(self, segment: int, segments: int, state: int, at_us: int) -> "_Reply":
        """The same after one more receipt."""
        if self.segments_arrived >> segment & 1:
            return self
        if state != _DELIVERED:
            return self if state == self.state else self._replace(state=state, at_us=at_us)
        arrived = self.segments_arrived | 1 << segment
        if arrived != (1 << segments) - 1:
            return self._replace(segments_arrived=arrived)
        return _Reply(_DELIVERED, at_us, arrived)


class Receipts:
    """Those of one transaction; see `storage.store.ReceiptBook`."""

    def __init__(self, store: "SqliteStore") -> None:
        self._store = store
        self._connection = store.connection
        self.arrived: list[tuple[str, int]] = []

    def expect(self, outcomes: Iterable[ReplyOutcome]) -> None:
        """Receipts are to come for these; some may be here already."""
        rows = []
        wanted: dict[str, list[str]] = defaultdict(list)
        for outcome in outcomes:
            smsc_id, day = self._store.smsc_id(outcome.smsc), outcome.at_us // DAY_US
            wanted[outcome.smsc].extend(outcome.awaits)
            for segment, message_id in enumerate(outcome.awaits):
                of_reply = outcome.reply_id, segment, len(outcome.awaits)
                rows.append((day, smsc_id, message_id, *of_reply))
        self._connection.executemany(_EXPECT, rows)
        if self._connection.execute(_ANY_EARLY).fetchone() is not None:
            for smsc, message_ids in wanted.items():
                self._take_early(smsc, message_ids)

    def _take_early(self, smsc: str, message_ids: list[str]) -> None:
        asked = json.dumps(message_ids), self._store.smsc_id(smsc)
        early = [
            InboundReceipt(smsc, message_id, state, at_us)
            for message_id, state, at_us in self._connection.execute(_SELECT_EARLY, asked)
        ]
        if early:
            self._match(smsc, early)
            taken = [(asked[1], receipt.message_id) for receipt in early]
            self._connection.executemany(_DROP_EARLY, taken)

    def record(self, receipts: Sequence[InboundReceipt]) -> None:
        """Note what they say of their replies; keep those whose reply is not known yet."""
        by_smsc = defaultdict(list)
        for receipt in receipts:
            by_smsc[receipt.smsc].append(receipt)
        for smsc, own in by_smsc.items():
            smsc_id = self._store.smsc_id(smsc)
            early = [(smsc_id, *receipt[1:]) for receipt in self._match(smsc, own)]
            if early:
                self._connection.executemany(_KEEP_EARLY, early)

    def _match(self, smsc: str, receipts: list[InboundReceipt]) -> list[InboundReceipt]:
        """Apply receipts in the order in which they came; those of no known reply are left."""
        submitted = self._submitted(self._store.smsc_id(smsc), receipts)
        replies: dict[int, _Reply] = {}
        changed: dict[int, _Reply] = {}
        unknown = []
        for receipt in receipts:
            found = submitted.get(receipt.message_id)
            if found is None:
                unknown.append(receipt)
                continue
            reply_id, segment, segments, *stored, came_us = found
            before = replies.get(reply_id) or _Reply(*stored)
            at_us = receipt.received_at_us
            after = before.after(segment, segments, receipt.state, at_us)
            replies[reply_id] = after
            if after is not before:
                changed[reply_id] = after
                if after.state == _DELIVERED:
                    self.arrived.append((smsc, at_us - came_us))
        self._note(changed)
        return unknown

    def _submitted(self, smsc_id: int, receipts: Sequence[InboundReceipt]) -> dict[str, Any]:
        """By message_id, the row of the newest segment of that name."""
        days = [receipt.received_at_us // DAY_US for receipt in receipts]
        span = list(range(min(days) - 1, max(days) + 1))
        message_ids = [receipt.message_id for receipt in receipts]
        asked = json.dumps(span), json.dumps(message_ids), smsc_id
        return {row[0]: row[1:] for row in self._connection.execute(_SELECT_SUBMITTED, asked)}

    def _note(self, changed: dict[int, _Reply]) -> None:
        rows = [
            (
                _NULL if reply.state is None else reply.state,
                _NULL if reply.at_us is None else reply.at_us,
                reply.segments_arrived,
                number,
            )
            for number, reply in changed.items()
        ]
        self._connection.executemany(_NOTE, rows)

    def give_up(self, sweep: Sweep) -> dict[str, int]:
        """Forget what is old; by SMSC, the receipts that belong to no reply of ours."""
        connection = self._connection
        too_many = connection.execute(_COUNT_EARLY).fetchone()[0] - sweep.early_max
        dropped = connection.execute(
            _DROP_OLD, (sweep.now_us - sweep.early_us, _FORGOTTEN_MAX)
        ).fetchall()
        if (rest := too_many - len(dropped)) > 0:
            dropped += connection.execute(_DROP_OLD, (sweep.now_us, rest)).fetchall()
        connection.execute(_FORGET, (_first_day(sweep), _FORGOTTEN_MAX))
        unmatched: dict[str, int] = defaultdict(int)
        names = dict(connection.execute("SELECT id, name FROM smsc")) if dropped else {}
        for (smsc_id,) in dropped:
            unmatched[names[smsc_id]] += 1
        return dict(unmatched)


def any_due(connection: "dbapi.Connection", sweep: Sweep) -> bool:
    """Whether `Receipts.give_up` has anything to do."""
    bounds = sweep.now_us - sweep.early_us, _first_day(sweep), sweep.early_max
    return bool(connection.execute(_ANY_DUE, bounds).fetchone()[0])


def _first_day(sweep: Sweep) -> int:
    """Yesterday."""
    return sweep.now_us // DAY_US - 1
