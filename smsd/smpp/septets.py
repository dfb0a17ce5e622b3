"""Septets in octets, eight in seven (3GPP TS 23.038 §6.1.2.1).

Both directions work on all septets at once, as one large integer: neighbours are moved together
in pairs, then the pairs, then their pairs, until eight septets lie in 56 bits without a gap.
"""

from functools import lru_cache
from typing import Final

CR: Final = 0x0D
AT: Final = 0x00  # "@", which is also what seven bits of padding look like.

_STEPS: Final = (1, 2, 4)  # How far neighbours of 7, 14 and 28 bits lie apart too much.


def pack(septets: bytes, fill_bits: int = 0) -> bytes:
    """Pack septets, one to an octet (0-127), behind so many bits of fill.

    SMPP counts octets, so that 7 bits to spare would reach the phone as an "@"; §6.1.2.3.1 has a
    CR there, which shows nothing.
    """
    if (fill_bits + 7 * len(septets)) % 8 == 1:
        septets += bytes((CR,))
    groups = -(-len(septets) // 8)
    bits = int.from_bytes(septets, "little")
    for step in _STEPS:
        low, high = _masks(groups, step)
        bits = bits & low | (bits & high) >> step
    lanes = bytearray(bits.to_bytes(groups * 8, "little"))
    del lanes[7::8]
    size = -(-(fill_bits + 7 * len(septets)) // 8)
    return (int.from_bytes(lanes, "little") << fill_bits).to_bytes(size, "little")


def unpack(octets: bytes, fill_bits: int = 0) -> bytes:
    """Give the septets behind so many bits of fill, one to an octet.

    A last septet that ends with its octet and is "@" or CR counts as padding: nobody can tell.
    """
    count = max(0, (8 * len(octets) - fill_bits) // 7)
    groups = -(-count // 8)
    bits = int.from_bytes(octets, "little") >> fill_bits & (1 << 7 * count) - 1
    packed = bits.to_bytes(groups * 7, "little")
    lanes = bytearray(groups * 8)
    for place in range(7):
        lanes[place::8] = packed[place::7]
    bits = int.from_bytes(lanes, "little")
    for step in reversed(_STEPS):
        low, high = _masks(groups, step)
        bits = bits & low | bits << step & high
    septets = bits.to_bytes(groups * 8, "little")[:count]
    if (fill_bits + 7 * count) % 8 == 0 and septets[-1:] in (b"\r", b"\0"):
        return septets[:-1]
    return septets


@lru_cache(maxsize=256)
def _masks(groups: int, step: int) -> tuple[int, int]:
    """The lower and the upper neighbours of all pairs in ``groups`` of eight octets."""
    lane = 8 * step  # A septet with its gap, a pair of septets with theirs, four of them.
    low = (1 << 7 * step) - 1
    pairs = [low << at for at in range(0, 64 * groups, 2 * lane)]
    lower = sum(pairs)
    return lower, lower << lane
