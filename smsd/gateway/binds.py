"""All our binds at one SMSC, and what comes in by them."""

from typing import Any, Protocol

import structlog
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime

from smsd.config import LimitsSection, SmscSection
from smsd.gateway import intake
from smsd.gateway.bind import Bind, told_address
from smsd.gateway.clock import Clock
from smsd.gateway.commit_lane import CommitLane, Inbound
from smsd.gateway.link import BindBody, Link
from smsd.gateway.outbox import Outbox
from smsd.gateway.receipt_intake import ReceiptIntake, ReceiptWatcher
from smsd.gateway.waiting import within
from smsd.smpp.events import Request
from smsd.smpp.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    Command,
    DataSm,
    DeliverSm,
    Status,
)
from smsd.smpp.session import SessionLimits

_log = structlog.get_logger("smsd.bind")

_RETURN_S = 5.0  # how long an operator waits to hear how the SMSC takes us
_INTERFACE_VERSIONS = {"3.3": 0x33, "3.4": 0x34, "5.0": 0x50}
_KINDS: dict[str, dict[str, type[BindTransceiver | BindTransmitter | BindReceiver]]] = {
    "transceiver": {"transceiver": BindTransceiver},
    "transmitter+receiver": {"transmitter": BindTransmitter, "receiver": BindReceiver},
}


class BindWatcher(ReceiptWatcher, Protocol):
    """Who is told how the binds fare."""

    def bind_changed(self, smsc: str, bind: str, up: bool) -> None:
        """A bind came up or went down."""

    def suspension_changed(self, smsc: str, suspended: bool) -> None:
        """Somebody took an SMSC out of service, or back into it."""

    def messages_came(self, smsc: str, count: int) -> None:
        """So many SMS were handed over."""

    def no_room(self, smsc: str, count: int) -> None:
        """So many SMS stay with the SMSC, since more wait here than is good."""

    def certificate_seen(self, smsc: str, which: str, expires_s: float) -> None:
        """A certificate was read, `which` client or server; it ends then, in Unix seconds."""


