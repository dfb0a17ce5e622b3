"""PDU values ↔ bytes, SMPP 3.4 §3 and §4.

Every PDU can go by the table; those that each SMS passes through go by a path compiled beforehand,
which accepts or steps aside. It never refuses: on any doubt the table path has the last word, so a
verdict and its wording have one source. Tests hold both to the same values and bytes.
"""

import re
import struct
from collections.abc import Callable
from struct import Struct
from typing import Any, TypeAlias

from smsd.smpp.pdu import (
    Body,
    Command,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    Malformed,
    Pdu,
    SubmitSm,
    SubmitSmResp,
)
from smsd.smpp.table import (
    HEADER,
    Fault,
    decode_by_table,
    encode_bare,
    encode_by_table,
    read_tlvs,
    write_tlvs,
)
from smsd.smpp.table import FieldError as FieldError

__all__ = [
    "FieldError",
    "decode",
    "decode_by_table",
    "encode",
    "encode_bare",
    "encode_by_table",
]

_pack = HEADER.pack
_unpack = HEADER.unpack_from
# tuple.__new__ builds a NamedTuple in half the time of its own __new__, and no fast path needs
# the defaults.
_new = tuple.__new__


def encode(body: Body, sequence: int, status: int = 0) -> bytes:
    """The PDU that carries ``body``.

    ``sequence`` and ``status`` are integers of 32 bits. FieldError (a ValueError) when a value does
    not fit its field.
    """
    fast = _FAST_ENCODERS.get(type(body))
    if fast is not None:
        try:
            octets = fast(body, sequence, status)
        except (ValueError, TypeError, OverflowError, struct.error):
            octets = None  # The table knows which field it is.
        if octets is not None:
            return octets
    return encode_by_table(body, sequence, status)


def decode(frame: bytes) -> Pdu | Malformed:
    """The PDU in ``frame``, which holds one whole PDU, header included. Never raises."""
    if len(frame) >= HEADER.size:
        length, command_id, status, sequence = _unpack(frame)
        fast = _FAST_DECODERS.get(command_id)
        if fast is not None and length == len(frame):
            pdu = fast(frame, status, sequence)
            if pdu is not None:
                return pdu
    return decode_by_table(frame)


# --- submit_sm and deliver_sm ----------------------------------------------------------------

_Message: TypeAlias = SubmitSm | DeliverSm
_Encoder: TypeAlias = Callable[[Any, int, int], bytes | None]
_Decoder: TypeAlias = Callable[[bytes, int, int], Pdu | None]

# The mandatory part up to registered_delivery, over the frame as latin-1; its single octets are
# read from the frame, which is faster than capturing them.
_match_message = re.compile(
    r"([^\0]{0,5})\0"  # service_type
    r"..([^\0]{0,20})\0"  # source_addr_ton, _npi, source_addr
    r"..([^\0]{0,20})\0"  # dest_addr_ton, _npi, destination_addr
    r"...([^\0]{0,16})\0"  # esm_class, protocol_id, priority_flag, schedule_delivery_time
    r"([^\0]{0,16})\0",  # validity_period
    re.DOTALL,
).match


def _message_decoder(command: Command, body: type[_Message]) -> _Decoder:
    def decode_message(frame: bytes, status: int, sequence: int) -> Pdu | None:
        match = _match_message(frame.decode("latin-1"), 16)
        if match is None:
            return None
        service_type, source, destination, schedule, validity = match.groups()
        source_at = 17 + len(service_type)  # of source_addr_ton
        dest_at = source_at + 3 + len(source)  # of dest_addr_ton
        esm_at = dest_at + 3 + len(destination)  # of esm_class
        at = match.end()  # of registered_delivery
        text_at = at + 5
        size = len(frame)
        if size < text_at:
            return None
        end = text_at + frame[at + 4]
        if end > size or end - text_at > 254:
            return None
        try:
            tlvs = read_tlvs(frame, end) if end < size else ()
        except Fault:
            return None
        fields = (
            service_type,
            frame[source_at],
            frame[source_at + 1],
            source,
            frame[dest_at],
            frame[dest_at + 1],
            destination,
            frame[esm_at],
            frame[esm_at + 1],
            frame[esm_at + 2],
            schedule,
            validity,
            frame[at],
            frame[at + 1],
            frame[at + 2],
            frame[at + 3],
            frame[text_at:end],
            tlvs,
        )
        return _new(Pdu, (command, status, sequence, _new(body, fields)))

    return decode_message


