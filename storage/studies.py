"""What was found out about proposed policies, and what is still to be found out."""

from enum import StrEnum
from typing import NamedTuple

from storage import audit, policies
from storage.beside import reading, writing
from storage.sqlite_library import dbapi

__all__ = [
    "Outcome",
    "Study",
    "Task",
    "ask",
    "ask_in",
    "begin_next",
    "end",
    "findings",
    "newest",
    "newest_in",
]


class Outcome(StrEnum):
    """How a study ended."""

    SOUND = "sound"
    FAULTY = "faulty"  # the policy cannot be used; the findings say why
    FAILED = "failed"  # the study itself: killed, or it took too long


class Study(NamedTuple):
    """A study. against: the digest it was compared with; None: it has not begun.

    outcome: None: it has not ended.
    """

    id: int
    proposal: int
    asked_at_us: int
    against: str | None
    ended_at_us: int | None
    outcome: Outcome | None


class Task(NamedTuple):
    """A study to be made: the texts of the policy in force and of the one proposed."""

    study: int
    proposal: int
    old: str
    new: str


_SELECT = (
    "SELECT study.id, proposal, asked_at_us, policy.digest, ended_at_us, outcome"
    " FROM study LEFT JOIN policy ON policy.id = study.against"
)


def ask(url: str, proposal: int, at_us: int, who: str) -> None:
    """Ask for another study of a proposal, unless one is still to be made."""
    with writing(url) as connection:
        waiting = connection.execute(
            "SELECT 1 FROM study WHERE proposal = ? AND ended_at_us IS NULL", (proposal,)
        )
        if waiting.fetchone():
            return
        ask_in(connection, proposal, at_us)
        audit.write(connection, at_us, who, "policy_study", f"proposal {proposal}", "")


def ask_in(connection: "dbapi.Connection", proposal: int, at_us: int) -> None:
    """The same, in the transaction of what makes it needed."""
    connection.execute("INSERT INTO study (proposal, asked_at_us) VALUES (?,?)", (proposal, at_us))


def begin_next(url: str) -> Task | None:
    """The oldest study that has not ended, against the policy in force now; None: all have.

    Of a proposal that was declined or withdrawn nobody wants to know any more.
    """
    with writing(url) as connection:
        row = connection.execute(
            "SELECT study.id, proposal FROM study JOIN proposal ON proposal.id = study.proposal"
            " WHERE ended_at_us IS NULL AND state IN ('proposed', 'queued')"
            " ORDER BY study.id LIMIT 1"
        ).fetchone()
        active = policies.active_in(connection)
        if row is None or active is None:
            return None
        connection.execute(
            "UPDATE study SET against = (SELECT id FROM policy WHERE digest = ?) WHERE id = ?",
            (active.digest, row[0]),
        )
        old, new = connection.execute(
            "SELECT old.source, new.source FROM study JOIN policy AS old ON old.id = against"
            " JOIN proposal ON proposal.id = study.proposal"
            " JOIN policy AS new ON new.id = proposal.policy WHERE study.id = ?",
            (row[0],),
        ).fetchone()
        number, proposal = row
        return Task(number, proposal, old, new)


def end(url: str, study: int, at_us: int, outcome: Outcome, found: str) -> None:
    """Keep what a study found: JSON, or of one that failed the reason."""
    with writing(url) as connection:
        connection.execute(
            "UPDATE study SET ended_at_us = ?, outcome = ?, findings = ? WHERE id = ?",
            (at_us, outcome, found, study),
        )


def newest(url: str, proposal: int) -> Study | None:
    """The study of a proposal that was asked for last."""
    with reading(url) as connection:
        return newest_in(connection, proposal)


def newest_in(connection: "dbapi.Connection", proposal: int) -> Study | None:
    """The same, in the reading or the transaction of whoever needs it for more."""
    row = connection.execute(
        f"{_SELECT} WHERE proposal = ? ORDER BY study.id DESC LIMIT 1", (proposal,)
    ).fetchone()
    if row is None:
        return None
    number, _, asked_at_us, against, ended_at_us, outcome = row
    ended = Outcome(outcome) if outcome else None
    return Study(number, proposal, asked_at_us, against, ended_at_us, ended)


def findings(url: str, study: int) -> str:
    """What a study that has ended found, as `end` kept it."""
    with reading(url) as connection:
        row = connection.execute("SELECT findings FROM study WHERE id = ?", (study,)).fetchone()
        return str(row[0]) if row and row[0] is not None else ""
