"""Every few seconds, what happened meanwhile: into the store, and the last minute in memory."""

from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise

import structlog
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall

from smsd.desk.history.gauges import gauges
from smsd.desk.history.totals import Totals, difference, rates, totals
from smsd.desk.premises import Premises
from smsd.desk.unattended import unattended
from storage.disk import space
from storage.history import Sample, Tier, add
from storage.store import StoreError

__all__ = ["Sampler"]

_log = structlog.get_logger("smsd.desk")

_US_PER_S = 1_000_000
_MINUTE_S = 60
# While the store is slow or cannot be written, samples wait for a minute; then the oldest are lost.
_WAITING_MAX = 12


class Sampler:
    """Takes a sample whenever the first tier begins a new row, and writes it beside the reactor.

    written: fires when what is being written is.
    """

    def __init__(self, premises: Premises) -> None:
        self._premises = premises
        self._clock = premises.clock
        settings = premises.config.desk.dashboard
        self._series_max = settings.series_max
        self.tiers = [Tier(*each) for each in settings.history_tiers]
        self._step_us = self.tiers[0].step_s * _US_PER_S
        self._last = self.totals()
        self._minute = deque([self._last], maxlen=_MINUTE_S // self.tiers[0].step_s)
        self._waiting: deque[tuple[int, Sample]] = deque(maxlen=_WAITING_MAX)
        self._writing = False
        self.written: Deferred[None] = succeed(None)
        self._fault = ""
        self._next: IDelayedCall | None = None

    def start(self) -> None:
        """Sample from now on until stopped."""
        self._last = self.totals()
        self._wait()

    def _wait(self) -> None:
        # With the wall clock, so that each row of the first tier gets one sample.
        wait_us = self._step_us - self._clock.utc_us() % self._step_us
        self._next = self._premises.reactor.callLater(wait_us / _US_PER_S, self._tick)

    async def stop(self) -> None:
        """Write what happened since the last sample."""
        if self._next is not None and self._next.active():
            self._next.cancel()
            await self.written
            self._take()
            await unattended(self._write())

    def totals(self) -> Totals:
        """What is counted so far."""
        return totals(self._premises.metrics, self._clock.monotonic(), self._series_max)

    def a_while_ago(self, now: Totals, at_least_s: float) -> Totals:
        """The newest totals of before so long; after a start, the first."""
        known = (each for each in reversed(self._minute) if now.at - each.at >= at_least_s)
        return next(known, self._minute[0])

    def last_minute(self, now: Totals) -> Sample:
        """What happened in the minute up to now; less after a start."""
        return difference(now, self._minute[0])

    def last_rates(self) -> list[dict[str, float]]:
        """SMS in and replies out, a second, in each of the last samples; the oldest first."""
        return [rates(difference(late, early)) for early, late in pairwise(self._minute)]

    def _tick(self) -> None:
        self._wait()
        self._take()
        if not self._writing:
            self.written = unattended(self._write())

    def _take(self) -> None:
        now, now_us = self.totals(), self._clock.utc_us()
        sample = difference(now, self._last, gauges(self._premises, now_us))
        # By its middle, since a timer may be early or late by a little; and counted back from now,
        # since the wall clock may have been set meanwhile.
        at_us = now_us - round((now.at - self._last.at) * _US_PER_S / 2)
        self._waiting.append((at_us // _US_PER_S, sample))
        self._minute.append(now)
        self._last = now

    async def _write(self) -> None:
        samples = list(self._waiting)
        self._writing = True
        try:
            await self._premises.in_thread(_write, self._premises.url, samples, self.tiers)
        except StoreError as fault:
            # One line: the lane tells of the store, and what is lost here is a stretch of a chart.
            if not self._fault:
                _log.warning("history_not_written", reason=str(fault))
            self._fault = str(fault)
        else:
            self._fault = ""
            for sample in samples:
                with suppress(ValueError):  # it took so long that others took its place
                    self._waiting.remove(sample)
        finally:
            self._writing = False


def _write(url: str, samples: Sequence[tuple[int, Sample]], tiers: Sequence[Tier]) -> None:
    """Store samples; the state of the disk is part of the last one."""
    disk = space(url)
    at_s, newest = samples[-1]
    sizes = {} if disk is None else disk._asdict()
    known = {**newest.gauges, **{name: (size, size) for name, size in sizes.items()}}
    add(url, [*samples[:-1], (at_s, newest._replace(gauges=known))], tiers)
