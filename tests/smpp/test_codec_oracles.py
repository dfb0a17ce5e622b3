"""Two codecs that are not ours: smpplib 2.2.4 (Python) and smpp34 1.5 (Rust).

Where smpplib is right, both must agree. It is wrong, so left out or pinned below, in:

* strings: cut silently to their bound, found by NUL without any bound, or to the end less one;
* data_sm: addresses of 21 octets where §4.7.1 gives 65;
* TLVs: source_subaddress and dest_subaddress as C-Octet strings, source_addr_subunit of two octets,
  alert_on_message_delivery not at all; an unknown tag, or any on submit_sm_resp, is an exception;
* outbind, submit_multi, cancel_sm and replace_sm: not there.
"""

from typing import Any

import pytest
import smpp34
from hypothesis import given
from hypothesis import strategies as st
from pdu_frames import refused
from pdu_strategies import octet, short_messages, tlvs, u32
from smpplib import smpp
from smpplib.exceptions import UnknownCommandError

from smsd.smpp import pdu
from smsd.smpp.codec import FieldError, decode, encode
from smsd.smpp.layouts import BY_BODY, Field, Kind
from smsd.smpp.pdu import Body, Pdu, Tlv

LATIN_1 = st.characters(min_codepoint=1, max_codepoint=0xFF)
ASCII = st.characters(min_codepoint=1, max_codepoint=0x7F)  # smpp34 reads strings as UTF-8.
IN_SMPPLIB: list[type[Body]] = [
    body
    for body in BY_BODY
    if body
    not in (
        pdu.Outbind,
        pdu.SubmitMulti,
        pdu.SubmitMultiResp,
        pdu.CancelSm,
        pdu.CancelSmResp,
        pdu.ReplaceSm,
        pdu.ReplaceSmResp,
    )
]


