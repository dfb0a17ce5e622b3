"""What the simulator counts, and the bounds it keeps."""

from dataclasses import dataclass, field
from typing import Final

from simulators.phone import PhoneLimits
from smsd.smpp.limits import SessionLimits


@dataclass(slots=True)
class Counters:
    """Since the start; they only grow."""

    bound: int = 0  # binds let in
    bind_refused: int = 0
    unbound: int = 0  # bound links that ended, politely or not
    delivered: int = 0  # deliver_sm sent, repeats included
    acknowledged: int = 0  # deliver_sm_resp with ESME_ROK
    deliver_errors: int = 0  # deliver_sm_resp with another status
    unanswered: int = 0  # deliver_sm that met a timeout or a closed link
    submitted: int = 0  # submit_sm and data_sm taken
    submit_refused: int = 0
    received: int = 0  # whole messages on phones
    receipts: int = 0  # delivery receipts queued for an ESME


@dataclass(frozen=True, slots=True)
class SmscLimits:
    """Every bound of the simulator; what exceeds one is refused, or the oldest is forgotten."""

    connections_max: int = 200
    undelivered_max: int = 100_000
    messages_known_max: int = 10_000
    held_responses_max: int = 10_000
    retry_delay_s: float = 5.0
    attempts_max: int = 1_000
    session: SessionLimits = field(default_factory=SessionLimits)
    phones: PhoneLimits = field(default_factory=PhoneLimits)


CONTROL_LINE_BYTES_MAX: Final = 65_536
# What a control connection may leave unread before it is cut off.
CONTROL_UNREAD_BYTES_MAX: Final = 16 * 1024 * 1024
