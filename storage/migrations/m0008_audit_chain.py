"""The audit becomes a chain: what is altered, cut out or put in later shows."""

from sqlite_utils import Database

from storage.audit_chain import BEGINNING, link

_STATEMENTS = (
    # SHA-256 of salt and name in audit_about, hexadecimal; '': the line is about nobody.
    "ALTER TABLE audit ADD COLUMN about_digest TEXT NOT NULL DEFAULT ''",
    # storage.audit_chain.link
    "ALTER TABLE audit ADD COLUMN hash TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX audit_at ON audit(at_us)",
    "CREATE INDEX audit_who ON audit(who)",
    "CREATE INDEX audit_action ON audit(action)",
    """
    CREATE TABLE audit_about (          -- whom a line is about, for as long as that may be kept
        audit INTEGER PRIMARY KEY REFERENCES audit(id),
        salt  BLOB NOT NULL,            -- random, so that the digest alone tells nothing
        about TEXT NOT NULL             -- a phone or a document
    ) STRICT
    """,
    "CREATE INDEX audit_about_about ON audit_about(about)",
)


def step(db: Database) -> None:
    """Add the columns, the table and the indexes, and chain the lines that there are."""
    for statement in _STATEMENTS:
        db.execute(statement)
    hash_ = BEGINNING
    lines = db.execute(
        "SELECT id, at_us, who, action, subject, reason, about_digest FROM audit ORDER BY id"
    )
    for line in lines.fetchall():
        hash_ = link(hash_, *line)
        db.execute("UPDATE audit SET hash = ? WHERE id = ?", (hash_, line[0]))
