"""Passwords: which will do, and how they are hashed."""

import unicodedata

import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from smsd.desk.access.passwords import LETTERS_MAX, LETTERS_MIN, Passwords, Weakness, weakness

GOOD = "dörd söz bir yerdə"


@pytest.mark.parametrize(
    ("password", "weak"),
    [
        ("a" * (LETTERS_MIN - 1), Weakness.SHORT),
        ("a" * LETTERS_MIN, None),
        ("a" * LETTERS_MAX, None),
        ("a" * (LETTERS_MAX + 1), Weakness.LONG),
        ("", Weakness.SHORT),
        ("leyla.mammadova", Weakness.NAME),
        (" LEYLA.Mammadova ", Weakness.NAME),
        ("leyla.mammadova1", None),
        ("dörd söz bir yerdə", None),
        ("пароль из слов", None),
        ("twelve\x00letters", Weakness.UNREADABLE),
        ("twelve letters\n", Weakness.UNREADABLE),
    ],
)
def test_what_will_do_as_a_password(password: str, weak: Weakness | None) -> None:
    """Long enough, not endless, not the name, and of what a keyboard prints."""
    assert weakness(password, "leyla.mammadova") is weak


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    """As the desk has them."""
    return Passwords()


def test_a_hash_is_argon2id_as_rfc_9106_recommends(passwords: Passwords) -> None:
    """Section 4, second recommended option: 3 passes, 4 lanes, 64 MiB; a salt of its own."""
    hashed = passwords.hash(GOOD)
    found = extract_parameters(hashed)
    assert (found.type, found.version) == (Type.ID, 0x13)
    assert (found.time_cost, found.memory_cost, found.parallelism) == (3, 65_536, 4)
    assert (found.salt_len, found.hash_len) == (16, 32)
    assert passwords.hash(GOOD) != hashed
    assert GOOD not in hashed


def test_only_the_same_password_fits(passwords: Passwords) -> None:
    """A letter more, another case, nothing: none of them."""
    hashed = passwords.hash(GOOD)
    assert passwords.fits(hashed, GOOD)
    for wrong in (GOOD + " ", GOOD.upper(), GOOD[:-1], ""):
        assert not passwords.fits(hashed, wrong)


def test_what_looks_the_same_is_the_same(passwords: Passwords) -> None:
    """One keyboard sends ö as one letter, another as two."""
    hashed = passwords.hash(unicodedata.normalize("NFD", GOOD))
    assert passwords.fits(hashed, unicodedata.normalize("NFC", GOOD))


def test_nobody_has_no_password(passwords: Passwords) -> None:
    """Whatever is tried, and however the store is damaged."""
    for stored in (None, "", "no hash", "$argon2id$v=19$m=65536,t=3,p=4$AAAA"):
        assert not passwords.fits(stored, GOOD)
        assert not passwords.fits(stored, "")


def test_nobody_s_password_takes_as_much_work(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same parameters, so that an answer's time does not tell which names are known."""
    tried: list[str] = []
    verify = PasswordHasher.verify

    def noting(hasher: PasswordHasher, hashed: str, password: str) -> bool:
        tried.append(hashed)
        return verify(hasher, hashed, password)

    monkeypatch.setattr(PasswordHasher, "verify", noting)
    known = passwords.hash(GOOD)
    passwords.fits(known, GOOD)
    passwords.fits(None, GOOD)
    assert extract_parameters(tried[0]) == extract_parameters(tried[1])


def test_a_hash_of_other_days_is_known_as_such(passwords: Passwords) -> None:
    """It still fits, and is to be made anew."""
    old = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(GOOD)
    assert passwords.fits(old, GOOD)
    assert passwords.is_outdated(old)
    assert not passwords.is_outdated(passwords.hash(GOOD))
