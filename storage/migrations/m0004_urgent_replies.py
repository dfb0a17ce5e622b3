"""Replies that leave before all others, and SMS decided anew because their reply came too late.

decision.ended_us is 0 where the permit was taken back: its reply never left. message.repeat_of
is, but for the outcome 'repeated', the SMS that this one stands in for.
"""

from sqlite_utils import Database

_STATEMENTS = (
    # 1: it leaves before those that are not.
    "ALTER TABLE reply ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0",
    "DROP INDEX reply_unsent",
    "CREATE INDEX reply_unsent ON reply(smsc, urgent, id) WHERE state = 0",
    # Who else was told of a permit; small, since few requests are repeats.
    "CREATE INDEX decision_repeat ON decision(permit) WHERE verdict = 'already_granted'",
    # Which SMS stand for another one, for when that is deleted or explained.
    "CREATE INDEX message_repeat ON message(repeat_of) WHERE repeat_of IS NOT NULL",
)


def step(db: Database) -> None:
    """Add the column and the indexes; what waits is no more urgent than before."""
    for statement in _STATEMENTS:
        db.execute(statement)
