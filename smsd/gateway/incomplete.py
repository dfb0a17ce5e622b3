"""Long SMS of which a part never came: what their phones are told, and what is kept of them."""

from smsd.smpp import text as sms_text
from storage import InboundMessage, Sweep, Transaction


def given_up(transaction: Transaction, sweep: Sweep) -> list[InboundMessage]:
    """What came of SMS whose other parts are not coming any more, each once; to be answered."""
    return [
        message._replace(text=sms_text.decode(message.data_coding, message.octets).text)
        for message in transaction.give_up_parts(sweep)
    ]
