"""Replies of an SMSC that has had no transmitting bind for a while leave through another.

They stay in their own SMSC's backlog and are taken from there one by one, so that nothing has to
be moved back when it is bound again; which SMSC took a reply is stored with its outcome.
"""

from collections.abc import Mapping
from typing import Protocol

import structlog
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from smsd.config import SmscSection
from storage import Reply

_log = structlog.get_logger("smsd.outbox")


class FailingOutbox(Protocol):
    """What the outboxes of several SMSCs ask of one another."""

    failover: "Failover"

    @property
    def depth(self) -> int:
        """Replies in memory that have not been submitted."""

    def take(self) -> Reply | None:
        """The reply that is to leave next; None while none is in memory."""

    def put_back(self, reply: Reply) -> None:
        """Back to its place."""

    def page_in(self) -> None:
        """Read on from disk, if memory has run half empty."""

    def pump(self) -> None:
        """Submit as much as the windows take."""


class Failover:
    """One outbox's part in it: guest of another while it has no bind, and host of others."""

    def __init__(self, reactor: IReactorTime, settings: SmscSection) -> None:
        self._reactor = reactor
        self._settings = settings
        self._outboxes: Mapping[str, FailingOutbox] = {}
        self._waiting: IDelayedCall | None = None
        self.guests: list[FailingOutbox] = []
        self.host: FailingOutbox | None = None

    @property
    def through(self) -> str | None:
        """The SMSC through which replies leave instead; None: they leave through their own."""
        return self._settings.failover if self.host is not None else None

    def begin(self, outboxes: Mapping[str, FailingOutbox]) -> None:
        """Know the outboxes of all SMSCs by name; from now on a bind is missed."""
        self._outboxes = outboxes
        self.bind_lost()

    def bind_lost(self) -> None:
        """There is no transmitting bind any more."""
        if self._settings.failover in self._outboxes and self._waiting is None:
            after_s = self._settings.failover_after_s
            self._waiting = self._reactor.callLater(after_s, self._become_guest)

    def bind_there(self) -> None:
        """There is a transmitting bind again: what has not left yet leaves by it."""
        if self._waiting is not None and self._waiting.active():
            self._waiting.cancel()
        self._waiting = None
        if self.host is not None:
            self.host.failover.guests.remove(self._own)
            self.host = None
            _log.info("failover_ended", smsc=self._settings.name)

    def _become_guest(self) -> None:
        assert self._settings.failover is not None
        self.host = self._outboxes[self._settings.failover]
        self.host.failover.guests.append(self._own)
        _log.warning("failover", smsc=self._settings.name, through=self._settings.failover)
        self.host.pump()

    @property
    def _own(self) -> FailingOutbox:
        return self._outboxes[self._settings.name]

    @property
    def depth(self) -> int:
        """Replies of guests, and of theirs, in memory that have not been submitted."""
        return sum(guest.depth + guest.failover.depth for guest in self.guests)

    def take(self) -> Reply | None:
        """The next reply of a guest; None while none is in memory."""
        for guest in self.guests:
            if reply := guest.take():
                return reply
        return None

    def put_back(self, reply: Reply) -> None:
        """A guest's reply that did not leave after all goes home, and leaves from there anew."""
        home = self._outboxes[reply.smsc]
        home.put_back(reply)
        self._reactor.callLater(0, home.pump)  # once its last host has made up its mind

    def page_in(self) -> None:
        """Read on for the guests, of which some replies may have been taken."""
        for guest in self.guests:
            guest.page_in()
