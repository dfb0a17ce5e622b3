"""What the daemon counts, by Prometheus's conventions: smsd_ prefix, base units, few labels.

No label ever carries a phone, a document or a person. Children are looked up once and kept,
since a labelled look-up costs more than the increment.
"""

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from smsd.desk.tallies import Durations, Tally
from smsd.gateway.adjudicate import Law
from smsd.gateway.receipt_intake import STATE_WORDS
from smsd.gateway.writer import Counts
from storage import InboundReceipt, ReplyState

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600)
_COMMIT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
_MESSAGES = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_000, 5_000)
_OUTCOMES = {state: state.name.lower() for state in ReplyState}


class Metrics:
    """The daemon's watcher: lane, outboxes and binds tell it, /metrics asks it."""

    def __init__(self, version: str, sqlite_version: str) -> None:
        self.registry = registry = CollectorRegistry()
        self._received = Counter(
            "smsd_messages_received", "SMS handed over by an SMSC", ["smsc"], registry=registry
        )
        self._receipts = Tally(
            "smsd_receipts", "Delivery receipts taken, by what they say", ("smsc", "state")
        )
        registry.register(self._receipts)
        self._unmatched = Counter(
            "smsd_receipts_unmatched",
            "Delivery receipts about no reply of ours",
            ["smsc"],
            registry=registry,
        )
        self._handset = Durations(
            "smsd_handset_seconds",
            "From an SMS's receipt to the receipt that its whole reply is on the phone",
            "smsc",
            _SECONDS,
        )
        registry.register(self._handset)
        self._stored = Counter("smsd_messages_stored", "SMS made durable", registry=registry)
        self._put_off = Counter(
            "smsd_messages_put_off",
            "SMS left with the SMSC: the store was unavailable, or too many waited already",
            ["reason"],
            registry=registry,
        )
        self._renewed = Counter(
            "smsd_messages_renewed",
            "SMS decided anew or explained because their permit ended before its reply could leave",
            registry=registry,
        )
        self._repeated = Counter(
            "smsd_messages_repeated",
            "SMS equal to one whose reply was still on its way",
            registry=registry,
        )
        self._decisions = Counter(
            "smsd_decisions",
            "Decisions by verdict and rule",
            ["verdict", "rule"],
            registry=registry,
        )
        self._unrecognised = Counter(
            "smsd_unrecognised",
            "SMS that were no request, by reason",
            ["reason"],
            registry=registry,
        )
        self._commands = Counter(
            "smsd_commands", "Commands answered, by name", ["command"], registry=registry
        )
        self._silent = Counter(
            "smsd_messages_silent",
            "SMS without an answer because their phone had sent too much",
            registry=registry,
        )
        self._disagreements = Counter(
            "smsd_shadow_disagreements",
            "Decisions that the candidate policy would make otherwise",
            ["verdict", "candidate_verdict"],
            registry=registry,
        )
        self._policy_failures = Counter(
            "smsd_policy_load_failures",
            "Policies that could not be loaded; the one before stayed",
            registry=registry,
        )
        self._replies = Tally("smsd_replies", "Replies by outcome", ("smsc", "outcome"))
        registry.register(self._replies)
        self._turnaround = Durations(
            "smsd_turnaround_seconds",
            "From an SMS's receipt to the submission of its reply",
            "smsc",
            _SECONDS,
        )
        registry.register(self._turnaround)
        self._commit = Histogram(
            "smsd_commit_seconds",
            "One batch in the store",
            buckets=_COMMIT_SECONDS,
            registry=registry,
        )
        self._batch = Histogram(
            "smsd_batch_messages", "SMS in one batch", buckets=_MESSAGES, registry=registry
        )
        self._certificates = Gauge(
            "smsd_tls_certificate_expiry_timestamp_seconds",
            "When the certificate that was met last ends, Unix time; which: client (ours), server",
            ["smsc", "which"],
            registry=registry,
        )
        self._throttled = Counter(
            "smsd_smsc_throttled",
            "Submissions answered by the SMSC with congestion",
            ["smsc"],
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
        self._decision_child = cache(self._decisions.labels)
        self._unrecognised_child = cache(self._unrecognised.labels)

    def law_changed(self, law: Law) -> None:
        """Another policy is in force, or in its shadow."""
        self._policy.clear()
        self._policy.labels(law.policy.id, law.policy.digest, "live").set(1)
        if law.candidate is not None:
            self._policy.labels(law.candidate.id, law.candidate.digest, "candidate").set(1)

    def policy_failed(self) -> None:
        """A policy could not be loaded, and the one before stays in force."""
        self._policy_failures.inc()

    # smsd.gateway.commit_lane.LaneWatcher

    def committed(self, counts: Counts, messages: int, commit_s: float) -> None:
        """A batch is durable."""
        self._commit.observe(commit_s)
        self._renewed.inc(counts.renewed)
        for smsc, elapsed_us in counts.arrived:
            self._handset.observe(smsc, (elapsed_us,))
        for smsc, count in counts.unmatched:
            self._unmatched.labels(smsc).inc(count)
        for reason, count in counts.unrecognised.items():
            self._unrecognised_child(reason).inc(count)
        self._silent.inc(counts.silent)
        if not messages:
            return
        self._batch.observe(messages)
        self._stored.inc(messages)
        self._repeated.inc(counts.repeated)
        for labels, count in counts.decisions.items():
            self._decision_child(*labels).inc(count)
        for command, count in counts.commands.items():
            self._commands.labels(command).inc(count)
        for verdicts, count in counts.disagreements.items():
            self._disagreements.labels(*verdicts).inc(count)

    def store_failed(self, messages: int) -> None:
        """So many SMS stay with their SMSC."""
        self._put_off.labels("store").inc(messages)

    def receipts_stored(self, receipts: list[InboundReceipt]) -> None:
        """Receipts came."""
        for smsc, _, state, _ in receipts:
            self._receipts.inc(smsc, STATE_WORDS[state])

    # smsd.gateway.outbox.OutboxWatcher

    def submitted(self, smsc: str, turnarounds_us: list[int]) -> None:
        """Replies left."""
        self._turnaround.observe(smsc, turnarounds_us)

    def reply_settled(self, smsc: str, state: ReplyState) -> None:
        """A reply reached its outcome."""
        self._replies.inc(smsc, _OUTCOMES[state])

    def throttled(self, smsc: str) -> None:
        """Congestion at an SMSC."""
        self._throttled.labels(smsc).inc()

    # smsd.gateway.binds.BindWatcher

    def bind_changed(self, smsc: str, bind: str, up: bool) -> None:
        """A bind came up or went down; /metrics asks the binds themselves."""

    def messages_came(self, smsc: str, count: int) -> None:
        """SMS came."""
        self._received.labels(smsc).inc(count)

    def receipts_passed(self, smsc: str, state: str, count: int) -> None:
        """Receipts came that are not kept."""
        for _ in range(count):
            self._receipts.inc(smsc, state)

    def no_room(self, smsc: str, count: int) -> None:
        """SMS stay with their SMSC."""
        self._put_off.labels("full").inc(count)

    def certificate_seen(self, smsc: str, which: str, expires_s: float) -> None:
        """A certificate was read."""
        self._certificates.labels(smsc, which).set(expires_s)
