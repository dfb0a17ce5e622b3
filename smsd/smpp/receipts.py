"""Delivery receipts: deliver_sm that report the fate of a submit_sm (SMPP 3.4 Appendix B, §5.2.12).

Appendix B leaves the form to the SMSC's vendor, so the TLVs receipted_message_id and message_state
(§5.3.2.12, §5.3.2.35) are believed first, and the text is read leniently.
"""

import re
from typing import Final, NamedTuple

from smsd.smpp import segments
from smsd.smpp import text as coding
from smsd.smpp.pdu import DataSm, DeliverSm, SubmitSm, Tag, Tlv

_MESSAGE_TYPE = 0x3C  # §5.2.12: esm_class bits 5-2.
DELIVERY_RECEIPT: Final = 0x04
INTERMEDIATE_NOTIFICATION: Final = 0x20

# §5.2.28 message_state, in the seven letters of Appendix B, table B-2 (ENROUTE is not in B-2).
STATES: Final = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
}
_NUMBERS = {state: number for number, state in STATES.items()}
# Some SMSCs write the names of §5.2.28 out, or in words of their own, or the number.
_SPELLINGS = (
    {state: state for state in _NUMBERS}
    | {str(number): state for number, state in STATES.items()}
    | {
        "DELIVERED": "DELIVRD",
        "DELIVERD": "DELIVRD",
        "UNDELIVERABLE": "UNDELIV",
        "UNDELIVERED": "UNDELIV",
        "UNDELIVRD": "UNDELIV",
        "FAILED": "UNDELIV",
        "ACCEPTED": "ACCEPTD",
        "REJECTED": "REJECTD",
        "BUFFERED": "ENROUTE",
        "BUFFRED": "ENROUTE",
    }
)
_MESSAGE_ID_CHARACTERS_MAX = 64  # §4.4.2: 65 octets with its NUL


class Receipt(NamedTuple):
    """What an SMSC reports. ``message_id`` is as written: see ``smsd.smpp.message_ids``.

    ``by_tlv``: only a TLV gives it; the text has none, or another.
    ``state`` is one of STATES. The dates are the SMSC's YYMMDDhhmm[ss], in a zone that it does not
    name, so they stay text. ``error`` is the network's or the vendor's. The message's text is not
    kept.
    """

    message_id: str
    state: str
    error: str = ""
    submit_date: str = ""
    done_date: str = ""
    by_tlv: bool = False

    @property
    def number(self) -> int:
        """The state as a number of §5.2.28."""
        return _NUMBERS[self.state]

    @property
    def delivered(self) -> bool:
        """Whether the phone has the message."""
        return self.state == "DELIVRD"

    @property
    def final(self) -> bool:
        """Whether no other receipt is to come for this message (§5.2.28: all but ENROUTE)."""
        return self.state != "ENROUTE"


def is_receipt(esm_class: int) -> bool:
    """Whether a deliver_sm reports on a message, finally or meanwhile: no text from a phone."""
    return esm_class & _MESSAGE_TYPE in (DELIVERY_RECEIPT, INTERMEDIATE_NOTIFICATION)


# A value ends at a space, or at a comma before the next key; after a space it must be no key.
_VALUE = r"[^\s,;]+(?:[,;](?!\s*[a-z_][a-z_ ]*[:=])[^\s,;]*)*"
_FIELD = re.compile(
    rf"\b(?:(?:message_|msg_?)?(id)|(submit|done)[ _]?date|(stat)(?:us|e)?|(err)(?:or)?)\s?[:=]"
    rf"(?:({_VALUE})|[ ]+(?!(?:submit|done)[ _]?date|[a-z_]+[:=])({_VALUE}))?"
    r"|\b(text)\s?[:=]",
    re.IGNORECASE | re.ASCII,
)

