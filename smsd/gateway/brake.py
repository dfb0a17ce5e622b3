"""What keeps the replies of one SMSC back for now: its rate, congestion, or that it is ill.

Nothing is dropped here. A reply that is turned away goes back to its place. The next time it rests,
so that others are tried; where those are taken, it alone is at fault: one phone whose own queue is
full must neither stop nor slow down the others.
"""

from collections.abc import Callable
from math import inf

import structlog
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from smsd.config import SmscSection
from smsd.gateway.clock import Clock
from smsd.gateway.pacing import EVERYTHING, Pacing, PacingLimits
from smsd.smpp.pdu import Status, status_text
from smsd.smpp.statuses import Kind
from storage import Reply

_log = structlog.get_logger("smsd.outbox")

_DOUBLINGS_MAX = 30  # of a pause, far beyond its limit


class Brake:
    """Tells an outbox how much may leave, and wakes it when that becomes more."""

    def __init__(
        self,
        reactor: IReactorTime,
        clock: Clock,
        settings: SmscSection,
        go_on: Callable[[], None],
        put_back: Callable[[Reply], None],
    ) -> None:
        self._reactor = reactor
        self._clock = clock
        self._settings = settings
        self._go_on = go_on
        self._put_back = put_back
        self._pacing = Pacing(
            PacingLimits(
                settings.throughput,
                settings.throughput_min,
                settings.throughput_recovery_per_s,
                settings.throughput_burst_s,
            )
        )
        self._held_off: IDelayedCall | None = None  # until then nothing leaves
        self._waking: IDelayedCall | None = None
        self.turned_away_at: dict[int, float] = {}  # by the ids of replies not settled yet
        self._taken_at = -inf
        self.resting = 0  # replies that wait alone
        self.silences = 0  # times in a row that submit_sm went without an answer
        self._slowed_by = ""  # what the SMSC said when the rate fell last

    @property
    def rate_per_s(self) -> float:
        """Messages a second that may leave now; 0: no limit."""
        return self._pacing.rate_per_s(self._clock.monotonic())

    @property
    def limit_per_s(self) -> float:
        """Messages a second that may leave when nothing slows us down; 0: no limit."""
        return self._pacing.limit_per_s

    @property
    def slowed_by(self) -> str:
        """The status with which the SMSC made us slow down, while we are slower for it."""
        return "" if self.rate_per_s == self.limit_per_s else self._slowed_by

    def pace(self, rate_per_s: float | None) -> None:
        """So many messages a second at most, 0: no limit; None: what is configured again."""
        limit = self._settings.throughput if rate_per_s is None else rate_per_s
        self._pacing.limit(limit, self._clock.monotonic())
        if self._waking is not None:
            self._waking.cancel()
            self._waking = None
        self._go_on()

    def allowance(self) -> int:
        """How many messages may leave now."""
        if self._held_off is not None:
            return 0
        if self._pacing.unlimited:  # the clock need not be asked
            return EVERYTHING
        return self._pacing.allowance(self._clock.monotonic())

    def left(self, messages: int) -> None:
        """So many left."""
        self._pacing.left(messages, self._clock.monotonic())

    def wake_in_time(self) -> None:
        """More waits than may leave now: go on at the instant at which the next may."""
        if self._waking is None and self._held_off is None:
            wait_s = self._pacing.wait_s(self._clock.monotonic())
            self._waking = self._reactor.callLater(wait_s, self._wake)

    def taken(self) -> None:
        """The SMSC took something; to be told while there is a reply that it turned away."""
        self._taken_at = self._clock.monotonic()

    def unanswered(self) -> None:
        """No answer came in time. The first time that is an accident; then wait, longer each time.

        What went may have arrived all the same, and nobody must get one reply every half minute.
        """
        settings = self._settings
        if self.silences:
            doubled_s = settings.retry_delay_s * 2.0 ** min(self.silences, _DOUBLINGS_MAX)
            self._hold_off("no answer in time", min(doubled_s, settings.unanswered_delay_max_s))
        self.silences += 1

    def bound(self) -> None:
        """The SMSC let us in anew: what held us off belongs to the bind before."""
        if self._held_off is not None:
            self._held_off.cancel()
            self._held_off = None

    def turned_away(self, reply: Reply, kind: Kind, status: int) -> None:
        """The SMSC did not take a reply for now; it goes back to its place, at once or later."""
        now = self._clock.monotonic()
        congested = kind is Kind.CONGESTION
        before = None
        # A queue that is full, or a fault, may be that of one phone; a rate is the account's.
        if not congested or status == Status.ESME_RMSGQFUL:
            before = self.turned_away_at.get(reply.id)
            self.turned_away_at[reply.id] = now
        if before is None:
            self._put_back(reply)
        else:
            self.resting += 1
            self._reactor.callLater(self._settings.retry_delay_s, self._rested, reply)
            if self._taken_at >= before:
                return  # others were taken since: it is not the SMSC that is at fault
        if congested:
            self._slow_down(status, now)
        else:
            self._hold_off(status_text(status), self._settings.retry_delay_s)

    def _slow_down(self, status: int, now: float) -> None:
        slow_before = self._pacing.rate_per_s(now) != self.limit_per_s
        self._slowed_by = status_text(status)
        rate_per_s = self._pacing.congested(now)
        if rate_per_s is not None and not slow_before:
            _log.warning(
                "smsc_busy",
                smsc=self._settings.name,
                status=status_text(status),
                rate_per_s=round(rate_per_s, 1),
            )

    def _hold_off(self, reason: str, pause_s: float) -> None:
        if self._held_off is None:
            _log.warning("smsc_ill", smsc=self._settings.name, reason=reason, pause_s=pause_s)
            self._held_off = self._reactor.callLater(pause_s, self._let_go)

    def _let_go(self) -> None:
        self._held_off = None
        self._go_on()

    def _wake(self) -> None:
        self._waking = None
        self._go_on()

    def _rested(self, reply: Reply) -> None:
        self.resting -= 1
        self._put_back(reply)
        self._go_on()
