"""What happened lately, for whoever looks at the dashboard; the log has it all, and for longer."""

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from smsd.gateway.clock import Clock

__all__ = ["KINDS", "Event", "Events"]

_US_PER_S = 1_000_000


class Kind(NamedTuple):
    """level: ok, warn or bad. episode_s: what is told again within so long is the same event."""

    level: str
    episode_s: int = 0


KINDS: Mapping[str, Kind] = {
    "started": Kind("ok"),
    "bind_up": Kind("ok"),
    "bind_down": Kind("bad"),
    "suspended": Kind("warn"),
    "resumed": Kind("ok"),
    "congestion": Kind("warn", 60),
    "store_unavailable": Kind("bad"),
    "store_available": Kind("ok"),
    "policy_in_force": Kind("ok"),
    "policy_kept": Kind("bad"),
    "sign_in_refused": Kind("warn", 60),
}
"""What is told; the words stand in words/dashboard.toml."""


class Event(NamedTuple):
    """values: what the words of its kind name; never a phone or a document."""

    at_us: int
    kind: str
    values: Mapping[str, str]


class Events:
    """The newest events, oldest first. In memory: a restart begins a new strip."""

    def __init__(self, clock: Clock, kept: int) -> None:
        self._clock = clock
        self._kept: deque[Event] = deque(maxlen=kept)
        self._last_us: dict[tuple[str, ...], int] = {}  # of those that come in episodes

    def tell(self, kind: str, **values: str) -> None:
        """Something happened now."""
        at_us = self._clock.utc_us()
        episode_us = KINDS[kind].episode_s * _US_PER_S
        if episode_us:
            key = (kind, *values.values())
            before_us, self._last_us[key] = self._last_us.get(key), at_us
            if before_us is not None and at_us - before_us < episode_us:
                return
        self._kept.append(Event(at_us, kind, values))

    def newest(self, most: int) -> list[Event]:
        """The last ones, newest first."""
        return [event for event, _ in zip(reversed(self._kept), range(most), strict=False)]
