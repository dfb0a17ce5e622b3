"""One batch in the SQLite store; every question is put once for all of its SMS."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rules import Block, CompiledPolicy, Decision, HeldPermit
from rules.commands import Ended, PhonePermit
from rules.documents import taken_apart
from rules.flood import PhoneState
from storage import facts as recorded_facts
from storage.records import (
    DecisionRow,
    InboundMessage,
    Reply,
    ReplyOutcome,
    ReplyState,
    ShadowRow,
    Sweep,
)
from storage.sqlite_late import take_back, to_renew
from storage.sqlite_library import dbapi
from storage.sqlite_parts import add_part, give_up
from storage.sqlite_reach import DAY_US
from storage.sqlite_receipts import Receipts
from storage.store import StoreConflict

if TYPE_CHECKING:
    from storage.sqlite import SqliteStore

# The driver looks for an adapter of whatever is not exactly an int, str or float: each None or
# True costs 1.5 µs, a third of the row. So a bool goes in as an int, and None as ''.
_NULL = ""
_INSERT_MESSAGE = "INSERT INTO message VALUES (?,?,?,?,?,?,?,nullif(?,''),?,nullif(?,''),?)"
_INSERT_DECISION = (
    "INSERT INTO decision VALUES (?,?,?,?,?,?,?,?,?,?,nullif(?,''),nullif(?,''),nullif(?,''),?,"
    "nullif(?,''),nullif(?,''),NULL,?)"
)
_INSERT_REPLY = (
    "INSERT INTO reply (id, message, smsc, phone, text, not_after_us, state, starts_permit, urgent)"
    " VALUES (?,?,?,?,?,?,0,?,?)"
)
_INSERT_TOLD = (
    "INSERT INTO reply (id, message, smsc, phone, text, not_after_us, state, settled_at_us)"
    " VALUES (?,?,?,?,?,?,?,?)"
)
_SETTLE_REPLY = (
    "UPDATE reply SET state = ?, settled_at_us = ?, smsc_message_id = ?, status = ?, resent = ?"
    " WHERE id = ?"
)
# One statement for a whole batch: each one costs 8 µs before it reads its first row.
# CROSS JOIN and INDEXED BY keep SQLite to the order in which few pages are read: the days, then
# the holders or phones, then their rows.
_SELECT_PERMITS = (
    "SELECT holder, serial, code, valid_from_us,"
    " min(valid_until_us, coalesce(ended_us, valid_until_us)), decision.day, quota_slot"
    " FROM json_each(?) AS days CROSS JOIN json_each(?) AS wanted"
    " CROSS JOIN decision INDEXED BY decision_grant"
    " ON decision.day = days.value AND decision.holder = wanted.value"
    " WHERE verdict = 'grant' AND valid_until_us > ?"
    " AND (ended_us IS NULL OR ended_us >= valid_from_us AND ended_us > ?)"
    " ORDER BY valid_until_us"
)
_SELECT_TWINS = (
    "SELECT reply.phone, message.text, message.id FROM json_each(?) AS wanted"
    " CROSS JOIN reply INDEXED BY reply_waiting"
    " ON reply.phone = wanted.value AND reply.state = 0"
    " CROSS JOIN message ON message.id = reply.id"
    " WHERE outcome NOT IN ('late', 'incomplete')"  # these ask the phone to text again
    " ORDER BY message.id"
)
_BEGIN_PERMITS = (
    "UPDATE decision SET valid_until_us = :at + (valid_until_us - valid_from_us),"
    " valid_from_us = :at WHERE begins_with_reply = 1 AND ended_us IS NULL"
    " AND message = (SELECT message FROM reply WHERE id = :reply)"
)
_SELECT_BLOCKS = (
    "SELECT holder, code, until_day FROM block"
    " WHERE holder IN (SELECT value FROM json_each(?)) AND removed_at_us IS NULL ORDER BY id"
)
_ANY_BLOCK = (
    "SELECT 1 FROM block INDEXED BY block_holder"
    " WHERE holder > '' AND removed_at_us IS NULL LIMIT 1"
)
_SELECT_PHONES = (
    "SELECT phone, language, junk_us, told FROM phone"
    " WHERE phone IN (SELECT value FROM json_each(?))"
)
_INSERT_PHONE = (
    "INSERT INTO phone VALUES (?,?,?,?) ON CONFLICT DO UPDATE"
    " SET language = excluded.language, junk_us = excluded.junk_us, told = excluded.told"
)
_MESSAGES_OF = (
    " FROM json_each(?) AS days CROSS JOIN json_each(?) AS wanted"
    " CROSS JOIN message INDEXED BY message_phone"
    f" ON message.received_at_us / {DAY_US} = days.value AND message.phone = wanted.value"
)
# One that stands for another whose reply came too late was not sent by the phone, nor was what an
# agent asked.
_COUNT_MESSAGES = (
    f"SELECT message.phone, count(*) {_MESSAGES_OF} AND message.received_at_us >= ?"
    " AND (repeat_of IS NULL OR outcome = 'repeated') AND channel = 'sms' GROUP BY message.phone"
)
_SELECT_ASKED = (
    f"SELECT message.phone, decision.code, decision.document, min(message.id) {_MESSAGES_OF}"
    " AND message.received_at_us >= ? AND channel = 'sms'"
    " CROSS JOIN decision ON decision.message = message.id"
    " GROUP BY message.phone, decision.code, decision.document"
)
_SELECT_PHONE_PERMITS = (
    "SELECT message.phone, decision.document, decision.code, valid_from_us, valid_until_us, day,"
    f" serial {_MESSAGES_OF} CROSS JOIN decision ON decision.message = message.id"
    " WHERE verdict = 'grant' AND ended_us IS NULL AND valid_until_us > ? ORDER BY serial"
)
_END_PERMIT = "UPDATE decision SET ended_us = ? WHERE serial = ? AND ended_us IS NULL"
# Only together with its end: a day that was used cannot be given back afterwards.
_CANCEL_PERMIT = (
    "UPDATE decision SET ended_us = ?, quota = NULL, quota_slot = NULL"
    " WHERE serial = ? AND ended_us IS NULL"
)
_SILENCE = "UPDATE message SET outcome = 'silent' WHERE id = ?"


class SqliteTransaction:
    """One batch. Messages and replies are gathered and written together, at half the price."""

    def __init__(self, store: "SqliteStore", policy: CompiledPolicy) -> None:
        self._store = store
        self._policy = policy
        self._execute = store.connection.execute
        self._messages: list[tuple[object, ...]] = []
        self._replies: list[tuple[object, ...]] = []
        self._silenced: list[tuple[int]] = []
        self.receipts = Receipts(store)

    def unsent_twins(self, messages: Sequence[InboundMessage]) -> dict[tuple[str, str], int]:
        """See `storage.store.Transaction.unsent_twins`."""
        phones = json.dumps([message.phone for message in messages])
        rows = self._execute(_SELECT_TWINS, (phones,))
        return {(phone, text): number for phone, text, number in rows}

    def add_part(self, message: InboundMessage) -> bytes | None:
        """See `storage.store.Transaction.add_part`."""
        part, store = message.part, self._store
        if part is None:
            return message.octets
        return add_part(store.connection, store.smsc_id(message.smsc), message, part)

    def give_up_parts(self, sweep: Sweep) -> list[InboundMessage]:
        """See `storage.store.Transaction.give_up_parts`."""
        return give_up(self._store.connection, sweep)

    def permits(self, holders: Collection[str], since_us: int) -> dict[str, tuple[HeldPermit, ...]]:
        """See `storage.store.Transaction.permits`."""
        found: dict[str, tuple[HeldPermit, ...]] = {}
        days = self._store.reach.permit_days(self._policy.calendar, since_us)
        for holder, *permit in self._execute(
            _SELECT_PERMITS, (days, json.dumps(list(holders)), since_us, since_us)
        ):
            found[holder] = (*found.get(holder, ()), HeldPermit(*permit))
        return found

    def blocks(self, holders: Collection[str]) -> dict[str, tuple[Block, ...]]:
        """See `storage.store.Transaction.blocks`."""
        found: dict[str, tuple[Block, ...]] = {}
        if self._execute(_ANY_BLOCK).fetchone() is None:  # as nearly always
            return found
        for holder, *block in self._execute(_SELECT_BLOCKS, (json.dumps(list(holders)),)):
            found[holder] = (*found.get(holder, ()), Block(*block))
        return found

    def phone_states(self, phones: Collection[str]) -> dict[str, PhoneState]:
        """See `storage.store.Transaction.phone_states`."""
        rows = self._execute(_SELECT_PHONES, (json.dumps(list(phones)),))
        return {
            phone: PhoneState(language, junk_us, bool(told))
            for phone, language, junk_us, told in rows
        }

    def set_phone_states(self, states: Mapping[str, PhoneState]) -> None:
        """See `storage.store.Transaction.set_phone_states`."""
        rows = [(phone, *state) for phone, state in states.items()]
        self._store.connection.executemany(_INSERT_PHONE, rows)

    def messages_since(self, phones: Collection[str], since_us: int) -> dict[str, int]:
        """See `storage.store.Transaction.messages_since`."""
        days = self._store.reach.message_days(since_us)
        return dict(self._of_phones(_COUNT_MESSAGES, days, phones, since_us))

    def asked_since(
        self, phones: Collection[str], since_us: int
    ) -> dict[str, dict[tuple[str, str], int]]:
        """See `storage.store.Transaction.asked_since`."""
        found: dict[str, dict[tuple[str, str], int]] = {}
        days = self._store.reach.message_days(since_us)
        for phone, code, document, first in self._of_phones(_SELECT_ASKED, days, phones, since_us):
            found.setdefault(phone, {})[code, document] = first
        return found

    def phone_permits(
        self, phones: Collection[str], at_us: int
    ) -> dict[str, tuple[PhonePermit, ...]]:
        """See `storage.store.Transaction.phone_permits`."""
        found: dict[str, tuple[PhonePermit, ...]] = {}
        days, kinds = self._store.reach.days_of_valid(at_us), self._policy.grammar.kinds
        for phone, document, *permit in self._of_phones(_SELECT_PHONE_PERMITS, days, phones, at_us):
            told = PhonePermit(taken_apart(document, kinds), *permit)
            found[phone] = (*found.get(phone, ()), told)
        return found

    def _of_phones(self, query: str, days: str, phones: Collection[str], at_us: int) -> list[Any]:
        """Ask about the SMS of some phones on some days, this batch's among them."""
        self.flush()
        return self._execute(query, (days, json.dumps(list(phones)), at_us)).fetchall()

    def end_permits(self, ended: Sequence[Ended]) -> None:
        """See `storage.store.Transaction.end_permits`."""
        executemany = self._store.connection.executemany
        executemany(_END_PERMIT, [(e.at_us, e.serial) for e in ended if not e.given_back])
        executemany(_CANCEL_PERMIT, [(e.at_us, e.serial) for e in ended if e.given_back])

    def silence(self, message_id: int) -> None:
        """See `storage.store.Transaction.silence`."""
        self._silenced.append((message_id,))

    def add_shadow_differences(self, rows: Sequence[ShadowRow]) -> None:
        """See `storage.store.Transaction.add_shadow_differences`."""
        policy_id, at_us = self._store.policy_id, rows[0].disagreement.at_us
        self._store.connection.executemany(
            "INSERT INTO shadow_difference VALUES (?,?,?,?)",
            [
                (
                    row.serial,
                    policy_id(row.candidate, at_us),
                    row.disagreement.candidate_verdict,
                    row.disagreement.candidate_rule,
                )
                for row in rows
            ],
        )

    def next_serial(self) -> int:
        """See `storage.store.Transaction.next_serial`."""
        return self._store.take_serial()

    def add_message(
        self, message: InboundMessage, outcome: str, repeat_of: int | None = None
    ) -> int:
        """See `storage.store.Transaction.add_message`."""
        number = self._store.take_id()
        stands_for = message.renews if repeat_of is None else repeat_of
        self._store.reach.message_came(message.received_at_us)
        self._messages.append(
            (
                number,
                message.received_at_us,
                self._store.smsc_id(message.smsc),
                message.phone,
                message.short_number,
                message.data_coding,
                message.text,
                _NULL if message.sound else message.octets,
                outcome,
                _NULL if stands_for is None else stands_for,
                message.channel,
            )
        )
        return number

    def add_decisions(self, rows: Sequence[DecisionRow]) -> None:
        """See `storage.store.Transaction.add_decisions`."""
        if not rows:
            return
        policy_id = self._store.policy_id(self._policy, rows[0].decision.at_us)
        values = [_decision_values(row, policy_id) for row in rows]
        for day, lasts_us in {
            _reach(row.decision) for row in rows if row.decision.permit is not None
        }:
            self._store.reach.permit_granted(day, lasts_us)
        try:
            self._store.connection.executemany(_INSERT_DECISION, values)
        except dbapi.IntegrityError as conflict:
            raise StoreConflict(str(conflict)) from conflict

    def add_reply(
        self,
        message_id: int,
        message: InboundMessage,
        text: str,
        not_after_us: int,
        starts_permit: bool = False,
        urgent: bool = False,
    ) -> Reply:
        """See `storage.store.Transaction.add_reply`."""
        smsc, phone = message.smsc, message.phone
        smsc_id = self._store.smsc_id(smsc)
        flags = int(starts_permit), int(urgent)
        self._replies.append((message_id, message_id, smsc_id, phone, text, not_after_us, *flags))
        return Reply(
            message_id,
            smsc,
            phone,
            text,
            not_after_us,
            message.received_at_us,
            starts_permit=starts_permit,
            urgent=urgent,
        )

    def tell(self, message_id: int, message: InboundMessage, text: str, not_after_us: int) -> None:
        """See `storage.store.Transaction.tell`."""
        smsc_id, at_us = self._store.smsc_id(message.smsc), message.received_at_us
        row = (message_id, message_id, smsc_id, message.phone, text, not_after_us)
        self._execute(_INSERT_TOLD, (*row, int(ReplyState.TOLD), at_us))

    def settle(self, outcomes: Sequence[ReplyOutcome]) -> None:
        """See `storage.store.Transaction.settle`."""
        executemany = self._store.connection.executemany
        executemany(
            _SETTLE_REPLY,
            [
                (int(o.state), o.at_us, o.smsc_message_id, o.status, int(o.resent), o.reply_id)
                for o in outcomes
            ],
        )
        begun = [
            {"at": o.at_us, "reply": o.reply_id}
            for o in outcomes
            if o.starts_permit and o.state is ReplyState.SENT
        ]
        if begun:
            executemany(_BEGIN_PERMITS, begun)
        taken = [(self._store.smsc_id(o.smsc), o.reply_id) for o in outcomes if o.elsewhere]
        if taken:
            executemany("UPDATE reply SET smsc = ? WHERE id = ?", taken)
        if reported := [o for o in outcomes if o.awaits]:
            self.receipts.expect(reported)

    def take_back(self, expired: Sequence[ReplyOutcome]) -> None:
        """See `storage.store.Transaction.take_back`."""
        take_back(self._store.connection, expired)

    def to_renew(self, reply_ids: Sequence[int]) -> list[InboundMessage]:
        """See `storage.store.Transaction.to_renew`."""
        return to_renew(self._store.connection, reply_ids)

    def flush(self) -> None:
        """Write what was gathered: before COMMIT, and before what must see it is read."""
        executemany = self._store.connection.executemany
        if self._messages:
            executemany(_INSERT_MESSAGE, self._messages)
            self._messages = []
        if self._replies:
            executemany(_INSERT_REPLY, self._replies)
            self._replies = []
        if self._silenced:
            executemany(_SILENCE, self._silenced)
            self._silenced = []


def _reach(permit: Decision) -> tuple[int, int]:
    """The civil day of a permit, and how long after its decision it can end."""
    valid_until_us = permit.valid_until_us
    assert valid_until_us is not None
    # One that begins with its reply begins before its window has passed, and ends a window later.
    return permit.day, (valid_until_us - permit.at_us) * (1 + permit.begins_with_reply)


def _decision_values(row: DecisionRow, policy_id: int) -> tuple[object, ...]:
    """A decision in the order of the table's columns."""
    message_id, holder, decision, facts = row
    quota_name, _, quota_slot = decision.quota or (_NULL, None, _NULL)
    return (
        decision.serial,
        message_id,
        decision.at_us,
        holder,
        decision.document.text,
        decision.code,
        decision.verdict.value,
        decision.rule,
        policy_id,
        recorded_facts.to_json(facts),
        _NULL if decision.permit is None else decision.permit,
        _NULL if decision.valid_from_us is None else decision.valid_from_us,
        _NULL if decision.valid_until_us is None else decision.valid_until_us,
        decision.day,
        quota_name,
        quota_slot,
        int(decision.begins_with_reply),
    )
