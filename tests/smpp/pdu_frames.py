"""Frames made by hand, and the verdict on those that must not decode."""

from struct import pack

from smsd.smpp.codec import decode
from smsd.smpp.pdu import Malformed


def framed(command_id: int, body: bytes, status: int = 0) -> bytes:
    """A frame around ``body`` with a true command_length and sequence number 5."""
    return pack(">IIII", 16 + len(body), command_id, status, 5) + body


def refused(frame: bytes) -> Malformed:
    """The verdict on a frame that must not decode; it carries the frame and its header."""
    verdict = decode(frame)
    assert isinstance(verdict, Malformed)
    assert verdict.raw == frame
    assert verdict.sequence == int.from_bytes(frame[12:16], "big")
    return verdict
