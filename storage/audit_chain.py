"""How each line of the audit is bound to the one before; pure, and never to be changed.

Anybody can repeat it with other tools: the hash of a line is the SHA-256, in hexadecimal, of the
JSON array [hash of the line before, id, at_us, who, action, subject, reason, about_digest],
written without spaces and in ASCII. Whom a line is about is personal and must be erasable: only
its digest, SHA-256 of a random salt and the name, is part of that.
"""

import hashlib
import json
import secrets

__all__ = ["BEGINNING", "about_digest", "link", "new_salt"]

BEGINNING = "0" * 64
"""What the first line takes for the hash of the line before."""

_SALT_OCTETS = 16  # without it, whoever holds a digest could try all phones there are


def link(
    before: str,
    number: int,
    at_us: int,
    who: str,
    action: str,
    subject: str,
    reason: str,
    digest: str,
) -> str:
    """The hash of a line that stands behind the one with the hash `before`."""
    fields = (before, number, at_us, who, action, subject, reason, digest)
    return hashlib.sha256(json.dumps(fields, separators=(",", ":")).encode("ascii")).hexdigest()


def about_digest(salt: bytes, about: str) -> str:
    """What the chain keeps of whom a line is about."""
    return hashlib.sha256(salt + about.encode()).hexdigest()


def new_salt() -> bytes:
    """For one line; it is erased with the name."""
    return secrets.token_bytes(_SALT_OCTETS)
