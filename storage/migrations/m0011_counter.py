"""Replies sent a second time on purpose, and lines of the audit that waited beside the store."""

from sqlite_utils import Database

_STATEMENTS = (
    # When the SMSC took a reply that somebody has put back to be sent again; NULL: nobody has.
    # What the phone was told once stands, whatever becomes of the second time.
    "ALTER TABLE reply ADD COLUMN sent_before_us INTEGER",
    """
    CREATE TABLE audit_journal (     -- one row: what of storage.audit_waiting is in the audit
        journal TEXT NOT NULL,       -- the file that was read last, by the name within it
        lines   INTEGER NOT NULL     -- so many of its lines are in the audit
    ) STRICT
    """,
    "INSERT INTO audit_journal VALUES ('', 0)",
)


def step(db: Database) -> None:
    """Add the column and the table."""
    for statement in _STATEMENTS:
        db.execute(statement)
