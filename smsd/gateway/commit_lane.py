"""The one lane to the disk: batches in, one transaction each, then their consequences.

While the writer commits a batch, all that arrives becomes the next one. At low load a batch
is one SMS and costs one fsync; at high load thousands share it. A slow disk stalls only the
writer, so the reactor goes on answering enquire_link.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar

import structlog
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from smsd.gateway.adjudicate import Law
from smsd.gateway.writer import NOTHING, Batch, Counts, Done, Page
from smsd.gateway.writer_host import WriterHost
from storage import (
    InboundMessage,
    InboundReceipt,
    Reply,
    ReplyOutcome,
    StoreUnavailable,
    Sweep,
)

_log = structlog.get_logger("smsd.commit")


class Inbound(NamedTuple):
    """A message and the request to acknowledge once it is durable."""

    message: InboundMessage
    link: "Acknowledger"
    sequence: int
    response: int  # command_id: deliver_sm_resp or data_sm_resp


class InboundReport(NamedTuple):
    """A delivery receipt and the request to acknowledge once it is durable."""

    receipt: InboundReceipt
    link: "Acknowledger"
    sequence: int
    response: int


_T = TypeVar("_T")
_Item = TypeVar("_Item", Inbound, InboundReport)


class Acknowledger(Protocol):
    """The link that a message or receipt came by."""

    def acknowledge(self, inbound: "Sequence[Inbound | InboundReport]") -> None:
        """Tell the SMSC that these are ours now."""

    def put_off(self, inbound: "Sequence[Inbound | InboundReport]") -> None:
        """Ask the SMSC to keep these and send them again."""


class _UnderWay(NamedTuple):
    """A batch that the writer has."""

    inbound: list[Inbound]
    outcomes: list[ReplyOutcome]
    reports: list[InboundReport]
    pages: "list[Deferred[list[Reply]]]"
    proof: bool = False  # that the store can be written is asked by it


class LaneLimits(NamedTuple):
    """Bounds of the lane; see `smsd.config.LimitsSection`."""

    batch_messages_max: int
    intake_messages_max: int
    store_retry_s: float


class LaneWatcher(Protocol):
    """Who is told what the lane did."""

    def committed(self, counts: Counts, messages: int, commit_s: float) -> None:
        """A batch is durable; called before its SMSC is told."""

    def store_failed(self, messages: int) -> None:
        """A batch could not be stored and its SMSC was asked to keep it."""

    def store_changed(self, fault: str | None) -> None:
        """From now on the store cannot be used, and why; or, None, it can again."""

    def receipts_stored(self, receipts: list[InboundReceipt]) -> None:
        """Receipts are durable."""


class CommitLane:
    """Owns the writer. Every method is called in the reactor's thread."""

    def __init__(
        self,
        reactor: IReactorTime,
        writer: WriterHost,
        limits: LaneLimits,
        watcher: LaneWatcher,
        on_replies: Callable[[list[Reply]], None],
        on_recovery: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._writer = writer
        self._limits = limits
        self._watcher = watcher
        self._on_replies = on_replies
        self._on_recovery = on_recovery
        self._inbound: deque[Inbound] = deque()
        self._outcomes: deque[ReplyOutcome] = deque()
        self._reports: deque[InboundReport] = deque()
        self._sweep: Sweep | None = None
        self._reads: deque[tuple[Deferred[list[Reply]], Page]] = deque()
        self._under_way: deque[_UnderWay] = deque()
        self._holding_off = False
        self._on_idle: list[Deferred[None]] = []
        self.alive = False
        self.fault: str | None = None

    def start(self) -> None:
        """Start the writer."""
        self.alive = True
        self._writer.start(self._done)

    @property
    def law(self) -> Law:
        """What the next batch is decided by."""
        return self._writer.law

    def change_law(self, law: Law) -> None:
        """Decide by another law from the next batch on."""
        self._writer.change_law(law)

    @property
    def writer_pid(self) -> int | None:
        """The process that owns the store; None: none does now."""
        return self._writer.pid

    @property
    def backlog(self) -> int:
        """Messages taken in and not yet handed to the writer."""
        return len(self._inbound)

    @property
    def quiet(self) -> bool:
        """Whether nothing waits for the writer or is under way; also while the store is down."""
        return self._holding_off or not (self._under_way or self._waiting)

    @property
    def _waiting(self) -> bool:
        """Whether there is anything for the writer."""
        return bool(self._inbound or self._outcomes or self._reads or self._reports or self._sweep)

    @property
    def room(self) -> int:
        """How many more messages may be offered now."""
        return max(0, self._limits.intake_messages_max - len(self._inbound))

    @property
    def room_for_receipts(self) -> int:
        """How many more receipts may be offered now."""
        return max(0, self._limits.intake_messages_max - len(self._reports))

    def offer(self, inbound: list[Inbound]) -> None:
        """Take messages in, no more than `room`; they are acknowledged or put off in time."""
        self._inbound.extend(inbound)
        self._kick()

    def offer_receipts(self, reports: list[InboundReport]) -> None:
        """Take receipts in, no more than `room_for_receipts`; acknowledged or put off in time."""
        self._reports.extend(reports)
        self._kick()

    def sweep(self, sweep: Sweep) -> None:
        """Give up, with the next batch, what has waited long enough."""
        self._sweep = sweep
        self._kick()

    def settle(self, outcome: ReplyOutcome) -> None:
        """Record what became of a reply, with the next batch."""
        self._outcomes.append(outcome)
        self._kick()

    def unsent(
        self, smsc: str, after: int, limit: int, urgent: bool = False, retried: bool = False
    ) -> "Deferred[list[Reply]]":
        """Read a page of an outbox; fails with `StoreUnavailable`."""
        page: Deferred[list[Reply]] = Deferred()
        self._reads.append((page, Page(smsc, after, limit, urgent, retried)))
        self._kick()
        return page

    def idle(self) -> "Deferred[None]":
        """Fires when nothing waits any more, or the store cannot be written."""
        waiting: Deferred[None] = Deferred()
        self._on_idle.append(waiting)
        self._tell_idle()
        return waiting

    def stop(self) -> None:
        """Finish the batches under way, end the writer and close the store."""
        if self.alive:
            self.alive = False
            self._writer.stop()

    def _kick(self) -> None:
        """Hand the next batch to the writer, unless it has enough to do."""
        if not self._waiting or not self.alive or self._holding_off:
            return
        if len(self._under_way) >= self._writer.depth:
            return
        most = self._limits.batch_messages_max
        inbound = _taken(self._inbound, most)
        # Bounded too: those of replies that came too late are decided anew.
        outcomes = _taken(self._outcomes, most)
        reports = _taken(self._reports, most)
        reads, self._reads = list(self._reads), deque()
        sweep, self._sweep = self._sweep, None
        pages = [page for page, _ in reads]
        self._under_way.append(_UnderWay(inbound, outcomes, reports, pages))
        messages = [item.message for item in inbound]
        receipts = tuple([item.receipt for item in reports])
        self._writer.send(Batch(messages, outcomes, [read for _, read in reads], receipts, sweep))

    def _done(self, done: Done) -> None:
        """Back from the writer: speak of what is durable, and only of that."""
        inbound, outcomes, reports, pages, proof = self._under_way.popleft()
        if done.replies is None:
            self._put_off(inbound)
            _put_off_receipts(reports)
            self._outcomes.extendleft(reversed(outcomes))
            self._hold_off(done.fault or "unknown")
        else:
            stored = inbound
            if done.refused:
                refused = set(done.refused)
                stored = [item for at, item in enumerate(inbound) if at not in refused]
                self._put_off([inbound[at] for at in done.refused])
            # A full disk reads well; only a write proves it.
            if stored or outcomes or reports or proof:
                self._note_recovery()
            if stored or outcomes or reports or done.counts != NOTHING:
                self._watcher.committed(done.counts, len(stored), done.commit_s)
            for link, items in _by_link(stored).items():
                link.acknowledge(items)
            if reports:
                self._acknowledge_receipts(reports)
            if done.replies:
                self._on_replies(done.replies)
        for deferred, page in zip(pages, done.pages, strict=True):
            if isinstance(page, str):
                deferred.errback(StoreUnavailable(page))
            else:
                deferred.callback(page)
        self._kick()
        self._tell_idle()

    def _acknowledge_receipts(self, reports: list[InboundReport]) -> None:
        self._watcher.receipts_stored([item.receipt for item in reports])
        for link, items in _by_link(reports).items():
            link.acknowledge(items)

    def _put_off(self, inbound: list[Inbound]) -> None:
        if inbound:
            self._watcher.store_failed(len(inbound))
            for link, items in _by_link(inbound).items():
                link.put_off(items)

    def _hold_off(self, fault: str) -> None:
        """Nothing could be stored: put off what waits too, and try again in a while."""
        if self.fault is None:
            _log.error("store_unavailable", reason=fault, messages="kept by the SMSC")
            self._watcher.store_changed(fault)
        self.fault = fault
        waiting, self._inbound = list(self._inbound), deque()
        self._put_off(waiting)
        reports, self._reports = list(self._reports), deque()
        _put_off_receipts(reports)
        if self._holding_off:
            return
        self._holding_off = True
        self._reactor.callLater(self._limits.store_retry_s, self._try_again)

    def _try_again(self) -> None:
        self._holding_off = False
        self._kick()
        writing = any(batch.inbound or batch.outcomes or batch.reports for batch in self._under_way)
        if self.fault is not None and self.alive and not writing:
            # Ask the disk itself: whether we are ready must not depend on the next SMS.
            self._under_way.append(_UnderWay([], [], [], [], proof=True))
            self._writer.send(Batch([], [], [], proof=True))

    def _note_recovery(self) -> None:
        if self.fault is not None:
            _log.info("store_available_again")
            self.fault = None
            self._watcher.store_changed(None)
            # A COMMIT that reported a fault may have reached the disk all the same.
            self._on_recovery()

    def _tell_idle(self) -> None:
        if self.quiet:
            waiting, self._on_idle = self._on_idle, []
            for deferred in waiting:
                deferred.callback(None)


def _put_off_receipts(reports: list[InboundReport]) -> None:
    for link, items in _by_link(reports).items():
        link.put_off(items)


def _taken(queue: deque[_T], most: int) -> list[_T]:
    """The oldest of a queue, at most so many."""
    return [queue.popleft() for _ in range(min(len(queue), most))]


def _by_link(inbound: list[_Item]) -> dict[Acknowledger, list[_Item]]:
    """A batch, link by link, in its order."""
    links: dict[Acknowledger, list[_Item]] = {}
    for item in inbound:
        links.setdefault(item.link, []).append(item)
    return links
