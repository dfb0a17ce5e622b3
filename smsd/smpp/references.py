"""The references that join the parts of long replies (3GPP TS 23.040 §9.2.3.24.1 and 8)."""

from typing import Final

_MODULUS: Final = 1 << 16


class References:
    """Numbers for the long replies of one SMSC, so that no phone joins parts of two of them.

    One counter for all phones does not do: at 300 replies a second 8 bits come round within a
    second, and of two replies to a phone that was switched off meanwhile one pair in 256 would have
    the same number. So a phone that is remembered gets the number behind its last one, which comes
    round only after 256 long replies to that phone; any other gets that of the counter.
    """

    __slots__ = ("_counter", "_last", "_phones_max")

    def __init__(self, phones_max: int) -> None:
        """Remember ``phones_max`` phones, those that got a long reply last."""
        assert phones_max >= 1
        self._phones_max = phones_max
        self._counter = 0
        self._last: dict[str, int] = {}  # Longest ago first: dicts keep their order.

    def take(self, phone: str) -> int:
        """The reference, 16 bits, for the next long reply to ``phone``; 8 bits of it do as well."""
        last = self._last.pop(phone, None)
        if last is None:
            last = self._counter
            self._counter = (self._counter + 1) % _MODULUS
            if len(self._last) >= self._phones_max:
                del self._last[next(iter(self._last))]
        reference = (last + 1) % _MODULUS
        self._last[phone] = reference
        return reference