def _message_encoder(command_id: int) -> _Encoder:
    def encode_message(body: _Message, sequence: int, status: int) -> bytes | None:
        (
            service_type,
            source_ton,
            source_npi,
            source,
            dest_ton,
            dest_npi,
            destination,
            esm_class,
            protocol_id,
            priority,
            schedule,
            validity,
            registered,
            replace,
            data_coding,
            default_id,
            message,
            tlvs,
        ) = body
        if (
            len(service_type) > 5
            or len(source) > 20
            or len(destination) > 20
            or len(schedule) > 16
            or len(validity) > 16
            or len(message) > 254
            or "\0" in service_type + source + destination + schedule + validity
        ):
            return None
        # One latin-1 string for all of it: chr() and the encoding refuse what no octet holds.
        fields = (
            f"{service_type}\0{chr(source_ton)}{chr(source_npi)}{source}\0"
            f"{chr(dest_ton)}{chr(dest_npi)}{destination}\0"
            f"{chr(esm_class)}{chr(protocol_id)}{chr(priority)}{schedule}\0{validity}\0"
            f"{chr(registered)}{chr(replace)}{chr(data_coding)}{chr(default_id)}"
            f"{chr(len(message))}"
        ).encode("latin-1")
        tail = message + write_tlvs(tlvs) if tlvs else message
        return _pack(16 + len(fields) + len(tail), command_id, status, sequence) + fields + tail

    return encode_message


# --- their responses, and enquire_link -------------------------------------------------------


def _response_decoder(command: Command, body: type[SubmitSmResp | DeliverSmResp]) -> _Decoder:
    empty = body()

    def decode_response(frame: bytes, status: int, sequence: int) -> Pdu | None:
        size = len(frame)
        if not 17 <= size <= 81 or frame[-1]:
            return None
        if size == 17:
            return _new(Pdu, (command, status, sequence, empty))
        message_id = frame[16:-1].decode("latin-1")
        if "\0" in message_id:
            return None
        return _new(Pdu, (command, status, sequence, _new(body, (message_id, ()))))

    return decode_response


def _response_encoder(command_id: int) -> _Encoder:
    pack_empty = Struct(">IIIIx").pack

    def encode_response(
        body: SubmitSmResp | DeliverSmResp, sequence: int, status: int
    ) -> bytes | None:
        message_id, tlvs = body
        if message_id == "" and not tlvs:
            return pack_empty(17, command_id, status, sequence)
        if tlvs or len(message_id) > 64 or "\0" in message_id:
            return None
        octets = (message_id + "\0").encode("latin-1")
        return _pack(16 + len(octets), command_id, status, sequence) + octets

    return encode_response


def _header_decoder(command: Command, body: EnquireLink | EnquireLinkResp) -> _Decoder:
    def decode_header(frame: bytes, status: int, sequence: int) -> Pdu | None:
        return _new(Pdu, (command, status, sequence, body)) if len(frame) == 16 else None

    return decode_header


def _header_encoder(command_id: int) -> _Encoder:
    def encode_header(
        body: EnquireLink | EnquireLinkResp, sequence: int, status: int
    ) -> bytes | None:
        return None if body.tlvs else _pack(16, command_id, status, sequence)

    return encode_header


# Keyed by and packing plain integers: members of Command compare and pack slower.
_FAST_DECODERS: dict[int, _Decoder] = {
    Command.SUBMIT_SM.value: _message_decoder(Command.SUBMIT_SM, SubmitSm),
    Command.SUBMIT_SM_RESP.value: _response_decoder(Command.SUBMIT_SM_RESP, SubmitSmResp),
    Command.DELIVER_SM.value: _message_decoder(Command.DELIVER_SM, DeliverSm),
    Command.DELIVER_SM_RESP.value: _response_decoder(Command.DELIVER_SM_RESP, DeliverSmResp),
    Command.ENQUIRE_LINK.value: _header_decoder(Command.ENQUIRE_LINK, EnquireLink()),
    Command.ENQUIRE_LINK_RESP.value: _header_decoder(Command.ENQUIRE_LINK_RESP, EnquireLinkResp()),
}

_FAST_ENCODERS: dict[type[Body], _Encoder] = {
    SubmitSm: _message_encoder(Command.SUBMIT_SM.value),
    SubmitSmResp: _response_encoder(Command.SUBMIT_SM_RESP.value),
    DeliverSm: _message_encoder(Command.DELIVER_SM.value),
    DeliverSmResp: _response_encoder(Command.DELIVER_SM_RESP.value),
    EnquireLink: _header_encoder(Command.ENQUIRE_LINK.value),
    EnquireLinkResp: _header_encoder(Command.ENQUIRE_LINK_RESP.value),
}
