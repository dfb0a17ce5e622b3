"""TLS to an SMSC: files read afresh for every connection, its certificate checked while it greets.

What does not hold ends the greetings, so that no password goes to a stranger.
"""

from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from OpenSSL import SSL
from OpenSSL.crypto import X509
from service_identity import CertificateError, VerificationError
from service_identity.hazmat import DNS_ID, IPAddress_ID, ServiceID, verify_service_identity
from service_identity.pyopenssl import extract_patterns
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.python.failure import Failure
from zope.interface import implementer

from smsd.config import TlsSection
from smsd.gateway.certificates import TlsFault, harden, octets, show

__all__ = ["Tls", "TlsFault", "in_words"]

# X509_V_ERR_…, openssl/x509_vfy.h: those that an operator of a gateway meets.
_VERDICTS = {
    9: "is not valid yet",
    10: "has expired",
    18: "vouches for itself, and tls.ca_file does not hold it",
    19: "leads to an authority that is not trusted; name it in tls.ca_file",
    20: "comes from an authority that is not trusted; name it in tls.ca_file",
    21: "comes from an authority that is not trusted; name it in tls.ca_file",
    23: "was revoked",
    26: "is not meant for servers",
}


@implementer(IOpenSSLClientConnectionCreator)
class Tls:
    """One connection's TLS. Times are Unix seconds.

    certificate_expires_s: when our own certificate ends; None where we have none.
    refusal: why the SMSC's certificate was not accepted, in words; empty as long as it was.
    """

    def __init__(
        self,
        settings: TlsSection,
        host: str,
        now: datetime,
        server_expires: Callable[[float], None],
    ) -> None:
        """Read the files. `server_expires` is told when the SMSC's certificate ends.

        Raises:
            TlsFault: a file is not there or not sound, or our certificate has expired, or the
                host's name is none that a certificate could bear.
        """
        self._name = settings.server_name or host
        if not self._name.isascii():
            raise TlsFault(f"{self._name}: is not ASCII; give its xn-- form in tls.server_name")
        self._server_expires = server_expires
        self.refusal = ""
        self._context = context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        harden(context, settings.version_min)
        context.set_verify(SSL.VERIFY_PEER, self._verify)
        _trust(context, settings.ca_file)
        self.certificate_expires_s = (
            show(context, settings.certificate_file, settings.key_file, now, "tls")
            if settings.certificate_file is not None
            else None
        )

    def clientConnectionForTLS(self, _protocol: object) -> SSL.Connection:  # noqa: N802
        """See `IOpenSSLClientConnectionCreator`."""
        connection = SSL.Connection(self._context, None)
        if not _is_ip(self._name):  # RFC 6066 §3: no literal addresses
            connection.set_tlsext_host_name(self._name.encode("ascii"))
        return connection

    def _verify(
        self, _connection: SSL.Connection, shown: X509, fault: int, depth: int, sound: int
    ) -> bool:
        """OpenSSL's word on each certificate of the chain, and ours on the name in the SMSC's own.

        depth: 0 for the SMSC's own.
        """
        if depth == 0:
            self._server_expires(shown.to_cryptography().not_valid_after_utc.timestamp())
        if not sound:
            which = "its certificate" if depth == 0 else "an authority's certificate"
            verdict = _VERDICTS.get(fault, f"does not hold (OpenSSL's verify error {fault})")
            self.refusal = f"TLS: {which} {verdict}"
        elif depth == 0 and not _bears(shown, self._name):
            self.refusal = (
                f"TLS: its certificate does not bear the name {self._name};"
                " if another is right, set tls.server_name"
            )
        return not self.refusal


def in_words(failure: Failure) -> str:
    """Why a connection failed or ended; OpenSSL itself gives lists of triples."""
    fault = failure.value
    if not isinstance(fault, SSL.Error):
        return failure.getErrorMessage()
    triples: Any = fault.args[0] if fault.args else []
    reasons = [each[-1] for each in triples] if isinstance(triples, list) else [str(triples)]
    return f"TLS: {', '.join(filter(None, reasons)) or 'broken off'}"


def _trust(context: SSL.Context, ca_file: Path | None) -> None:
    """Whom we let vouch for the SMSC."""
    if ca_file is None:
        context.set_default_verify_paths()
        return
    octets(ca_file, "tls.ca_file")
    try:
        context.load_verify_locations(str(ca_file))
    except SSL.Error as fault:
        raise TlsFault(f"tls.ca_file {ca_file}: holds no certificates in PEM") from fault


def _bears(certificate: X509, name: str) -> bool:
    """RFC 6125 §6: whether one of the certificate's names is `name`."""
    wanted: ServiceID = IPAddress_ID(name) if _is_ip(name) else DNS_ID(name)
    try:
        verify_service_identity(extract_patterns(certificate), [wanted], [])
    except (VerificationError, CertificateError):
        return False
    return True


def _is_ip(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
