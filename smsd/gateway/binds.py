"""Keeping our binds at each SMSC: connect, bind, lose, wait a little longer each time, again."""

import random
from collections.abc import Callable
from typing import Protocol

import structlog
from twisted.application.internet import ClientService
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from zope.interface import implementer

from smsd.config import LimitsSection, SmscSection
from smsd.gateway import intake
from smsd.gateway.clock import Clock
from smsd.gateway.commit_lane import CommitLane, Inbound
from smsd.gateway.link import BindBody, Link
from smsd.gateway.outbox import Outbox
from smsd.gateway.receipt_intake import ReceiptIntake, ReceiptWatcher
from smsd.smpp.events import Bound, Lost, Request, Response
from smsd.smpp.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    Command,
    DataSm,
    DeliverSm,
    Status,
)
from smsd.smpp.session import Role, Session, SessionLimits

_log = structlog.get_logger("smsd.bind")

_INTERFACE_VERSION = 0x34
_BODIES: dict[str, tuple[type[BindTransceiver] | type[BindTransmitter] | type[BindReceiver], ...]]
_BODIES = {
    "transceiver": (BindTransceiver,),
    "transmitter+receiver": (BindTransmitter, BindReceiver),
}
_BACKOFF_FACTOR = 2.0


class BindWatcher(ReceiptWatcher, Protocol):
    """Who is told how the binds fare."""

    def bind_changed(self, smsc: str, bind: str, up: bool) -> None:
        """A bind came up or went down."""

    def messages_came(self, smsc: str, count: int) -> None:
        """So many SMS were handed over."""

    def no_room(self, smsc: str, count: int) -> None:
        """So many SMS stay with the SMSC, since more wait here than is good."""


def backoff(
    settings: SmscSection, uniform: Callable[[float, float], float] = random.uniform
) -> Callable[[int], float]:
    """Seconds to wait after the n-th failure in a row: doubled each time, within bounds.

    Jittered over its upper half, so that a thousand gateways do not come back as one.
    """

    def delay_s(failures: int) -> float:
        ceiling = settings.reconnect_delay_max_s
        exponent = min(max(failures - 1, 0), 30)
        longest = min(ceiling, settings.reconnect_delay_min_s * _BACKOFF_FACTOR**exponent)
        return uniform(longest / 2, longest)

    return delay_s


class Bind:
    """One bind at one SMSC, kept up for as long as the daemon runs. Owns its link."""

    def __init__(self, smsc: "SmscBinds", body: BindBody) -> None:
        self._smsc = smsc
        self._body = body
        self.name = type(body).__name__.removeprefix("Bind").lower()
        self.link: Link | None = None
        self.up = False
        settings = smsc.settings
        endpoint = HostnameEndpoint(
            smsc.reactor, settings.host, settings.port, timeout=settings.connect_timeout_s
        )
        self._service = ClientService(
            _Told(endpoint, self._note_failure),
            _LinkFactory(self._build_link),
            retryPolicy=self._next_delay_s,
            clock=smsc.reactor,
        )
        self._backoff = backoff(settings)
        self._failures = 0  # in a row; the service would count a refused bind as a success
        self._failing = ""

    def start(self) -> None:
        """Connect, and reconnect until stopped."""
        self._service.startService()

    def stop(self) -> "Deferred[object]":
        """Unbind, then leave for good."""
        link = self.link
        gone: Deferred[object] = Deferred()
        if link is None:
            gone.callback(None)
        else:
            link.gone.addCallback(gone.callback)
            link.unbind()
        gone.addCallback(lambda _: self._service.stopService())
        return gone

    def _next_delay_s(self, _attempts: int) -> float:
        """Called whenever the service has to connect again."""
        self._failures += 1
        return self._backoff(self._failures)

    def _note_failure(self, reason: str) -> None:
        """One log line whenever the reason for being down is a new one."""
        if self._service.running and reason != self._failing:
            self._failing = reason
            settings = self._smsc.settings
            _log.warning(
                "bind_failed",
                smsc=settings.name,
                bind=self.name,
                host=settings.host,
                port=settings.port,
                reason=reason,
                next=f"trying again, at most every {settings.reconnect_delay_max_s:g} s",
            )

    def _build_link(self) -> Link:
        smsc = self._smsc
        session = Session(Role.ESME, smsc.session_limits)
        self.link = Link(smsc.reactor, smsc.clock, session, self._body, self)
        return self.link

    # What the link tells (smsd.gateway.link.LinkOwner).

    def link_bound(self, link: Link, bound: Bound) -> None:
        """The bind is up."""
        self.up = True
        self._failing = ""
        self._failures = 0
        smsc = self._smsc
        _log.info(
            "bound", smsc=smsc.settings.name, bind=self.name, peer_system_id=bound.peer_system_id
        )
        smsc.watcher.bind_changed(smsc.settings.name, self.name, True)
        if not isinstance(self._body, BindReceiver):
            smsc.outbox.attach(link)

    def link_closed(self, link: Link, reason: str) -> None:
        """The bind is down; the service connects again."""
        self.link = None
        self._smsc.outbox.detach(link)
        if self.up:
            self.up = False
            smsc = self._smsc
            _log.warning("bind_lost", smsc=smsc.settings.name, bind=self.name, reason=reason)
            smsc.watcher.bind_changed(smsc.settings.name, self.name, False)
        else:
            self._note_failure(reason)

    def peer_erred(self, link: Link, reason: str) -> None:
        """One line for the operator; the session has dealt with it."""
        _log.warning("peer_fault", smsc=self._smsc.settings.name, bind=self.name, reason=reason)

    def responses_came(self, link: Link, responses: list[Response | Lost]) -> None:
        """Outcomes of submit_sm."""
        self._smsc.outbox.handle(responses)

    def requests_came(self, link: Link, requests: list[Request]) -> None:
        """SMS and receipts."""
        self._smsc.take_in(link, requests)


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
            unbind_timeout_s=limits.shutdown_s / 2,
        )
        self._lane = lane
        self._receipts = ReceiptIntake(settings, lane, watcher)
        self._intake_max = limits.intake_messages_max
        self._draining = False
        self._full = False  # SMS were turned away, and the lane is still more than half full
        self.binds = [
            Bind(
                self,
                body(
                    system_id=settings.system_id,
                    password=password,
                    system_type=settings.system_type,
                    interface_version=_INTERFACE_VERSION,
                ),
            )
            for body in _BODIES[settings.bind]
        ]

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
                message = intake.read_message(body, name, received_at_us)
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


@implementer(IStreamClientEndpoint)
class _Told:
    """An endpoint that tells why a connection did not come about."""

    def __init__(self, endpoint: HostnameEndpoint, tell: Callable[[str], None]) -> None:
        self._endpoint = endpoint
        self._tell = tell

    def connect(self, protocolFactory: IProtocolFactory) -> "Deferred[IProtocol]":  # noqa: N803
        """See `IStreamClientEndpoint`."""
        return self._endpoint.connect(protocolFactory).addErrback(self._failed)

    def _failed(self, failure: Failure) -> Failure:
        self._tell(failure.getErrorMessage())
        return failure


class _LinkFactory(Factory):
    noisy = False

    def __init__(self, build: Callable[[], Link]) -> None:
        self._build = build

    def buildProtocol(self, addr: object) -> Link:  # noqa: N802
        """A link for a fresh connection."""
        return self._build()
