"""One SMSC's whole gateway in virtual time: store, lane with its thread, outbox, binds."""

import os
from collections import Counter
from typing import Any, Protocol

from memory_smsc import MemorySmsc
from virtual_reactor import HOUR_US, NOON_US, VirtualClock, VirtualReactor

from rules import CompiledPolicy
from smsd.config import LimitsSection, SmscSection
from smsd.gateway.adjudicate import Law
from smsd.gateway.binds import SmscBinds
from smsd.gateway.commit_lane import CommitLane, LaneLimits
from smsd.gateway.outbox import Outbox
from smsd.gateway.sweeper import Sweeper
from smsd.gateway.writer import Counts, Writer
from smsd.gateway.writer_host import ThreadHost
from storage import InboundMessage, InboundReceipt, Register, Reply, ReplyState, SqliteStore
from storage.sqlite_library import dbapi

SMSC = "one"
RETRY_S = 5.0
STORE_RETRY_S = 1.0


def sms(text: str, phone: str = "994500000001", at_us: int = NOON_US) -> InboundMessage:
    """A phone's SMS as intake hands it over."""
    return InboundMessage(at_us, SMSC, phone, "8103", 0, text.encode(), text, True, None)


class Observer:
    """Keeps what the gateway tells its metrics."""

    def __init__(self) -> None:
        self.commits = 0
        self.batches: list[int] = []  # messages in each batch that was committed
        self.renewed: list[int] = []  # SMS renewed in each batch that renewed any
        self.put_off: list[int] = []
        self.outcomes: list[ReplyState] = []
        self.turnarounds_us: list[int] = []
        self.throttlings = 0
        self.bind_changes: list[tuple[str, bool]] = []
        self.messages = 0
        self.receipts: list[InboundReceipt] = []  # those that are durable
        self.passed: Counter[str] = Counter()  # the others, by what they were counted as
        self.arrived: list[tuple[str, int]] = []
        self.unmatched: Counter[str] = Counter()
        self.unrecognised: Counter[str] = Counter()
        self.turned_away = 0
        self.certificates: dict[str, float] = {}
        self.store_faults: list[str | None] = []
        self.suspensions: list[bool] = []

    def committed(self, counts: Counts, messages: int, commit_s: float) -> None:
        """See `LaneWatcher`."""
        self.commits += 1
        if messages:
            self.batches.append(messages)
        if counts.renewed:
            self.renewed.append(counts.renewed)
        self.arrived += counts.arrived
        self.unmatched.update(dict(counts.unmatched))
        self.unrecognised.update(counts.unrecognised)

    def store_failed(self, messages: int) -> None:
        """See `LaneWatcher`."""
        self.put_off.append(messages)

    def store_changed(self, fault: str | None) -> None:
        """See `LaneWatcher`."""
        self.store_faults.append(fault)

    def submitted(self, smsc: str, turnarounds_us: list[int]) -> None:
        """See `OutboxWatcher`."""
        self.turnarounds_us.extend(turnarounds_us)

    def reply_settled(self, smsc: str, state: ReplyState) -> None:
        """See `OutboxWatcher`."""
        self.outcomes.append(state)

    def throttled(self, smsc: str) -> None:
        """See `OutboxWatcher`."""
        self.throttlings += 1

    def bind_changed(self, smsc: str, bind: str, up: bool) -> None:
        """See `BindWatcher`."""
        self.bind_changes.append((bind, up))

    def suspension_changed(self, smsc: str, suspended: bool) -> None:
        """See `BindWatcher`."""
        self.suspensions.append(suspended)

    def messages_came(self, smsc: str, count: int) -> None:
        """See `BindWatcher`."""
        self.messages += count

    def receipts_stored(self, receipts: list[InboundReceipt]) -> None:
        """See `LaneWatcher`."""
        self.receipts += receipts

    def receipts_passed(self, smsc: str, state: str, count: int) -> None:
        """See `ReceiptWatcher`."""
        self.passed[state] += count

    def no_room(self, smsc: str, count: int) -> None:
        """See `BindWatcher`."""
        self.turned_away += count

    def certificate_seen(self, smsc: str, which: str, expires_s: float) -> None:
        """See `BindWatcher`."""
        self.certificates[which] = expires_s


