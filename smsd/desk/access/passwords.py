"""Passwords: what one must be like, and how it is hashed (argon2id, RFC 9106). Slow on purpose."""

import unicodedata
from base64 import b64encode
from enum import Enum

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

__all__ = ["LETTERS_MAX", "LETTERS_MIN", "Passwords", "Weakness", "weakness"]

LETTERS_MIN = 12
LETTERS_MAX = 256

# RFC 9106 section 4, the second recommended option: 64 MiB and about 0.2 s of a core.
_PARAMETERS = RFC_9106_LOW_MEMORY


class Weakness(Enum):
    """Why a password will not do."""

    SHORT = "short"
    LONG = "long"
    NAME = "name"
    UNREADABLE = "unreadable"  # a key that prints nothing
    SAME = "same"  # as the one that it is to replace


def weakness(password: str, name: str) -> Weakness | None:
    """What is wrong with a password that somebody chose; None: it will do."""
    if len(password) < LETTERS_MIN:
        return Weakness.SHORT
    if len(password) > LETTERS_MAX:
        return Weakness.LONG
    if password.strip().lower() == name.lower():
        return Weakness.NAME
    return None if password.isprintable() else Weakness.UNREADABLE


class Passwords:
    """Hashes and verifies. Each call takes a core for 0.2 s: not for the reactor's thread."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher.from_parameters(_PARAMETERS)
        self._nobodys = _hash_of_nothing()

    def hash(self, password: str) -> str:
        """What is stored of a password, its salt and parameters included."""
        return self._hasher.hash(_normal(password))

    def fits(self, stored: str | None, password: str) -> bool:
        """Whether a password is the one that was hashed.

        stored: None: nobody's. That takes as long, so that the time does not tell who is known.
        """
        try:
            return self._hasher.verify(stored or self._nobodys, _normal(password))
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, stored: str) -> bool:
        """Whether it was hashed with other parameters than we use now."""
        return self._hasher.check_needs_rehash(stored)


def _normal(password: str) -> str:
    """One spelling for what looks the same: keyboards differ in how they send ö or İ (RFC 8265)."""
    return unicodedata.normalize("NFC", password[: LETTERS_MAX + 1])


def _hash_of_nothing() -> str:
    """A hash with our parameters that no password has."""
    p = _PARAMETERS
    salt, nothing = (
        b64encode(bytes(length)).decode().rstrip("=") for length in (p.salt_len, p.hash_len)
    )
    return (
        f"$argon2id$v={p.version}$m={p.memory_cost},t={p.time_cost},p={p.parallelism}"
        f"${salt}${nothing}"
    )
