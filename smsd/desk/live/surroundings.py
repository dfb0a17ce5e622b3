"""What the dashboard tells that lies on disk: read every few seconds, while somebody watches."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import structlog

from rules import CompiledPolicy
from smsd.desk.premises import Premises
from smsd.desk.unattended import unattended
from storage import policies
from storage.disk import Space, space
from storage.history import NOTHING, Sample, Tier, merged, series
from storage.imported import Imported, last_import
from storage.policies import Activation
from storage.store import StoreError

__all__ = ["Surroundings", "Watch"]

_log = structlog.get_logger("smsd.desk")

_US_PER_S = 1_000_000
_QUARTER_S = 900
_POINTS_MAX = 10_000  # so that rows stay as they are


class Surroundings(NamedTuple):
    """disk: None: it does not answer. register: None: none was imported.

    activated: how the policy in force came to be so; None: not known yet. today: since midnight in
    the policy's zone. quarter, before: the last quarter of an hour, and the one before it.
    """

    disk: Space | None = None
    register: Imported | None = None
    activated: Activation | None = None
    today: Sample = NOTHING
    quarter: Sample = NOTHING
    before: Sample = NOTHING


class Watch:
    """Keeps what is read fresh for whoever asks for it often."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises
        self._tiers = [Tier(*each) for each in premises.config.desk.dashboard.history_tiers]
        self._fresh_until = -1.0
        self._reading = False
        self._fault = ""
        self._known = Surroundings()

    def glance(self) -> Surroundings:
        """What was read last; has it read again where that was a while ago."""
        if not self._reading and self._premises.clock.monotonic() >= self._fresh_until:
            unattended(self.look())
        return self._known

    async def look(self) -> Surroundings:
        """Read all of it now; where that cannot be, what was read last."""
        self._reading = True
        self._fresh_until = self._premises.clock.monotonic() + self._tiers[0].step_s
        config, now_us = self._premises.config, self._premises.clock.utc_us()
        register = config.register_.file if config.register_.mode == "required" else None
        policy = self._premises.law.policy
        try:
            self._known = await self._premises.in_thread(
                _read, config.store.url, register, policy, now_us, self._tiers
            )
            self._fault = ""
        except StoreError as fault:
            if not self._fault:  # one line, however long it lasts
                _log.warning("dashboard_not_read", reason=str(fault))
            self._fault = str(fault)
        finally:
            self._reading = False
        return self._known


def _read(
    url: str, register: Path | None, policy: CompiledPolicy, now_us: int, tiers: Sequence[Tier]
) -> Surroundings:
    midnight_us = policy.calendar.day_start_us(policy.calendar.day(now_us))
    today = series(url, midnight_us, now_us, _POINTS_MAX, tiers[2:])
    half_hour = series(url, now_us - 2 * _QUARTER_S * _US_PER_S, now_us, _POINTS_MAX, tiers[1:])
    rows = list(enumerate(half_hour.samples))
    ago_s = now_us // _US_PER_S - _QUARTER_S
    late = [sample for at, sample in rows if half_hour.begin_s + at * half_hour.step_s >= ago_s]
    return Surroundings(
        space(url),
        last_import(register) if register is not None else None,
        policies.active(url),
        merged(filter(None, today.samples)),
        merged(filter(None, late)),
        merged(filter(None, half_hour.samples[: len(rows) - len(late)])),
    )
