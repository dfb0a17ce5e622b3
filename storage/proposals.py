"""Policies that were proposed: a second person decides about each, now or for a later instant.

What is activated is what was studied: a study tells what a proposal changes of the policy in
force, so it says nothing more once another policy is in force.
"""

from typing import Any, NamedTuple

from storage import audit, policies, studies
from storage.beside import reading, writing
from storage.proposal_states import (
    MOVES,
    NEEDS_STUDY,
    OF_ANOTHER,
    OF_PROPOSER,
    QUEUE_US_MAX,
    Move,
    MoveRefused,
    State,
    Why,
)
from storage.sqlite_library import dbapi
from storage.store import StoreError
from storage.studies import Outcome

__all__ = [
    "Due",
    "Proposal",
    "Taken",
    "find",
    "move",
    "moves_of",
    "propose",
    "queued",
    "recent",
    "roll_back",
    "take_due",
]

_SMSD = "smsd"


class Proposal(NamedTuple):
    """A proposed policy. returns: it was in force before. due_us: of one that is queued."""

    id: int
    digest: str
    returns: bool
    proposed_by: str
    proposed_at_us: int
    reason: str
    state: State
    due_us: int | None


class Taken(NamedTuple):
    """A move that was made."""

    at_us: int
    who: str
    move: Move
    reason: str


class Due(NamedTuple):
    """What became of a queued proposal at its instant. why: None: it is in force."""

    proposal: int
    digest: str
    why: Why | None


_SELECT = (
    "SELECT proposal.id, policy.digest, returns, proposed_by, proposed_at_us, reason, state, due_us"
    " FROM proposal JOIN policy ON policy.id = proposal.policy"
)


def propose(
    url: str, source: str, digest: str, at_us: int, who: str, reason: str, returns: bool = False
) -> int:
    """Keep a policy as a proposal and ask for its study; returns its number.

    Raises:
        MoveRefused: it is in force, or proposed already.
    """
    with writing(url) as connection:
        active = policies.active_in(connection)
        if active is not None and active.digest == digest:
            raise MoveRefused(Why.IN_FORCE)
        open_states = (State.PROPOSED, State.QUEUED)
        same = connection.execute(
            f"{_SELECT} WHERE state IN (?,?) AND policy.digest = ?", (*open_states, digest)
        )
        if same.fetchone():
            raise MoveRefused(Why.OPEN)
        policies.keep_text(connection, source, digest, at_us)
        cursor = connection.execute(
            "INSERT INTO proposal (policy, returns, proposed_by, proposed_at_us, reason, state)"
            " SELECT id, ?, ?, ?, ?, ? FROM policy WHERE digest = ?",
            (returns, who, at_us, reason, State.PROPOSED, digest),
        )
        number = int(cursor.lastrowid or 0)
        studies.ask_in(connection, number, at_us)
        audit.write(connection, at_us, who, "policy_propose", digest, reason)
        return number


def find(url: str, number: int) -> Proposal | None:
    """A proposal by its number."""
    with reading(url) as connection:
        return _find(connection, number)


def recent(url: str, limit: int) -> list[Proposal]:
    """The newest proposals, newest first."""
    with reading(url) as connection:
        rows = connection.execute(f"{_SELECT} ORDER BY proposal.id DESC LIMIT ?", (limit,))
        return [_proposal(row) for row in rows]


def queued(url: str) -> Proposal | None:
    """The one that takes effect by itself, if there is one."""
    with reading(url) as connection:
        return _queued(connection)


def moves_of(url: str, number: int) -> list[Taken]:
    """What was done with a proposal, oldest first."""
    with reading(url) as connection:
        rows = connection.execute(
            "SELECT at_us, who, move, reason FROM proposal_move WHERE proposal = ? ORDER BY id",
            (number,),
        )
        return [Taken(at_us, who, Move(made), reason) for at_us, who, made, reason in rows]


def move(
    url: str,
    number: int,
    made: Move,
    at_us: int,
    who: str,
    reason: str,
    due_us: int | None = None,
) -> None:
    """Do something with a proposal; what is activated is in force for whoever looks from now on.

    due_us: when what is queued takes effect.

    Raises:
        MoveRefused: it cannot be done, or not by this person.
        StoreError: there is no such proposal.
    """
    assert (due_us is not None) is (made is Move.QUEUE), "an instant is for what is queued"
    assert made in OF_PROPOSER | OF_ANOTHER, "the rest is the daemon's, by take_due"
    with writing(url) as connection:
        proposal = _find(connection, number)
        if proposal is None:
            raise StoreError(f"there is no proposal {number}")
        if why := _refusal(connection, proposal, made, at_us, who, due_us):
            raise MoveRefused(why)
        _make(connection, proposal, made, at_us, who, reason, due_us)
        if made is Move.ACTIVATE:
            _put_in_force(connection, proposal, at_us, who, reason)
        audit.write(connection, at_us, who, f"policy_{made}", proposal.digest, reason)


