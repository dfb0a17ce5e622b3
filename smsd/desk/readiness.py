"""Whether the daemon can do its work, and why not; in words, for /readyz and the desk.

It is ready when each SMSC that nobody suspended can hand SMS over and take replies, the store is
written to and the register is there. A bind that is missing beside others of its SMSC is a remark:
nobody waits longer for it, and who restarts or diverts what is not ready would cut off phones that
are served. An SMSC without any such bind is not: those who text by that operator get no answer. A
policy is always there, since without one the daemon does not start; that a newer one was turned
down is a remark too.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from smsd.config import RegisterSection
from smsd.gateway.binds import SmscBinds
from smsd.gateway.commit_lane import CommitLane

__all__ = ["Lawbook", "Readiness"]


class Lawbook(Protocol):
    """What the desk asks of `smsd.lawbook.Lawbook`."""

    loaded_at_us: int
    fault: str


class Readiness:
    """Asked in the reactor's thread. stopping: set when the daemon has begun to end."""

    def __init__(
        self,
        smscs: Sequence[SmscBinds],
        lane: CommitLane,
        register: RegisterSection,
        lawbook: Lawbook,
    ) -> None:
        self._smscs = smscs
        self._lane = lane
        self._lawbook = lawbook
        self._register_file: Path | None = register.file if register.mode == "required" else None
        self.stopping = False

    def reasons(self) -> list[str]:
        """Why it cannot do its work now; empty when it can."""
        serving = [smsc for smsc in self._smscs if smsc.suspended_since_us is None]
        reasons = [
            f"smsc {smsc.settings.name}: {bind.name} is not bound"
            for smsc in serving
            if not smsc.in_service
            for bind in smsc.binds
            if not bind.up
        ]
        if not serving:
            reasons.append("every smsc is suspended")
        if not self._lane.alive:
            reasons.append("the writer is not running")
        if self._lane.fault is not None:
            reasons.append(f"the store is unavailable: {self._lane.fault}")
        if self._register_file is not None and not self._register_file.exists():
            reasons.append("no register: import one with smsd registry import FILE.csv")
        if self.stopping:
            reasons.append("stopping")
        return reasons

    @property
    def policy_kept(self) -> bool:
        """Whether a newer policy could not be loaded, so that the one before decides."""
        return bool(self._lawbook.fault)

    def remarks(self) -> list[str]:
        """What is worth a word and keeps nobody from his answer."""
        remarks = []
        for smsc in self._smscs:
            name = smsc.settings.name
            if smsc.suspended_since_us is not None:
                remarks.append(f"smsc {name}: suspended")
            elif smsc.in_service:
                remarks += [
                    f"smsc {name}: {bind.name} is not bound" for bind in smsc.binds if not bind.up
                ]
        if self.policy_kept:
            remarks.append("policy: the newest could not be loaded; the one before decides")
        return remarks
