"""The one lane to the disk: batches in, one transaction each, then their consequences.

While the writer thread commits a batch, all that arrives becomes the next one. At low load
a batch is one SMS and costs one fsync; at high load thousands share it. A slow disk stalls
only this thread, so the reactor goes on answering enquire_link.
"""

import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

import structlog
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.python.failure import Failure

from smsd.gateway.adjudicate import Law, Settled, adjudicate
from smsd.gateway.clock import Clock
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


class LaneReactor(IReactorTime, IReactorFromThreads):
    """What the lane needs of a reactor."""


class Inbound(NamedTuple):
    """A message and the request to acknowledge once it is durable."""

    message: InboundMessage
    link: "Acknowledger"
    sequence: int
    response: int  # command_id: deliver_sm_resp or data_sm_resp


class Acknowledger(Protocol):
    """The link that a message came by."""

    def acknowledge(self, inbound: "list[Inbound]") -> None:
        """Tell the SMSC that these are ours now."""

    def put_off(self, inbound: "list[Inbound]") -> None:
        """Ask the SMSC to keep these and send them again."""


class _Batch(NamedTuple):
    inbound: list[Inbound]
    outcomes: list[ReplyOutcome]
    reads: "list[tuple[Deferred[list[Reply]], str, int, int]]"


class _Done(NamedTuple):
    """What the writer thread hands back."""

    batch: _Batch
    settled: Settled | None  # None: nothing of it was stored
    refused: list[Inbound]  # those that could not be stored though others could
    pages: list[list[Reply] | Failure]
    fault: str | None
    commit_s: float


class LaneLimits(NamedTuple):
    """Bounds of the lane; see `smsd.config.LimitsSection`."""

    batch_messages_max: int
    intake_messages_max: int
    store_retry_s: float


class LaneWatcher(Protocol):
    """Who is told what the lane did."""

    def committed(self, settled: Settled, inbound: list[Inbound], commit_s: float) -> None:
        """A batch is durable; called before its SMSC is told."""

    def store_failed(self, messages: int) -> None:
        """A batch could not be stored and its SMSC was asked to keep it."""


