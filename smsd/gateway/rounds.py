"""Which address of an SMSC is tried next, and after how long."""

import random
from collections.abc import Callable

from smsd.config import SmscSection
from smsd.smpp.pdu import Status

_BACKOFF_FACTOR = 2.0


def backoff(
    settings: SmscSection, uniform: Callable[[float, float], float] = random.uniform
) -> Callable[[int], float]:
    """Seconds to wait after the n-th failure in a row: doubled each time, within bounds.

    Jittered over its upper half, so that a thousand gateways do not come back as one.
    """

    def delay_s(failures: int) -> float:
        ceiling = settings.reconnect_delay_max_s
        exponent = min(max(failures - 1, 0), 30)
        longest = min(ceiling, settings.reconnect_delay_min_s * _BACKOFF_FACTOR**exponent)
        return uniform(longest / 2, longest)

    return delay_s


class Rounds:
    """The addresses of one bind, tried in turn: no pause within a round, a longer one after each.

    Told what became of each attempt, it knows the next. An attempt that was refused asks for a
    pause of its own, and the longest that a round was asked for counts.
    """

    def __init__(self, settings: SmscSection) -> None:
        self._addresses = settings.addresses
        self._backoff = backoff(settings)
        refused_s = settings.reconnect_refused_delay_s
        self._pauses_s: dict[int | None, float] = {
            Status.ESME_RINVPASWD: refused_s,
            Status.ESME_RINVSYSID: refused_s,
            Status.ESME_RBINDFAIL: refused_s,
            Status.ESME_RALYBND: settings.reconnect_already_bound_delay_s,
        }
        self.start()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the next attempt, or of the one that is under way."""
        return self._addresses[self._at]

    @property
    def delay_s(self) -> float:
        """How long to wait before the next attempt."""
        return self._delay_s

    def start(self) -> None:
        """Begin at the first address, as if nothing had happened."""
        self._at = 0
        self._delay_s = 0.0
        self._lost = 0  # binds in a row that were of no use
        self.bound()

    def bound(self) -> None:
        """We are bound: what failed before no longer counts."""
        self._tried = self._failures = 0
        self._asked_s = 0.0

    def lost(self, of_use: bool) -> None:
        """A bind that was up is down: back to the same address, soon.

        Later each time where none was of any use: an SMSC that lets us in and throws us out at once
        would get the replies in the window again and again.
        """
        self._lost = 1 if of_use else self._lost + 1
        self._delay_s = self._backoff(self._lost)

    def failed(self, status: int | None = None) -> None:
        """An attempt came to nothing; `status`: with what the SMSC refused it."""
        self._at = (self._at + 1) % len(self._addresses)
        self._asked_s = max(self._asked_s, self._pauses_s.get(status, 0.0))
        self._tried += 1
        if self._tried < len(self._addresses):
            self._delay_s = 0.0
            return
        self._failures += 1
        self._delay_s = max(self._backoff(self._failures), self._asked_s)
        self._tried, self._asked_s = 0, 0.0
