"""deliver_sm → InboundMessage: what an SMSC hands over, as the store and the rules know it."""

from smsd.smpp import receipts, segments, text
from smsd.smpp.pdu import DataSm, DeliverSm
from storage import InboundMessage, InboundPart


def is_receipt(body: DeliverSm | DataSm) -> bool:
    """Whether this reports on a reply of ours instead of carrying a phone's SMS."""
    return receipts.is_receipt(body.esm_class)


def read_message(body: DeliverSm | DataSm, smsc: str, received_at_us: int) -> InboundMessage:
    """The SMS in a deliver_sm or data_sm. Never fails: what cannot be read is not `sound`."""
    content = segments.unpack(body)
    part = content.part
    decoded = text.decode(body.data_coding, content.octets)
    return InboundMessage(
        received_at_us=received_at_us,
        smsc=smsc,
        phone=body.source_addr.lstrip("+"),
        short_number=body.destination_addr,
        data_coding=body.data_coding,
        octets=content.octets,
        text=decoded.text,
        sound=decoded.sound and content.sound,
        part=part and InboundPart(_reference(part), part.total, part.index),
    )


def _reference(part: segments.Part) -> int:
    """8 and 16 bit references are two number ranges (3GPP TS 23.040 §9.2.3.24.8)."""
    return part.width_bits << 16 | part.reference
