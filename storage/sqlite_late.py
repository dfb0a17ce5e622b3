"""SMS whose reply will never leave: their permits taken back, so that they can be decided anew."""

import json
from collections.abc import Sequence

from rules.decide import OVERRIDE
from storage.records import InboundMessage, ReplyOutcome
from storage.sqlite_library import dbapi

# ended_us = 0 is before every instant, so no look-up finds the permit, and the day is free. One
# that another reply told of (state 1: sent), or will tell of, stands: somebody may carry its
# reference. A repeat that waits as well (state 0) and has run late tells nobody.
_TAKE_BACK = (
    "UPDATE decision SET ended_us = 0, quota = NULL, quota_slot = NULL"
    " WHERE message = ? AND verdict = 'grant' AND ended_us IS NULL AND NOT EXISTS ("
    "SELECT 1 FROM decision AS again INDEXED BY decision_repeat"
    " CROSS JOIN reply ON reply.id = again.message"
    " WHERE again.verdict = 'already_granted' AND again.permit = decision.serial"
    " AND (reply.state = 1 OR reply.resent = 1 OR reply.state = 0 AND reply.not_after_us > ?))"
)
# A message has one reply, under its own number. Whoever ended the permit has no use for another.
# One that was sent twice on purpose told what it says the first time.
# A COMMIT that reported a fault may have reached the disk: what was renewed is not renewed twice.
_SELECT_LATE = (
    "SELECT message.id, received_at_us, smsc.name, phone, short_number, data_coding, octets,"
    " message.text, channel, EXISTS (SELECT 1 FROM decision INDEXED BY decision_message"
    " WHERE decision.message = message.id AND rule = ?)"
    " FROM json_each(?) AS late CROSS JOIN message ON message.id = late.value"
    " CROSS JOIN smsc ON smsc.id = message.smsc"
    " WHERE EXISTS ("
    "SELECT 1 FROM decision INDEXED BY decision_message"
    " LEFT JOIN decision AS permit ON permit.serial = decision.permit"
    " WHERE decision.message = message.id AND decision.valid_until_us IS NOT NULL"
    " AND coalesce(permit.ended_us, 0) = 0)"
    " AND NOT EXISTS (SELECT 1 FROM reply"
    " WHERE reply.id = message.id AND sent_before_us IS NOT NULL)"
    " AND NOT EXISTS (SELECT 1 FROM message AS renewal INDEXED BY message_repeat"
    " WHERE renewal.repeat_of = message.id AND renewal.outcome <> 'repeated')"
)


def take_back(connection: "dbapi.Connection", expired: Sequence[ReplyOutcome]) -> None:
    """See `storage.store.Transaction.take_back`."""
    connection.executemany(_TAKE_BACK, [(each.reply_id, each.at_us) for each in expired])


def to_renew(connection: "dbapi.Connection", reply_ids: Sequence[int]) -> list[InboundMessage]:
    """See `storage.store.Transaction.to_renew`."""
    rows = connection.execute(_SELECT_LATE, (OVERRIDE, json.dumps(list(reply_ids))))
    return [_message(*row) for row in rows]


def _message(
    number: int,
    at_us: int,
    smsc: str,
    phone: str,
    short_number: str,
    coding: int,
    octets: bytes | None,
    text: str,
    channel: str,
    override: int,
) -> InboundMessage:
    came = (at_us, smsc, phone, short_number, coding, octets or b"", text, octets is None)
    return InboundMessage(*came, None, channel, renews=number, override=bool(override))
