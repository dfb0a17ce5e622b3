"""deliver_sm → InboundMessage: what an SMSC hands over, as the store and the rules know it."""

from smsd.smpp import receipts, segments, text
from smsd.smpp.pdu import DataSm, DeliverSm
from storage import InboundMessage, InboundPart

# A third of what the NamedTuple's own constructor takes, for every SMS.
_new = tuple.__new__


def is_receipt(body: DeliverSm | DataSm) -> bool:
    """Whether this reports on a reply of ours instead of carrying a phone's SMS."""
    return receipts.is_receipt(body.esm_class)


def read_message(body: DeliverSm | DataSm, smsc: str, received_at_us: int) -> InboundMessage:
    """The SMS in a deliver_sm or data_sm. Never fails: what cannot be read is not `sound`."""
    octets, part, sound = segments.unpack(body)
    data_coding = body.data_coding
    decoded, decodable = text.decode(data_coding, octets)
    fields = (
        received_at_us,
        smsc,
        body.source_addr.lstrip("+"),
        body.destination_addr,
        data_coding,
        octets,
        decoded,
        decodable and sound,
        part and InboundPart(_reference(part), part.total, part.index),
        "sms",
        None,
    )
    return _new(InboundMessage, fields)


def _reference(part: segments.Part) -> int:
    """8 and 16 bit references are two number ranges (3GPP TS 23.040 §9.2.3.24.8)."""
    return part.width_bits << 16 | part.reference
