"""Which policy is in force: the file that the configuration names, or what was activated since.

The newest word counts. A file that changed since it was last read is news, and so is a policy
that an officer activated, or queued for an instant that has come; all leave a row in the store's
history. Whatever fails, the policy in force stays.
"""

from pathlib import Path

import structlog

from rules import CompiledPolicy, Policy, PolicyError, compile_policy, load, parse_policy
from rules.analysis.soundness import sound
from smsd.gateway.adjudicate import Law
from smsd.gateway.clock import Clock
from storage import StoreError, policies, proposals

_log = structlog.get_logger("smsd.policy")

_WHO = "smsd"


class Lawbook:
    """Finds and loads the law of one store. Slow: not for the reactor's thread once it runs.

    loaded_at_us: when the law in force was loaded. fault: why the newest word is not in force;
    empty while it is.
    """

    def __init__(self, file: Path, url: str, clock: Clock) -> None:
        self._file = file
        self._url = url
        self._clock = clock
        self.loaded_at_us = 0
        self.fault = ""

    def open(self) -> Law:
        """The law at the start.

        A file that changed and is wrong does not keep a daemon down that was restarted at
        night: the policy in force before decides on, and the log says why.

        Raises:
            PolicyError, OSError: the file cannot be used, and no policy was in force before.
        """
        self._take_due()
        before = policies.active(self._url)
        try:
            news = self._changed_file(before is None)
            policy = compile_policy(news) if news else None
        except (PolicyError, OSError) as fault:
            if before is None:
                raise
            self.fault = str(fault)
            for reason in self.fault.splitlines():
                _log.error("policy_kept", file=str(self._file), reason=reason)
            policy = None
        if policy is not None:
            self._note("file", policy, f"read from {self._file.name}")
        else:
            assert before is not None
            policy = self._stored(before.digest)
        return self._taken(Law(policy, self._candidate()))

    def reload(self) -> Law:
        """The law now: a changed file, else the newest activation.

        Raises:
            PolicyError: with every fault, gaps and unreachable rules among them.
            OSError: the file cannot be read.
            StoreError: the store cannot.
        """
        try:
            law = self._newest()
        except (PolicyError, OSError, StoreError) as fault:
            self.fault = str(fault)
            raise
        self.fault = ""
        return self._taken(law)

    def _taken(self, law: Law) -> Law:
        self.loaded_at_us = self._clock.utc_us()
        return law

    def _newest(self) -> Law:
        self._take_due()
        news = self._changed_file(required=False)
        if news is not None:
            policy = sound(news)
            self._note("file", policy, f"read from {self._file.name}")
        else:
            active = policies.active(self._url)
            assert active is not None, "open() comes first"
            policy = self._stored(active.digest)
        return Law(policy, self._candidate())

    def _take_due(self) -> None:
        """Put in force what was queued and whose instant has come, perhaps while nobody ran."""
        due = proposals.take_due(self._url, self._clock.utc_us())
        if due is not None and due.why is not None:
            _log.error("queued_policy_kept_back", proposal=due.proposal, reason=due.why.value)

    def _changed_file(self, required: bool) -> Policy | None:
        """The configured file, where it is not the one that was read last."""
        read = policies.last_file(self._url)
        try:
            policy = load(self._file)
        except OSError:
            if required:
                raise
            # Moved away after a policy was activated: nothing new.
            return None
        return None if read is not None and read.digest == policy.digest else policy

    def _stored(self, digest: str) -> CompiledPolicy:
        source = policies.policy_source(self._url, digest)
        # It passed its tests when it was activated; today's engine must still pass them.
        return compile_policy(parse_policy(source, f"policy {digest[:12]}"))

    def _candidate(self) -> CompiledPolicy | None:
        shadow = policies.shadow(self._url)
        if shadow is None:
            return None
        try:
            return self._stored(shadow.digest)
        except PolicyError as fault:
            _log.error("candidate_unusable", reason=str(fault))
            return None

    def _note(self, action: str, policy: CompiledPolicy, reason: str) -> None:
        policies.activate(
            self._url,
            policy.source,
            policy.digest,
            self._clock.utc_us(),
            _WHO,
            reason,
            action,
        )
