"""How often somebody may ask: enough for a post on a busy road, too little to try out numbers."""

from collections.abc import Callable

__all__ = ["Pace"]

_WINDOW_S = 60.0


class Pace:
    """Counts what each name asked within the last minute.

    Names are those of accounts and tokens, so there are no more of them than the store has; those
    that have been quiet for a minute are forgotten.
    """

    def __init__(self, most: int, monotonic: Callable[[], float]) -> None:
        self._most = most
        self._monotonic = monotonic
        self._asked: dict[str, list[float]] = {}

    def admits(self, name: str) -> bool:
        """Whether one more is allowed; if so it counts."""
        now = self._monotonic()
        since = now - _WINDOW_S
        for known in [known for known, times in self._asked.items() if times[-1] <= since]:
            del self._asked[known]
        times = [at for at in self._asked.get(name, ()) if at > since]
        allowed = len(times) < self._most
        if allowed:
            self._asked[name] = [*times, now]
        return allowed
