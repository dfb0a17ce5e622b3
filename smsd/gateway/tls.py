"""TLS to an SMSC: files read afresh for every connection, its certificate checked while it greets.

What does not hold ends the greetings, so that no password goes to a stranger.
"""

from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL
from OpenSSL.crypto import X509
from service_identity import CertificateError, VerificationError
from service_identity.hazmat import DNS_ID, IPAddress_ID, ServiceID, verify_service_identity
from service_identity.pyopenssl import extract_patterns
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.python.failure import Failure
from zope.interface import implementer

from smsd.config import TlsSection

__all__ = ["Tls", "TlsFault", "in_words"]

_VERSIONS = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}
# Compression leaks what it compresses. A renegotiation would make writes wait for reads, which a
# link pauses while its writes wait.
_OPTIONS = SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION

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


class TlsFault(Exception):
    """TLS cannot be spoken with these files. The message names the file and says what to do."""


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
        context.set_min_proto_version(_VERSIONS[settings.version_min])
        context.set_options(_OPTIONS)
        context.set_verify(SSL.VERIFY_PEER, self._verify)
        _trust(context, settings.ca_file)
        self.certificate_expires_s = _show(context, settings, now)

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
    _octets(ca_file, "tls.ca_file")
    try:
        context.load_verify_locations(str(ca_file))
    except SSL.Error as fault:
        raise TlsFault(f"tls.ca_file {ca_file}: holds no certificates in PEM") from fault


def _show(context: SSL.Context, settings: TlsSection, now: datetime) -> float | None:
    """Load our own certificate and key, if we have them; when it expires."""
    file = settings.certificate_file
    if file is None:
        return None
    key_file = settings.key_file or file
    try:
        own, *chain = x509.load_pem_x509_certificates(_octets(file, "tls.certificate_file"))
        context.use_certificate(own)
        for certificate in chain:
            context.add_extra_chain_cert(certificate)
    except (ValueError, SSL.Error) as fault:
        raise TlsFault(
            f"tls.certificate_file {file}: holds no certificate in PEM, or one too weak for use"
        ) from fault
    expires = own.not_valid_after_utc
    if expires <= now:
        raise TlsFault(
            f"tls.certificate_file {file}: expired on {expires:%Y-%m-%d %H:%M} UTC; put a new"
            " one in its place"
        )
    try:
        key: Any = load_pem_private_key(_octets(key_file, "tls.key_file"), password=None)
        context.use_privatekey(key)  # TypeError for a kind that is none for TLS
    except (ValueError, TypeError, UnsupportedAlgorithm, SSL.Error) as fault:
        raise TlsFault(
            f"tls.key_file {key_file}: holds no key in PEM, one with a passphrase, or not that of"
            f" {file}"
        ) from fault
    return expires.timestamp()


def _octets(file: Path, key: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as fault:
        raise TlsFault(f"{key} {file}: cannot be read ({fault.strerror})") from fault


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
