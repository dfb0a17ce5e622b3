"""The call centre's counter: what agents ask goes through the one lane, like any SMS.

So limits are shared by all channels, and a decision is durable before anybody hears of it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from twisted.internet.defer import Deferred

from smsd.gateway.clock import Clock
from smsd.gateway.commit_lane import CommitLane, Inbound, InboundReport
from storage import DESK, InboundMessage, StoreUnavailable

__all__ = ["CHANNEL", "Addressee", "Counter"]

CHANNEL = "call_centre"
_US_PER_S = 1_000_000
_FULL = "more SMS wait for the store than it can take in; ask again in a moment"
_STOPPED = "the writer is not running"
_REFUSED = "the store could not take the request; nothing was decided"


class Addressee(NamedTuple):
    """Whose phone the answer goes to, by which SMSC; without a phone it is read out."""

    phone: str = ""
    smsc: str = DESK


NOBODY = Addressee()


class Counter:
    """Takes requests of agents in. An `Acknowledger`; every method in the reactor's thread."""

    def __init__(self, lane: CommitLane, clock: Clock) -> None:
        self._lane = lane
        self._clock = clock
        self._waiting: dict[int, Deferred[InboundMessage]] = {}  # by sequence
        self._last_us = 0

    def ask(
        self, text: str, to: Addressee = NOBODY, override: bool = False
    ) -> "Deferred[InboundMessage]":
        """Have a request decided; fires once it is durable, with the message as it was stored.

        No two messages of one counter have the same `received_at_us` within a second, so the
        store finds it by that and its phone.

        Fails with `StoreUnavailable`: nothing was decided, and nothing will be.
        """
        asked: Deferred[InboundMessage] = Deferred()
        if not self._lane.alive or not self._lane.room:
            asked.errback(StoreUnavailable(_FULL if self._lane.alive else _STOPPED))
            return asked
        at_us = self._instant()
        message = InboundMessage(
            at_us,
            to.smsc,
            to.phone,
            self._lane.law.policy.short_number,
            0,
            text.encode(),
            text,
            True,
            None,
            CHANNEL,
            override=override,
        )
        self._waiting[at_us] = asked
        self._lane.offer([Inbound(message, self, at_us, 0)])
        return asked

    def _instant(self) -> int:
        """Now, or just behind the one before; but not for as long as a clock was set back."""
        now_us = self._clock.utc_us()
        is_ahead = 0 <= self._last_us - now_us < _US_PER_S
        self._last_us = self._last_us + 1 if is_ahead else now_us
        return self._last_us

    def acknowledge(self, inbound: Sequence[Inbound | InboundReport]) -> None:
        """See `smsd.gateway.commit_lane.Acknowledger`."""
        for item in inbound:
            assert isinstance(item, Inbound), "the counter offers no receipts"
            self._waiting.pop(item.sequence).callback(item.message)

    def put_off(self, inbound: Sequence[Inbound | InboundReport]) -> None:
        """See `smsd.gateway.commit_lane.Acknowledger`."""
        for item in inbound:
            self._waiting.pop(item.sequence).errback(StoreUnavailable(_REFUSED))
