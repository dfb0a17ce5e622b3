"""What can become of a proposed policy, as a table; and why something cannot."""

from collections.abc import Mapping
from enum import StrEnum

from storage.store import StoreError

__all__ = [
    "MOVES",
    "NEEDS_STUDY",
    "OF_ANOTHER",
    "OF_PROPOSER",
    "QUEUE_US_MAX",
    "Move",
    "MoveRefused",
    "State",
    "Why",
]

_DAY_US = 86_400_000_000
QUEUE_US_MAX = 366 * _DAY_US
"""How long after now a proposal may be queued; a mistyped year is not meant."""


class State(StrEnum):
    """Where a proposal stands."""

    PROPOSED = "proposed"
    QUEUED = "queued"  # approved; takes effect by itself at its instant
    ACTIVATED = "activated"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Move(StrEnum):
    """What can be done with a proposal."""

    ACTIVATE = "activate"
    QUEUE = "queue"
    DECLINE = "decline"
    WITHDRAW = "withdraw"
    FALL_DUE = "fall_due"  # the daemon: its instant has come
    LAPSE = "lapse"  # the daemon: its instant has come, but its study is void


MOVES: Mapping[tuple[State, Move], State] = {
    (State.PROPOSED, Move.ACTIVATE): State.ACTIVATED,
    (State.PROPOSED, Move.QUEUE): State.QUEUED,
    (State.PROPOSED, Move.DECLINE): State.DECLINED,
    (State.PROPOSED, Move.WITHDRAW): State.WITHDRAWN,
    (State.QUEUED, Move.ACTIVATE): State.ACTIVATED,  # earlier than it was to be
    (State.QUEUED, Move.QUEUE): State.QUEUED,  # for another instant
    (State.QUEUED, Move.DECLINE): State.DECLINED,
    (State.QUEUED, Move.WITHDRAW): State.WITHDRAWN,
    (State.QUEUED, Move.FALL_DUE): State.ACTIVATED,
    (State.QUEUED, Move.LAPSE): State.PROPOSED,
}

OF_PROPOSER = frozenset({Move.WITHDRAW})
"""Moves that only the proposer can make."""

OF_ANOTHER = frozenset({Move.ACTIVATE, Move.QUEUE, Move.DECLINE})
"""Moves that need a second person."""

NEEDS_STUDY = frozenset({Move.ACTIVATE, Move.QUEUE, Move.FALL_DUE})
"""Moves that need a sound study against the policy in force."""


class Why(StrEnum):
    """Why something was refused; pages word it in the visitor's language."""

    IN_FORCE = "it is in force already"
    OPEN = "the same policy is proposed already"
    STATE = "the proposal stands where this cannot be done any more"
    OWN = "whoever proposed it cannot decide about it: another policy officer must"
    NOT_OWN = "only whoever proposed it can withdraw it: decline it instead"
    UNSTUDIED = "it was not studied to the end yet"
    UNSOUND = "its study found faults"
    STALE = "another policy came in force since it was studied: study it again"
    PAST = "the instant is past: activate it now instead"
    FAR = "the instant is more than a year away"
    QUEUE_TAKEN = "another proposal is queued: wait for it, or have it declined"
    NOTHING_BEFORE = "no other policy was in force before"
    MOVED_ON = "another policy came in force in between: look again"


class MoveRefused(StoreError):
    """What was asked cannot be done with a proposal; nothing has changed."""

    def __init__(self, why: Why) -> None:
        super().__init__(why.value)
        self.why = why
