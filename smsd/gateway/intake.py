"""deliver_sm → InboundMessage: what an SMSC hands over, as the store and the rules know it."""

from collections.abc import Callable

from smsd.smpp import receipts
from smsd.smpp.inbound import Reading, reader
from smsd.smpp.pdu import DataSm, DeliverSm
from smsd.smpp.segments import Part
from smsd.smpp.text import Alphabet
from storage import InboundMessage, InboundPart

# A third of what the NamedTuple's own constructor takes, for every SMS.
_new = tuple.__new__

Reader = Callable[[DeliverSm | DataSm], Reading]
# By the alphabet that an SMSC means by data_coding 0: `[[smsc]] default_alphabet`.
READERS: dict[str, Reader] = {alphabet: reader(alphabet) for alphabet in Alphabet}
_GSM = READERS[Alphabet.GSM]


def is_receipt(body: DeliverSm | DataSm) -> bool:
    """Whether this reports on a reply of ours instead of carrying a phone's SMS."""
    return receipts.is_receipt(body.esm_class)


def read_message(
    body: DeliverSm | DataSm, smsc: str, received_at_us: int, read: Reader = _GSM
) -> InboundMessage:
    """The SMS in a deliver_sm or data_sm. Never fails: what cannot be read is not `sound`."""
    data_coding, octets, text, sound, part = read(body)
    fields = (
        received_at_us,
        smsc,
        body.source_addr.lstrip("+"),
        body.destination_addr,
        data_coding,
        octets,
        text,
        sound,
        part and InboundPart(_reference(part), part.total, part.index),
        "sms",
        None,
        False,
    )
    return _new(InboundMessage, fields)


def _reference(part: Part) -> int:
    """8 and 16 bit references are two number ranges (3GPP TS 23.040 §9.2.3.24.8)."""
    return part.width_bits << 16 | part.reference
