"""A short message service centre that any ESME can bind to, SMPP 3.4, for tests, demos and load.

Phones text through ``deliver``; whoever is bound as receiver for the short number gets the
deliver_sm, and again when it does not acknowledge it. What an ESME submits lands on the phone.
Everything is bounded by ``SmscLimits``; time and sockets come from the reactor that is passed in.
"""

import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from simulators.faults import Faults
from simulators.limits import Counters, SmscLimits
from simulators.link import BindBody, SmppLink, address_filter
from simulators.mo_delivery import MoDelivery
from simulators.mo_queue import Delivery, Message, QueueFull
from simulators.mt_intake import MtIntake
from simulators.phone import Phones, Received, compose, envelope
from simulators.reactor import Port, Reactor, listen
from smsd.smpp.pdu import Body, DeliverSm, Status, status_text


class Smsc:
    """One SMSC with one account. All methods belong to the reactor's thread.

    ``now`` gives the monotonic seconds of session timers and of the retry delay.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Reactor,
        system_id: str = "smsd",
        password: str = "secret",  # noqa: S107 - the simulator's published one, no secret at all
        limits: SmscLimits | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        limits = limits or SmscLimits()
        self._reactor = reactor
        self._system_id = system_id
        self._password = password
        self._limits = limits
        self._now = now
        self._faults = Faults()
        self._phones = Phones(limits.phones)
        self.counters = Counters()
        self._mo = MoDelivery(reactor, now, limits, self.counters)
        self._mt = MtIntake(
            self._phones,
            self._faults,
            self.counters,
            limits.held_responses_max,
            self._report,
            self._stamp,
            now,
        )
        self._waiters: list[tuple[Callable[[], bool], Deferred[None]]] = []
        self._port: Port | None = None
        self._reference = 0

    # The network

    def listen(self, host: str = "127.0.0.1", port: int = 0) -> "Deferred[Port]":
        """Accept ESMEs on ``host``; port 0 takes a free one: see ``getHost()`` of the result."""
        return listen(self._reactor, host, port, self.connect).addCallback(self._listening)

    def connect(self) -> SmppLink | None:
        """A link for a new connection; None when there are too many."""
        if len(self._mo.links) >= self._limits.connections_max:
            self._log.warn("connection refused: {n} are open", n=len(self._mo.links))
            return None
        return SmppLink(self, self._reactor, self._now, self._limits.session)

    def close(self) -> "Deferred[None]":
        """Stop listening, unbind every ESME; fires when the last connection is closed."""
        self._mo.stop()
        stopped = (self._port.stopListening() if self._port else None) or succeed(None)
        for link in tuple(self._mo.links):
            link.unbind()
        return stopped.addCallback(lambda _: self.when(lambda: not self._mo.links))

    def drop_links(self) -> int:
        """Cut every connection without a word; how many."""
        links = tuple(self._mo.links)
        for link in links:
            link.drop()
        return len(links)

    # Phones

    def deliver(self, phone: str, text: str, to: str) -> Message:
        """Text ``to`` from ``phone``; it waits while nobody is bound for that number.

        ValueError: a number is none, or the text is too long. QueueFull: too many wait already.
        """
        self._reference = (self._reference + 1) % 256
        return self._send(compose(phone, to, text, self._reference))

    def deliver_octets(
        self, phone: str, octets: bytes, to: str, data_coding: int, esm_class: int = 0
    ) -> Message:
        """Text raw octets in any data_coding, sound or not; errors as for ``deliver``."""
        return self._send((envelope(phone, to, octets, data_coding, esm_class),))

    def message(self, serial: int) -> Message | None:
        """What became of a message from a phone; None when it is unknown or long ago."""
        return self._mo.known(serial)

    def received(self, phone: str) -> tuple[Received, ...]:
        """Whole messages on a phone, oldest first."""
        return self._phones.inbox(phone)

    def watch(self, phone: str, notify: Callable[[Received], None]) -> Callable[[], None]:
        """Call ``notify`` with every message the phone receives, until the result is called."""
        return self._phones.watch(phone, notify)

    def reply(self, phone: str, sender: str | None = None) -> "Deferred[Received]":
        """Fires with the next message that ``phone`` receives, from ``sender`` if one is given.

        Ask before you ``deliver``. Cancel it when you no longer wait.
        """
        waiting: Deferred[Received] = Deferred(lambda _: stop())

        def take(received: Received) -> None:
            if sender is None or received.sender == sender:
                stop()
                waiting.callback(received)

        stop = self._phones.watch(phone, take)
        return waiting

    # State

    def has_receiver(self, address: str) -> bool:
        """Whether an ESME is bound to receive what is sent to ``address``."""
        return any(link.receives(address) for link in self._mo.links)

    def when(self, condition: Callable[[], bool]) -> "Deferred[None]":
        """Fires as soon as ``condition()`` holds: tried now and whenever something changes."""
        waiting: Deferred[None] = Deferred(self._stop_waiting)
        self._waiters.append((condition, waiting))
        self._changed()
        return waiting

    def status(self) -> dict[str, Any]:
        """Binds, counters, queues, last statuses and faults, ready for JSON."""
        return {
            "binds": [link.describe() for link in self._mo.links],
            "counters": asdict(self.counters),
            "waiting": self._mo.queue.waiting,
            "unacknowledged": self._mo.queue.sent,
            "held_responses": self._mt.held,
            "last_deliver_status": _named(self._mo.last_status),
            "last_submit_status": _named(self._mt.last_status),
            "faults": self._faults.knobs(),
        }

    def set_faults(self, values: Mapping[str, bool | int | None]) -> None:
        """Change some knobs of ``Faults``; ValueError when there is no such knob."""
        self._faults.change(values)
        self._mo.enabled = self._faults.deliver
        for link in self._mo.links:
            link.read(self._faults.read)
        if not self._faults.hold_responses:
            self._mt.release()
        self._changed()

    # What the links tell (simulators.link.Exchange)

    def bind_status(self, body: BindBody) -> int:
        """Check system_id, password and address_range of a bind, §4.1."""
        status = self._faults.bind_status
        if status:
            pass
        elif body.system_id != self._system_id:
            status = Status.ESME_RINVSYSID
        elif not hmac.compare_digest(body.password.encode(), self._password.encode()):
            status = Status.ESME_RINVPASWD
        elif address_filter(body.address_range) is None:
            status = Status.ESME_RBINDFAIL
        if status:
            self.counters.bind_refused += 1
            self._log.warn("bind refused: {status}", status=status_text(status))
        else:
            self.counters.bound += 1
            self._log.info("bound: {mode}", mode=type(body).__name__)
        return status

    def requested(self, link: SmppLink, sequence: int, body: Body) -> None:
        """An ESME asks for something."""
        self._mt.take(link, sequence, body)

    def settle(self, delivery: Delivery, status: int) -> None:
        """An ESME answered a deliver_sm."""
        self._mo.settle(delivery, status)

    def lost(self, delivery: Delivery, reason: str) -> None:
        """A deliver_sm will never be answered."""
        self._mo.lost(delivery, reason)

    def link_opened(self, link: SmppLink) -> None:
        """A connection was accepted; it is not bound yet."""
        self._mo.links.append(link)
        if not self._faults.read:
            link.read(False)

    def link_changed(self) -> None:
        """Something happened on a link that may make room for deliveries."""
        self._changed()

    def link_closed(self, link: SmppLink) -> None:
        """A connection is gone, and what it left unanswered was handed back."""
        self._mo.links.remove(link)
        if link.was_bound:
            self.counters.unbound += 1
            self._log.info("link closed")
        self._changed()

    # Within

    def _listening(self, port: Port) -> Port:
        self._port = port
        return port

    def _send(self, parts: tuple[DeliverSm, ...]) -> Message:
        message = self._mo.add(parts)
        self._changed()
        return message

    def _report(self, receipt: DeliverSm) -> None:
        try:
            self._mo.add((receipt,))  # It goes out after the response: see link_changed.
        except QueueFull:
            self._log.warn("a delivery receipt was dropped: the queue is full")

    def _stamp(self) -> str:
        return datetime.fromtimestamp(self._reactor.seconds(), UTC).strftime("%y%m%d%H%M")

    def _changed(self) -> None:
        self._mo.deal_out()
        for waiter in tuple(self._waiters):
            condition, waiting = waiter
            if waiter in self._waiters and condition():
                self._waiters.remove(waiter)
                waiting.callback(None)

    def _stop_waiting(self, waiting: "Deferred[None]") -> None:
        self._waiters = [each for each in self._waiters if each[1] is not waiting]


def _named(status: int | None) -> str | None:
    return None if status is None else status_text(status)
