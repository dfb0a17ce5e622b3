"""What the dashboard's charts are drawn from, so that they need no Prometheus."""

from sqlite_utils import Database

_STATEMENTS = (
    # Each sample is added to one row of every tier, so a row is whole at any moment, and a start
    # of the daemon goes on where the one before ended.
    """
    CREATE TABLE history (
        step_s INTEGER NOT NULL,  -- how long the span of a row of this tier is: 5, 60, 900
        at_s   INTEGER NOT NULL,  -- when the span begins, UTC: a multiple of step_s
        sample TEXT NOT NULL,     -- JSON, see storage.history.Sample; what is 0 is left out
        PRIMARY KEY (step_s, at_s)
    ) STRICT, WITHOUT ROWID
    """,
)


def step(db: Database) -> None:
    """Add the table."""
    for statement in _STATEMENTS:
        db.execute(statement)
