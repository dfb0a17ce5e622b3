"""Hypothesis strategies for PDUs: whatever SMPP 3.4 allows in each body."""

from typing import Any

from hypothesis import strategies as st

from smsd.smpp.layouts import BY_BODY, Field, Kind
from smsd.smpp.pdu import Body, DistributionList, SmeAddress, Tlv, UnsuccessSme

octet = st.integers(0, 0xFF)
u32 = st.integers(0, 0xFFFFFFFF)


def c_octets(most: int) -> st.SearchStrategy[str]:
    """A C-Octet string of at most ``most`` characters, its NUL not counted."""
    return st.text(st.characters(min_codepoint=1, max_codepoint=0xFF), max_size=most)


tlvs = st.lists(st.builds(Tlv, st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=3).map(
    tuple
)
short_messages = st.binary(max_size=254)
_sme_addresses = st.builds(SmeAddress, octet, octet, c_octets(20))
_FIELDS: dict[Kind, Any] = {
    Kind.DESTINATIONS: st.lists(
        _sme_addresses | st.builds(DistributionList, c_octets(20)), min_size=1, max_size=5
    ).map(tuple),
    Kind.UNSUCCESS: st.lists(
        st.builds(UnsuccessSme, octet, octet, c_octets(20), u32), max_size=5
    ).map(tuple),
    Kind.INTEGER: octet,
    Kind.SHORT_MESSAGE: short_messages,
}


def _values(field: Field) -> st.SearchStrategy[Any]:
    return c_octets(field.size - 1) if field.kind is Kind.C_OCTET else _FIELDS[field.kind]


def bodies_of(kind: type[Body]) -> st.SearchStrategy[Body]:
    """Bodies of one command, each field anywhere within its bounds."""
    fields = {field.name: _values(field) for field in BY_BODY[kind].fields}
    return st.builds(kind, **fields, tlvs=tlvs)


bodies = st.sampled_from(list(BY_BODY)).flatmap(bodies_of)
