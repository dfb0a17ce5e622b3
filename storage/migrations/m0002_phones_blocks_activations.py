"""What phones chose and sent too much of, who is blocked, and which policy was in force when."""

from sqlite_utils import Database

_STATEMENTS = (
    # Returned early or cancelled by its holder. A permit cancelled before it began also loses
    # its quota and slot, so that the day is given back.
    "ALTER TABLE decision ADD COLUMN ended_us INTEGER",
    # 1: the window is counted from the moment at which the SMSC took the reply; until then the
    # columns valid_from_us and valid_until_us hold the decision's own.
    "ALTER TABLE decision ADD COLUMN begins_with_reply INTEGER NOT NULL DEFAULT 0",
    # 1: when this reply has left, permits of its message begin.
    "ALTER TABLE reply ADD COLUMN starts_permit INTEGER NOT NULL DEFAULT 0",
    # sms, call_centre or web.
    "ALTER TABLE message ADD COLUMN channel TEXT NOT NULL DEFAULT 'sms'",
    """
    CREATE TABLE phone (             -- only phones of which there is something to keep
        phone    TEXT PRIMARY KEY,   -- MSISDN, digits
        language TEXT,               -- the one it chose; NULL: none
        junk_us  INTEGER NOT NULL,   -- when its allowance of junk will be whole again
        told     INTEGER NOT NULL    -- 1: it was told that it is no longer answered
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE block (             -- a person who is refused
        id             INTEGER PRIMARY KEY,
        holder         TEXT NOT NULL,       -- as in decision
        document       TEXT NOT NULL,       -- by which the person was named
        code           TEXT NOT NULL,       -- the code that is meant; '': all
        until_day      INTEGER NOT NULL,    -- the first free civil day, date ordinal
        reason         TEXT NOT NULL,
        added_by       TEXT NOT NULL,
        added_at_us    INTEGER NOT NULL,
        removed_by     TEXT,                -- NULL: it stands
        removed_at_us  INTEGER,
        removal_reason TEXT
    ) STRICT
    """,
    "CREATE INDEX block_holder ON block(holder) WHERE removed_at_us IS NULL",
    """
    CREATE TABLE activation (        -- which policy was put in force when, by whom and why
        id     INTEGER PRIMARY KEY,
        at_us  INTEGER NOT NULL,
        action TEXT NOT NULL,        -- file, activate, rollback; shadow, shadow_off
        policy INTEGER NOT NULL REFERENCES policy(id),
        who    TEXT NOT NULL,
        reason TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE audit (             -- who did what, in order; rows are only ever added
        id      INTEGER PRIMARY KEY,
        at_us   INTEGER NOT NULL,
        who     TEXT NOT NULL,
        action  TEXT NOT NULL,
        subject TEXT NOT NULL,       -- a digest, a block's number; never a phone or document
        reason  TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE shadow_difference ( -- where the candidate would have decided otherwise
        serial  INTEGER PRIMARY KEY, -- of the decision
        policy  INTEGER NOT NULL REFERENCES policy(id), -- the candidate
        verdict TEXT NOT NULL,       -- what it would have decided
        rule    TEXT NOT NULL
    ) STRICT
    """,
)


def step(db: Database) -> None:
    """Add the tables and columns."""
    for statement in _STATEMENTS:
        db.execute(statement)
