"""What an SMSC calls a message, in its submit_sm_resp and in its receipts: one form to compare.

§5.2.23 makes a message_id an opaque text, yet some SMSCs answer in hexadecimal and report in
decimal, or the other way round, or with other leading zeros or case.
"""

from collections.abc import Callable
from typing import Final

from smsd.smpp.receipts import Receipt

# By name, the bases of the response and of the receipt; None: a text that is compared as it is.
_BASES: Final[dict[str, tuple[int | None, int | None]]] = {
    "as_is": (None, None),
    "hex": (16, 16),
    "decimal": (10, 10),
    "hex_to_decimal": (16, 10),
    "decimal_to_hex": (10, 16),
}
FORMS: Final = frozenset(_BASES)


def of_response(form: str) -> Callable[[str], str]:
    """How to bring the message_id of a submit_sm_resp into the form to compare."""
    base = _BASES[form][0]
    return lambda message_id: _canonical(message_id, base)


def of_receipt(form: str) -> Callable[[Receipt], str]:
    """How to bring the message_id of a receipt into the form to compare.

    §5.3.2.12: receipted_message_id is the handle that the response gave. So where the TLV alone
    gives it, it is in the response's base; where the text says the same, in the receipt's.
    """
    response_base, receipt_base = _BASES[form]

    def of(receipt: Receipt) -> str:
        base = response_base if receipt.by_tlv else receipt_base
        return _canonical(receipt.message_id, base)

    return of


def _canonical(message_id: str, base: int | None) -> str:
    """A number in decimal; what is none in that base stays a text."""
    if base is None or not (message_id.isascii() and message_id.isalnum()):
        return message_id
    try:
        return str(int(message_id, base))
    except ValueError:
        return message_id
