"""Connecting to an SMSC: to the address whose turn it is, by TLS where that is configured."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.python.failure import Failure
from zope.interface import implementer

from smsd.config import SmscSection
from smsd.gateway.clock import Clock
from smsd.gateway.rounds import Rounds
from smsd.gateway.tls import Tls, TlsFault, in_words

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
        try:
            if settings.tls is not None and settings.tls.enabled:
                endpoint = wrapClientTLS(self._read_certificates(host), endpoint)
            connecting: Deferred[IProtocol] = endpoint.connect(protocolFactory)
        except TlsFault:
            connecting = fail()
        return connecting.addErrback(self._tell)

    def _read_certificates(self, host: str) -> Tls:
        smsc, settings = self._settings.name, self._settings.tls
        assert settings is not None
        now = datetime.fromtimestamp(self._clock.utc_us() / _US_PER_S, UTC)
        self._tls = tls = Tls(
            settings, host, now, lambda at_s: self._certificate_seen(smsc, "server", at_s)
        )
        if tls.certificate_expires_s is not None:
            self._certificate_seen(smsc, "client", tls.certificate_expires_s)
        return tls

    def _tell(self, failure: Failure) -> Failure:
        self._failed(in_words(failure))
        return failure
