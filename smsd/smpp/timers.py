"""The session's timers (SMPP 3.4 §7.2) as deadlines by name: the caller tells the time.

Times are monotonic seconds. The response timer of each application request lives in the window.
"""

from enum import Enum
from math import inf


class Timer(Enum):
    """What a session waits for besides the application's responses; the value says what ran out."""

    SESSION_INIT = "not bound in time"  # §7.2 session_init_timer
    ENQUIRE_LINK = "silence"  # §7.2 enquire_link_timer: then we ask, and
    ENQUIRE_LINK_RESP = "enquire_link was not answered"  # §7.2 response_timer
    INACTIVITY = "nothing but enquire_link came"  # §7.2 inactivity_timer: the link is of no use
    PDU_REST = "the rest of a PDU did not come"  # ours: the standard leaves half a PDU open
    UNBIND_RESP = "unbind was not answered"  # §7.2 response_timer, shorter, on our way out

    # By identity: Enum hashes the name in Python code, which would be paid on every segment.
    __hash__ = object.__hash__


class Timers:
    """At most one deadline for each Timer."""

    __slots__ = ("_deadlines",)

    def __init__(self) -> None:
        self._deadlines: dict[Timer, float] = {}

    def start(self, timer: Timer, deadline: float) -> None:
        """Let ``timer`` run out at ``deadline``, whether or not it was running."""
        self._deadlines[timer] = deadline

    def stop(self, timer: Timer) -> None:
        """Forget ``timer``; nothing happens if it was not running."""
        self._deadlines.pop(timer, None)

    def stop_all(self) -> None:
        """Forget every timer."""
        self._deadlines.clear()

    def __contains__(self, timer: Timer) -> bool:
        """Whether ``timer`` is running."""
        return timer in self._deadlines

    def deadline(self) -> float:
        """When the next timer runs out; ``inf`` if none is running."""
        return min(self._deadlines.values(), default=inf)

    def expired(self, now: float) -> list[Timer]:
        """Stop what has run out at ``now``, its deadline included; earliest first."""
        late = [timer for timer, deadline in self._deadlines.items() if deadline <= now]
        late.sort(key=self._deadlines.__getitem__)
        for timer in late:
            del self._deadlines[timer]
        return late
