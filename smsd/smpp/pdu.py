"""SMPP 3.4 PDUs as values: one NamedTuple per command, fields in wire order, standard names.

C-Octet strings are ``str`` (latin-1: nothing is lost), Octet strings ``bytes``, integers ``int``.
sm_length, number_of_dests and no_unsuccess are derived, so they are not fields. Every body ends in
``tlvs``: §3.3 has a receiver ignore optional parameters that it does not expect, on any PDU.

NamedTuples compare as tuples, so an ``Unbind()`` equals an ``EnquireLink()``: tell bodies apart by
``type(body)`` or ``match``, never by ``==`` alone.
"""

from typing import NamedTuple, TypeAlias

from smsd.smpp.constants import Command as Command
from smsd.smpp.constants import Status as Status
from smsd.smpp.constants import Tag as Tag
from smsd.smpp.constants import status_text as status_text


class Tlv(NamedTuple):
    """An optional parameter (§3.2.4): any 16-bit tag, known or not, and its octets as they came."""

    tag: int
    value: bytes


class BindTransmitter(NamedTuple):
    """bind_transmitter, §4.1.1."""

    system_id: str = ""
    password: str = ""
    system_type: str = ""
    interface_version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""
    tlvs: tuple[Tlv, ...] = ()


class BindTransmitterResp(NamedTuple):
    """bind_transmitter_resp, §4.1.2."""

    system_id: str = ""
    tlvs: tuple[Tlv, ...] = ()


class BindReceiver(NamedTuple):
    """bind_receiver, §4.1.3."""

    system_id: str = ""
    password: str = ""
    system_type: str = ""
    interface_version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""
    tlvs: tuple[Tlv, ...] = ()


class BindReceiverResp(NamedTuple):
    """bind_receiver_resp, §4.1.4."""

    system_id: str = ""
    tlvs: tuple[Tlv, ...] = ()


class BindTransceiver(NamedTuple):
    """bind_transceiver, §4.1.5."""

    system_id: str = ""
    password: str = ""
    system_type: str = ""
    interface_version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""
    tlvs: tuple[Tlv, ...] = ()


class BindTransceiverResp(NamedTuple):
    """bind_transceiver_resp, §4.1.6."""

    system_id: str = ""
    tlvs: tuple[Tlv, ...] = ()


class Outbind(NamedTuple):
    """outbind, §4.1.7: the SMSC asks an ESME to bind as receiver; it has no response."""

    system_id: str = ""
    password: str = ""
    tlvs: tuple[Tlv, ...] = ()


class Unbind(NamedTuple):
    """unbind, §4.2.1."""

    tlvs: tuple[Tlv, ...] = ()


class UnbindResp(NamedTuple):
    """unbind_resp, §4.2.2."""

    tlvs: tuple[Tlv, ...] = ()


class GenericNack(NamedTuple):
    """generic_nack, §4.3.1: the answer to a PDU whose header cannot be trusted or is not known."""

    tlvs: tuple[Tlv, ...] = ()


class SubmitSm(NamedTuple):
    """submit_sm, §4.4.1: a message towards a phone (MT)."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: tuple[Tlv, ...] = ()


class SubmitSmResp(NamedTuple):
    """submit_sm_resp, §4.4.2."""

    message_id: str = ""
    tlvs: tuple[Tlv, ...] = ()


class SmeAddress(NamedTuple):
    """A destination of submit_multi that is one phone (dest_flag 1), §4.5.1.1 and §4.5.1.2."""

    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""


class DistributionList(NamedTuple):
    """A destination of submit_multi that is a list kept by the SMSC (dest_flag 2), §4.5.1.3."""

    dl_name: str = ""


class UnsuccessSme(NamedTuple):
    """A destination that submit_multi did not reach, with its status, §4.5.2.1."""

    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    error_status_code: int = 0


class SubmitMulti(NamedTuple):
    """submit_multi, §4.5.1: one message to 1-254 destinations."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addresses: tuple[SmeAddress | DistributionList, ...] = ()
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: tuple[Tlv, ...] = ()


