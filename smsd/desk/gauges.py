"""How the daemon stands now, asked of its parts whenever /metrics is.

What happens is counted in `smsd.desk.metrics`; what is so is not told by anybody, and so cannot
be told wrongly. No label carries a phone, a document or a person.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from smsd.config import Config
from smsd.desk.readiness import Lawbook, Readiness
from smsd.gateway.binds import SmscBinds
from smsd.gateway.clock import Clock
from smsd.gateway.commit_lane import CommitLane
from storage.disk import Space, space
from storage.imported import Imported, last_import

__all__ = ["Gauges"]

_US_PER_S = 1_000_000

_Samples = Iterable[tuple[tuple[str, ...], float]]


class _OnDisk(NamedTuple):
    """What only a disk can tell; None: nothing, or it does not answer."""

    space: Space | None = None
    register: Imported | None = None


class Gauges(Collector):
    """Registered with `registry`, together with what the kernel knows of daemon and writer."""

    def __init__(
        self,
        registry: CollectorRegistry,
        config: Config,
        clock: Clock,
        smscs: Sequence[SmscBinds],
        lane: CommitLane,
        lawbook: Lawbook,
        readiness: Readiness,
        certificate_expires_s: Callable[[], float | None],
    ) -> None:
        """certificate_expires_s: when the desk's own ends, Unix seconds; None: it has none."""
        self._config = config
        self._clock = clock
        self._smscs = smscs
        self._lane = lane
        self._lawbook = lawbook
        self._readiness = readiness
        self._certificate_expires_s = certificate_expires_s
        self._on_disk = _OnDisk()
        registry.register(self)
        ProcessCollector(registry=registry)
        ProcessCollector("smsd_writer", lambda: lane.writer_pid or "none", registry=registry)

    def look(self) -> None:
        """Ask the disks, which may take its time: beside the reactor, before each `collect`."""
        register = self._config.register_
        self._on_disk = _OnDisk(
            space(self._config.store.url),
            last_import(register.file) if register.mode == "required" else None,
        )

    def collect(self) -> Iterator[Metric]:
        """See `Collector`; in the reactor's thread."""
        yield _gauge(
            "smsd_ready",
            "1 while the daemon can do its work; /readyz tells why not",
            not self._readiness.reasons(),
        )
        yield _gauge(
            "smsd_clock_timestamp_seconds",
            "The daemon's clock, by which permits begin and end",
            self._clock.utc_us() / _US_PER_S,
        )
        yield _gauge(
            "smsd_desk_certificate_expiry_timestamp_seconds",
            "When the desk's own certificate ends; none: it is without TLS",
            self._certificate_expires_s(),
        )
        yield _gauge(
            "smsd_backlog_messages", "SMS taken in that wait for the writer", self._lane.backlog
        )
        yield _gauge("smsd_store_up", "1 while the store takes batches", self._lane.fault is None)
        yield from self._of_law()
        yield from self._of_smscs()
        yield from self._of_outboxes()
        yield from self._of_disks()

    def _of_law(self) -> Iterator[Metric]:
        yield _gauge(
            "smsd_policy_loaded_timestamp_seconds",
            "When the policy in force was loaded",
            self._lawbook.loaded_at_us / _US_PER_S,
        )
        yield _gauge(
            "smsd_policy_newest_in_force",
            "0 while a newer policy could not be loaded and the one before decides",
            not self._lawbook.fault,
        )
        now_us = self._clock.utc_us()
        ahead = (at_us for at_us in self._lane.law.policy.boundaries_us if at_us > now_us)
        next_us = next(ahead, None)
        yield _gauge(
            "smsd_policy_next_change_timestamp_seconds",
            "When a dated change of the policy in force takes effect; none: nothing is queued",
            None if next_us is None else next_us / _US_PER_S,
        )

    def _of_smscs(self) -> Iterator[Metric]:
        named = self._named()
        up = GaugeMetricFamily("smsd_bind_up", "1 while the bind is up", labels=["smsc", "bind"])
        for (name,), smsc in named:
            for bind in smsc.binds:
                up.add_metric((name, bind.name), bind.up)
        yield up
        yield _by_smsc(
            "smsd_smsc_in_service",
            "1 while a bind is up by which SMS come, and one by which replies go",
            ((name, smsc.in_service) for name, smsc in named),
        )
        yield _by_smsc(
            "smsd_smsc_suspended",
            "1 while an operator keeps us away from the SMSC",
            ((name, smsc.suspended_since_us is not None) for name, smsc in named),
        )
        yield _by_smsc(
            "smsd_smsc_window_used",
            "submit_sm that await their response, over all binds",
            ((name, sum(bind.window_used for bind in smsc.binds)) for name, smsc in named),
        )
        yield _by_smsc(
            "smsd_smsc_window_size",
            "submit_sm that may await their response, over all binds that are up",
            (
                (name, smsc.settings.window * sum(b.up and b.transmits for b in smsc.binds))
                for name, smsc in named
            ),
        )

    def _of_outboxes(self) -> Iterator[Metric]:
        named = self._named()
        now_us = self._clock.utc_us()
        yield _by_smsc(
            "smsd_outbox_depth",
            "Replies in memory that wait to be submitted",
            ((name, smsc.outbox.depth) for name, smsc in named),
        )
        yield _by_smsc(
            "smsd_outbox_oldest_seconds",
            "Since the SMS came that has waited longest for its reply to leave; 0: none waits",
            ((name, _waited_s(smsc.outbox.oldest_us, now_us)) for name, smsc in named),
        )
        yield _by_smsc(
            "smsd_smsc_rate_limit",
            "Messages a second that the SMSC is given now at most; 0: no limit",
            ((name, smsc.outbox.rate_per_s) for name, smsc in named),
        )

    def _named(self) -> list[tuple[tuple[str], SmscBinds]]:
        return [((smsc.settings.name,), smsc) for smsc in self._smscs]

    def _of_disks(self) -> Iterator[Metric]:
        store, register = self._on_disk.space, self._on_disk.register
        yield _gauge("smsd_store_bytes", "The store's file", store and store.file_bytes)
        yield _gauge(
            "smsd_store_wal_bytes", "The store's write-ahead log", store and store.wal_bytes
        )
        yield _gauge(
            "smsd_store_disk_free_bytes",
            "What the daemon may still fill of the disk that the store lies on",
            store and store.free_bytes,
        )
        yield _gauge(
            "smsd_store_disk_total_bytes",
            "The size of the disk that the store lies on",
            store and store.total_bytes,
        )
        yield _gauge(
            "smsd_register_imported_timestamp_seconds",
            "When the population register was imported; none: there is none",
            register and register.at_s,
        )
        yield _gauge(
            "smsd_register_documents",
            "Documents in the population register",
            register and register.documents,
        )


def _waited_s(since_us: int | None, now_us: int) -> float:
    """0 for nobody, and where the clock was set back."""
    return 0.0 if since_us is None else max(0, now_us - since_us) / _US_PER_S


def _gauge(name: str, documentation: str, value: float | None) -> Metric:
    """With no sample where the value is not known: a 0 would be a statement."""
    return GaugeMetricFamily(name, documentation, value=value)


def _by_smsc(name: str, documentation: str, samples: _Samples) -> Metric:
    family = GaugeMetricFamily(name, documentation, labels=["smsc"])
    for labels, value in samples:
        family.add_metric(labels, value)
    return family
