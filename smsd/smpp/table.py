"""Any PDU ↔ bytes by its row in ``layouts``: the reference that the fast paths must equal."""

import struct
from collections.abc import Callable
from struct import Struct
from typing import Any

from smsd.smpp.constants import RESPONSE_BIT
from smsd.smpp.layouts import (
    BY_BODY,
    BY_COMMAND,
    DISTRIBUTION_LIST,
    SME_ADDRESS,
    UNSUCCESS_SME,
    Field,
    Kind,
)
from smsd.smpp.pdu import (
    Body,
    DistributionList,
    Malformed,
    Pdu,
    SmeAddress,
    Status,
    Tlv,
    UnsuccessSme,
)

HEADER = Struct(">IIII")  # §3.2: command_length, command_id, command_status, sequence_number.

_TLV = Struct(">HH")  # §3.2.4.1: tag, length of the value.
_DEST_SME, _DEST_LIST = 1, 2  # dest_flag, §5.2.25.


class FieldError(ValueError):
    """A value that the standard has no room for; names the field, never shows the value."""


class Fault(Exception):
    """A frame that breaks its layout: what to answer, and why (no content of the message)."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


# --- decoding --------------------------------------------------------------------------------


def decode_by_table(frame: bytes) -> Pdu | Malformed:
    """The PDU in ``frame`` (one whole PDU, header included), or what is wrong with it."""
    if len(frame) < HEADER.size:
        reason = f"{len(frame)} octets are less than a header of {HEADER.size}"
        return Malformed(0, 0, Status.ESME_RINVCMDLEN, reason, frame)
    length, command_id, status, sequence = HEADER.unpack_from(frame)
    try:
        return _decode_body(frame, length, command_id, status, sequence)
    except Fault as fault:
        return Malformed(command_id, sequence, fault.status, fault.reason, frame)


def _decode_body(frame: bytes, length: int, command_id: int, status: int, sequence: int) -> Pdu:
    if length != len(frame):
        raise Fault(
            Status.ESME_RINVCMDLEN, f"command_length is {length}, the PDU has {len(frame)} octets"
        )
    layout = BY_COMMAND.get(command_id)
    if layout is None:
        raise Fault(Status.ESME_RINVCMDID, f"command_id 0x{command_id:08x} is not in SMPP 3.4")
    # §4.4.2 and its like: an error response "is not returned" a body; some peers send one anyway.
    if status and layout.fields and command_id & RESPONSE_BIT and length == HEADER.size:
        return Pdu(layout.command, status, sequence, None)
    values, at = _read_fields(frame, HEADER.size, layout.fields)
    body: Callable[..., Body] = layout.body
    return Pdu(layout.command, status, sequence, body(*values, read_tlvs(frame, at)))


def _read_fields(frame: bytes, at: int, fields: tuple[Field, ...]) -> tuple[list[Any], int]:
    values = []
    for field in fields:
        value, at = _READERS[field.kind](frame, at, field)
        values.append(value)
    return values, at


def _read_integer(frame: bytes, at: int, field: Field) -> tuple[int, int]:
    end = at + field.size
    if end > len(frame):
        raise Fault(Status.ESME_RINVCMDLEN, f"{field.name}: the PDU ends before it")
    return int.from_bytes(frame[at:end], "big"), end


def _read_c_octet(frame: bytes, at: int, field: Field) -> tuple[str, int]:
    end = frame.find(0, at, at + field.size)
    if end >= 0:
        return frame[at:end].decode("latin-1"), end + 1
    if at + field.size > len(frame):
        raise Fault(Status.ESME_RINVCMDLEN, f"{field.name}: the PDU ends before its NUL")
    raise Fault(field.status, f"{field.name}: no NUL within {field.size} octets")


def _read_short_message(frame: bytes, at: int, field: Field) -> tuple[bytes, int]:
    if at >= len(frame):
        raise Fault(Status.ESME_RINVCMDLEN, "sm_length: the PDU ends before it")
    start, length = at + 1, frame[at]
    if length > field.size:
        raise Fault(field.status, f"sm_length {length} is over {field.size}")
    if start + length > len(frame):
        raise Fault(field.status, f"sm_length {length}, but {len(frame) - start} octets are left")
    return frame[start : start + length], start + length


def _read_destinations(
    frame: bytes, at: int, field: Field
) -> tuple[tuple[SmeAddress | DistributionList, ...], int]:
    count, at = _read_integer(frame, at, Field("number_of_dests", Kind.INTEGER, 1))
    if not 1 <= count <= field.size:
        raise Fault(field.status, f"number_of_dests {count} is not 1 to {field.size}")
    found: list[SmeAddress | DistributionList] = []
    for _ in range(count):
        flag, at = _read_integer(frame, at, Field("dest_flag", Kind.INTEGER, 1))
        if flag == _DEST_SME:
            values, at = _read_fields(frame, at, SME_ADDRESS)
            found.append(SmeAddress(*values))
        elif flag == _DEST_LIST:
            values, at = _read_fields(frame, at, DISTRIBUTION_LIST)
            found.append(DistributionList(*values))
        else:
            raise Fault(Status.ESME_RINVDESTFLAG, f"dest_flag {flag} is neither 1 nor 2")
    return tuple(found), at


def _read_unsuccess(frame: bytes, at: int, _field: Field) -> tuple[tuple[UnsuccessSme, ...], int]:
    count, at = _read_integer(frame, at, Field("no_unsuccess", Kind.INTEGER, 1))
    found = []
    for _ in range(count):
        values, at = _read_fields(frame, at, UNSUCCESS_SME)
        found.append(UnsuccessSme(*values))
    return tuple(found), at


_READERS: dict[Kind, Callable[[bytes, int, Field], tuple[Any, int]]] = {
    Kind.INTEGER: _read_integer,
    Kind.C_OCTET: _read_c_octet,
    Kind.SHORT_MESSAGE: _read_short_message,
    Kind.DESTINATIONS: _read_destinations,
    Kind.UNSUCCESS: _read_unsuccess,
}


def read_tlvs(frame: bytes, at: int) -> tuple[Tlv, ...]:
    """The TLVs that fill ``frame`` from ``at`` to its end, known or not, in order (§3.2.4).

    A single NUL at the end is passed over: some peers end the string before it twice. Raises Fault
    ESME_RINVOPTPARSTREAM when a TLV is cut short.
    """
    found = []
    size = len(frame)
    while at < size:
        left = size - at
        if left < _TLV.size:
            if left == 1 and not frame[at]:
                break
            octets = "octets" if any(frame[at:]) else "NUL octets"
            reason = f"{left} stray {octets} at the end, too few for a TLV"
            raise Fault(Status.ESME_RINVOPTPARSTREAM, reason)
        tag, length = _TLV.unpack_from(frame, at)
        start = at + _TLV.size
        at = start + length
        if at > size:
            reason = f"TLV 0x{tag:04x} has {length} octets, but {size - start} are left"
            raise Fault(Status.ESME_RINVOPTPARSTREAM, reason)
        found.append(Tlv(tag, frame[start:at]))
    return tuple(found)


# --- encoding --------------------------------------------------------------------------------


def encode_by_table(body: Body, sequence: int, status: int = 0) -> bytes:
    """The PDU that carries ``body``; FieldError when a value does not fit its field."""
    layout = BY_BODY[type(body)]
    octets = _write_fields(body, layout.fields) + write_tlvs(body.tlvs)
    return _header(HEADER.size + len(octets), layout.command, status, sequence) + octets


def encode_bare(command_id: int, sequence: int, status: int) -> bytes:
    """A PDU of a header alone: generic_nack, or an error response, which has no body (§4.4.2)."""
    return _header(HEADER.size, command_id, status, sequence)


def _header(length: int, command_id: int, status: int, sequence: int) -> bytes:
    try:
        return HEADER.pack(length, command_id, status, sequence)
    except struct.error:
        raise FieldError("command_id, status and sequence are integers of 32 bits") from None


def _write_fields(values: tuple[Any, ...], fields: tuple[Field, ...]) -> bytes:
    # A body ends in ``tlvs``, which is no field of the layout.
    return b"".join(
        [_WRITERS[field.kind](value, field) for value, field in zip(values, fields, strict=False)]
    )


def _write_integer(value: int, field: Field) -> bytes:
    try:
        return value.to_bytes(field.size, "big")
    except (AttributeError, OverflowError):
        raise FieldError(f"{field.name}: not an integer of {8 * field.size} bits") from None


def _write_c_octet(value: str, field: Field) -> bytes:
    if not isinstance(value, str):
        raise FieldError(f"{field.name}: not a str")
    if len(value) >= field.size:
        raise FieldError(f"{field.name}: {len(value)} characters, at most {field.size - 1}")
    if "\0" in value:
        raise FieldError(f"{field.name}: a NUL inside would cut it short")
    try:
        return value.encode("latin-1") + b"\0"
    except UnicodeEncodeError:
        raise FieldError(f"{field.name}: a character that no octet stands for") from None


def _write_short_message(value: bytes, field: Field) -> bytes:
    return _write_count("sm_length", value, 0, field.size) + value


def _write_destinations(
    destinations: tuple[SmeAddress | DistributionList, ...], field: Field
) -> bytes:
    parts = [_write_count("number_of_dests", destinations, 1, field.size)]
    for destination in destinations:
        if isinstance(destination, SmeAddress):
            parts += (bytes([_DEST_SME]), _write_fields(destination, SME_ADDRESS))
        else:
            parts += (bytes([_DEST_LIST]), _write_fields(destination, DISTRIBUTION_LIST))
    return b"".join(parts)


def _write_unsuccess(unsuccess: tuple[UnsuccessSme, ...], field: Field) -> bytes:
    count = _write_count("no_unsuccess", unsuccess, 0, field.size)
    return count + b"".join([_write_fields(sme, UNSUCCESS_SME) for sme in unsuccess])


def _write_count(name: str, things: bytes | tuple[Any, ...], least: int, most: int) -> bytes:
    if not isinstance(things, (bytes, tuple)):
        raise FieldError(f"{name}: neither bytes nor a tuple")
    if not least <= len(things) <= most:
        raise FieldError(f"{name}: {len(things)} is not {least} to {most}")
    return bytes([len(things)])


_WRITERS: dict[Kind, Callable[[Any, Field], bytes]] = {
    Kind.INTEGER: _write_integer,
    Kind.C_OCTET: _write_c_octet,
    Kind.SHORT_MESSAGE: _write_short_message,
    Kind.DESTINATIONS: _write_destinations,
    Kind.UNSUCCESS: _write_unsuccess,
}


def write_tlvs(tlvs: tuple[Tlv, ...]) -> bytes:
    """The octets of ``tlvs``, in order; FieldError over a tag or a length of 16 bits."""
    try:
        return b"".join([_TLV.pack(tag, len(value)) + value for tag, value in tlvs])
    except (struct.error, TypeError):
        raise FieldError("tlvs: a tag or a value's length over 16 bits") from None
