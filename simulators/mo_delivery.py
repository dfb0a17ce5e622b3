"""MO: deals what phones sent out to the ESMEs that are bound to receive it, and repeats it."""

from collections import OrderedDict, deque
from collections.abc import Callable

from simulators.limits import Counters, SmscLimits
from simulators.link import SmppLink
from simulators.mo_queue import Delivery, Message, MoQueue
from simulators.reactor import Clock, DelayedCall
from smsd.smpp.codec import encode
from smsd.smpp.pdu import DeliverSm


class MoDelivery:
    """The queue of undelivered messages, and the links that take them in turn."""

    def __init__(
        self,
        clock: Clock,
        now: Callable[[], float],
        limits: SmscLimits,
        counters: Counters,
    ) -> None:
        self._clock = clock
        self._now = now
        self._counters = counters
        self._known_max = limits.messages_known_max
        self._known: OrderedDict[int, Message] = OrderedDict()
        self._serial = 0  # Orders deliveries by age, and names messages.
        self._wake_call: DelayedCall | None = None
        self.queue = MoQueue(limits.undelivered_max, limits.retry_delay_s, limits.attempts_max)
        self.links: deque[SmppLink] = deque()  # Rotates as deliveries are dealt out.
        self.enabled = True
        self.last_status: int | None = None

    def add(self, parts: tuple[DeliverSm, ...]) -> Message:
        """Queue the parts of one message. FieldError (a ValueError), QueueFull."""
        self._serial += 1
        message = Message(self._serial, parts[0].destination_addr)
        for body in parts:
            encode(body, 1)  # What no deliver_sm can hold is the sender's fault: say so here.
            self._serial += 1
            message.deliveries.append(Delivery(self._serial, message, body))
        self.queue.add(message)
        self._known[message.serial] = message
        if len(self._known) > self._known_max:
            self._known.popitem(last=False)
        return message

    def known(self, serial: int) -> Message | None:
        """The message of that serial, if it is not long ago."""
        return self._known.get(serial)

    def settle(self, delivery: Delivery, status: int) -> None:
        """An ESME answered a deliver_sm."""
        self.last_status = status
        if status:
            self._counters.deliver_errors += 1
        else:
            self._counters.acknowledged += 1
        self.queue.answered(delivery, status, self._now())

    def lost(self, delivery: Delivery, reason: str) -> None:
        """A deliver_sm went unanswered: again at the next bind, or after the delay."""
        self._counters.unanswered += 1
        if reason == "closed":
            self.queue.put_back(delivery)
        else:
            self.queue.retry_later(delivery, self._now())

    def deal_out(self) -> None:
        """Send all that somebody has room for, oldest first, each link in its turn."""
        self.queue.due(self._now())
        if self.enabled:
            touched = set()
            for address in self.queue.addresses():
                while self.queue.waits(address) and (link := self._receiver_with_room(address)):
                    link.deliver(self.queue.take(address))
                    self._counters.delivered += 1
                    touched.add(link)
            for link in touched:
                link.flush()
        self._arm()

    def stop(self) -> None:
        """Wake up no more."""
        self.enabled = False
        if self._wake_call is not None and self._wake_call.active():
            self._wake_call.cancel()

    def _receiver_with_room(self, address: str) -> SmppLink | None:
        for _ in range(len(self.links)):
            link = self.links[0]
            self.links.rotate(-1)
            if link.receives(address) and link.has_room():
                return link
        return None

    def _arm(self) -> None:
        due = self.queue.next_due()
        if due is None or (self._wake_call is not None and self._wake_call.active()):
            return  # The delay is the same for all, so an armed call is never too late.
        self._wake_call = self._clock.callLater(max(0.0, due - self._now()), self._wake)

    def _wake(self) -> None:
        self._wake_call = None
        self.deal_out()
