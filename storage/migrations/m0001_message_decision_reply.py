"""What came in, what was decided about it, and what was answered."""

from sqlite_utils import Database

_STATEMENTS = (
    """
    CREATE TABLE smsc (              -- short integers for the names in config.toml
        id   INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    ) STRICT
    """,
    """
    CREATE TABLE policy (            -- every policy that ever decided something here, whole
        id           INTEGER PRIMARY KEY,
        digest       TEXT NOT NULL UNIQUE,  -- SHA-256 of the file, hex
        source       TEXT NOT NULL,         -- the file's text: old decisions stay explainable
        loaded_at_us INTEGER NOT NULL       -- when it was first in force here
    ) STRICT
    """,
    """
    CREATE TABLE message (           -- an SMS from a phone (MO)
        id             INTEGER PRIMARY KEY,
        received_at_us INTEGER NOT NULL,    -- microseconds since 1970, UTC
        smsc           INTEGER NOT NULL REFERENCES smsc(id),
        phone          TEXT NOT NULL,       -- MSISDN, digits
        short_number   TEXT NOT NULL,       -- where it was sent to
        data_coding    INTEGER NOT NULL,    -- SMPP 3.4 section 5.2.19
        text           TEXT NOT NULL,       -- as decoded
        octets         BLOB,                -- as received, only where the text is not sound
        outcome        TEXT NOT NULL,       -- 'decided', 'repeated', or why not understood
        repeat_of      INTEGER              -- an equal SMS whose reply was still on its way
    ) STRICT
    """,
    "CREATE INDEX message_phone ON message(phone, id)",
    """
    CREATE TABLE decision (          -- one per document in a message; a grant is the permit
        serial         INTEGER PRIMARY KEY, -- the short reference is computed from it
        message        INTEGER NOT NULL REFERENCES message(id),
        at_us          INTEGER NOT NULL,    -- the instant it was decided for: receipt
        holder         TEXT NOT NULL,       -- 'p:' and person, or 'd:' and document
        document       TEXT NOT NULL,       -- canonical, for example AZE1111111
        code           TEXT NOT NULL,
        verdict        TEXT NOT NULL,       -- rules.decide.Verdict
        rule           TEXT NOT NULL,       -- id of the rule that hit
        policy         INTEGER NOT NULL REFERENCES policy(id),
        facts          TEXT NOT NULL,       -- JSON; with the policy they reproduce the decision
        permit         INTEGER,             -- serial of the permit the reply names
        valid_from_us  INTEGER,
        valid_until_us INTEGER,
        day            INTEGER NOT NULL,    -- civil day in the policy's zone, date ordinal
        quota          TEXT,                -- the daily limit that this permit counts towards
        quota_slot     INTEGER
    ) STRICT
    """,
    # The judge of "once a day": whatever the code believes, two such rows cannot exist.
    """
    CREATE UNIQUE INDEX decision_quota ON decision(holder, quota, day, quota_slot)
        WHERE quota IS NOT NULL
    """,
    """
    CREATE INDEX decision_permit ON decision(holder, valid_until_us)
        WHERE verdict = 'grant'
    """,
    "CREATE INDEX decision_message ON decision(message)",
    """
    CREATE TABLE reply (             -- an SMS to a phone (MT)
        id              INTEGER PRIMARY KEY, -- that of its message for the first reply to it
        message         INTEGER NOT NULL REFERENCES message(id),
        smsc            INTEGER NOT NULL REFERENCES smsc(id),
        phone           TEXT NOT NULL,
        text            TEXT NOT NULL,
        not_after_us    INTEGER NOT NULL,    -- later than this it would mislead
        state           INTEGER NOT NULL,    -- storage.records.ReplyState
        resent          INTEGER NOT NULL DEFAULT 0, -- 1: sent again, first outcome unknown
        settled_at_us   INTEGER,             -- when the SMSC took or refused it
        smsc_message_id TEXT,                -- what the SMSC calls it; one per segment
        status          INTEGER              -- command_status of the SMSC's answer
    ) STRICT
    """,
    "CREATE INDEX reply_unsent ON reply(smsc, id) WHERE state = 0",
    """
    CREATE TABLE part (              -- a segment of a long SMS whose others are on their way
        phone          TEXT NOT NULL,
        reference      INTEGER NOT NULL,     -- concatenation reference number
        total          INTEGER NOT NULL,
        number         INTEGER NOT NULL,     -- 1 to total
        octets         BLOB NOT NULL,
        received_at_us INTEGER NOT NULL,
        PRIMARY KEY (phone, reference, total, number)
    ) STRICT, WITHOUT ROWID
    """,
)


def step(db: Database) -> None:
    """Create the first schema."""
    for statement in _STATEMENTS:
        db.execute(statement)