class GatewayStage:
    """The daemon's graph for one SMSC, over a real store; the test plays SMSC and time."""

    def __init__(
        self,
        url: str,
        policy: CompiledPolicy,
        register: Register | None = None,
        limits: dict[str, Any] | None = None,
        **smsc: Any,
    ) -> None:
        self.policy = policy
        self.reactor = VirtualReactor()
        self.clock = VirtualClock(self.reactor)
        self.store = SqliteStore(url)
        self.seen = Observer()
        self.recoveries = 0
        section = LimitsSection(store_retry_s=STORE_RETRY_S, **(limits or {}))
        settings = SmscSection(name=SMSC, password="secret", retry_delay_s=RETRY_S, **smsc)
        self.lane = CommitLane(
            self.reactor,
            ThreadHost(
                self.reactor, Writer(self.store, register, Law(policy), self.clock.monotonic)
            ),
            LaneLimits(
                section.batch_messages_max, section.intake_messages_max, section.store_retry_s
            ),
            self.seen,
            lambda replies: self.outbox.enqueue(replies),
            self._recovered,
        )
        self.outbox = Outbox(
            self.reactor, self.clock, settings, self.lane, section.outbox_memory_max, self.seen
        )
        self._settings, self._section = settings, section
        self.binds = self._binds()
        self.sweeper = Sweeper(self.reactor, self.clock, self.lane, section)
        self.smscs: list[MemorySmsc] = []

    def _binds(self) -> SmscBinds:
        return SmscBinds(
            self.reactor,
            self.clock,
            self._settings,
            "secret",
            self._section,
            self.lane,
            self.outbox,
            self.seen,
        )

    def another_bind(self) -> MemorySmsc:
        """One more bind at the same SMSC, sharing its outbox."""
        self._binds().start()
        return self.bound()

    def _recovered(self) -> None:
        self.recoveries += 1
        self.outbox.look_on_disk()

    def start(self) -> "GatewayStage":
        """As the daemon does; the binds' connections wait for `connect`."""
        self.lane.start()
        self.outbox.look_on_disk()
        self.binds.start()
        return self

    def connect(self) -> MemorySmsc:
        """Let the oldest attempt to connect succeed; the bind is not answered yet."""
        factory = self.reactor.tcpClients.pop(0)[2]
        protocol = factory.buildProtocol(None)
        assert protocol is not None
        smsc = MemorySmsc(protocol, self.reactor)
        self.smscs.append(smsc)
        return smsc

    def bound(self) -> MemorySmsc:
        """An SMSC that has accepted our oldest bind, and all that follows from it."""
        smsc = self.connect().accept()
        self.run()
        return smsc

    def run(self) -> None:
        """Until lane and links have nothing more to do at this instant."""
        while True:
            while not self.lane.quiet:
                self.reactor.run_one()
            carried = sum(smsc.exchange() for smsc in self.smscs)
            if not carried and self.lane.quiet:
                return

    def pass_time(self, seconds: float) -> None:
        """Both clocks, then all that follows."""
        self.clock.now_us += round(seconds * 1_000_000)
        self.reactor.advance(seconds)
        self.run()

    def reconnect(self) -> MemorySmsc:
        """Wait out the backoff and be bound again."""
        while not self.reactor.tcpClients:
            self.pass_time(1.0)
        return self.bound()

    def stop(self) -> None:
        """End the writer thread."""
        if self.lane.alive:
            self.lane.stop()
        else:
            self.store.close()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What is committed, as another process sees it."""
        connection = dbapi.connect(f"file:{os.fspath(self.store.path)}?mode=ro", uri=True)
        try:
            return list(connection.execute(query))
        finally:
            connection.close()

    def states(self) -> list[tuple[Any, ...]]:
        """(state, resent, status, smsc_message_id) of every reply on disk, oldest first."""
        return self.rows("SELECT state, resent, status, smsc_message_id FROM reply ORDER BY id")


class NewStage(Protocol):
    """Builds a gateway; `limits` and the fields of [[smsc]] as in config.toml."""

    def __call__(self, **settings: Any) -> GatewayStage: ...


def store_replies(
    store: SqliteStore,
    policy: CompiledPolicy,
    phones: list[str],
    text: str = "Permit granted",
    not_after_us: int = NOON_US + 2 * HOUR_US,
) -> list[Reply]:
    """Unsent replies, as an earlier life of the daemon left them."""
    with store.transaction(policy) as transaction:
        return [
            transaction.add_reply(
                transaction.add_message(sms(f"1 AZE {phone}", phone), "decided"),
                sms(f"1 AZE {phone}", phone),
                text,
                not_after_us,
            )
            for phone in phones
        ]
