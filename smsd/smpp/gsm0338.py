"""The default alphabet of GSM 03.38 (now 3GPP TS 23.038 §6.2.1), one septet to an octet.

Both directions run in C, through ``codecs.charmap_*``: a text is encoded in well under 1 µs.
"""

import re
from codecs import charmap_build, charmap_decode, charmap_encode
from collections.abc import Callable, Mapping

ESCAPE = 0x1B

# §6.2.1, by septet. 0x09 is the capital Ç: the first edition of the Unicode mapping had it small.
BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)

# §6.2.1.1, by the septet that follows the escape; 0x0A there is the page break.
EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

ALPHABET = frozenset(BASIC) - {"\x1b"} | frozenset(EXTENSION.values())

# To encode, each character first becomes one octet. charmap_build answers its fast trie only for a
# table whose first character is NUL, so "@" stands at the free place of the escape; a character of
# the extension table stands at its septet with the high bit set; U+FFFE means "no character here".
_AT = 0x1B
_INTERMEDIATE = charmap_build(
    "\0"
    + BASIC[1:_AT]
    + "@"
    + BASIC[_AT + 1 :]
    + "".join(EXTENSION.get(septet, "\ufffe") for septet in range(128))
)
_PLACE_AT = bytes.maketrans(bytes([_AT]), b"\0")
_ESCAPE_PAIRS = tuple((bytes([septet | 0x80]), bytes([ESCAPE, septet])) for septet in EXTENSION)

_ESCAPED = re.compile("\x1b(.?)", re.DOTALL)


def decoder(basic: str, extension: Mapping[int, str]) -> Callable[[bytes], str]:
    """Give what reads septets by a table of 128 characters and one by the septet after an escape.

    U+FFFD stands for an octet above 0x7F and for an escape with nothing behind it.
    """
    # §6.2.1: a pair that the table does not define shows the basic character of its second septet,
    # and a second escape (kept for a further table) a space. A text cut behind an escape has lost
    # something.
    meaning = (
        dict(zip(basic, basic, strict=True))
        | {basic[septet]: character for septet, character in extension.items()}
        | {"\x1b": " ", "": "\ufffd", "\ufffd": "\ufffd"}
    )

    def decode(octets: bytes) -> str:
        text: str = charmap_decode(octets, "replace", basic)[0]
        if ESCAPE in octets:
            return _ESCAPED.sub(lambda pair: meaning[pair[1]], text)
        return text

    return decode


decode = decoder(BASIC, EXTENSION)


def try_encode(text: str) -> bytes | None:
    """Give the septets of ``text``, escapes written out; None when a character is not in GSM."""
    octets = charmap_encode(text, "ignore", _INTERMEDIATE)[0]
    if len(octets) != len(text) or 0 in octets:  # "\0" would pass the trie; GSM has no NUL.
        return None
    extended = not octets.isascii()
    octets = octets.translate(_PLACE_AT)
    if extended:
        for mark, pair in _ESCAPE_PAIRS:
            octets = octets.replace(mark, pair)
    return octets
