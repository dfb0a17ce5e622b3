"""Messages from phones (MO) on their way to an ESME: wait, go out, come back, wait again.

A pure value that is told the time. Every short number has its own line, oldest first; what came
back with a temporary error waits out a delay and then stands in front again, since it is older.
"""

import heapq
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from smsd.smpp.pdu import DeliverSm, Status

# §5.1.3: errors that pass; for any other an SMSC gives the message up.
TEMPORARY: Final = frozenset(
    {
        Status.ESME_RSYSERR,
        Status.ESME_RMSGQFUL,
        Status.ESME_RTHROTTLED,
        Status.ESME_RX_T_APPN,
    }
)


class MoState(StrEnum):
    """Where a deliver_sm stands; a message of several parts stands where its slowest part does."""

    WAITING = "waiting"
    SENT = "sent"
    RETRYING = "retrying"
    REFUSED = "refused"
    ACKNOWLEDGED = "acknowledged"


@dataclass(slots=True, eq=False)
class Delivery:
    """One deliver_sm: a part of a phone's message, or a delivery receipt."""

    serial: int
    message: "Message"
    body: DeliverSm
    state: MoState = MoState.WAITING
    attempts: int = 0
    last_status: int | None = None


@dataclass(slots=True, eq=False)
class Message:
    """What a phone sent; ``serial`` names it in the control protocol."""

    serial: int
    to: str
    deliveries: list[Delivery] = field(default_factory=list)

    @property
    def state(self) -> MoState:
        """REFUSED when any part was, else the state of the part that is furthest behind."""
        states = {delivery.state for delivery in self.deliveries}
        for state in (MoState.REFUSED, MoState.RETRYING, MoState.WAITING, MoState.SENT):
            if state in states:
                return state
        return MoState.ACKNOWLEDGED

    @property
    def last_status(self) -> int | None:
        """The last status that was no ESME_ROK, if any part met one."""
        return next((each.last_status for each in self.deliveries if each.last_status), None)


class QueueFull(Exception):
    """The SMSC holds as many undelivered messages as it may."""


class MoQueue:
    """All deliveries that are not acknowledged or refused, at most ``size_max``."""

    def __init__(self, size_max: int, retry_delay_s: float, attempts_max: int) -> None:
        self._size_max = size_max
        self._retry_delay_s = retry_delay_s
        self._attempts_max = attempts_max
        self._lines: dict[str, list[tuple[int, Delivery]]] = {}
        self._retrying: deque[tuple[float, Delivery]] = deque()  # One delay for all: due in order.
        self._sent = 0

    @property
    def waiting(self) -> int:
        """Deliveries that no ESME has at the moment."""
        return sum(map(len, self._lines.values())) + len(self._retrying)

    @property
    def sent(self) -> int:
        """Deliveries that await their deliver_sm_resp."""
        return self._sent

    def add(self, message: Message) -> None:
        """Queue all parts of ``message``, or none: QueueFull."""
        if self.waiting + self._sent + len(message.deliveries) > self._size_max:
            raise QueueFull(f"the simulator holds {self._size_max} undelivered messages already")
        for delivery in message.deliveries:
            self._stand_in_line(delivery)

    def addresses(self) -> tuple[str, ...]:
        """The short numbers somebody waits for."""
        return tuple(self._lines)

    def waits(self, address: str) -> bool:
        """Whether somebody waits for ``address``."""
        return address in self._lines

    def take(self, address: str) -> Delivery:
        """The oldest delivery for ``address``, which now counts as sent; ask ``waits`` first."""
        line = self._lines[address]
        _, delivery = heapq.heappop(line)
        if not line:
            del self._lines[address]
        delivery.state = MoState.SENT
        delivery.attempts += 1
        self._sent += 1
        return delivery

    def answered(self, delivery: Delivery, status: int, now: float) -> MoState:
        """Settle a delivery that was answered with ``status``; says what became of it."""
        if status == Status.ESME_ROK:
            self._sent -= 1
            delivery.state = MoState.ACKNOWLEDGED
        else:
            delivery.last_status = status
            if status in TEMPORARY:
                self.retry_later(delivery, now)
            else:
                self._sent -= 1
                delivery.state = MoState.REFUSED
        return delivery.state

    def retry_later(self, delivery: Delivery, now: float) -> None:
        """Nobody acknowledged it, or not yet: again after the delay, until attempts run out."""
        self._sent -= 1
        if delivery.attempts >= self._attempts_max:
            delivery.state = MoState.REFUSED
            return
        delivery.state = MoState.RETRYING
        self._retrying.append((now + self._retry_delay_s, delivery))

    def put_back(self, delivery: Delivery) -> None:
        """The link went down under it: first in line for the next bind."""
        self._sent -= 1
        self._stand_in_line(delivery)

    def next_due(self) -> float | None:
        """When ``due`` has something to do, in the caller's seconds."""
        return self._retrying[0][0] if self._retrying else None

    def due(self, now: float) -> int:
        """Put those whose delay is over back in line; how many there were."""
        moved = 0
        while self._retrying and self._retrying[0][0] <= now:
            self._stand_in_line(self._retrying.popleft()[1])
            moved += 1
        return moved

    def _stand_in_line(self, delivery: Delivery) -> None:
        delivery.state = MoState.WAITING
        line = self._lines.setdefault(delivery.body.destination_addr, [])
        heapq.heappush(line, (delivery.serial, delivery))
