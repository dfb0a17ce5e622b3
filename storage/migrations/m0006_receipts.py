"""Delivery receipts of replies, and long SMS that never became whole."""

from sqlite_utils import Database

_STATEMENTS = (
    # What the receipts said (SMPP 3.4 section 5.2.28; 2: delivered) and when that came. Of a reply
    # in several segments: delivered once all are; before that, the last failure of any.
    "ALTER TABLE reply ADD COLUMN receipt_state INTEGER",
    "ALTER TABLE reply ADD COLUMN receipt_at_us INTEGER",
    # Which of smsc_message_id the phone has: 1 for the first, 2 for the second, 4 for the third, …
    "ALTER TABLE reply ADD COLUMN segments_arrived INTEGER NOT NULL DEFAULT 0",
    # It begins with the UTC day, so that a batch touches today's pages and what is old goes in one
    # piece: rows are kept for the day of the submission and the next, receipts that come twice
    # included. Empty where no receipts are asked for.
    """
    CREATE TABLE submission (         -- a segment that the SMSC took and is to report on
        day        INTEGER NOT NULL,  -- on which it was taken; 86400000000 microseconds
        smsc       INTEGER NOT NULL REFERENCES smsc(id),
        message_id TEXT NOT NULL,     -- what the SMSC calls it, in the form that is compared
        reply      INTEGER NOT NULL,
        segment    INTEGER NOT NULL,  -- which of reply.smsc_message_id: 0, 1, …
        segments   INTEGER NOT NULL,  -- of that reply
        PRIMARY KEY (day, smsc, message_id)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE early_receipt (      -- a receipt that came before the response to its submit_sm
        smsc       INTEGER NOT NULL REFERENCES smsc(id),
        message_id TEXT NOT NULL,
        state      INTEGER NOT NULL,
        came_at_us INTEGER NOT NULL,
        PRIMARY KEY (smsc, message_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX early_receipt_age ON early_receipt(came_at_us)",
    # What an answer to an SMS that is not whole must know.
    "ALTER TABLE part ADD COLUMN smsc INTEGER REFERENCES smsc(id)",
    "ALTER TABLE part ADD COLUMN short_number TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE part ADD COLUMN data_coding INTEGER NOT NULL DEFAULT 0",
    # storage.sqlite_parts.PartState
    "ALTER TABLE part ADD COLUMN state INTEGER NOT NULL DEFAULT 0",
    # Nobody knows by which SMSC these came: they can still be completed, but not answered.
    "UPDATE part SET state = 3",
    "CREATE INDEX part_age ON part(state, received_at_us)",
)


def step(db: Database) -> None:
    """Add the columns, tables and indexes; no reply of before awaits a receipt."""
    for statement in _STATEMENTS:
        db.execute(statement)