def take_due(url: str, at_us: int) -> Due | None:
    """Put in force what is queued and whose instant has come; None: there is no such thing.

    Where its study is void by now it goes back to be studied and approved anew.
    """
    with reading(url) as connection:
        if not _is_due(_queued(connection), at_us):
            return None
    with writing(url) as connection:
        proposal = _queued(connection)
        if proposal is None or not _is_due(proposal, at_us):
            return None
        why = _study_refusal(connection, proposal)
        if why is not None:
            _make(connection, proposal, Move.LAPSE, at_us, _SMSD, why.value)
            audit.write(connection, at_us, _SMSD, "policy_lapse", proposal.digest, why.value)
            return Due(proposal.id, proposal.digest, why)
        who, reason = connection.execute(
            "SELECT who, reason FROM proposal_move WHERE proposal = ? AND move = ?"
            " ORDER BY id DESC LIMIT 1",
            (proposal.id, Move.QUEUE),
        ).fetchone()
        _make(connection, proposal, Move.FALL_DUE, at_us, _SMSD, reason)
        _put_in_force(connection, proposal, at_us, who, reason)
        audit.write(connection, at_us, _SMSD, "policy_activate", proposal.digest, reason)
        return Due(proposal.id, proposal.digest, None)


def roll_back(url: str, digest: str, at_us: int, who: str, reason: str) -> None:
    """Put the policy before the present one in force again, by one person alone.

    digest: of the one that is meant. It had its two persons when it came in force; the audit
    says that now there was one.

    Raises:
        MoveRefused: it is not, or no longer, the one before.
    """
    with writing(url) as connection:
        earlier = policies.before_in(connection)
        if earlier is None:
            raise MoveRefused(Why.NOTHING_BEFORE)
        if earlier.digest != digest:
            raise MoveRefused(Why.MOVED_ON)
        policies.note_activation(connection, digest, at_us, who, reason, "rollback")
        audit.write(connection, at_us, who, "policy_rollback_alone", digest, reason)


def _refusal(
    connection: "dbapi.Connection",
    proposal: Proposal,
    made: Move,
    at_us: int,
    who: str,
    due_us: int | None,
) -> Why | None:
    """Why a person cannot make a move; None: it can be made."""
    if (proposal.state, made) not in MOVES:
        return Why.STATE
    if made in OF_ANOTHER and who == proposal.proposed_by:
        return Why.OWN
    if made in OF_PROPOSER and who != proposal.proposed_by:
        return Why.NOT_OWN
    if due_us is not None and due_us <= at_us:
        return Why.PAST
    if due_us is not None and due_us > at_us + QUEUE_US_MAX:
        return Why.FAR
    other = _queued(connection) if made is Move.QUEUE else None
    if other is not None and other.id != proposal.id:
        return Why.QUEUE_TAKEN
    return _study_refusal(connection, proposal) if made in NEEDS_STUDY else None


def _study_refusal(connection: "dbapi.Connection", proposal: Proposal) -> Why | None:
    """Whether what is known of a proposal still holds, and is good."""
    study = studies.newest_in(connection, proposal.id)
    if study is None or study.outcome in (None, Outcome.FAILED):
        return Why.UNSTUDIED
    if study.outcome is Outcome.FAULTY:
        return Why.UNSOUND
    active = policies.active_in(connection)
    return None if active is not None and study.against == active.digest else Why.STALE


def _make(
    connection: "dbapi.Connection",
    proposal: Proposal,
    made: Move,
    at_us: int,
    who: str,
    reason: str,
    due_us: int | None = None,
) -> None:
    connection.execute(
        "UPDATE proposal SET state = ?, due_us = ? WHERE id = ?",
        (MOVES[proposal.state, made], due_us, proposal.id),
    )
    connection.execute(
        "INSERT INTO proposal_move (proposal, at_us, who, move, reason) VALUES (?,?,?,?,?)",
        (proposal.id, at_us, who, made, reason),
    )


def _put_in_force(
    connection: "dbapi.Connection", proposal: Proposal, at_us: int, who: str, reason: str
) -> None:
    action = "rollback" if proposal.returns else "activate"
    policies.note_activation(connection, proposal.digest, at_us, who, reason, action)


def _find(connection: "dbapi.Connection", number: int) -> Proposal | None:
    row = connection.execute(f"{_SELECT} WHERE proposal.id = ?", (number,)).fetchone()
    return _proposal(row) if row else None


def _queued(connection: "dbapi.Connection") -> Proposal | None:
    row = connection.execute(f"{_SELECT} WHERE state = 'queued'").fetchone()
    return _proposal(row) if row else None


def _is_due(proposal: Proposal | None, at_us: int) -> bool:
    return proposal is not None and proposal.due_us is not None and proposal.due_us <= at_us


def _proposal(row: tuple[Any, ...]) -> Proposal:
    number, digest, returns, who, at_us, reason, state, due_us = row
    return Proposal(number, digest, bool(returns), who, at_us, reason, State(state), due_us)
