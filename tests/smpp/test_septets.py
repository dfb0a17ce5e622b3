"""Eight septets in seven octets, with fill bits in front and padding behind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.smpp.septets import pack, unpack
from smsd.smpp.udh import fill_bits

SEPTETS = st.binary(max_size=200).map(lambda octets: bytes(octet & 0x7F for octet in octets))
FILL = st.integers(0, 6)


def pack_one_by_one(septets: bytes, fill: int) -> bytes:
    """As the standard draws it: septet after septet, lowest bits first."""
    bits = 0
    for septet in reversed(septets):
        bits = bits << 7 | septet
    size = -(-(fill + 7 * len(septets)) // 8)
    return (bits << fill).to_bytes(size, "little")


@pytest.mark.parametrize(
    ("septets", "octets"),
    [
        (b"", ""),
        (b"1", "31"),
        (b"hellohello", "e8329bfd4697d9ec37"),
        (b"12345678", "31d98c56b3dd70"),
        (b"1234567", "31d98c56b3dd1a"),  # seven bits to spare: a CR
    ],
)
def test_the_octets_of_the_standard(septets: bytes, octets: str) -> None:
    """3GPP TS 23.038 §6.1.2.1 and §6.1.2.3.1, both ways."""
    assert pack(septets).hex() == octets
    assert unpack(bytes.fromhex(octets)) == septets


@given(SEPTETS, FILL)
def test_all_at_once_is_one_by_one(septets: bytes, fill: int) -> None:
    """The packing of all septets together gives the octets of the plain way."""
    padded = septets + b"\r" * ((fill + 7 * len(septets)) % 8 == 1)
    assert pack(septets, fill) == pack_one_by_one(padded, fill)


@given(SEPTETS, FILL)
def test_a_round_trip_loses_nothing_but_padding(septets: bytes, fill: int) -> None:
    """What was packed comes out, but for an "@" or CR that ends with its octet."""
    ends_with_an_octet = (fill + 7 * len(septets)) % 8 == 0
    if ends_with_an_octet and septets[-1:] in (b"\0", b"\r"):
        septets = septets[:-1]
    assert unpack(pack(septets, fill), fill) == septets


@given(st.binary(max_size=200), FILL)
def test_any_octets_are_septets(octets: bytes, fill: int) -> None:
    """Whatever arrives is read, as many septets as there is room for, padding aside."""
    septets = unpack(octets, fill)
    count = max(0, (8 * len(octets) - fill) // 7)
    assert count - 1 <= len(septets) <= count
    assert all(septet < 0x80 for septet in septets)


@pytest.mark.parametrize("padding", ["1a", "00"])
def test_padding_is_no_text(padding: str) -> None:
    """Seven bits to spare: some write a CR there, some nothing, which would read "@"."""
    octets = bytes.fromhex("31d98c56b3dd") + bytes.fromhex(padding)
    assert unpack(octets) == b"1234567"


@pytest.mark.parametrize(("header_octets", "bits"), [(0, 0), (6, 1), (7, 0), (4, 3), (12, 2)])
def test_text_begins_at_a_septet_behind_the_header(header_octets: int, bits: int) -> None:
    """3GPP TS 23.040 §9.2.3.24: 48 bits of header and one of fill are seven septets."""
    assert fill_bits(header_octets) == bits
    assert (8 * header_octets + bits) % 7 == 0