class SubmitMultiResp(NamedTuple):
    """submit_multi_resp, §4.5.2."""

    message_id: str = ""
    unsuccess_smes: tuple[UnsuccessSme, ...] = ()
    tlvs: tuple[Tlv, ...] = ()


class DeliverSm(NamedTuple):
    """deliver_sm, §4.6.1: a message from a phone (MO), or a delivery receipt."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: tuple[Tlv, ...] = ()


class DeliverSmResp(NamedTuple):
    """deliver_sm_resp, §4.6.2: message_id is unused there, yet some peers fill it."""

    message_id: str = ""
    tlvs: tuple[Tlv, ...] = ()


class DataSm(NamedTuple):
    """data_sm, §4.7.1: the text travels in the TLV message_payload."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0
    tlvs: tuple[Tlv, ...] = ()


class DataSmResp(NamedTuple):
    """data_sm_resp, §4.7.2."""

    message_id: str = ""
    tlvs: tuple[Tlv, ...] = ()


class QuerySm(NamedTuple):
    """query_sm, §4.8.1."""

    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    tlvs: tuple[Tlv, ...] = ()


class QuerySmResp(NamedTuple):
    """query_sm_resp, §4.8.2."""

    message_id: str = ""
    final_date: str = ""
    message_state: int = 0
    error_code: int = 0
    tlvs: tuple[Tlv, ...] = ()


class CancelSm(NamedTuple):
    """cancel_sm, §4.9.1."""

    service_type: str = ""
    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    tlvs: tuple[Tlv, ...] = ()


class CancelSmResp(NamedTuple):
    """cancel_sm_resp, §4.9.2."""

    tlvs: tuple[Tlv, ...] = ()


class ReplaceSm(NamedTuple):
    """replace_sm, §4.10.1."""

    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: tuple[Tlv, ...] = ()


class ReplaceSmResp(NamedTuple):
    """replace_sm_resp, §4.10.2."""

    tlvs: tuple[Tlv, ...] = ()


class EnquireLink(NamedTuple):
    """enquire_link, §4.11.1."""

    tlvs: tuple[Tlv, ...] = ()


class EnquireLinkResp(NamedTuple):
    """enquire_link_resp, §4.11.2."""

    tlvs: tuple[Tlv, ...] = ()


class AlertNotification(NamedTuple):
    """alert_notification, §4.12.1; it has no response."""

    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    esme_addr_ton: int = 0
    esme_addr_npi: int = 0
    esme_addr: str = ""
    tlvs: tuple[Tlv, ...] = ()


Body: TypeAlias = (
    BindTransmitter
    | BindTransmitterResp
    | BindReceiver
    | BindReceiverResp
    | BindTransceiver
    | BindTransceiverResp
    | Outbind
    | Unbind
    | UnbindResp
    | GenericNack
    | SubmitSm
    | SubmitSmResp
    | SubmitMulti
    | SubmitMultiResp
    | DeliverSm
    | DeliverSmResp
    | DataSm
    | DataSmResp
    | QuerySm
    | QuerySmResp
    | CancelSm
    | CancelSmResp
    | ReplaceSm
    | ReplaceSmResp
    | EnquireLink
    | EnquireLinkResp
    | AlertNotification
)


class Pdu(NamedTuple):
    """A PDU that decoded. ``body`` is None for an error response that came without its body."""

    command_id: int
    status: int
    sequence: int
    body: Body | None


class Malformed(NamedTuple):
    """A PDU that did not decode: ``status`` to answer, ``reason`` without any message content."""

    command_id: int
    sequence: int
    status: int
    reason: str
    raw: bytes

    @property
    def header(self) -> Pdu:
        """What is sound of it: the header alone, as of a PDU that came without its body."""
        command_status = int.from_bytes(self.raw[8:12], "big")
        return Pdu(self.command_id, command_status, self.sequence, None)
