"""Indexes that begin with the day, so that a batch touches today's pages however old the store."""

from sqlite_utils import Database

_STATEMENTS = (
    "DROP INDEX message_phone",
    # The UTC day, which is no business of a policy; 86400000000 microseconds.
    "CREATE INDEX message_phone ON message(received_at_us / 86400000000, phone)",
    "DROP INDEX decision_permit",
    "DROP INDEX decision_quota",
    # The judge of "once a day": whatever the code believes, two permits cannot have one place.
    # Grants without a limit have no quota, and NULL is never equal to NULL.
    """
    CREATE UNIQUE INDEX decision_grant ON decision(day, holder, quota, quota_slot)
        WHERE verdict = 'grant'
    """,
    """
    CREATE TABLE permit_reach (      -- one row: how far back a permit may lie that is still valid
        longest_us INTEGER NOT NULL  -- the longest time from a decision to its permit's end
    ) STRICT
    """,
    # One that begins with its reply begins before its window has passed, and ends a window later.
    """
    INSERT INTO permit_reach SELECT coalesce(
        max((valid_until_us - at_us) * (1 + begins_with_reply)), 0) FROM decision
    """,
    # Whose reply is on its way; small, since replies leave.
    "CREATE INDEX reply_waiting ON reply(phone) WHERE state = 0",
)


def step(db: Database) -> None:
    """Replace the indexes; rows stay as they are."""
    for statement in _STATEMENTS:
        db.execute(statement)
