"""The one lane to the disk: batches in, one transaction each, then their consequences.

While the writer commits a batch, all that arrives becomes the next one. At low load a batch
is one SMS and costs one fsync; at high load thousands share it. A slow disk stalls only the
writer, so the reactor goes on answering enquire_link.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

import structlog
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from smsd.gateway.adjudicate import Law
from smsd.gateway.writer import Batch, Counts, Done, Page
from smsd.gateway.writer_host import WriterHost
from storage import InboundMessage, Reply, ReplyOutcome, StoreUnavailable

_log = structlog.get_logger("smsd.commit")


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


class _UnderWay(NamedTuple):
    """A batch that the writer has."""

    inbound: list[Inbound]
    outcomes: list[ReplyOutcome]
    pages: "list[Deferred[list[Reply]]]"


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
    def backlog(self) -> int:
        """Messages taken in and not yet handed to the writer."""
        return len(self._inbound)

    @property
    def quiet(self) -> bool:
        """Whether nothing waits for the writer or is under way; also while the store is down."""
        waiting = self._under_way or self._inbound or self._outcomes or self._reads
        return self._holding_off or not waiting

    @property
    def room(self) -> int:
        """How many more messages may be offered now."""
        return max(0, self._limits.intake_messages_max - len(self._inbound))

    def offer(self, inbound: list[Inbound]) -> None:
        """Take messages in, no more than `room`; they are acknowledged or put off in time."""
        self._inbound.extend(inbound)
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
        waiting = self._inbound or self._outcomes or self._reads
        if not waiting or not self.alive or self._holding_off:
            return
        if len(self._under_way) >= self._writer.depth:
            return
        size = min(len(self._inbound), self._limits.batch_messages_max)
        inbound = [self._inbound.popleft() for _ in range(size)]
        # Bounded too: those of replies that came too late are decided anew.
        settled = min(len(self._outcomes), self._limits.batch_messages_max)
        outcomes = [self._outcomes.popleft() for _ in range(settled)]
        reads, self._reads = list(self._reads), deque()
        self._under_way.append(_UnderWay(inbound, outcomes, [page for page, _ in reads]))
        messages = [item.message for item in inbound]
        self._writer.send(Batch(messages, outcomes, [read for _, read in reads]))

    def _done(self, done: Done) -> None:
        """Back from the writer: speak of what is durable, and only of that."""
        under_way = self._under_way.popleft()
        inbound, outcomes, pages = under_way
        if done.replies is None:
            self._put_off(inbound)
            self._outcomes.extendleft(reversed(outcomes))
            self._hold_off(done.fault or "unknown")
        else:
            stored = inbound
            if done.refused:
                refused = set(done.refused)
                stored = [item for at, item in enumerate(inbound) if at not in refused]
                self._put_off([inbound[at] for at in done.refused])
            if stored or outcomes or not any(under_way):  # a full disk reads well; writes prove it
                self._note_recovery()
            if stored or outcomes:
                self._watcher.committed(done.counts, len(stored), done.commit_s)
            for link, items in _by_link(stored).items():
                link.acknowledge(items)
            if done.replies:
                self._on_replies(done.replies)
        for deferred, page in zip(pages, done.pages, strict=True):
            if isinstance(page, str):
                deferred.errback(StoreUnavailable(page))
            else:
                deferred.callback(page)
        self._kick()
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
        waiting, self._inbound = list(self._inbound), deque()
        self._put_off(waiting)
        if self._holding_off:
            return
        self._holding_off = True
        self._reactor.callLater(self._limits.store_retry_s, self._try_again)

    def _try_again(self) -> None:
        self._holding_off = False
        self._kick()
        writing = any(batch.inbound or batch.outcomes for batch in self._under_way)
        if self.fault is not None and self.alive and not writing:
            # Ask the disk itself: whether we are ready must not depend on the next SMS.
            self._under_way.append(_UnderWay([], [], []))
            self._writer.send(Batch([], [], []))

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


def _by_link(inbound: list[Inbound]) -> dict[Acknowledger, list[Inbound]]:
    """A batch, link by link, in its order."""
    links: dict[Acknowledger, list[Inbound]] = {}
    for item in inbound:
        links.setdefault(item.link, []).append(item)
    return links
