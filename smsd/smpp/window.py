"""Our requests that await their response, by sequence number (SMPP 3.4 §2.9, §5.1.4, §7.2).

Those of the application are limited in number and in time. Each waits equally long, so the order
of sending is the order of expiry: a dict, which keeps that order, is the timer queue too. The time
is told, in monotonic seconds that never go back. The session's own (bind, unbind, enquire_link)
take no room, so that a full window never silences an enquire_link; their timers are the session's.
"""

from math import inf
from typing import NamedTuple, TypeAlias

SEQUENCE_MAX = 0x7FFFFFFF  # §5.1.4: sequence numbers run from 1 to 0x7FFFFFFF.


class WindowFull(Exception):
    """A request was put into a window without room: the caller did not look at ``room``."""


class Unanswered(NamedTuple):
    """A request whose response never came: its number, and what the application keeps with it."""

    sequence: int
    context: object


# The command_id that answers the request, the application's context, and the deadline. A plain
# tuple: one is made for every SMS, and a NamedTuple costs several times as much.
Waiting: TypeAlias = tuple[int, object, float]


class Window:
    """The unanswered requests of one side of one session; every operation is O(1) a request."""

    __slots__ = ("_own", "_sequence", "_size", "_timeout_s", "_waiting")

    def __init__(self, size: int, timeout_s: float, first_sequence: int = 1) -> None:
        """Hold at most ``size`` requests of the application, each for ``timeout_s`` seconds."""
        assert size >= 1, size
        assert timeout_s > 0, timeout_s
        assert 1 <= first_sequence <= SEQUENCE_MAX, first_sequence
        self._size = size
        self._timeout_s = timeout_s
        self._sequence = first_sequence - 1
        self._waiting: dict[int, Waiting] = {}
        self._own: dict[int, int] = {}  # sequence → the command_id that answers it

    @property
    def room(self) -> int:
        """How many more requests of the application fit."""
        return self._size - len(self._waiting)

    def next_sequence(self) -> int:
        """The number for the next request: one up, round from the last to 1, past those in use."""
        sequence = self._sequence % SEQUENCE_MAX + 1
        while sequence in self._waiting or sequence in self._own:
            sequence = sequence % SEQUENCE_MAX + 1
        return sequence

    def put(self, sequence: int, response_id: int, context: object, now: float) -> None:
        """Let the application's request ``sequence`` await ``response_id``. Raises WindowFull."""
        waiting = self._waiting
        if len(waiting) >= self._size:
            raise WindowFull(f"{self._size} requests await their response")
        assert sequence not in waiting, sequence
        waiting[sequence] = (response_id, context, now + self._timeout_s)
        self._sequence = sequence

    def put_own(self, sequence: int, response_id: int) -> None:
        """Let a request of the session's own await ``response_id``."""
        assert sequence not in self._own, sequence
        self._own[sequence] = response_id
        self._sequence = sequence

    def awaits(self, sequence: int) -> int | None:
        """The command_id that any request ``sequence`` awaits; None if there is no such request."""
        waiting = self._waiting.get(sequence)
        return self._own.get(sequence) if waiting is None else waiting[0]

    def take(self, sequence: int, response_id: int) -> Waiting | None:
        """Settle a request; None if none has this number, or it awaits another kind of response."""
        waiting = self._waiting.get(sequence)
        if waiting is None or waiting[0] != response_id:
            return None
        del self._waiting[sequence]
        return waiting

    def take_own(self, sequence: int, response_id: int) -> bool:
        """Settle a request of the session's own; whether there was such a one."""
        if self._own.get(sequence) != response_id:
            return False
        del self._own[sequence]
        return True

    def deadline(self) -> float:
        """When the application's oldest request runs out; ``inf`` if none waits."""
        for _, _, deadline in self._waiting.values():
            return deadline
        return inf

    def expired(self, now: float) -> list[Unanswered]:
        """Take out what has run out at ``now``, its deadline included; oldest first."""
        late: list[Unanswered] = []
        for sequence, (_, context, deadline) in self._waiting.items():
            if deadline > now:
                break
            late.append(Unanswered(sequence, context))
        for sequence, _ in late:
            del self._waiting[sequence]
        return late

    def drain(self) -> list[Unanswered]:
        """Take out all that the application has asked; oldest first."""
        return self.expired(inf)
