"""A byte stream cut into PDUs by command_length (SMPP 3.4 §3.2)."""

from struct import Struct

from smsd.smpp.pdu import Status

HEADER_BYTES = 16  # §3.2: command_length, command_id, command_status, sequence_number.

_U32 = Struct(">I")
_SEQUENCE_OFFSET = 12


class PeerProtocolError(Exception):
    """The stream cannot be framed any further: answer generic_nack and close the transport.

    ``status`` is what the generic_nack carries; ``sequence`` is the faulty PDU's, or 0 where its
    header could not be read (§4.3.1: "should be set to NULL").
    """

    def __init__(self, reason: str, sequence: int, status: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sequence = sequence
        self.status = status


class Framer:
    """Cuts one direction of one connection; the cutting of the stream never changes the frames.

    Holds less than ``pdu_bytes_max`` octets and the last segment. A frame is a whole PDU, header
    included, of 16 to ``pdu_bytes_max`` octets.
    """

    __slots__ = ("_held", "_pdu_bytes_max", "_wanted", "fault")

    fault: PeerProtocolError | None
    """Set by the ``feed`` that met it, which still hands out the good frames before it."""

    def __init__(self, pdu_bytes_max: int) -> None:
        """``pdu_bytes_max`` bounds command_length; ValueError when no header would fit."""
        if pdu_bytes_max < HEADER_BYTES:
            raise ValueError(f"pdu_bytes_max is {pdu_bytes_max}, a header has {HEADER_BYTES}")
        self.fault = None
        self._pdu_bytes_max = pdu_bytes_max
        self._held = bytearray()
        self._wanted = _U32.size

    @property
    def held_bytes(self) -> int:
        """Octets of a PDU that has not come wholly; 0 between PDUs and after a fault."""
        return len(self._held)

    def feed(self, data: bytes) -> list[bytes]:
        """Frames that ``data`` completes, in order.

        A fault sets ``fault`` and ends the stream: a further ``feed`` raises it.
        """
        if self.fault is not None:
            raise self.fault
        if self._held:
            self._held += data
            # Looked at again only once it can matter: octets that trickle in stay linear in time.
            if len(self._held) < self._wanted:
                return []
            data = bytes(self._held)
        frames, rest = self._cut(data)
        self._held = bytearray(data[rest:]) if self.fault is None else bytearray()
        return frames

    def _cut(self, data: bytes) -> tuple[list[bytes], int]:
        """The whole frames at the start of ``data``, and the offset of what is left."""
        frames: list[bytes] = []
        start, end = 0, len(data)
        while end - start >= _U32.size:
            (length,) = _U32.unpack_from(data, start)
            if not HEADER_BYTES <= length <= self._pdu_bytes_max:
                self._refuse(length, data[start : start + HEADER_BYTES])
                return frames, start
            if end - start < length:
                self._wanted = length
                return frames, start
            frames.append(data[start : start + length])
            start += length
        self._wanted = _U32.size
        return frames, start

    def _refuse(self, length: int, header: bytes) -> None:
        """Set ``fault`` for a command_length out of bounds, once its sequence number is there."""
        sequence = 0
        if length >= HEADER_BYTES:
            if len(header) < HEADER_BYTES:
                self._wanted = HEADER_BYTES
                return
            (sequence,) = _U32.unpack_from(header, _SEQUENCE_OFFSET)
            reason = f"command_length {length} is over the limit of {self._pdu_bytes_max}"
        else:
            # §3.2: command_length counts itself and the header, so less than 16 frames nothing,
            # and the octets that follow are no sequence number.
            reason = f"command_length {length} is less than a header of {HEADER_BYTES}"
        self.fault = PeerProtocolError(reason, sequence, Status.ESME_RINVCMDLEN)
