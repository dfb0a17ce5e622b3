"""The sign-ins that are under way at a provider: few, short-lived, each bound to its browser."""

import hmac
from collections import OrderedDict

from smsd.desk.access.oidc import Attempt

__all__ = ["Attempts"]


class Attempts:
    """Kept in memory: after a restart whoever was away begins anew, which costs a click.

    now_s: Unix time.
    """

    def __init__(self, attempt_s: float, attempts_max: int) -> None:
        self._attempt_s = attempt_s
        self._attempts_max = attempts_max
        self._by_state: OrderedDict[str, tuple[float, Attempt]] = OrderedDict()

    def keep(self, attempt: Attempt, now_s: float) -> None:
        """Remember one; of too many, the oldest is forgotten."""
        self._by_state[attempt.state] = now_s + self._attempt_s, attempt
        while len(self._by_state) > self._attempts_max:
            self._by_state.popitem(last=False)

    def take(self, state: str, browser: str, now_s: float) -> Attempt | None:
        """The attempt that this browser began, once and in time."""
        until_s, attempt = self._by_state.get(state, (0.0, None))
        # Another browser's return is no reason to end the attempt of the one that began it.
        if attempt is None or not hmac.compare_digest(attempt.browser.encode(), browser.encode()):
            return None
        del self._by_state[state]
        return attempt if now_s < until_s else None
