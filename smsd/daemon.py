"""The composition root: the only place that builds the graph, and takes it down again."""

import gc
from importlib.metadata import version
from typing import Any

import structlog
from twisted.internet import defer
from twisted.internet.error import CannotListenError
from twisted.internet.threads import deferToThreadPool

from rules import PolicyError
from smsd.config import Config, ConfigError, read_password
from smsd.desk.desk import Desk
from smsd.desk.events import Events
from smsd.desk.gauges import Gauges
from smsd.desk.metrics import Metrics
from smsd.desk.premises import Premises
from smsd.desk.readiness import Readiness
from smsd.gateway.adjudicate import Law
from smsd.gateway.binds import SmscBinds
from smsd.gateway.certificates import TlsFault
from smsd.gateway.clock import Clock
from smsd.gateway.commit_lane import CommitLane, LaneLimits
from smsd.gateway.control import ControlDoor
from smsd.gateway.outbox import Outbox
from smsd.gateway.sweeper import Sweeper
from smsd.gateway.switchboard import Switchboard
from smsd.gateway.waiting import within
from smsd.gateway.witness import AuditWitness
from smsd.gateway.writer_host import ProcessHost, ProcessSettings
from smsd.lawbook import Lawbook
from storage import Reply, SqliteStore, StoreError, audit
from storage.sqlite_library import sqlite_version

_log = structlog.get_logger("smsd")


class CannotStart(Exception):
    """The daemon cannot start; the message says what to do."""

    def __init__(self, reason: str, bad_configuration: bool = False) -> None:
        super().__init__(reason)
        self.bad_configuration = bad_configuration


