"""The desk by HTTPS: certificate and key are read again as soon as their files change."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import structlog
from OpenSSL import SSL
from twisted.internet.interfaces import IAddress, IOpenSSLServerConnectionCreator
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from smsd.config_desk import DeskTlsSection
from smsd.gateway.certificates import TlsFault, harden, show

__all__ = ["DeskTls", "TlsSite"]

_log = structlog.get_logger("smsd.desk")

_VERSION_MIN = "1.2"
_US_PER_S = 1_000_000


@implementer(IOpenSSLServerConnectionCreator)
class DeskTls:
    """TLS for each connection. certificate_expires_s: Unix seconds."""

    def __init__(self, settings: DeskTlsSection, utc_us: Callable[[], int]) -> None:
        """Read the files.

        Raises:
            TlsFault: a file is not there or not sound, or the certificate has expired.
        """
        self._settings = settings
        self._utc_us = utc_us
        self._changed = self._changes()
        self._context, self.certificate_expires_s = self._read()

    def serverConnectionForTLS(self, _protocol: object) -> SSL.Connection:  # noqa: N802
        """See `IOpenSSLServerConnectionCreator`."""
        self._renew()
        return SSL.Connection(self._context, None)

    def _renew(self) -> None:
        """Take changed files; those that are not sound leave what is in use as it is."""
        changed = self._changes()
        if changed == self._changed:
            return
        self._changed = changed
        try:
            self._context, self.certificate_expires_s = self._read()
        except TlsFault as fault:
            _log.error("desk_certificate_kept", reason=str(fault))

    def _read(self) -> tuple[SSL.Context, float]:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        harden(context, _VERSION_MIN)
        now = datetime.fromtimestamp(self._utc_us() / _US_PER_S, tz=UTC)
        settings = self._settings
        file, key_file = settings.certificate_file, settings.key_file
        return context, show(context, file, key_file, now, "desk.tls")

    def _changes(self) -> tuple[int | None, ...]:
        """When each file was changed last; None: it is not there."""
        files = (self._settings.certificate_file, self._settings.key_file)
        found: list[int | None] = []
        for file in files:
            try:
                found.append(None if file is None else file.stat().st_mtime_ns)
            except OSError:
                found.append(None)
        return tuple(found)


class TlsSite(TLSMemoryBIOFactory):
    """A site behind TLS. Whom it turns away is turned away before a word of that.

    Twisted's own would wrap nothing, and keep such a connection without a bound or an end.
    """

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: N802
        """A connection, unless the site takes none."""
        wrapped = self.wrappedFactory.buildProtocol(addr)
        return None if wrapped is None else self.protocol(self, wrapped)
