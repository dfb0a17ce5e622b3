"""Characters as people type them → the few that the grammar reads.

A folded text holds only ``A``-``Z``, ``0``-``9`` and:

* ``~``  a letter, sign or damaged character that no series or number contains
* space  white space
* newline  a line break, comma or semicolon: what follows belongs to another thought
* ``-``  any other punctuation or symbol
* ``+``  the plus of a telephone number

Source: domain sheet, *Requests*: case, line breaks, dashes, dots, №, #, İ ı i, Cyrillic
look-alikes, full-width digits.
"""

import unicodedata

__all__ = ["fold", "spell", "spellings_of"]

# Look-alikes first (the shape decides: Cyrillic У is a Y, Р a P), then the five that stand
# for a Latin letter by sound alone and look like no other. З looks like a 3, but as a letter
# it is the Z of АЗЕ; inside digits it is therefore a letter, and the number is refused.
_CYRILLIC = dict(zip("АВСЕНІЈКМОРЅТУХЗИЙДЭ", "ABCEHIJKMOPSTYXZIYDE", strict=True))
# Greek capitals of the same shape: one tap away on some keyboards.
_GREEK = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True))
_LATIN = {"İ": "I", "ı": "I", "Ə": "E", "ə": "E"}

_STRONG = "\n\r\v\f\x85\u2028\u2029,;،；，、"
_UNKNOWN = "~"


def _classify(char: str) -> str:
    """Fold one character by its Unicode category (letters with their own row excepted)."""
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category in ("Cf", "Mn", "Me", "Mc"):
        # Zero-width characters, direction marks, the dot that lower() leaves behind İ, the
        # ring of a keycap 2️⃣: invisible to the sender, so not there.
        return ""
    if category in ("Zs", "Cc"):
        return " "
    if category[0] == "L" and category != "Lo":  # Lo holds ª and º, which are signs, not A and O
        latin = unicodedata.normalize("NFKC", char).upper()  # full-width and mathematical letters
        return latin if len(latin) == 1 and "A" <= latin <= "Z" else _UNKNOWN
    return "-" if category[0] in "PS" else _UNKNOWN


class _Folding(dict[int, str]):
    """A table for str.translate that learns each character when it is first met.

    It cannot outgrow Unicode.
    """

    def __missing__(self, code_point: int) -> str:
        folded = self[code_point] = _classify(chr(code_point))
        return folded


def _folding() -> _Folding:
    table = _Folding()
    for look_alikes in (_CYRILLIC, _GREEK):
        for char, latin in look_alikes.items():
            table[ord(char)] = table[ord(char.lower())] = latin
    table |= {ord(char): latin for char, latin in _LATIN.items()}
    table |= {ord(char): "\n" for char in _STRONG}
    table |= {ord("º"): "-", ord("ª"): "-", ord("+"): "+", ord("＋"): "+"}
    # U+FFFD is what is left of an octet that could not be decoded: it may have been a digit.
    table[0xFFFD] = _UNKNOWN
    return table


_TABLE = _folding()


def fold(text: str) -> str:
    """Return the text in the letters of the grammar; never raises."""
    return text.translate(_TABLE)


class _Spelling(dict[int, str]):
    """Like ``_Folding``, but a letter stays a letter: ``Ö`` is an O, ``π`` a capital Π."""

    def __missing__(self, code_point: int) -> str:
        char = chr(code_point)
        spelled = fold(char)
        if spelled == _UNKNOWN and char.isalpha():
            base = unicodedata.normalize("NFKD", char)[0].upper()[0]
            spelled = fold(base)
            if not ("A" <= spelled <= "Z"):
                spelled = base if base.isalpha() else char
        self[code_point] = spelled
        return spelled


_SPELLING = _Spelling()


def spell(text: str) -> str:
    """Return the text in capitals without accents, look-alikes in Latin; never raises.

    It has the length of the folded text and differs from it only where that has ``~`` for a
    letter. For words and names, of which every letter tells: ``βοήθεια`` is ``BOHΘEIA``.
    """
    return text.translate(_SPELLING)


# Every BMP character that folds to a given Latin letter by design; wider forms (full-width,
# mathematical) take the slow path.
_SPELLINGS: dict[str, str] = {chr(c): chr(c) + chr(c + 32) for c in range(ord("A"), ord("Z") + 1)}
for _point, _latin in list(_TABLE.items()):
    if _latin in _SPELLINGS:
        _SPELLINGS[_latin] += chr(_point)


def spellings_of(letter: str) -> str:
    """Return the usual characters that fold to this Latin capital, e.g. ``AaАаΑα`` for A."""
    return _SPELLINGS[letter]
