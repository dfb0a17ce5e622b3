"""What an SMSC hands over, as the store and the rules know it; nothing a phone sends raises."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.gateway.intake import READERS, is_receipt, read_message
from smsd.gateway.writer import Batch
from smsd.gateway.writer_wire import LENGTH, frame, pack_batch, unframe, unpack_batch
from smsd.smpp.pdu import DataSm, DeliverSm, Tag, Tlv
from storage import InboundMessage, InboundPart

AT_US = 1_586_160_000_000_000
UDHI = 0x40


def deliver(octets: bytes = b"2 AZE 1111111", **fields: Any) -> DeliverSm:
    body = DeliverSm(source_addr="994500000001", destination_addr="8103", short_message=octets)
    return body._replace(**fields)


def test_a_plain_sms_is_taken_as_it_is() -> None:
    """Every field of the record, from a deliver_sm in the default alphabet."""
    assert read_message(deliver(), "one", AT_US) == InboundMessage(
        received_at_us=AT_US,
        smsc="one",
        phone="994500000001",
        short_number="8103",
        data_coding=0,
        octets=b"2 AZE 1111111",
        text="2 AZE 1111111",
        sound=True,
        part=None,
    )


@pytest.mark.parametrize("address", ["994500000001", "+994500000001"])
def test_a_phone_is_its_digits(address: str) -> None:
    """Some SMSCs write the plus; a person is one phone all the same."""
    assert read_message(deliver(source_addr=address), "one", AT_US).phone == "994500000001"


@pytest.mark.parametrize(
    ("data_coding", "octets", "text", "sound"),
    [
        (0, b"2 AZE 1111111", "2 AZE 1111111", True),
        (8, "2 MYİ 1111111".encode("utf-16-be"), "2 MYİ 1111111", True),
        (3, "2 é".encode("latin-1"), "2 é", True),
        (8, b"\x01", "\ufffd", False),
        (8, b"\xd8\x3d", "\ufffd", False),
        (4, b"2 AZE", "2 AZE", False),
        (0, b"", "", True),
    ],
)
def test_text_is_read_by_its_data_coding(
    data_coding: int, octets: bytes, text: str, sound: bool
) -> None:
    """What could not be read whole is kept as octets and told as not sound."""
    message = read_message(deliver(octets, data_coding=data_coding), "one", AT_US)
    assert (message.text, message.sound, message.octets) == (text, sound, octets)


def test_a_data_sm_and_a_long_deliver_sm_carry_their_text_in_message_payload() -> None:
    """SMPP 3.4 §5.3.2.32: in place of short_message."""
    payload = (Tlv(Tag.MESSAGE_PAYLOAD, b"2 AZE 1111111"),)
    data = DataSm(source_addr="994500000001", destination_addr="8103", tlvs=payload)
    for body in (data, deliver(b"", tlvs=payload)):
        message = read_message(body, "one", AT_US)
        assert (message.text, message.sound, message.part) == ("2 AZE 1111111", True, None)


def test_the_header_of_a_part_is_no_text() -> None:
    """An 8 bit reference, the part's place, and the octets behind the UDH."""
    message = read_message(deliver(b"\x05\x00\x03\x07\x02\x012 AZE", esm_class=UDHI), "one", AT_US)
    assert (message.octets, message.text) == (b"2 AZE", "2 AZE")
    assert message.part == InboundPart(8 << 16 | 7, 2, 1)


def test_references_of_8_and_16_bits_never_meet() -> None:
    """The same number in a UDH of either width, or in SAR TLVs, is two different long SMS."""
    narrow = deliver(b"\x05\x00\x03\x07\x02\x01x", esm_class=UDHI)
    wide = deliver(b"\x06\x08\x04\x00\x07\x02\x01x", esm_class=UDHI)
    sar = deliver(
        b"x",
        tlvs=(
            Tlv(Tag.SAR_MSG_REF_NUM, b"\x00\x07"),
            Tlv(Tag.SAR_TOTAL_SEGMENTS, b"\x02"),
            Tlv(Tag.SAR_SEGMENT_SEQNUM, b"\x01"),
        ),
    )
    parts = [read_message(body, "one", AT_US).part for body in (narrow, wide, sar)]
    assert parts == [
        InboundPart(8 << 16 | 7, 2, 1),
        InboundPart(16 << 16 | 7, 2, 1),
        InboundPart(16 << 16 | 7, 2, 1),
    ]


def test_a_header_that_is_cut_short_is_told() -> None:
    """The octets are kept as they came, header and all, for whoever looks into it."""
    message = read_message(deliver(b"\x05\x00\x03\x07", esm_class=UDHI), "one", AT_US)
    assert (message.sound, message.octets, message.part) == (False, b"\x05\x00\x03\x07", None)


@pytest.mark.parametrize(
    ("esm_class", "receipt"),
    [(0x00, False), (0x04, True), (0x20, True), (0x40, False), (0x44, True), (0x03, False)],
)
def test_a_delivery_receipt_is_known_by_its_esm_class(esm_class: int, receipt: bool) -> None:
    """§5.2.12 bits 5 to 2, whatever the mode and the header bit."""
    assert is_receipt(deliver(esm_class=esm_class)) is receipt
    assert is_receipt(DataSm(esm_class=esm_class)) is receipt


@given(
    st.binary(max_size=254),
    st.integers(0, 255),
    st.integers(0, 255),
    st.lists(st.tuples(st.sampled_from(list(Tag)), st.binary(max_size=20)), max_size=4),
    st.sampled_from(sorted(READERS)),
)
def test_nothing_that_a_phone_sends_raises(
    octets: bytes, data_coding: int, esm_class: int, tlvs: list[tuple[Tag, bytes]], alphabet: str
) -> None:
    """Any octets under any coding and header; what is stored is text that UTF-8 can hold.

    Whatever the alphabet, the message reaches the writer process as it is.
    """
    body = deliver(
        octets,
        data_coding=data_coding,
        esm_class=esm_class,
        tlvs=tuple(Tlv(tag, value) for tag, value in tlvs),
    )
    message = read_message(body, "one", AT_US, READERS[alphabet])
    message.text.encode()
    batch = Batch([message], [], [])
    assert unpack_batch(unframe(frame(pack_batch(batch))[LENGTH.size :])) == batch
    assert message.part is None or 1 <= message.part.number <= message.part.total
