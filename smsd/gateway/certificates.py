"""TLS for both ends: a hard context, and our own certificate from files that may be renewed."""

from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL

__all__ = ["TlsFault", "harden", "octets", "show"]

_VERSIONS = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}
# Compression leaks what it compresses. A renegotiation would make writes wait for reads, which a
# link pauses while its writes wait.
_OPTIONS = SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION


class TlsFault(Exception):
    """TLS cannot be spoken with these files. The message names the file and says what to do."""


def harden(context: SSL.Context, version_min: str) -> None:
    """No version before this one (1.2, 1.3), and nothing of what TLS has learned to do without."""
    context.set_min_proto_version(_VERSIONS[version_min])
    context.set_options(_OPTIONS)


def show(
    context: SSL.Context, file: Path, key_file: Path | None, now: datetime, section: str
) -> float:
    """Load our own certificate and key; when it expires, Unix seconds.

    file: PEM, ours, then those that lead to an authority; and the key, without a `key_file`.
    section: of config.toml, for the message.

    Raises:
        TlsFault: a file is not there or not sound, or the certificate has expired.
    """
    key_file = key_file or file
    try:
        own, *chain = x509.load_pem_x509_certificates(octets(file, f"{section}.certificate_file"))
        context.use_certificate(own)
        for certificate in chain:
            context.add_extra_chain_cert(certificate)
    except (ValueError, SSL.Error) as fault:
        raise TlsFault(
            f"{section}.certificate_file {file}: holds no certificate in PEM, or one too weak for"
            " use"
        ) from fault
    expires = own.not_valid_after_utc
    if expires <= now:
        raise TlsFault(
            f"{section}.certificate_file {file}: expired on {expires:%Y-%m-%d %H:%M} UTC; put a new"
            " one in its place"
        )
    try:
        key: Any = load_pem_private_key(octets(key_file, f"{section}.key_file"), password=None)
        context.use_privatekey(key)  # TypeError for a kind that is none for TLS
    except (ValueError, TypeError, UnsupportedAlgorithm, SSL.Error) as fault:
        raise TlsFault(
            f"{section}.key_file {key_file}: holds no key in PEM, one with a passphrase, or not"
            f" that of {file}"
        ) from fault
    return expires.timestamp()


def octets(file: Path, key: str) -> bytes:
    """What a file that `key` of config.toml names holds; raises TlsFault."""
    try:
        return file.read_bytes()
    except OSError as fault:
        raise TlsFault(f"{key} {file}: cannot be read ({fault.strerror})") from fault
