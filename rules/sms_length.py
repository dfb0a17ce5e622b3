"""How many SMS segments a text takes, by 3GPP TS 23.038 and 23.040.

``smsd.smpp`` has the coding itself, but rules depend on nothing of the daemon; a test holds the
two to the same counts.
"""

__all__ = ["is_gsm", "segment_count"]

# 3GPP TS 23.038 §6.2.1, default alphabet, and §6.2.1.1, extension table (an escape each).
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
_GSM = _BASIC | _EXTENDED

_SEPTETS_ALONE, _SEPTETS_JOINED = 160, 153
_UNITS_ALONE, _UNITS_JOINED = 70, 67


def is_gsm(text: str) -> bool:
    """Whether the text can be sent as septets; else it is sent as UCS-2."""
    return _GSM.issuperset(text)


def segment_count(text: str) -> int:
    """The segments that a text takes; an escape or surrogate pair is never split."""
    if is_gsm(text):
        widths = [2 if char in _EXTENDED else 1 for char in text]
        return _packed(widths, _SEPTETS_ALONE, _SEPTETS_JOINED)
    widths = [2 if ord(char) > 0xFFFF else 1 for char in text]
    return _packed(widths, _UNITS_ALONE, _UNITS_JOINED)


def _packed(widths: list[int], alone: int, joined: int) -> int:
    if sum(widths) <= alone:
        return 1
    count, room = 1, joined
    for width in widths:
        if width > room:
            count, room = count + 1, joined
        room -= width
    return count
