"""Authorities and certificates made for one test, as files in PEM."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


class Authority:
    """Issues certificates; `file` is its own, by itself or by another authority."""

    def __init__(
        self, folder: Path, name: str = "authority", issuer: "Authority | None" = None
    ) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        self.file = folder / f"{name}.pem"
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name((issuer or self)._name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 9 * _DAY)
            .not_valid_after(now + 9 * _DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign((issuer or self)._key, hashes.SHA256())
        )
        self.file.write_bytes(certificate.public_bytes(Encoding.PEM))

    def issue(
        self,
        file_name: str,
        host: str = "smsc.example",
        ends: timedelta = 2 * _DAY,
        passphrase: bytes = b"",
    ) -> tuple[Path, datetime]:
        """A file with a certificate for `host` and its key, and when it ends."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC).replace(microsecond=0)
        name = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_named(host))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 8 * _DAY)
            .not_valid_after(now + ends)
            .add_extension(x509.SubjectAlternativeName([name]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = self._folder / file_name
        sealed = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        octets = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealed)
        new = file.with_suffix(".new")
        new.write_bytes(certificate.public_bytes(Encoding.PEM) + octets)
        new.rename(file)  # at once, as whoever renews certificates does it
        return file, now + ends

    def server(self, certificate: Path, asks_for_ours: bool = False) -> ssl.SSLContext:
        """What an SMSC with that certificate speaks; perhaps only with whom we vouch for."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if asks_for_ours:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.file)
        return context


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
