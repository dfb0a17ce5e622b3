"""National languages in septets: 3GPP TS 23.038 annex A, announced by two elements of the UDH.

A locking shift table stands in place of the whole default alphabet, a single shift table in place
of its extension table. Turkish, Spanish and Portuguese are here; Spanish has no locking table.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from smsd.smpp import gsm0338, udh

TURKISH: Final = 1  # §6.2.1.2.4, national language identifiers.
SPANISH: Final = 2
PORTUGUESE: Final = 3

# A.2.1 to A.2.3: what each adds to the extension table, by the septet that follows the escape.
SINGLE_SHIFT: Final = {
    0: gsm0338.EXTENSION,
    TURKISH: gsm0338.EXTENSION
    | {0x47: "Ğ", 0x49: "İ", 0x53: "Ş", 0x63: "ç", 0x67: "ğ", 0x69: "ı", 0x73: "ş"},
    SPANISH: gsm0338.EXTENSION
    | {0x09: "ç", 0x41: "Á", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú"}
    | {0x61: "á", 0x69: "í", 0x6F: "ó", 0x75: "ú"},
    PORTUGUESE: gsm0338.EXTENSION
    | {0x05: "ê", 0x09: "ç", 0x0B: "Ô", 0x0C: "ô", 0x0E: "Á", 0x0F: "á"}
    | {0x12: "Φ", 0x13: "Γ", 0x15: "Ω", 0x16: "Π", 0x17: "Ψ", 0x18: "Σ", 0x19: "Θ", 0x1F: "Ê"}
    | {0x41: "À", 0x49: "Í", 0x4F: "Ó", 0x55: "Ú", 0x5B: "Ã", 0x5C: "Õ"}
    | {0x61: "Â", 0x69: "í", 0x6F: "ó", 0x75: "ú", 0x7B: "ã", 0x7C: "õ", 0x7F: "â"},
}

# A.3.1 and A.3.3, by septet.
LOCKING_SHIFT: Final = {
    0: gsm0338.BASIC,
    TURKISH: (
        "@£$¥€éùıòÇ\nĞğ\rÅå"
        "Δ_ΦΓΛΩΠΨΣΘΞ\x1bŞşßÉ"
        " !\"#¤%&'()*+,-./"
        "0123456789:;<=>?"
        "İABCDEFGHIJKLMNO"
        "PQRSTUVWXYZÄÖÑÜ§"
        "çabcdefghijklmno"
        "pqrstuvwxyzäöñüà"
    ),
    SPANISH: gsm0338.BASIC,
    PORTUGUESE: (
        "@£$¥êéúíóç\nÔô\rÁá"
        "Δ_ªÇÀ∞^\\€Ó|\x1bÂâÊÉ"
        " !\"#º%&'()*+,-./"
        "0123456789:;<=>?"
        "ÍABCDEFGHIJKLMNO"
        "PQRSTUVWXYZÃÕÚÜ§"
        "~abcdefghijklmno"
        "pqrstuvwxyzãõ`üà"
    ),
}


class Languages(NamedTuple):
    """The language identifiers that a UDH announces; 0 where it says nothing."""

    locking: int
    single: int


_DECODERS: Final = {
    Languages(locking, single): gsm0338.decoder(basic, extension)
    for locking, basic in LOCKING_SHIFT.items()
    for single, extension in SINGLE_SHIFT.items()
}


# Whether a UDH can have an element of languages; the octets may also stand for something else.
may_speak: Final = re.compile(bytes((*b"[", udh.SINGLE_SHIFT, udh.LOCKING_SHIFT, *b"]"))).search


def languages(header: bytes) -> Languages | None:
    """What a sound UDH, its length octet included, says of languages; None when nothing."""
    locking = single = 0
    for identifier, data in udh.elements(header[1:]) or ():
        if identifier == udh.LOCKING_SHIFT and len(data) == 1:
            locking = data[0]
        elif identifier == udh.SINGLE_SHIFT and len(data) == 1:
            single = data[0]
    return Languages(locking, single) if locking or single else None


def decoder(spoken: Languages) -> Callable[[bytes], str] | None:
    """What reads septets in these languages; None where a table is not ours or not defined."""
    return _DECODERS.get(spoken)
