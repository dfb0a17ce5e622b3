"""What an SMSC checks of a submit_sm or data_sm before it takes it, and what it answers.

The codec has already held every field to its length and type; these are the rules about values.
"""

import re
from collections.abc import Callable
from typing import Final

from smsd.smpp.pdu import DataSm, Status, SubmitSm, Tag

Check = Callable[[SubmitSm], bool]

_PHONE: Final = re.compile(r"\+?[0-9]{3,20}", re.ASCII)
# §7.1.1: YYMMDDhhmmsstnnp, p is + or - for an absolute time and R for a relative one.
_TIME: Final = re.compile(r"[0-9]{15}[+\-R]", re.ASCII)
# §5.2.12, ESME to SMSC: bits 5-2 are 0000, or 0010 delivery and 0100 manual acknowledgement.
_MESSAGE_TYPES: Final = frozenset({0x00, 0x08, 0x10})


def _is_time(text: str) -> bool:
    return not text or _TIME.fullmatch(text) is not None


def _payload_alone(body: SubmitSm) -> bool:
    # §5.3.2.32: message_payload stands in place of short_message, never beside it.
    return not (body.short_message and _has_payload(body))


def _has_payload(body: SubmitSm | DataSm) -> bool:
    return any(tlv.tag == Tag.MESSAGE_PAYLOAD for tlv in body.tlvs)


_CHECKS: Final[tuple[tuple[Status, Check], ...]] = (
    (Status.ESME_RINVSRCADR, lambda body: bool(body.source_addr)),
    (Status.ESME_RINVDSTADR, lambda body: _PHONE.fullmatch(body.destination_addr) is not None),
    (Status.ESME_RINVESMCLASS, lambda body: body.esm_class & 0x3C in _MESSAGE_TYPES),
    (Status.ESME_RINVPRTFLG, lambda body: body.priority_flag <= 3),  # §5.2.14
    (Status.ESME_RINVSCHED, lambda body: _is_time(body.schedule_delivery_time)),
    (Status.ESME_RINVEXPIRY, lambda body: _is_time(body.validity_period)),
    # §5.2.17: 11 is reserved in bits 1-0, and bits 7-5 must be zero.
    (
        Status.ESME_RINVREGDLVFLG,
        lambda body: body.registered_delivery & 0x03 != 3 and body.registered_delivery < 0x20,
    ),
    (Status.ESME_RINVREPFLAG, lambda body: body.replace_if_present_flag <= 1),  # §5.2.18
    (Status.ESME_ROPTPARNOTALLWD, _payload_alone),
)


def check(body: SubmitSm | DataSm) -> Status:
    """Give ESME_ROK, or the status that names the first field at fault."""
    if isinstance(body, DataSm) and not _has_payload(body):
        return Status.ESME_RMISSINGOPTPARAM  # Without it a data_sm carries no message, §4.7.1.
    message = body if isinstance(body, SubmitSm) else _as_submit(body)
    for status, holds in _CHECKS:
        if not holds(message):
            return status
    return Status.ESME_ROK


def _as_submit(body: DataSm) -> SubmitSm:
    return SubmitSm(
        source_addr=body.source_addr,
        destination_addr=body.destination_addr,
        esm_class=body.esm_class,
        registered_delivery=body.registered_delivery,
        tlvs=body.tlvs,
    )
