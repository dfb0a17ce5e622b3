"""Policies that were proposed, what became of them, and what was found out about them."""

from sqlite_utils import Database

_STATEMENTS = (
    """
    CREATE TABLE proposal (              -- a policy that somebody wants in force
        id             INTEGER PRIMARY KEY,
        policy         INTEGER NOT NULL REFERENCES policy(id),
        returns        INTEGER NOT NULL, -- 1: it was in force before
        proposed_by    TEXT NOT NULL,
        proposed_at_us INTEGER NOT NULL,
        reason         TEXT NOT NULL,
        state          TEXT NOT NULL,    -- storage.proposal_states.State
        due_us         INTEGER           -- when it takes effect by itself; NULL: it is not queued
    ) STRICT
    """,
    # What is queued was studied against the policy in force, so a second would be void.
    "CREATE UNIQUE INDEX proposal_queued ON proposal(state) WHERE state = 'queued'",
    """
    CREATE TABLE proposal_move (         -- what was done with a proposal; rows are only added
        id       INTEGER PRIMARY KEY,
        proposal INTEGER NOT NULL REFERENCES proposal(id),
        at_us    INTEGER NOT NULL,
        who      TEXT NOT NULL,
        move     TEXT NOT NULL,          -- storage.proposal_states.Move
        reason   TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX proposal_move_proposal ON proposal_move(proposal)",
    """
    CREATE TABLE study (                 -- what a proposal would change, found out beforehand
        id          INTEGER PRIMARY KEY,
        proposal    INTEGER NOT NULL REFERENCES proposal(id),
        asked_at_us INTEGER NOT NULL,
        against     INTEGER REFERENCES policy(id), -- in force when it began; NULL: it has not
        ended_at_us INTEGER,             -- NULL: it has not ended
        outcome     TEXT,                -- storage.studies.Outcome
        findings    TEXT                 -- JSON; of one that failed: why
    ) STRICT
    """,
    "CREATE INDEX study_proposal ON study(proposal)",
    "CREATE INDEX study_unended ON study(id) WHERE ended_at_us IS NULL",
)


def step(db: Database) -> None:
    """Add the tables and indexes."""
    for statement in _STATEMENTS:
        db.execute(statement)
