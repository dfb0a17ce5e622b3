"""Secrets of which the store keeps only what proves them: whoever reads the file has none."""

import hashlib
import secrets

__all__ = ["fingerprint", "fresh_secret"]

_OCTETS = 32


def fresh_secret() -> str:
    """One that nobody can guess, in letters that cookies and headers carry."""
    return secrets.token_urlsafe(_OCTETS)


def fingerprint(secret: str) -> str:
    """What is stored of a secret. A plain hash will do, since there are too many to try."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