class SmscBinds:
    """All binds at one SMSC, and what they share: settings, outbox, intake."""

    def __init__(
        self,
        reactor: IReactorTime,
        clock: Clock,
        settings: SmscSection,
        password: str,
        limits: LimitsSection,
        lane: CommitLane,
        outbox: Outbox,
        watcher: BindWatcher,
    ) -> None:
        self.reactor = reactor
        self.clock = clock
        self.settings = settings
        self.outbox = outbox
        self.watcher = watcher
        self.session_limits = SessionLimits(
            pdu_bytes_max=limits.pdu_bytes_max,
            window=settings.window,
            bind_timeout_s=settings.bind_timeout_s,
            response_timeout_s=settings.response_timeout_s,
            enquire_link_s=settings.enquire_link_s,
            inactivity_s=settings.inactivity_s,
            pdu_rest_timeout_s=settings.pdu_rest_timeout_s,
            unbind_timeout_s=limits.shutdown_s / 2,
        )
        self._lane = lane
        self._read = intake.READERS[settings.default_alphabet]
        self._receipts = ReceiptIntake(settings, lane, watcher)
        self._intake_max = limits.intake_messages_max
        self._draining = False
        self._full = False  # SMS were turned away, and the lane is still more than half full
        self._leave_s = limits.shutdown_s / 2
        self.suspended_since_us: int | None = None
        self.binds = [Bind(self, body, name) for name, body in _bodies(settings, password)]

    def start(self) -> None:
        """Bring every bind up."""
        for bind in self.binds:
            bind.start()

    def drain(self) -> None:
        """Take no more SMS in: what comes now stays with the SMSC."""
        self._draining = True

    def stop(self) -> "Deferred[object]":
        """Unbind everywhere."""
        stopped: Deferred[object] = Deferred()
        DeferredList([bind.stop() for bind in self.binds], consumeErrors=True).addCallback(
            stopped.callback
        )
        return stopped

    @property
    def state(self) -> str:
        """Of all its binds in a word or two: for people."""
        if self.suspended_since_us is not None:
            return "suspended"
        up = sum(bind.up for bind in self.binds)
        return "bound" if up == len(self.binds) else "partly bound" if up else "not bound"

    @property
    def in_service(self) -> bool:
        """Whether SMS can come from this SMSC and replies can go there, by whichever bind."""
        up = [bind for bind in self.binds if bind.up]
        return any(bind.receives for bind in up) and any(bind.transmits for bind in up)

    def describe(self) -> dict[str, Any]:
        """How they fare, ready for JSON: see `Outbox.describe` and `Bind.describe` for the rest.

        hosts: as they are tried in turn. suspended_since_us: None while in service.
        """
        settings = self.settings
        return {
            "smsc": settings.name,
            "state": self.state,
            "hosts": [told_address(host, port) for host, port in settings.addresses],
            "tls": settings.tls is not None and settings.tls.enabled,
            "suspended_since_us": self.suspended_since_us,
            "failover": settings.failover,
            **self.outbox.describe(),
            "binds": [bind.describe() for bind in self.binds],
        }

    async def suspend(self) -> None:
        """Unbind once the replies that were submitted have their response, and stay away."""
        self.suspended_since_us = self.clock.utc_us()
        self.watcher.suspension_changed(self.settings.name, True)
        await self._leave()
        _log.warning("smsc_suspended", smsc=self.settings.name)

    async def resume(self) -> None:
        """Bind again."""
        self.suspended_since_us = None
        self.watcher.suspension_changed(self.settings.name, False)
        _log.info("smsc_resumed", smsc=self.settings.name)
        await self._return()

    async def reconnect(self) -> None:
        """Leave in good order and bind again at once, at the first address."""
        await self._leave()
        await self._return()

    async def _leave(self) -> None:
        for bind in self.binds:
            if bind.link is not None:
                self.outbox.detach(bind.link)
        links = [bind.link for bind in self.binds if bind.link is not None]
        await within(
            self.reactor, self.clock, self._leave_s, lambda: not any(e.in_flight for e in links)
        )
        await self.stop()

    async def _return(self) -> None:
        """Until it is known how the SMSC takes us, but not for ever."""
        self.start()
        await within(
            self.reactor, self.clock, _RETURN_S, lambda: all(bind.tried for bind in self.binds)
        )

    def take_in(self, link: Link, requests: list[Request]) -> None:
        """Hand SMS and receipts to the commit lane; settle the unexpected at once.

        What the lane has no room for stays with the SMSC. To stop reading instead would silence
        enquire_link and the responses to our replies, which come by the same transport behind it.
        """
        received_at_us = self.clock.utc_us()
        name = self.settings.name
        room = self._lane.room
        inbound: list[Inbound] = []
        reports: list[tuple[int, DeliverSm | DataSm, Command]] = []
        refused = 0
        for sequence, body in requests:
            if not isinstance(body, DeliverSm | DataSm):
                link.answer(sequence, Command.GENERIC_NACK, Status.ESME_RINVCMDID)
            elif self._draining:
                link.answer(sequence, _response_to(body), Status.ESME_RX_T_APPN)
            elif intake.is_receipt(body):
                reports.append((sequence, body, _response_to(body)))
            elif len(inbound) >= room:
                refused += 1
                link.answer(sequence, _response_to(body), Status.ESME_RMSGQFUL)
            else:
                message = intake.read_message(body, name, received_at_us, self._read)
                inbound.append(Inbound(message, link, sequence, _response_to(body)))
        if reports:
            self._receipts.take(link, reports, received_at_us)
        if refused or self._full:
            self._note_fullness(refused, room)
        if inbound:
            self.watcher.messages_came(name, len(inbound))
            self._lane.offer(inbound)

    def _note_fullness(self, refused: int, room: int) -> None:
        """Count what is turned away; one log line when that begins, one when it is long over."""
        name = self.settings.name
        if refused:
            self.watcher.no_room(name, refused)
            if not self._full:
                self._full = True
                _log.warning("intake_full", smsc=name, messages="the newest stay with the SMSC")
        elif room > self._intake_max // 2:
            self._full = False
            _log.info("intake_has_room", smsc=name)


def _response_to(body: DeliverSm | DataSm) -> Command:
    return Command.DELIVER_SM_RESP if isinstance(body, DeliverSm) else Command.DATA_SM_RESP


def _bodies(settings: SmscSection, password: str) -> list[tuple[str, BindBody]]:
    """Each bind's name in logs and metrics, and what it asks for; numbered where there are many."""
    fields: dict[str, Any] = {
        "system_id": settings.system_id,
        "password": password,
        "system_type": settings.system_type,
        "interface_version": _INTERFACE_VERSIONS[settings.interface_version],
        "addr_ton": settings.address_range_ton,
        "addr_npi": settings.address_range_npi,
        "address_range": settings.address_range,
    }
    return [
        (f"{kind}-{number}" if settings.binds > 1 else kind, body(**fields))
        for number in range(1, settings.binds + 1)
        for kind, body in _KINDS[settings.bind].items()
    ]
