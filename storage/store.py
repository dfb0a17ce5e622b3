"""The contract of a store of durable decisions.

One writer thread owns a `Store`. All that one batch of SMS needs happens inside one
`Transaction`; when `commit` returns, a power cut no longer takes anything away.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from rules import CompiledPolicy, Decision, Facts, HeldPermit
from storage.records import InboundMessage, Reply, ReplyOutcome


class StoreError(Exception):
    """The store cannot be used as asked; the message says what to do."""


class StoreUnavailable(StoreError):
    """For now nothing can be stored: disk full, read-only, I/O error, locked by another."""


class StoreInUse(StoreError):
    """Another daemon owns this store."""


class Transaction(Protocol):
    """One atomic step. Nothing in it is visible or durable before it commits."""

    def unsent_twin(self, message: InboundMessage) -> int | None:
        """The id of an equal SMS of this phone whose reply has not left yet."""

    def add_part(self, message: InboundMessage) -> bytes | None:
        """Keep a segment of a long SMS; the whole user data once all are there."""

    def permits(self, holder: str, since_us: int) -> tuple[HeldPermit, ...]:
        """The permits of `holder` that ended or will end after `since_us`, oldest first."""

    def next_serial(self) -> int:
        """A number that no decision had before."""

    def add_message(
        self, message: InboundMessage, outcome: str, repeat_of: int | None = None
    ) -> int:
        """Store an SMS; returns its id."""

    def add_decision(self, message_id: int, holder: str, decision: Decision, facts: Facts) -> bool:
        """Store a decision; False when the daily limit's index already has this permit."""

    def add_reply(
        self, message_id: int, message: InboundMessage, text: str, not_after_us: int
    ) -> Reply:
        """Queue the reply to an SMS in the outbox."""

    def settle(self, outcomes: Sequence[ReplyOutcome]) -> None:
        """Record what became of replies."""


class Store(Protocol):
    """Where messages, decisions and replies survive."""

    def transaction(self, policy: CompiledPolicy) -> AbstractContextManager[Transaction]:
        """A transaction whose decisions are made under `policy`.

        Commits at the end of the block and rolls back on an exception.

        Raises:
            StoreUnavailable: nothing was stored; try again later.
        """

    def unsent(self, smsc: str, after_id: int, limit: int) -> list[Reply]:
        """The next replies of this SMSC's outbox above `after_id`, oldest first."""

    def unsent_count(self, smsc: str) -> int:
        """How many replies of this SMSC wait."""

    def close(self) -> None:
        """Let go of the store."""