class Daemon:
    """smsd, built from a configuration. `reactor` is Twisted's, not yet running or running."""

    def __init__(self, config: Config, reactor: Any, clock: Clock) -> None:
        self._config = config
        self._reactor = reactor
        self._clock = clock
        self._reloading = defer.DeferredLock()
        limits = config.limits
        try:
            passwords = [read_password(smsc) for smsc in config.smsc]
        except ConfigError as fault:
            raise CannotStart(str(fault), bad_configuration=True) from fault
        try:
            store = SqliteStore(config.store.url)
        except StoreError as fault:
            raise CannotStart(f"store: {fault}") from fault
        self._lawbook = Lawbook(config.policy.file, config.store.url, clock)
        try:
            law = self._lawbook.open()
        except PolicyError as fault:
            raise CannotStart(str(fault), bad_configuration=True) from fault
        except OSError as fault:
            reason = f"{config.policy.file}: cannot be read ({fault.strerror})"
            raise CannotStart(f"{reason}; name another in policy.file", True) from fault
        if store.journal_mode != "WAL":
            _log.warning(
                "slow_store",
                sqlite=sqlite_version,
                reason="this SQLite can lose commits in WAL mode; using a rollback journal",
                advice="install pysqlite3, or SQLite 3.51.3 or newer",
            )
        events = Events(clock, config.desk.dashboard.events_max)
        self._metrics = metrics = Metrics(version("smsd"), sqlite_version, events.tell)
        events.tell("started", version=version("smsd"))
        metrics.begin(smsc.name for smsc in config.smsc)
        metrics.law_changed(law)
        self._store = store  # its lock, from now on; the writer process has the rest
        register = config.register_.file if config.register_.mode == "required" else None
        settings = ProcessSettings(
            config.store.url, register, config.log.level, config.log.format, store.hand_over()
        )
        self._lane = CommitLane(
            reactor,
            ProcessHost(reactor, settings, law),
            LaneLimits(limits.batch_messages_max, limits.intake_messages_max, limits.store_retry_s),
            metrics,
            self._pass_on,
            self.look_on_disk,
        )
        self._sweeper = Sweeper(reactor, clock, self._lane, limits)
        self._outboxes = {
            smsc.name: Outbox(
                reactor,
                clock,
                smsc,
                self._lane,
                limits.outbox_memory_max,
                metrics,
                inherited_id_max=store.last_id,
            )
            for smsc in config.smsc
        }
        self._smscs = [
            SmscBinds(
                reactor,
                clock,
                smsc,
                password,
                limits,
                self._lane,
                self._outboxes[smsc.name],
                metrics,
            )
            for smsc, password in zip(config.smsc, passwords, strict=True)
        ]
        self._readiness = Readiness(self._smscs, self._lane, config.register_, self._lawbook)
        self._gauges = Gauges(
            metrics.registry,
            config,
            clock,
            self._smscs,
            self._lane,
            self._lawbook,
            self._readiness,
            lambda: self.desk.certificate_expires_s,
        )
        self._witness = AuditWitness(reactor, config.store.url, config.log.audit_head_s)
        switchboard = Switchboard(self._smscs, self._audit)
        self._door = ControlDoor(reactor, config.control_socket, switchboard.answer)
        try:
            self.desk = Desk(
                Premises(
                    config,
                    reactor,
                    clock,
                    version("smsd"),
                    metrics,
                    self._lane,
                    switchboard,
                    self._readiness,
                    self._gauges.look,
                    self.look_on_disk,
                    self.reload_policy,
                    events,
                )
            )
        except (TlsFault, ConfigError) as fault:
            raise CannotStart(str(fault), bad_configuration=True) from fault
        except StoreError as fault:
            raise CannotStart(f"store: {fault}") from fault

    def start(self) -> "defer.Deferred[None]":
        """Open the desk, start the writer, load what was unsent, bind. Fires once it listens.

        Fails with `CannotStart` when the desk's address cannot be had.
        """
        return defer.ensureDeferred(self._start())

    async def _start(self) -> None:
        await self._listen()
        self._door.open()
        self._lane.start()
        self._sweeper.start()
        self._witness.start()
        self.look_on_disk()
        for outbox in self._outboxes.values():
            outbox.failover.begin(self._outboxes)
        for smsc in self._smscs:
            smsc.start()
        self.desk.start()
        # What is there now stays: without this every full collection walks it again.
        gc.collect()
        gc.freeze()
        policy = self._lane.law.policy
        _log.info(
            "started",
            version=version("smsd"),
            policy=policy.id,
            digest=policy.digest[:12],
            desk=self.desk_address,
            smscs=[smsc.settings.name for smsc in self._smscs],
        )

    def reload_policy(self) -> "defer.Deferred[None]":
        """Look for a changed policy and decide by it from the next batch on; fires when done.

        What fails leaves the policy in force as it is, and is told in the log and the audit.
        """
        return self._reloading.run(lambda: defer.ensureDeferred(self._reload_policy()))

    async def _reload_policy(self) -> None:
        try:
            law: Law = await deferToThreadPool(
                self._reactor, self._reactor.getThreadPool(), self._lawbook.reload
            )
        except (PolicyError, OSError, StoreError) as fault:
            self._metrics.policy_failed()
            for reason in str(fault).splitlines():
                _log.error("policy_kept", reason=reason)
            await self._tell("policy_kept", self._lane.law.policy.digest, str(fault))
            return
        before = self._lane.law
        self._lane.change_law(law)
        self._metrics.law_changed(law)
        _log.info(
            "policy_in_force",
            policy=law.policy.id,
            digest=law.policy.digest[:12],
            before=before.policy.digest[:12],
            candidate=law.candidate.digest[:12] if law.candidate else None,
        )
        await self._tell("policy_in_force", law.policy.digest, "")

    async def _tell(self, action: str, subject: str, reason: str) -> None:
        await self._audit("smsd", action, subject, reason)

    async def _audit(self, who: str, action: str, subject: str, reason: str) -> None:
        """Leave a line in the audit; a store that cannot take it keeps nobody from his work."""
        url, at_us = self._config.store.url, self._clock.utc_us()
        try:
            await deferToThreadPool(
                self._reactor,
                self._reactor.getThreadPool(),
                audit.note,
                url,
                at_us,
                who,
                action,
                subject,
                reason,
            )
        except StoreError as fault:
            _log.error("audit_failed", who=who, action=action, subject=subject, reason=str(fault))

    async def _listen(self) -> None:
        try:
            await self.desk.listen()
        except CannotListenError as fault:
            raise CannotStart(
                f"desk.listen {self._config.desk.listen}: {fault.socketError};"
                " another program may have it: name a free one"
            ) from fault

    @property
    def desk_address(self) -> str:
        """host:port of the desk."""
        return self.desk.address

    def stop(self) -> "defer.Deferred[None]":
        """Stop taking SMS in, finish what was taken, unbind. Fires when all is closed."""
        return defer.ensureDeferred(self._stop())

    async def _stop(self) -> None:
        if self._readiness.stopping:
            return
        self._readiness.stopping = True
        _log.info("stopping")
        self._sweeper.stop()
        await self._door.close()
        for smsc in self._smscs:
            smsc.drain()
        if self._lane.alive:
            limit_s = self._config.limits.shutdown_s / 2
            await within(self._reactor, self._clock, limit_s, self._drained)
        await defer.DeferredList([smsc.stop() for smsc in self._smscs], consumeErrors=True)
        if self._lane.alive:
            await self._lane.idle()
            self._lane.stop()
        await self._witness.stop()
        self._store.close()
        await self.desk.close()
        _log.info("stopped")

    def _drained(self) -> bool:
        """Whether every SMS taken in is durable and every submitted reply has its outcome."""
        return self._lane.quiet and not any(
            outbox.in_flight or (outbox.can_send and outbox.depth)
            for outbox in self._outboxes.values()
        )

    def _pass_on(self, replies: list[Reply]) -> None:
        """Give committed replies to the outbox of the SMSC their request came from."""
        if len(self._outboxes) == 1:
            next(iter(self._outboxes.values())).enqueue(replies)
            return
        by_smsc: dict[str, list[Reply]] = {}
        for reply in replies:
            by_smsc.setdefault(reply.smsc, []).append(reply)
        for name, own in by_smsc.items():
            self._outboxes[name].enqueue(own)

    def look_on_disk(self) -> None:
        """Have every outbox read what is stored and not in memory, replies put back among it."""
        for outbox in self._outboxes.values():
            outbox.look_on_disk()
