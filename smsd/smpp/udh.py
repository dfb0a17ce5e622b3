"""The user data header of a short message (UDH, 3GPP TS 23.040 §9.2.3.24): its elements."""

from typing import Final

UDHI: Final = 0x40  # SMPP 3.4 §5.2.12: esm_class bit 6, the octets begin with a UDH.

# Information element identifiers.
CONCATENATED: Final = 0x00  # §9.2.3.24.1: reference, total, index.
CONCATENATED_16_BIT: Final = 0x08  # §9.2.3.24.8: reference of two octets, total, index.
SINGLE_SHIFT: Final = 0x24  # §9.2.3.24.15: the national language behind an escape.
LOCKING_SHIFT: Final = 0x25  # §9.2.3.24.16: the national language in place of the basic table.

# The octets that a header of one concatenation element takes, its own length octet included.
CONCATENATED_OCTETS: Final = 6
CONCATENATED_16_BIT_OCTETS: Final = 7


def elements(header: bytes) -> list[tuple[int, bytes]] | None:
    """Give the (identifier, data) pairs of a UDH without its length octet; None when cut short."""
    found = []
    at = 0
    while at < len(header):
        start = at + 2
        if start > len(header) or (end := start + header[at + 1]) > len(header):
            return None
        found.append((header[at], header[start:end]))
        at = end
    return found


def concatenated(reference: int, total: int, index: int) -> bytes:
    """The header of part ``index`` of ``total``, by the reference's lower 8 bits."""
    return bytes((5, CONCATENATED, 3, reference & 0xFF, total, index))


def concatenated_16_bit(reference: int, total: int, index: int) -> bytes:
    """The header of part ``index`` of ``total``, by the reference's lower 16 bits."""
    high, low = reference >> 8 & 0xFF, reference & 0xFF
    return bytes((6, CONCATENATED_16_BIT, 4, high, low, total, index))


def fill_bits(header_octets: int) -> int:
    """Bits between a header and the packed septets behind it (§9.2.3.24: a septet boundary)."""
    return -8 * header_octets % 7
