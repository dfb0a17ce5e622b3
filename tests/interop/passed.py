"""What passed between two ends, and what can be read from it."""

from collections.abc import Iterable
from typing import NamedTuple

from smsd.smpp.codec import decode
from smsd.smpp.constants import RESPONSE_BIT, Command, Tag, status_text
from smsd.smpp.pdu import DataSm, DeliverSm, SubmitSm
from smsd.smpp.segments import UDHI, unpack

_BIND_RESPONSES = frozenset(
    command | RESPONSE_BIT
    for command in (Command.BIND_TRANSCEIVER, Command.BIND_TRANSMITTER, Command.BIND_RECEIVER)
)


class Chunk(NamedTuple):
    """Octets in the order they passed; none: that side of the connection said no more."""

    connection: int
    from_client: bool
    octets: bytes


class Passed(NamedTuple):
    """A PDU that passed: its header (SMPP 3.4 §3.2), and its octets with the header."""

    connection: int
    from_peer: bool
    command: int
    status: int
    sequence: int
    frame: bytes


def statuses(command: Command, by_peer: bool, pdus: Iterable[Passed]) -> list[int]:
    """Of the responses to such requests; a sequence_number means something in one connection."""
    asked = {
        (each.connection, each.sequence)
        for each in pdus
        if each.command == command and each.from_peer is by_peer
    }
    return [
        each.status
        for each in pdus
        if each.command == command | RESPONSE_BIT
        and each.from_peer is not by_peer
        and (each.connection, each.sequence) in asked
    ]


def errors(pdus: Iterable[Passed]) -> list[str]:
    """Every response that was no success, but to binds."""
    return [
        f"{Command(each.command).name.lower()} {status_text(each.status)}"
        for each in pdus
        if each.command not in _BIND_RESPONSES
        and (each.status or each.command == Command.GENERIC_NACK)
    ]


def long_forms(pdus: list[Passed]) -> str:
    """In which of SMPP's ways the peer sent what is longer than one short message."""
    bodies = (getattr(decode(each.frame), "body", None) for each in pdus if each.from_peer)
    forms = {_form(body) for body in bodies if isinstance(body, SubmitSm | DeliverSm | DataSm)}
    return ", ".join(sorted(forms - {""}))


def _form(body: SubmitSm | DeliverSm | DataSm) -> str:
    """Empty for a text in one short message."""
    part = unpack(body).part
    if isinstance(body, DataSm):
        return "data_sm"
    if part and body.esm_class & UDHI:
        return f"UDH-{part.width_bits}"
    if any(tlv.tag == Tag.MESSAGE_PAYLOAD for tlv in body.tlvs):
        return "payload"
    return "SAR" if part else ""
