"""Connecting to an SMSC: to the address whose turn it is, by TLS where that is configured."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure
from zope.interface import implementer

from smsd.config import SmscSection, TlsSection
from smsd.gateway.clock import Clock
from smsd.gateway.rounds import Rounds
from smsd.gateway.tls import Tls, in_words

_US_PER_S = 1_000_000


@implementer(IStreamClientEndpoint)
class Dialler:
    """An endpoint whose address changes, and that tells why a connection did not come about."""

    def __init__(
        self,
        reactor: Any,
        clock: Clock,
        settings: SmscSection,
        rounds: Rounds,
        failed: Callable[[str], None],
        certificate_seen: Callable[[str, str, float], None],
    ) -> None:
        """`certificate_seen` takes the SMSC's name, client or server, and Unix seconds."""
        self._reactor = reactor
        self._clock = clock
        self._settings = settings
        self._rounds = rounds
        self._failed = failed
        self._certificate_seen = certificate_seen
        self._tls: Tls | None = None

    @property
    def refusal(self) -> str:
        """Why we hung up on the SMSC that was connected last; empty where we did not."""
        return self._tls.refusal if self._tls is not None else ""

    def connect(self, protocolFactory: IProtocolFactory) -> "Deferred[IProtocol]":  # noqa: N803
        """See `IStreamClientEndpoint`."""
        settings = self._settings
        host, port = self._rounds.address
        endpoint: Any = HostnameEndpoint(
            self._reactor, host, port, timeout=settings.connect_timeout_s
        )
        connecting: Deferred[IProtocol]
        if settings.tls is None or not settings.tls.enabled:
            connecting = endpoint.connect(protocolFactory)
        else:
            connecting = self._read_certificates(settings.tls, host).addCallback(
                lambda tls: wrapClientTLS(tls, endpoint).connect(protocolFactory)
            )
        return connecting.addErrback(self._tell)

    def _read_certificates(self, settings: TlsSection, host: str) -> "Deferred[Tls]":
        """In a thread: a hundred authorities take 10 ms, in which other SMSCs are not kept."""
        smsc = self._settings.name
        now = datetime.fromtimestamp(self._clock.utc_us() / _US_PER_S, UTC)
        reading: Deferred[Tls] = deferToThreadPool(
            self._reactor,
            self._reactor.getThreadPool(),
            Tls,
            settings,
            host,
            now,
            lambda at_s: self._certificate_seen(smsc, "server", at_s),
        )
        return reading.addCallback(self._take)

    def _take(self, tls: Tls) -> Tls:
        self._tls = tls
        if tls.certificate_expires_s is not None:
            self._certificate_seen(self._settings.name, "client", tls.certificate_expires_s)
        return tls

    def _tell(self, failure: Failure) -> Failure:
        self._failed(in_words(failure))
        return failure