def _value(field: Field, letters: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    if field.kind is Kind.C_OCTET:
        return st.text(letters, max_size=min(field.size - 1, 20))
    return octet if field.kind is Kind.INTEGER else short_messages


def plain(body: type[Body], letters: st.SearchStrategy[str] = LATIN_1) -> st.SearchStrategy[Any]:
    """Bodies without TLVs, within the bounds that smpplib shares; it wants a message_id."""
    fields = {field.name: _value(field, letters) for field in BY_BODY[body].fields}
    bodies = st.builds(body, **fields, tlvs=st.just(()))
    return bodies.filter(lambda b: not isinstance(b, pdu.QuerySm) or b.message_id != "")


def by_smpplib(body: Body, sequence: int, status: int, **optional: object) -> bytes:
    """The octets that smpplib gives for ``body`` and TLVs by name."""
    name = BY_BODY[type(body)].command.name.lower()
    theirs = smpp.make_pdu(name, sequence=sequence)
    for field, value in (body._asdict() | optional).items():
        setattr(theirs, field, value)
    theirs.sequence, theirs.status = sequence, status
    octets: bytes = theirs.generate()
    return octets


def fields_by_smpplib(octets: bytes, body: type[Body]) -> dict[str, object]:
    """The mandatory fields that smpplib reads, strings as ``str``."""
    theirs = smpp.parse_pdu(octets, client=None, sequence=0)
    fields = {}
    for name, kind, *_ in BY_BODY[body].fields:
        value = getattr(theirs, name)
        if kind is Kind.C_OCTET:
            value = value.decode("latin-1")
        # It leaves a last field alone that has no octets.
        fields[name] = b"" if value is None and kind is Kind.SHORT_MESSAGE else value
    return fields


@given(st.sampled_from(IN_SMPPLIB).flatmap(plain), u32, u32)
def test_smpplib_writes_what_we_write(body: Body, sequence: int, status: int) -> None:
    """Mandatory fields of every command that smpplib knows have the same octets."""
    assert encode(body, sequence, status) == by_smpplib(body, sequence, status)


@given(st.sampled_from(IN_SMPPLIB).flatmap(plain), u32)
def test_smpplib_reads_what_we_write(body: Body, sequence: int) -> None:
    """What leaves here means the same to an ESME built on smpplib."""
    expected = {name: value for name, value in body._asdict().items() if name != "tlvs"}
    assert fields_by_smpplib(encode(body, sequence), type(body)) == expected


@given(plain(pdu.DataSm), st.binary(min_size=1, max_size=300), octet)
def test_smpplib_writes_tlvs_as_we_do(body: Body, payload: bytes, state: int) -> None:
    """TLVs of both its right types, octets and integer, have the same octets."""
    ours = body._replace(tlvs=(Tlv(0x0424, payload), Tlv(0x0427, bytes([state]))))
    theirs = by_smpplib(body, 1, 0, message_payload=payload, message_state=state)
    assert encode(ours, 1) == theirs


def submit_sm_resp(message_id: bytes, rest: bytes = b"") -> bytes:
    """A submit_sm_resp frame made by hand."""
    return (
        (17 + len(message_id) + len(rest)).to_bytes(4, "big")
        + bytes.fromhex("80000004 00000000 00000001")
        + message_id
        + b"\0"
        + rest
    )


def test_smpplib_cuts_an_address_that_we_refuse() -> None:
    """Pinned: it would send the message to another number."""
    body = pdu.SubmitSm(destination_addr="1" * 21)
    assert b"\0" + b"1" * 20 + b"\0" in by_smpplib(body, 1, 0)
    with pytest.raises(FieldError, match="destination_addr"):
        encode(body, 1)


def test_smpplib_cuts_an_address_that_the_standard_allows() -> None:
    """Pinned: data_sm has addresses of up to 64 characters (§4.7.1)."""
    body = pdu.DataSm(destination_addr="1" * 64)
    assert b"1" * 21 not in by_smpplib(body, 1, 0)
    assert b"1" * 64 in encode(body, 1)


def test_smpplib_reads_strings_that_have_no_nul() -> None:
    """Pinned: it reads the same octets thrice, less the last, and then once more as integers."""
    frame = bytes.fromhex("00000013 00000009 00000000 00000001 616263")
    theirs = smpp.parse_pdu(frame, client=None, sequence=0)
    assert (theirs.system_id, theirs.password, theirs.addr_npi) == (b"ab", b"ab", 0x63)
    assert refused(frame).reason == "system_id: the PDU ends before its NUL"


def test_smpplib_fails_on_tlvs_that_we_keep() -> None:
    """Pinned: §3.3 has a receiver ignore what it does not know or expect."""
    unknown = submit_sm_resp(b"1", bytes.fromhex("1400 0001 01"))
    known = submit_sm_resp(b"1", bytes.fromhex("0427 0001 02"))
    with pytest.raises(UnknownCommandError):
        smpp.parse_pdu(unknown, client=None)
    with pytest.raises(KeyError):
        smpp.parse_pdu(known, client=None)
    assert decode(unknown) == Pdu(0x80000004, 0, 1, pdu.SubmitSmResp("1", (Tlv(0x1400, b"\x01"),)))
    assert decode(known) == Pdu(0x80000004, 0, 1, pdu.SubmitSmResp("1", (Tlv(0x0427, b"\x02"),)))


RUST: dict[type[Body], Any] = {pdu.SubmitSm: smpp34.SubmitSm, pdu.DeliverSm: smpp34.DeliverSm}
messages = st.sampled_from(list(RUST)).flatmap(
    lambda kind: st.builds(lambda body, some: body._replace(tlvs=some), plain(kind, ASCII), tlvs)
)


@given(messages, u32)
def test_smpp34_writes_and_reads_what_we_do(body: Any, sequence: int) -> None:
    """A codec in another language, with another author, gives the same octets and values."""
    fields = body._asdict() | {"tlvs": [smpp34.Tlv(*tlv) for tlv in body.tlvs]}
    octets = RUST[type(body)](**fields, sequence_number=sequence).encode()
    assert encode(body, sequence) == octets
    theirs: Any = smpp34.decode(octets)
    read = {name: getattr(theirs, name) for name in body._fields[:-1]}
    assert type(body)(**read, tlvs=tuple(Tlv(t.tag, t.value) for t in theirs.tlvs)) == body
