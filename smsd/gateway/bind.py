"""One bind at an SMSC, kept up: connect, bind, lose, wait a little longer each time, again."""

from collections.abc import Callable
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING, Any

import structlog
from twisted.application.internet import ClientService
from twisted.internet.defer import Deferred, succeed
from twisted.internet.protocol import Factory

from smsd.gateway.dialling import Dialler
from smsd.gateway.link import BindBody, Link
from smsd.gateway.rounds import Rounds
from smsd.smpp.events import Bound, Lost, Request, Response
from smsd.smpp.pdu import BindReceiver, BindTransmitter
from smsd.smpp.session import Role, Session

if TYPE_CHECKING:
    from smsd.gateway.binds import SmscBinds

_log = structlog.get_logger("smsd.bind")

_US_PER_S = 1_000_000
# A peer may err with every PDU, thousands a second; a log line costs more than the PDU did.
_FAULT_LINE_S = 1.0


class Bind:
    """Owns its link. Kept up from `start` to `stop`, and from the next `start` on again."""

    def __init__(self, smsc: "SmscBinds", body: BindBody, name: str) -> None:
        self._smsc = smsc
        self._body = body
        self.name = name
        self.link: Link | None = None
        self.up = False
        self.transmits = not isinstance(body, BindReceiver)
        self.receives = not isinstance(body, BindTransmitter)
        settings = smsc.settings
        self._rounds = Rounds(settings)
        self._dialler = Dialler(
            smsc.reactor,
            smsc.clock,
            settings,
            self._rounds,
            self._failed,
            smsc.watcher.certificate_seen,
        )
        self._service = ClientService(
            self._dialler,
            _LinkFactory(self._build_link),
            retryPolicy=lambda _attempts: self._rounds.delay_s,
            clock=smsc.reactor,
        )
        self._reason = ""  # for being down, the latest
        self._logged: dict[tuple[str, int], str] = {}  # by address, the reason told last
        self._since_us = smsc.clock.utc_us()
        self._of_use = False  # since it is up: something came by it
        self._bound_at = -inf  # in monotonic seconds, as the next
        self._next_fault_line = -inf
        self._faults_not_told = 0

    @property
    def tried(self) -> bool:
        """Whether it is known since `start` how the SMSC takes us: bound, or why not."""
        return self.up or bool(self._reason)

    def start(self) -> None:
        """Connect, and reconnect until stopped."""
        self._rounds.start()
        self._begin()
        self._service.startService()

    def stop(self) -> "Deferred[object]":
        """Unbind and stay away."""
        link = self.link
        gone: Deferred[object] = succeed(None)
        if link is not None:
            gone = Deferred()
            link.gone.addCallback(gone.callback)
            link.unbind()
        gone.addCallback(lambda _: self._service.stopService())
        return gone

    def describe(self) -> dict[str, Any]:
        """How it fares, ready for JSON.

        since, since_us: when it came up or went down, UTC. address: of the SMSC, bound or tried.
        reason: why it is not bound. window_used: submit_sm that await their response.
        """
        host, port = self._rounds.address
        return {
            "bind": self.name,
            "bound": self.up,
            "since": _iso(self._since_us),
            "since_us": self._since_us,
            "address": told_address(host, port),
            "reason": self._why_down(),
            "window_used": self.window_used,
            "window": self._smsc.settings.window,
        }

    @property
    def window_used(self) -> int:
        """How many submit_sm await their response."""
        return self.link.window_used if self.link is not None else 0

    def _why_down(self) -> str:
        if self.up:
            return ""
        return self._reason or "connecting" if self._service.running else "suspended"

    def _failed(self, reason: str, status: int | None = None) -> None:
        """One log line whenever the reason for being down is a new one at this address."""
        address = self._rounds.address
        self._rounds.failed(status)
        if not self._service.running:
            return
        self._reason = reason
        if self._logged.get(address) != reason:
            self._logged[address] = reason
            _log.warning(
                "bind_failed",
                smsc=self._smsc.settings.name,
                bind=self.name,
                host=address[0],
                port=address[1],
                reason=reason,
                next_attempt_in_s=round(self._rounds.delay_s, 1),
            )

    def _build_link(self) -> Link:
        smsc = self._smsc
        session = Session(Role.ESME, smsc.session_limits)
        self.link = Link(smsc.reactor, smsc.clock, session, self._body, self)
        return self.link

    # What the link tells (smsd.gateway.link.LinkOwner).

    def link_bound(self, link: Link, bound: Bound) -> None:
        """The bind is up."""
        self._rounds.bound()
        self._of_use = False
        self._bound_at = self._smsc.clock.monotonic()
        self._changed(True)
        _log.info(
            "bound",
            smsc=self._smsc.settings.name,
            bind=self.name,
            peer_system_id=bound.peer_system_id,
        )
        if self.transmits:
            self._smsc.outbox.attach(link)

    def link_closed(self, link: Link, reason: str) -> None:
        """The bind is down; the service connects again."""
        self.link = None
        self._smsc.outbox.detach(link)
        reason = self._dialler.refusal or reason
        if self.up:
            self._changed(False)
            self._reason = reason
            lasted_s = self._smsc.clock.monotonic() - self._bound_at
            lasted = lasted_s >= self._smsc.settings.reconnect_delay_max_s
            self._rounds.lost(self._of_use or lasted)
            _log.warning("bind_lost", smsc=self._smsc.settings.name, bind=self.name, reason=reason)
        else:
            self._failed(reason, link.refused)

    def _changed(self, up: bool) -> None:
        self.up = up
        self._begin()
        self._smsc.watcher.bind_changed(self._smsc.settings.name, self.name, up)

    def _begin(self) -> None:
        """Up, down or off anew: since now, and for no reason that was met before."""
        self._reason = ""
        self._logged.clear()
        self._since_us = self._smsc.clock.utc_us()

    def peer_erred(self, link: Link, reason: str) -> None:
        """One line for the operator, a second; the session has dealt with it."""
        now = self._smsc.clock.monotonic()
        if now < self._next_fault_line:
            self._faults_not_told += 1
            return
        not_told, self._faults_not_told = self._faults_not_told, 0
        self._next_fault_line = now + _FAULT_LINE_S
        name = self._smsc.settings.name
        _log.warning("peer_fault", smsc=name, bind=self.name, reason=reason, not_told=not_told)

    def responses_came(self, link: Link, responses: list[Response | Lost]) -> None:
        """Outcomes of submit_sm."""
        if not self._of_use:
            self._of_use = any(isinstance(each, Response) for each in responses)
        self._smsc.outbox.handle(responses)

    def requests_came(self, link: Link, requests: list[Request]) -> None:
        """SMS and receipts."""
        self._of_use = True
        self._smsc.take_in(link, requests)


def told_address(host: str, port: int) -> str:
    """host:port, as in `hosts` of config.toml."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _iso(at_us: int) -> str:
    return datetime.fromtimestamp(at_us // _US_PER_S, UTC).isoformat()


class _LinkFactory(Factory):
    noisy = False

    def __init__(self, build: Callable[[], Link]) -> None:
        self._build = build

    def buildProtocol(self, addr: object) -> Link:  # noqa: N802
        """A link for a fresh connection."""
        return self._build()
