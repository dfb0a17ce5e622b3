"""Who may use the desk: people, the sessions that they have open, and tokens of programs."""

from sqlite_utils import Database

_STATEMENTS = (
    """
    CREATE TABLE user (                     -- somebody who may sign in; rows are never deleted
        name          TEXT PRIMARY KEY,     -- lower case; what the audit calls him
        password      TEXT,                 -- argon2id with its parameters and salt
        once          INTEGER NOT NULL,     -- 1: somebody else chose it; replaced at the sign-in
        subject       TEXT UNIQUE,          -- at the OpenID provider: its issuer, a space, his sub
        roles         TEXT NOT NULL,        -- storage.roles.Role, with spaces between
        disabled      INTEGER NOT NULL,     -- 1: cannot sign in
        created_at_us INTEGER NOT NULL,
        changed_at_us INTEGER NOT NULL,     -- password, roles or disabled
        CHECK ((password IS NULL) <> (subject IS NULL))
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE session (                  -- a browser in which somebody is signed in
        fingerprint   TEXT PRIMARY KEY,     -- SHA-256 of what its cookie holds
        user          TEXT NOT NULL REFERENCES user(name),
        csrf          TEXT NOT NULL,        -- what its forms must carry
        how           TEXT NOT NULL,        -- password, oidc
        created_at_us INTEGER NOT NULL,
        seen_at_us    INTEGER NOT NULL      -- the last visit, to the minute
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX session_user ON session(user, seen_at_us)",
    """
    CREATE TABLE token (                    -- with which a program asks; rows are never deleted
        name          TEXT PRIMARY KEY,     -- what the audit calls it
        fingerprint   TEXT NOT NULL UNIQUE, -- SHA-256 of the token
        scopes        TEXT NOT NULL,        -- storage.roles.Scope, with spaces between
        created_by    TEXT NOT NULL,
        created_at_us INTEGER NOT NULL,
        expires_at_us INTEGER NOT NULL,     -- the first instant at which it is good no longer
        revoked_at_us INTEGER,              -- NULL: it was not
        used_at_us    INTEGER               -- last, to the minute; NULL: never yet
    ) STRICT, WITHOUT ROWID
    """,
)


def step(db: Database) -> None:
    """Add the tables; nobody is in them, so the desk only shows."""
    for statement in _STATEMENTS:
        db.execute(statement)