class CommitLane:
    """Owns the store and its thread. Every method is called in the reactor's thread."""

    def __init__(
        self,
        reactor: LaneReactor,
        clock: Clock,
        store: Store,
        register: Register | None,
        law: Law,
        limits: LaneLimits,
        watcher: LaneWatcher,
        on_replies: Callable[[list[Reply]], None],
        on_recovery: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._clock = clock
        self._store = store
        self._register = register
        self.law = law  # another one is decided by from the next batch on
        self._limits = limits
        self._watcher = watcher
        self._on_replies = on_replies
        self._on_recovery = on_recovery
        self._inbound: deque[Inbound] = deque()
        self._outcomes: deque[ReplyOutcome] = deque()
        self._reads: deque[tuple[Deferred[list[Reply]], str, int, int]] = deque()
        self._held_back: list[Callable[[bool], None]] = []
        self._busy = False
        self._holding_off = False
        self._on_idle: list[Deferred[None]] = []
        self._work: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_until_told, name="smsd-writer")
        self.alive = False
        self.fault: str | None = None

    def start(self) -> None:
        """Start the writer thread."""
        self.alive = True
        self._thread.start()

    @property
    def backlog(self) -> int:
        """Messages taken in and not yet handed to the writer."""
        return len(self._inbound)

    @property
    def quiet(self) -> bool:
        """Whether nothing waits for the writer or is under way; also while the store is down."""
        waiting = self._busy or self._inbound or self._outcomes or self._reads
        return self._holding_off or not waiting

    @property
    def full(self) -> bool:
        """Whether links should stop reading for now."""
        return len(self._inbound) >= self._limits.intake_messages_max

    def offer(self, inbound: list[Inbound]) -> None:
        """Take messages in; they are acknowledged or put off in time."""
        self._inbound.extend(inbound)
        self._kick()

    def hold_back_until_room(self, hold_back: Callable[[bool], None]) -> None:
        """Call `hold_back(True)` now and `hold_back(False)` once half the backlog is done."""
        if hold_back not in self._held_back:
            self._held_back.append(hold_back)
            hold_back(True)

    def _let_go(self) -> None:
        if self._held_back and len(self._inbound) <= self._limits.intake_messages_max // 2:
            held_back, self._held_back = self._held_back, []
            for hold_back in held_back:
                hold_back(False)

    def settle(self, outcome: ReplyOutcome) -> None:
        """Record what became of a reply, with the next batch."""
        self._outcomes.append(outcome)
        self._kick()

    def unsent(self, smsc: str, after_id: int, limit: int) -> "Deferred[list[Reply]]":
        """Read a page of an outbox; fails with `StoreUnavailable`."""
        page: Deferred[list[Reply]] = Deferred()
        self._reads.append((page, smsc, after_id, limit))
        self._kick()
        return page

    def idle(self) -> "Deferred[None]":
        """Fires when nothing waits any more, or the store cannot be written."""
        waiting: Deferred[None] = Deferred()
        self._on_idle.append(waiting)
        self._tell_idle()
        return waiting

    def stop(self) -> None:
        """Finish the batch under way, end the thread and close the store."""
        if self.alive:
            self.alive = False
            self._work.put(None)
            self._thread.join()
            self._store.close()

    def _kick(self) -> None:
        """Hand the next batch to the writer, unless it is busy."""
        waiting = self._inbound or self._outcomes or self._reads
        if self._busy or not waiting or not self.alive or self._holding_off:
            return
        self._busy = True
        size = min(len(self._inbound), self._limits.batch_messages_max)
        inbound = [self._inbound.popleft() for _ in range(size)]
        outcomes, self._outcomes = list(self._outcomes), deque()
        reads, self._reads = list(self._reads), deque()
        self._work.put(_Batch(inbound, outcomes, reads))

    def _done(self, done: _Done) -> None:
        """Back in the reactor: speak of what is durable, and only of that."""
        self._busy = False
        settled = done.settled
        if settled is None:
            self._put_off(done.batch.inbound)
            self._outcomes.extendleft(reversed(done.batch.outcomes))
            self._hold_off(done.fault or "unknown")
        else:
            stored = done.batch.inbound
            if done.refused:
                refused = {id(item) for item in done.refused}
                stored = [item for item in stored if id(item) not in refused]
                self._put_off(done.refused)
            if stored or done.batch.outcomes:  # a full disk reads well; only a write proves it
                self._note_recovery()
                self._watcher.committed(settled, stored, done.commit_s)
            for link, items in _by_link(stored).items():
                link.acknowledge(items)
            if settled.replies:
                self._on_replies(settled.replies)
        for (deferred, _, _, _), page in zip(done.batch.reads, done.pages, strict=True):
            if isinstance(page, Failure):
                deferred.errback(page)
            else:
                deferred.callback(page)
        self._kick()
        self._let_go()
        self._tell_idle()

    def _put_off(self, inbound: list[Inbound]) -> None:
        if inbound:
            self._watcher.store_failed(len(inbound))
            for link, items in _by_link(inbound).items():
                link.put_off(items)

    def _hold_off(self, fault: str) -> None:
        """Nothing could be stored: put off what waits too, and try again in a while."""
        if self.fault is None:
            _log.error("store_unavailable", reason=fault, messages="kept by the SMSC")
        self.fault = fault
        self._holding_off = True
        waiting, self._inbound = list(self._inbound), deque()
        self._put_off(waiting)
        self._reactor.callLater(self._limits.store_retry_s, self._try_again)

    def _try_again(self) -> None:
        self._holding_off = False
        self._kick()

    def _note_recovery(self) -> None:
        if self.fault is not None:
            _log.info("store_available_again")
            self.fault = None
            # A COMMIT that reported a fault may have reached the disk all the same.
            self._on_recovery()

    def _tell_idle(self) -> None:
        if self.quiet:
            waiting, self._on_idle = self._on_idle, []
            for deferred in waiting:
                deferred.callback(None)

    # What follows runs in the writer thread.

    def _write_until_told(self) -> None:
        while (batch := self._work.get()) is not None:
            done = self._write(batch)
            self._reactor.callFromThread(self._done, done)

    def _write(self, batch: _Batch) -> _Done:
        """One transaction for all; message by message only where that meets a bug."""
        started = self._clock.monotonic()
        settled: Settled | None = None
        refused: list[Inbound] = []
        fault = None
        try:
            settled = self._commit(batch.inbound, batch.outcomes)
        except StoreUnavailable as unavailable:
            fault = str(unavailable)
        except Exception:  # noqa: BLE001 - one message must not cost the others theirs
            _log.exception("batch_failed", messages=len(batch.inbound))
            settled, refused, fault = self._commit_one_by_one(batch)
        commit_s = self._clock.monotonic() - started
        pages = [self._page(*read[1:]) for read in batch.reads]
        return _Done(batch, settled, refused, pages, fault, commit_s)

    def _commit(self, inbound: list[Inbound], outcomes: list[ReplyOutcome]) -> Settled:
        if not inbound and not outcomes:
            return Settled()
        messages = [item.message for item in inbound]
        law = self.law  # one for the whole batch, whatever the reactor's thread does meanwhile
        for _ in range(_ATTEMPTS_MAX):
            try:
                with self._store.transaction(law.policy) as transaction:
                    if outcomes:
                        transaction.settle(outcomes)
                    return adjudicate(transaction, law, self._register, messages)
            except StoreConflict:
                continue  # the facts read anew will show what the other gateway granted
        raise AssertionError("the index of daily limits and the facts disagree")

    def _commit_one_by_one(self, batch: _Batch) -> tuple[Settled | None, list[Inbound], str | None]:
        """Isolate a bug: each message in a transaction of its own, the rest kept by the SMSC."""
        total = Settled()
        refused: list[Inbound] = []
        try:
            self._commit([], batch.outcomes)
        except Exception as fault:  # noqa: BLE001 - the writer thread must live
            return None, [], str(fault)
        for position, item in enumerate(batch.inbound):
            try:
                settled = self._commit([item], [])
            except StoreUnavailable:
                refused.extend(batch.inbound[position:])
                break
            except Exception:  # noqa: BLE001 - a bug; logged, and the SMSC keeps the message
                _log.exception("message_failed", smsc=item.message.smsc)
                refused.append(item)
            else:
                total.absorb(settled)
        return total, refused, None

    def _page(self, smsc: str, after_id: int, limit: int) -> list[Reply] | Failure:
        try:
            return self._store.unsent(smsc, after_id, limit)
        except StoreUnavailable:
            return Failure()


def _by_link(inbound: list[Inbound]) -> dict[Acknowledger, list[Inbound]]:
    """A batch, link by link, in its order."""
    links: dict[Acknowledger, list[Inbound]] = {}
    for item in inbound:
        links.setdefault(item.link, []).append(item)
    return links
