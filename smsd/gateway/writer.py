"""Batches in, one transaction each, what became of them out: the work behind the commit lane.

Runs where its host puts it: in a thread, or in a process of its own. Knows neither links nor
the reactor, and one fault in it costs no more SMS than it must.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from smsd.gateway.adjudicate import Law, Settled, adjudicate
from smsd.gateway.late import too_late
from storage import (
    InboundMessage,
    Register,
    Reply,
    ReplyOutcome,
    Store,
    StoreConflict,
    StoreUnavailable,
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
    """What goes to the writer in one piece. An empty one asks whether the store can be written."""

    messages: list[InboundMessage]
    outcomes: list[ReplyOutcome]
    reads: list[Page]


class Counts(NamedTuple):
    """What a batch led to, in numbers.

    decisions: by verdict and rule. unrecognised: by reason. commands: by name.
    disagreements: by the verdict in force and that of the candidate. renewed: SMS whose permit
    ended before its reply could leave, decided anew or explained.
    """

    decisions: dict[tuple[str, str], int]
    unrecognised: dict[str, int]
    commands: dict[str, int]
    repeated: int
    silent: int
    disagreements: dict[tuple[str, str], int]
    renewed: int = 0


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
            if not any(batch):
                self._store.prove_writable()
            settled = self._commit(batch.messages, batch.outcomes)
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

    def _commit(
        self,
        messages: Sequence[InboundMessage],
        outcomes: Sequence[ReplyOutcome],
        renewing: bool = True,
    ) -> Settled:
        if not messages and not outcomes:
            return Settled()
        law = self.law  # one for the whole batch, whatever another thread does meanwhile
        for _ in range(_ATTEMPTS_MAX):
            try:
                with self._store.transaction(law.policy) as transaction:
                    if outcomes:
                        transaction.settle(outcomes)
                    late = too_late(transaction, law.policy, outcomes) if renewing else []
                    return adjudicate(transaction, law, self._register, [*late, *messages])
            except StoreConflict:
                continue  # the facts read anew will show what the other gateway granted
        raise AssertionError("the index of daily limits and the facts disagree")

    def _commit_one_by_one(self, batch: Batch) -> tuple[Settled | None, list[int], str | None]:
        """Isolate a bug: each message in a transaction of its own, the rest kept by the SMSC."""
        total = Settled()
        refused: list[int] = []
        try:
            total.absorb(self._commit_outcomes(batch.outcomes))
        except Exception as fault:  # noqa: BLE001 - the writer must live
            return None, [], str(fault)
        for position, message in enumerate(batch.messages):
            try:
                settled = self._commit([message], [])
            except StoreUnavailable:
                refused.extend(range(position, len(batch.messages)))
                break
            except Exception:  # noqa: BLE001 - a bug; logged, and the SMSC keeps the message
                _log.exception("message_failed", smsc=message.smsc)
                refused.append(position)
            else:
                total.absorb(settled)
        return total, refused, None

    def _commit_outcomes(self, outcomes: Sequence[ReplyOutcome]) -> Settled:
        """Settle replies; without renewing any where that meets the bug."""
        try:
            return self._commit([], outcomes)
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001 - a bug; logged, and the outcomes are kept all the same
            _log.exception("renewal_failed", replies=len(outcomes))
            return self._commit([], outcomes, renewing=False)

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
    )
