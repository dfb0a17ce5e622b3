"""Telling the store, every few seconds, that time has passed: it has no clock."""

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from smsd.config import LimitsSection
from smsd.gateway.clock import Clock
from smsd.gateway.commit_lane import CommitLane
from storage import Sweep

_US_PER_S = 1_000_000


class Sweeper:
    """What has waited for its other half in vain is given up with the lane's next batch."""

    def __init__(
        self, reactor: IReactorTime, clock: Clock, lane: CommitLane, limits: LimitsSection
    ) -> None:
        self._clock = clock
        self._lane = lane
        self._limits = limits
        self._looping = LoopingCall(self._sweep)
        self._looping.clock = reactor

    def start(self) -> None:
        """Sweep now, for what waited while nobody ran, and from then on."""
        self._looping.start(self._limits.sweep_s)

    def stop(self) -> None:
        """Sweep no more."""
        if self._looping.running:
            self._looping.stop()

    def _sweep(self) -> None:
        limits = self._limits
        self._lane.sweep(
            Sweep(
                self._clock.utc_us(),
                round(limits.incomplete_sms_s * _US_PER_S),
                round(limits.early_receipt_s * _US_PER_S),
                limits.early_receipts_max,
            )
        )
