"""Replies that never left, to be found without reading all, and to be put back by somebody."""

from sqlite_utils import Database

_STATEMENTS = (
    # The line of the audit that put the reply back into its outbox; NULL: none did. Those lines
    # are numbered in order, so a daemon reads on behind the last that it has seen.
    "ALTER TABLE reply ADD COLUMN retried INTEGER REFERENCES audit(id)",
    # Not "AND state = 0": so that settling a reply need not look at this index.
    "CREATE INDEX reply_retried ON reply(smsc, urgent, retried) WHERE retried IS NOT NULL",
    # 2, 3, 4, 5: refused, expired, dropped, unknown; few among those that were sent.
    "CREATE INDEX reply_dead ON reply(settled_at_us) WHERE state > 1",
)


def step(db: Database) -> None:
    """Add the column and the indexes."""
    for statement in _STATEMENTS:
        db.execute(statement)
