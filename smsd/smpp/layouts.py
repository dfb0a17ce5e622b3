"""The table of SMPP 3.4 §4: for every command, its fields in wire order with type and size.

One row drives decoding and encoding alike (``table.py``); the fast paths of ``codec.py`` are held
to it by test.
"""

from enum import Enum
from typing import NamedTuple

from smsd.smpp import pdu
from smsd.smpp.pdu import Body, Command, Status


class Kind(Enum):
    """The types of §3.1 and the composite fields of §4; the value says what ``size`` counts."""

    INTEGER = "octets"
    C_OCTET = "octets at most, with the NUL"
    SHORT_MESSAGE = "octets at most, after the one of sm_length"
    DESTINATIONS = "dest_address(es) at most, after number_of_dests"
    UNSUCCESS = "unsuccess_sme(s) at most, after no_unsuccess"


class Field(NamedTuple):
    """One row of §4. ``status`` answers a value longer than ``size``."""

    name: str
    kind: Kind
    size: int
    # §3.3: a variable-length parameter over its maximum is refused as "invalid parameter length",
    # unless §5.1.3 has a status of its own for the field.
    status: Status = Status.ESME_RINVPARLEN


class Layout(NamedTuple):
    """One command: its id, its value and its mandatory fields; TLVs may follow on any PDU."""

    command: Command
    body: type[Body]
    fields: tuple[Field, ...] = ()


def _int(name: str) -> Field:
    return Field(name, Kind.INTEGER, 1)


def _str(name: str, size: int, status: Status = Status.ESME_RINVPARLEN) -> Field:
    return Field(name, Kind.C_OCTET, size, status)


_SYSTEM_ID = _str("system_id", 16, Status.ESME_RINVSYSID)
_PASSWORD = _str("password", 9, Status.ESME_RINVPASWD)
_SERVICE_TYPE = _str("service_type", 6, Status.ESME_RINVSERTYP)
_MESSAGE_ID = _str("message_id", 65, Status.ESME_RINVMSGID)
_SCHEDULE = _str("schedule_delivery_time", 17, Status.ESME_RINVSCHED)
_VALIDITY = _str("validity_period", 17, Status.ESME_RINVEXPIRY)
_SHORT_MESSAGE = Field("short_message", Kind.SHORT_MESSAGE, 254, Status.ESME_RINVMSGLEN)


def _source(size: int) -> tuple[Field, ...]:
    address = _str("source_addr", size, Status.ESME_RINVSRCADR)
    return (_int("source_addr_ton"), _int("source_addr_npi"), address)


def _destination(size: int) -> tuple[Field, ...]:
    address = _str("destination_addr", size, Status.ESME_RINVDSTADR)
    return (_int("dest_addr_ton"), _int("dest_addr_npi"), address)


SME_ADDRESS = _destination(21)
DISTRIBUTION_LIST = (_str("dl_name", 21, Status.ESME_RINVDLNAME),)
UNSUCCESS_SME = (*_destination(21), Field("error_status_code", Kind.INTEGER, 4))

_BIND = (
    _SYSTEM_ID,
    _PASSWORD,
    _str("system_type", 13, Status.ESME_RINVSYSTYP),
    _int("interface_version"),
    _int("addr_ton"),
    _int("addr_npi"),
    _str("address_range", 41),
)

# §4.6.1 leaves schedule_delivery_time and validity_period of deliver_sm "unused, set to NULL".
# They are read as in submit_sm: an SMSC that fills one must not cost a person their message.
_MESSAGE_TAIL = (
    _int("esm_class"),
    _int("protocol_id"),
    _int("priority_flag"),
    _SCHEDULE,
    _VALIDITY,
    _int("registered_delivery"),
    _int("replace_if_present_flag"),
    _int("data_coding"),
    _int("sm_default_msg_id"),
    _SHORT_MESSAGE,
)
_MESSAGE = (_SERVICE_TYPE, *_source(21), *SME_ADDRESS, *_MESSAGE_TAIL)

