"""SMS whose reply will never leave: their permits taken back, so that they can be decided anew."""

import json
from collections.abc import Sequence

from storage.records import InboundMessage
from storage.sqlite_library import dbapi

# A message has one reply, under its own number.
_SELECT_LATE = (
    "SELECT message.id, received_at_us, smsc.name, phone, short_number, data_coding,"
    " message.text, channel"
    " FROM json_each(?) AS late CROSS JOIN message ON message.id = late.value"
    " CROSS JOIN smsc ON smsc.id = message.smsc"
    " WHERE outcome = 'decided' AND EXISTS ("
    "SELECT 1 FROM decision INDEXED BY decision_message"
    " WHERE decision.message = message.id AND valid_until_us IS NOT NULL)"
)
# As one that its holder cancelled before it began: no look-up finds it, and the day is free.
_TAKE_BACK = (
    "UPDATE decision SET ended_us = valid_from_us - 1, quota = NULL, quota_slot = NULL"
    " WHERE message = ? AND verdict = 'grant' AND ended_us IS NULL"
)


def take_back(connection: "dbapi.Connection", reply_ids: Sequence[int]) -> list[InboundMessage]:
    """See `storage.store.Transaction.take_back`."""
    rows = connection.execute(_SELECT_LATE, (json.dumps(list(reply_ids)),)).fetchall()
    connection.executemany(_TAKE_BACK, [(row[0],) for row in rows])
    return [
        InboundMessage(
            at_us, smsc, phone, short_number, coding, b"", text, True, None, channel, number
        )
        for number, at_us, smsc, phone, short_number, coding, text, channel in rows
    ]
