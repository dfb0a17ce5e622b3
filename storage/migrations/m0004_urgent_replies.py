"""Replies that leave before all others."""

from sqlite_utils import Database

_STATEMENTS = (
    "ALTER TABLE reply ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0",
    "DROP INDEX reply_unsent",
    "CREATE INDEX reply_unsent ON reply(smsc, urgent, id) WHERE state = 0",
)


def step(db: Database) -> None:
    """Add the column; what waits is no more urgent than before."""
    for statement in _STATEMENTS:
        db.execute(statement)
