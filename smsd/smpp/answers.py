"""The responses that a session makes by itself or from a word of the application, as bytes."""

from collections.abc import Callable, Iterable
from itertools import repeat
from struct import Struct

from smsd.smpp import pdu
from smsd.smpp.codec import encode, encode_bare
from smsd.smpp.constants import RESPONSE_BIT
from smsd.smpp.pdu import Body, Command, Malformed

# The responses that one name tells wholly: the system_id of a bind, else the message_id.
_BODIES: dict[int, Callable[[str], Body]] = {
    Command.BIND_TRANSMITTER_RESP: pdu.BindTransmitterResp,
    Command.BIND_RECEIVER_RESP: pdu.BindReceiverResp,
    Command.BIND_TRANSCEIVER_RESP: pdu.BindTransceiverResp,
    Command.SUBMIT_SM_RESP: pdu.SubmitSmResp,
    Command.SUBMIT_MULTI_RESP: pdu.SubmitMultiResp,
    Command.DELIVER_SM_RESP: pdu.DeliverSmResp,
    Command.DATA_SM_RESP: pdu.DataSmResp,
    Command.CANCEL_SM_RESP: lambda _: pdu.CancelSmResp(),
    Command.REPLACE_SM_RESP: lambda _: pdu.ReplaceSmResp(),
}

_RESPONSES = {int(command) for command in Command if command & RESPONSE_BIT}

# deliver_sm_resp with ESME_ROK (§4.6.2): command_length, command_id, command_status,
# sequence_number, an empty message_id. What the codec makes, at a fraction of its cost.
_DELIVERED = Struct(">IIIIx")


def accepted(command_id: int, sequence: int, name: str) -> bytes:
    """The response ``command_id`` with ESME_ROK. KeyError for one that takes more than a name."""
    return encode(_BODIES[command_id](name), sequence)


def refused(command_id: int, sequence: int, status: int) -> bytes:
    """The error response to the request ``command_id``, without a body (§4.4.2)."""
    return encode_bare(command_id | RESPONSE_BIT, sequence, status)


def to_malformed(parsed: Malformed) -> bytes:
    """What a PDU that does not decode gets; nothing for a response, lest two ends ping-pong."""
    command_id, sequence, status, _, _ = parsed
    if command_id & RESPONSE_BIT:
        return b""
    if command_id | RESPONSE_BIT in _RESPONSES:
        return refused(command_id, sequence, status)
    return nack(sequence, status)  # No response to this command exists, or none we know: §4.3.1.


def nack(sequence: int, status: int) -> bytes:
    """generic_nack (§4.3.1); sequence 0 where the header could not be read."""
    return encode_bare(Command.GENERIC_NACK, sequence, status)


def delivered(sequences: Iterable[int]) -> Iterable[bytes]:
    """One deliver_sm_resp with ESME_ROK for each sequence number."""
    return map(
        _DELIVERED.pack,
        repeat(_DELIVERED.size),
        repeat(int(Command.DELIVER_SM_RESP)),
        repeat(0),
        sequences,
    )
