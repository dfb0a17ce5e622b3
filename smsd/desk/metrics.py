"""What the daemon counts, by Prometheus's conventions: smsd_ prefix, base units, few labels.

No label ever carries a phone, a document or a person. What counts up is a plain tally, which the
dashboard reads as it is.
"""

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Gauge, Histogram

from smsd.desk.tallies import Durations, Tally
from smsd.gateway.adjudicate import Law
from smsd.gateway.receipt_intake import STATE_WORDS
from smsd.gateway.writer import Counts
from storage import InboundReceipt, ReplyState

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600)
_COMMIT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
_MESSAGES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_000, 5_000)
_US_PER_S = 1_000_000
_STORE, _FULL = "store", "full"  # why SMS are put off
_ENDS = (ReplyState.SENT, ReplyState.REFUSED, ReplyState.EXPIRED, ReplyState.UNKNOWN)
_OUTCOMES = {state: state.name.lower() for state in ReplyState}


class Metrics:
    """The daemon's watcher: lane, outboxes and binds tell it, /metrics and the dashboard ask it.

    certificates: when those that were met last end, Unix seconds, by SMSC and whose they are.
    """

    def __init__(
        self,
        version: str,
        sqlite_version: str,
        tell: Callable[..., None] = lambda _kind, **_values: None,
    ) -> None:
        """tell: is told what happened, as `smsd.desk.events.Events.tell`."""
        self._tell = tell
        self._in_force = ""
        self.certificates: dict[tuple[str, str], float] = {}
        self.registry = registry = CollectorRegistry()
        self.received = Tally("smsd_messages_received", "SMS handed over by an SMSC", ("smsc",))
        self.stored = Tally("smsd_messages_stored", "SMS made durable")
        self.put_off = Tally(
            "smsd_messages_put_off",
            "SMS left with the SMSC: the store was unavailable, or too many waited already",
            ("reason",),
        )
        self.renewed = Tally(
            "smsd_messages_renewed",
            "SMS decided anew or explained because their permit ended before its reply could leave",
        )
        self.repeated = Tally(
            "smsd_messages_repeated", "SMS equal to one whose reply was still on its way"
        )
        self.silent = Tally(
            "smsd_messages_silent",
            "SMS without an answer because their phone had sent too much",
        )
        self.decisions = Tally(
            "smsd_decisions", "Decisions by verdict and rule", ("verdict", "rule")
        )
        self.disagreements = Tally(
            "smsd_shadow_disagreements",
            "Decisions that the candidate policy would make otherwise",
            ("verdict", "candidate_verdict"),
        )
        self.unrecognised = Tally(
            "smsd_unrecognised", "SMS that were no request, by reason", ("reason",)
        )
        self.commands = Tally("smsd_commands", "Commands answered, by name", ("command",))
        self.policy_failures = Tally(
            "smsd_policy_load_failures", "Policies that could not be loaded; the one before stayed"
        )
        self.replies = Tally("smsd_replies", "Replies by outcome", ("smsc", "outcome"))
        self.receipts = Tally(
            "smsd_receipts", "Delivery receipts taken, by what they say", ("smsc", "state")
        )
        self.unmatched = Tally(
            "smsd_receipts_unmatched", "Delivery receipts about no reply of ours", ("smsc",)
        )
        self.congestion = Tally(
            "smsd_smsc_throttled",
            "Submissions answered by the SMSC with congestion",
            ("smsc",),
        )
        self.turnaround = Durations(
            "smsd_turnaround_seconds",
            "From an SMS's receipt to the submission of its reply",
            "smsc",
            _SECONDS,
        )
        self.handset = Durations(
            "smsd_handset_seconds",
            "From an SMS's receipt to the receipt that its whole reply is on the phone",
            "smsc",
            _SECONDS,
        )
        self.commit = Durations(
            "smsd_commit_seconds", "One batch in the store", "", _COMMIT_SECONDS
        )
        for each in vars(self).values():
            if isinstance(each, Tally | Durations):
                registry.register(each)
        self._batch = Histogram(
            "smsd_batch_messages", "SMS in one batch", buckets=_MESSAGES, registry=registry
        )
        self._certificates = Gauge(
            "smsd_tls_certificate_expiry_timestamp_seconds",
            "When the certificate that was met last ends, Unix time; which: client (ours), server",
            ["smsc", "which"],
            registry=registry,
        )
        self._policy = Gauge(
            "smsd_policy_info",
            "The policy in force, and the candidate in its shadow",
            ["id", "digest", "role"],
            registry=registry,
        )
        Gauge(
            "smsd_build_info", "What is running", ["version", "sqlite"], registry=registry
        ).labels(version, sqlite_version).set(1)

    def begin(self, smscs: Iterable[str]) -> None:
        """Count these from 0: of a series that begins with its first event nobody sees it rise."""
        for smsc in smscs:
            self.received.add(0, smsc)
            self.congestion.add(0, smsc)
            for state in _ENDS:
                self.replies.add(0, smsc, _OUTCOMES[state])
        for reason in (_STORE, _FULL):
            self.put_off.add(0, reason)

    def law_changed(self, law: Law) -> None:
        """Another policy is in force, or in its shadow; or the same were loaded again."""
        if law.policy.digest != self._in_force:
            self._in_force = law.policy.digest
            self._tell("policy_in_force", policy=law.policy.id, digest=law.policy.digest[:12])
        self._policy.clear()
        self._policy.labels(law.policy.id, law.policy.digest, "live").set(1)
        if law.candidate is not None:
            self._policy.labels(law.candidate.id, law.candidate.digest, "candidate").set(1)

    def policy_failed(self) -> None:
        """A policy could not be loaded, and the one before stays in force."""
        self.policy_failures.inc()
        self._tell("policy_kept")

    # smsd.gateway.commit_lane.LaneWatcher

    def committed(self, counts: Counts, messages: int, commit_s: float) -> None:
        """A batch is durable."""
        self.commit.observe("", (round(commit_s * _US_PER_S),))
        self.renewed.add(counts.renewed)
        for smsc, elapsed_us in counts.arrived:
            self.handset.observe(smsc, (elapsed_us,))
        for smsc, count in counts.unmatched:
            self.unmatched.add(count, smsc)
        for reason, count in counts.unrecognised.items():
            self.unrecognised.add(count, reason)
        self.silent.add(counts.silent)
        if not messages:
            return
        self._batch.observe(messages)
        self.stored.add(messages)
        self.repeated.add(counts.repeated)
        for labels, count in counts.decisions.items():
            self.decisions.add(count, *labels)
        for command, count in counts.commands.items():
            self.commands.add(count, command)
        for verdicts, count in counts.disagreements.items():
            self.disagreements.add(count, *verdicts)

    def store_failed(self, messages: int) -> None:
        """So many SMS stay with their SMSC."""
        self.put_off.add(messages, _STORE)

    def store_changed(self, fault: str | None) -> None:
        """The store cannot be used any more, or can again."""
        self._tell("store_available" if fault is None else "store_unavailable")

    def receipts_stored(self, receipts: list[InboundReceipt]) -> None:
        """Receipts came."""
        for smsc, _, state, _ in receipts:
            self.receipts.inc(smsc, STATE_WORDS[state])

    # smsd.gateway.outbox.OutboxWatcher

    def submitted(self, smsc: str, turnarounds_us: list[int]) -> None:
        """Replies left."""
        self.turnaround.observe(smsc, turnarounds_us)

    def reply_settled(self, smsc: str, state: ReplyState) -> None:
        """A reply reached its outcome."""
        self.replies.inc(smsc, _OUTCOMES[state])

    def throttled(self, smsc: str) -> None:
        """Congestion at an SMSC."""
        self.congestion.inc(smsc)
        self._tell("congestion", smsc=smsc)

    # smsd.gateway.binds.BindWatcher

    def bind_changed(self, smsc: str, bind: str, up: bool) -> None:
        """A bind came up or went down; /metrics asks the binds themselves."""
        self._tell("bind_up" if up else "bind_down", smsc=smsc, bind=bind)

    def suspension_changed(self, smsc: str, suspended: bool) -> None:
        """Somebody took an SMSC out of service, or back into it."""
        self._tell("suspended" if suspended else "resumed", smsc=smsc)

    def messages_came(self, smsc: str, count: int) -> None:
        """SMS came."""
        self.received.add(count, smsc)

    def receipts_passed(self, smsc: str, state: str, count: int) -> None:
        """Receipts came that are not kept."""
        self.receipts.add(count, smsc, state)

    def no_room(self, smsc: str, count: int) -> None:
        """SMS stay with their SMSC."""
        self.put_off.add(count, _FULL)

    def certificate_seen(self, smsc: str, which: str, expires_s: float) -> None:
        """A certificate was read."""
        self._certificates.labels(smsc, which).set(expires_s)
        self.certificates[smsc, which] = expires_s