# The form that Appendix B prints, which most SMSCs keep to: read in one go, to the same end.
_APPENDIX_B = re.compile(
    r"id:(\S+) sub:\d+ dlvrd:\d+ submit date:(\d+) done date:(\d+) stat:(\w+) err:(\w+) text:",
    re.IGNORECASE | re.ASCII,
)
_KEYS = ("id", "submit", "done", "stat", "err")


def parse(body: DeliverSm | DataSm) -> Receipt | None:
    """Read the receipt in ``body``, whose esm_class says it is one; None without an id or a state.

    A state that the standard does not know reads as UNKNOWN.
    """
    tlv_id = state = ""
    for tag, value in body.tlvs:
        if tag == Tag.RECEIPTED_MESSAGE_ID:
            tlv_id = value.rstrip(b"\0").decode("latin-1")
        elif tag == Tag.MESSAGE_STATE and len(value) == 1:
            state = STATES.get(value[0], "UNKNOWN")
    fields = _fields(body)
    message_id = tlv_id or fields.get("id", "")
    if not state and (word := fields.get("stat", "").upper()):
        state = _SPELLINGS.get(word, "UNKNOWN")
    if not message_id or not state or len(message_id) > _MESSAGE_ID_CHARACTERS_MAX:
        return None
    return Receipt(
        message_id,
        state,
        fields.get("err", ""),
        fields.get("submit", ""),
        fields.get("done", ""),
        fields.get("id") != message_id,
    )


def _fields(body: DeliverSm | DataSm) -> dict[str, str]:
    """Give the first of each field before the text, which may itself look like fields.

    Where the text is not the last field, the last of each that is missing is taken from behind it.
    """
    octets = segments.unpack(body).octets
    # Not as GSM 03.38, whatever data_coding 0 means: a message_id may hold "_" or "$" in ASCII.
    coded = coding.UCS2 if body.data_coding == coding.UCS2 else coding.LATIN_1
    text = coding.decode(coded, octets).text
    if standard := _APPENDIX_B.match(text):
        return dict(zip(_KEYS, standard.groups(), strict=True))
    fields: dict[str, str] = {}
    behind: dict[str, str] = {}
    in_text = False
    for found in _FIELD.finditer(text):
        key = found[1] or found[2] or found[3] or found[4]
        if key is None:
            in_text = True
        elif in_text:
            behind[key.lower()] = found[5] or found[6] or ""
        else:
            fields.setdefault(key.lower(), found[5] or found[6] or "")
    return {**behind, **fields} if fields else fields


def make(receipt: Receipt, submitted: SubmitSm) -> DeliverSm:
    """Build the deliver_sm by which an SMSC reports ``receipt`` to the sender of ``submitted``.

    ``parse`` gives the receipt back if its values have no spaces. The text of the message is left
    out, which Appendix B allows. KeyError for a state that is not in STATES.
    """
    number = _NUMBERS[receipt.state]
    delivered = int(receipt.delivered)
    text = (
        f"id:{receipt.message_id} sub:001 dlvrd:{delivered:03} submit date:{receipt.submit_date}"
        f" done date:{receipt.done_date} stat:{receipt.state} err:{receipt.error} text:"
    )
    return DeliverSm(
        service_type=submitted.service_type,
        source_addr_ton=submitted.dest_addr_ton,
        source_addr_npi=submitted.dest_addr_npi,
        source_addr=submitted.destination_addr,
        dest_addr_ton=submitted.source_addr_ton,
        dest_addr_npi=submitted.source_addr_npi,
        destination_addr=submitted.source_addr,
        esm_class=DELIVERY_RECEIPT if receipt.final else INTERMEDIATE_NOTIFICATION,
        short_message=text.encode("latin-1", "replace"),
        tlvs=(
            Tlv(Tag.RECEIPTED_MESSAGE_ID, receipt.message_id.encode("latin-1") + b"\0"),
            Tlv(Tag.MESSAGE_STATE, bytes((number,))),
        ),
    )