_TABLE = (
    Layout(Command.BIND_RECEIVER, pdu.BindReceiver, _BIND),
    Layout(Command.BIND_RECEIVER_RESP, pdu.BindReceiverResp, (_SYSTEM_ID,)),
    Layout(Command.BIND_TRANSMITTER, pdu.BindTransmitter, _BIND),
    Layout(Command.BIND_TRANSMITTER_RESP, pdu.BindTransmitterResp, (_SYSTEM_ID,)),
    Layout(Command.BIND_TRANSCEIVER, pdu.BindTransceiver, _BIND),
    Layout(Command.BIND_TRANSCEIVER_RESP, pdu.BindTransceiverResp, (_SYSTEM_ID,)),
    Layout(Command.OUTBIND, pdu.Outbind, (_SYSTEM_ID, _PASSWORD)),
    Layout(Command.UNBIND, pdu.Unbind),
    Layout(Command.UNBIND_RESP, pdu.UnbindResp),
    Layout(Command.GENERIC_NACK, pdu.GenericNack),
    Layout(Command.SUBMIT_SM, pdu.SubmitSm, _MESSAGE),
    Layout(Command.SUBMIT_SM_RESP, pdu.SubmitSmResp, (_MESSAGE_ID,)),
    Layout(
        Command.SUBMIT_MULTI,
        pdu.SubmitMulti,
        (
            _SERVICE_TYPE,
            *_source(21),
            Field("dest_addresses", Kind.DESTINATIONS, 254, Status.ESME_RINVNUMDESTS),
            *_MESSAGE_TAIL,
        ),
    ),
    Layout(
        Command.SUBMIT_MULTI_RESP,
        pdu.SubmitMultiResp,
        (_MESSAGE_ID, Field("unsuccess_smes", Kind.UNSUCCESS, 255)),
    ),
    Layout(Command.DELIVER_SM, pdu.DeliverSm, _MESSAGE),
    # §4.6.2: message_id "is unused and is set to NULL"; peers that fill it are let be.
    Layout(Command.DELIVER_SM_RESP, pdu.DeliverSmResp, (_MESSAGE_ID,)),
    Layout(
        Command.DATA_SM,
        pdu.DataSm,
        (
            _SERVICE_TYPE,
            *_source(65),
            *_destination(65),
            _int("esm_class"),
            _int("registered_delivery"),
            _int("data_coding"),
        ),
    ),
    Layout(Command.DATA_SM_RESP, pdu.DataSmResp, (_MESSAGE_ID,)),
    Layout(Command.QUERY_SM, pdu.QuerySm, (_MESSAGE_ID, *_source(21))),
    Layout(
        Command.QUERY_SM_RESP,
        pdu.QuerySmResp,
        (_MESSAGE_ID, _str("final_date", 17), _int("message_state"), _int("error_code")),
    ),
    Layout(
        Command.CANCEL_SM,
        pdu.CancelSm,
        (_SERVICE_TYPE, _MESSAGE_ID, *_source(21), *_destination(21)),
    ),
    Layout(Command.CANCEL_SM_RESP, pdu.CancelSmResp),
    Layout(
        Command.REPLACE_SM,
        pdu.ReplaceSm,
        (
            _MESSAGE_ID,
            *_source(21),
            _SCHEDULE,
            _VALIDITY,
            _int("registered_delivery"),
            _int("sm_default_msg_id"),
            _SHORT_MESSAGE,
        ),
    ),
    Layout(Command.REPLACE_SM_RESP, pdu.ReplaceSmResp),
    Layout(Command.ENQUIRE_LINK, pdu.EnquireLink),
    Layout(Command.ENQUIRE_LINK_RESP, pdu.EnquireLinkResp),
    Layout(
        Command.ALERT_NOTIFICATION,
        pdu.AlertNotification,
        (
            *_source(65),
            _int("esme_addr_ton"),
            _int("esme_addr_npi"),
            _str("esme_addr", 65),
        ),
    ),
)

BY_COMMAND: dict[int, Layout] = {layout.command: layout for layout in _TABLE}
BY_BODY: dict[type[Body], Layout] = {layout.body: layout for layout in _TABLE}
