"""Batches in, one transaction each, what became of them out: the work behind the commit lane.

Runs where its host puts it: in a thread, or in a process of its own. Knows neither links nor
the reactor, and one fault in it costs no more SMS than it must.
"""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import structlog

from smsd.gateway.adjudicate import Law, Settled, adjudicate
from smsd.gateway.incomplete import given_up
from smsd.gateway.late import too_late
from storage import (
    InboundMessage,
    InboundReceipt,
    Register,
    Reply,
    ReplyOutcome,
    Store,
    StoreConflict,
    StoreUnavailable,
    Sweep,
)

_log = structlog.get_logger("smsd.commit")

_ATTEMPTS_MAX = 5  # another gateway would have to be quicker each time


class Page(NamedTuple):
    """A question for the next unsent replies of an SMSC; see `storage.store.Store.unsent`."""

    smsc: str
    after: int
    limit: int
    urgent: bool = False
    retried: bool = False


class Batch(NamedTuple):
    """What goes to the writer in one piece.

    sweep: what has waited long enough is to be given up; None: look another time. proof: whether
    the store can be written is to be tried first.
    """

    messages: list[InboundMessage]
    outcomes: list[ReplyOutcome]
    reads: list[Page]
    receipts: tuple[InboundReceipt, ...] = ()
    sweep: Sweep | None = None
    proof: bool = False


class Counts(NamedTuple):
    """What a batch led to, in numbers.

    decisions: by verdict and rule. unrecognised: by reason. commands: by name.
    disagreements: by the verdict in force and that of the candidate. renewed: SMS whose permit
    ended before its reply could leave, decided anew or explained. arrived: of each reply
    found to be on its phone, its SMSC and the microseconds from its SMS to the receipt. unmatched:
    by SMSC, receipts that were about no reply of ours.
    """

    decisions: dict[tuple[str, str], int]
    unrecognised: dict[str, int]
    commands: dict[str, int]
    repeated: int
    silent: int
    disagreements: dict[tuple[str, str], int]
    renewed: int = 0
    arrived: tuple[tuple[str, int], ...] = ()
    unmatched: tuple[tuple[str, int], ...] = ()


NOTHING = Counts({}, {}, {}, 0, 0, {})


class Done(NamedTuple):
    """What became of a batch.

    replies: None when nothing of the batch was stored; `fault` says why.
    refused: positions of messages that could not be stored though others could.
    pages: for each read its replies, or why they could not be read.
    """

    replies: list[Reply] | None
    counts: Counts
    refused: list[int]
    pages: list[list[Reply] | str]
    fault: str | None
    commit_s: float


class Writer:
    """Owns the store. For one thread at a time."""

    def __init__(
        self,
        store: Store,
        register: Register | None,
        law: Law,
        monotonic: Callable[[], float],
    ) -> None:
        self._store = store
        self._register = register
        self.law = law  # another one decides from the next batch on
        self._monotonic = monotonic

    def write(self, batch: Batch) -> Done:
        """One transaction for all; message by message only where that meets a bug."""
        started = self._monotonic()
        settled: Settled | None = None
        refused: list[int] = []
        fault = None
        try:
            if batch.proof:
                self._store.prove_writable()
            settled = self._commit(batch)
        except StoreUnavailable as unavailable:
            fault = str(unavailable)
        except Exception:  # noqa: BLE001 - one message must not cost the others theirs
            _log.exception("batch_failed", messages=len(batch.messages))
            settled, refused, fault = self._commit_one_by_one(batch)
        commit_s = self._monotonic() - started
        pages = [self._page(read) for read in batch.reads]
        replies = None if settled is None else settled.replies
        counts = NOTHING if settled is None else _counts(settled)
        return Done(replies, counts, refused, pages, fault, commit_s)

    def close(self) -> None:
        """Let go of store and register."""
        self._store.close()
        if self._register is not None:
            self._register.close()

    def _commit(self, batch: Batch, renewing: bool = True) -> Settled:
        messages, outcomes, _, receipts, sweep, _ = batch
        if sweep is not None and not self._store.due(sweep):
            sweep = None
        if not messages and not outcomes and not receipts and sweep is None:
            return Settled()
        law = self.law  # one for the whole batch, whatever another thread does meanwhile
        for _ in range(_ATTEMPTS_MAX):
            try:
                with self._store.transaction(law.policy) as transaction:
                    if outcomes:
                        transaction.settle(outcomes)
                    if receipts:
                        transaction.receipts.record(receipts)
                    late = too_late(transaction, law.policy, outcomes) if renewing else []
                    incomplete = [] if sweep is None else given_up(transaction, sweep)
                    settled = adjudicate(
                        transaction, law, self._register, [*late, *messages], incomplete
                    )
                    settled.arrived = transaction.receipts.arrived
                    if sweep is not None:
                        settled.unmatched = transaction.receipts.give_up(sweep)
                    return settled
            except StoreConflict:
                continue  # the facts read anew will show what the other gateway granted
        raise AssertionError("the index of daily limits and the facts disagree")

    def _commit_one_by_one(self, batch: Batch) -> tuple[Settled | None, list[int], str | None]:
        """Isolate a bug: each message in a transaction of its own, the rest kept by the SMSC.

        What is swept waits for the next sweep.
        """
        total = Settled()
        refused: list[int] = []
        try:
            total.absorb(self._commit_outcomes(batch.outcomes))
            total.absorb(self._commit_receipts(batch.receipts))
        except Exception as fault:  # noqa: BLE001 - the writer must live
            return None, [], str(fault)
        for position, message in enumerate(batch.messages):
            try:
                settled = self._commit(Batch([message], [], []))
            except StoreUnavailable:
                refused.extend(range(position, len(batch.messages)))
                break
            except Exception:  # noqa: BLE001 - a bug; logged, and the SMSC keeps the message
                _log.exception("message_failed", smsc=message.smsc)
                refused.append(position)
            else:
                total.absorb(settled)
        return total, refused, None

    def _commit_outcomes(self, outcomes: list[ReplyOutcome]) -> Settled:
        """Settle replies; without renewing any where that meets the bug."""
        batch = Batch([], outcomes, [])
        try:
            return self._commit(batch)
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001 - a bug; logged, and the outcomes are kept all the same
            _log.exception("renewal_failed", replies=len(outcomes))
            return self._commit(batch, renewing=False)

    def _commit_receipts(self, receipts: tuple[InboundReceipt, ...]) -> Settled:
        """Note what receipts say; those that meet a bug are let go, lest they come for ever."""
        try:
            return self._commit(Batch([], [], [], receipts))
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001 - a bug; logged, and it must not cost the SMS theirs
            _log.exception("receipts_failed", receipts=len(receipts))
            return Settled()

    def _page(self, read: Page) -> list[Reply] | str:
        try:
            return self._store.unsent(*read)
        except StoreUnavailable as unavailable:
            return str(unavailable)


def _counts(settled: Settled) -> Counts:
    return Counts(
        dict(Counter([(d.verdict.value, d.rule) for d in settled.decisions])),
        dict(Counter(settled.unrecognised)),
        dict(Counter(settled.commands)),
        settled.repeated,
        settled.silent,
        dict(Counter([(d.live_verdict, d.candidate_verdict) for d in settled.disagreements])),
        settled.renewed,
        tuple(settled.arrived),
        tuple(settled.unmatched.items()),
    )
