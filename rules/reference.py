"""Permit references: six characters that can be read out, typed and checked by eye.

Five characters carry the serial number, scrambled so that neighbours differ in every place;
the sixth is a check character by the hybrid system of ISO/IEC 7064, MOD 29,28.
"""

from rules.grammar.folding import fold

__all__ = ["ALPHABET", "SERIALS", "decode", "encode"]

ALPHABET = "23456789ACDEFGHJKMNPQRTUVWXY"
"""No 0 1 B I L O S Z: each looks like a letter or digit that is kept, or like each other."""

_BASE = len(ALPHABET)  # 28, and 29 is prime, as the hybrid systems of ISO/IEC 7064 want it
_PLACES = 5

SERIALS: int = _BASE**_PLACES
"""17 210 368 references; a serial beyond wraps, so a reference is unique among any that many
consecutive serials."""

# serial -> serial * _FACTOR + _SHIFT mod SERIALS. The factor is odd and no multiple of 7, so
# the map is a bijection. Its base-28 digits (17, 10, 19, 6, 15) are neither 0 nor 27: adding it
# changes every place, with or without a carry. Those of its double are not either.
_FACTOR = (((17 * _BASE + 10) * _BASE + 19) * _BASE + 6) * _BASE + 15
_SHIFT = 9_301_777
_UNSCRAMBLE: int = pow(_FACTOR, -1, SERIALS)

_VALUES = {char: value for value, char in enumerate(ALPHABET)}
# What a person may type for a character that they read; the alphabet has only one of each pair.
_READ_AS = str.maketrans({"B": "8", "S": "5", "Z": "2", "-": "", " ": "", "\n": ""})

# ISO/IEC 7064 §7: P(1) = M; S = P + a; P' = 2 * (S mod M, or M for 0) mod (M + 1).
_STEP = tuple(
    tuple((((product + value) % _BASE) or _BASE) * 2 % (_BASE + 1) for value in range(_BASE))
    for product in range(_BASE + 1)
)


def encode(serial: int) -> str:
    """Return the reference of a serial number, six characters; about 1 µs."""
    rest = (serial * _FACTOR + _SHIFT) % SERIALS
    rest, e = divmod(rest, _BASE)
    rest, d = divmod(rest, _BASE)
    rest, c = divmod(rest, _BASE)
    a, b = divmod(rest, _BASE)
    product = _STEP[_STEP[_STEP[_STEP[_STEP[_BASE][a]][b]][c]][d]][e]
    # The check character brings the sum to 1 (mod M).
    check = (1 - product) % _BASE
    return ALPHABET[a] + ALPHABET[b] + ALPHABET[c] + ALPHABET[d] + ALPHABET[e] + ALPHABET[check]


def decode(text: str) -> int | None:
    """Return the serial number (mod SERIALS) of a reference as typed, None when it is wrong.

    Case, spaces, punctuation and look-alikes (Cyrillic, B for 8, S for 5, Z for 2) are forgiven.
    Every single wrong character is detected, and every swap of neighbours but one kind: two
    characters that follow each other in the alphabet pass in one of its 28 states.
    """
    if len(text) > 4 * (_PLACES + 1):
        return None
    values = [_VALUES.get(char, -1) for char in fold(text).translate(_READ_AS)]
    if len(values) != _PLACES + 1 or min(values) < 0:
        return None
    product, number = _BASE, 0
    for value in values[:-1]:
        product = _STEP[product][value]
        number = number * _BASE + value
    if (product + values[-1]) % _BASE != 1:
        return None
    return (number - _SHIFT) * _UNSCRAMBLE % SERIALS
