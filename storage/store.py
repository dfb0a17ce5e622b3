"""The contract of a store of durable decisions.

One writer thread owns a `Store`. All that one batch of SMS needs happens inside one
`Transaction`; when `commit` returns, a power cut no longer takes anything away.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from rules import Block, CompiledPolicy, HeldPermit
from rules.commands import Ended, PhonePermit
from rules.flood import PhoneState
from storage.records import (
    DecisionRow,
    InboundMessage,
    InboundReceipt,
    Reply,
    ReplyOutcome,
    ShadowRow,
    Sweep,
)


class StoreError(Exception):
    """The store cannot be used as asked; the message says what to do."""


class StoreUnavailable(StoreError):
    """For now nothing can be stored: disk full, read-only, I/O error, locked by another."""


class StoreConflict(StoreError):
    """Another gateway took a place of a daily limit in between; run the batch again."""


class StoreInUse(StoreError):
    """Another daemon owns this store."""


class ReceiptBook(Protocol):
    """The delivery receipts of a transaction."""

    arrived: list[tuple[str, int]]
    """The SMSC of replies found to be on their phones, and how long after their SMS.

    In microseconds of the wall clock; negative where it was set back.
    """

    def record(self, receipts: Sequence[InboundReceipt]) -> None:
        """Note what receipts say of sent replies.

        Those that come before their reply is known to be sent are kept until it is settled.
        """

    def give_up(self, sweep: Sweep) -> dict[str, int]:
        """Forget receipts that are about no reply of ours; by SMSC, how many."""


class Transaction(Protocol):
    """One atomic step. Nothing in it is visible or durable before it commits."""

    @property
    def receipts(self) -> ReceiptBook:
        """Delivery receipts."""

    def unsent_twins(self, messages: Sequence[InboundMessage]) -> dict[tuple[str, str], int]:
        """The SMS whose reply has not left yet, of the phones of `messages`.

        By phone and text, the id of the newest such SMS.
        """

    def add_part(self, message: InboundMessage) -> bytes | None:
        """Keep a segment of a long SMS; the whole user data once all are there."""

    def give_up_parts(self, sweep: Sweep) -> list[InboundMessage]:
        """What came of long SMS that were never whole, each once; see `sqlite_parts.give_up`.

        A segment that comes later still completes its SMS.
        """

    def permits(self, holders: Collection[str], since_us: int) -> dict[str, tuple[HeldPermit, ...]]:
        """By holder, the permits that ended or will end after `since_us`, oldest first.

        One that was returned ends when it was; one that was cancelled before it began is gone.
        Holders without any are left out.
        """

    def blocks(self, holders: Collection[str]) -> dict[str, tuple[Block, ...]]:
        """By holder, the blocks that were not lifted, ended ones too; others are left out."""

    def phone_states(self, phones: Collection[str]) -> dict[str, PhoneState]:
        """What is kept of these phones; those of which nothing is kept are left out."""

    def set_phone_states(self, states: Mapping[str, PhoneState]) -> None:
        """Keep something of these phones."""

    def messages_since(self, phones: Collection[str], since_us: int) -> dict[str, int]:
        """How many SMS each phone sent from an instant on; those without any are left out."""

    def asked_since(
        self, phones: Collection[str], since_us: int
    ) -> dict[str, dict[tuple[str, str], int]]:
        """What each phone asked for from an instant on.

        By phone: by code and document, the id of the SMS that asked first.
        """

    def phone_permits(
        self, phones: Collection[str], at_us: int
    ) -> dict[str, tuple[PhonePermit, ...]]:
        """By phone, the permits that it asked for and that end after an instant, oldest first."""

    def end_permits(self, ended: Sequence[Ended]) -> None:
        """End permits early, and give back the day of those that had not begun."""

    def silence(self, message_id: int) -> None:
        """Note that an SMS was left without an answer because its phone had sent too much."""

    def add_shadow_differences(self, rows: Sequence[ShadowRow]) -> None:
        """Store where the candidate disagrees."""

    def next_serial(self) -> int:
        """A number that no decision had before."""

    def add_message(
        self, message: InboundMessage, outcome: str, repeat_of: int | None = None
    ) -> int:
        """Store an SMS; returns its id."""

    def add_decisions(self, rows: Sequence[DecisionRow]) -> None:
        """Store decisions.

        Raises:
            StoreConflict: the index of daily limits already has such a permit.
        """

    def add_reply(
        self,
        message_id: int,
        message: InboundMessage,
        text: str,
        not_after_us: int,
        starts_permit: bool = False,
        urgent: bool = False,
    ) -> Reply:
        """Queue the reply to an SMS in the outbox.

        starts_permit: permits of the SMS begin when it has left. urgent: before all others.
        """

    def tell(self, message_id: int, message: InboundMessage, text: str, not_after_us: int) -> None:
        """Keep the reply to a caller without a phone; an agent reads it out, nothing is sent."""

    def settle(self, outcomes: Sequence[ReplyOutcome]) -> None:
        """Record what became of replies; permits that begin with one begin when it was sent.

        For those that await receipts, those that are here already count at once.
        """

    def take_back(self, expired: Sequence[ReplyOutcome]) -> None:
        """Take back the permits of SMS whose reply never left, and give their day back.

        Those stand that their holder has ended, and those that another reply told of.
        """

    def to_renew(self, reply_ids: Sequence[int]) -> list[InboundMessage]:
        """The SMS behind replies that will never leave, each with `renews` set to its own id.

        Left out: those without a permit, those whose permits their holder has ended, and those
        in whose place another stands already.
        """


class Store(Protocol):
    """Where messages, decisions and replies survive."""

    def transaction(self, policy: CompiledPolicy) -> AbstractContextManager[Transaction]:
        """A transaction whose decisions are made under `policy`.

        Commits at the end of the block and rolls back on an exception.

        Raises:
            StoreUnavailable: nothing was stored; try again later.
        """

    def due(self, sweep: Sweep) -> bool:
        """Whether a transaction would find anything to give up; writes nothing."""

    def unsent(
        self, smsc: str, after: int, limit: int, urgent: bool = False, retried: bool = False
    ) -> list[Reply]:
        """The next replies of this SMSC's outbox behind the one with the id `after`, oldest first.

        urgent: only those that are; otherwise only those that are not. retried: only those that
        somebody put back, in the order of that, behind the line `after` of the audit; otherwise
        only the others.
        """

    def unsent_count(self, smsc: str) -> int:
        """How many replies of this SMSC wait."""

    def prove_writable(self) -> None:
        """Write to disk without changing anything.

        Raises:
            StoreUnavailable: that cannot be done; try again later.
        """

    def close(self) -> None:
        """Let go of the store."""
