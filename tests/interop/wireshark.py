"""A second opinion on every octet that passed: Wireshark's dissector reads the capture of a row."""

import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from struct import pack

from passed import Chunk
from tap import Tap
from verdicts import NotInstalled

_SMPP_PORT = 2775  # IANA's, which the dissector knows; the real ports were any that were free.
_CLIENT_PORT = 40_000
_ADDRESS = bytes((127, 0, 0, 1))
_LINKTYPE_RAW = 101  # A packet begins with its IP header.
_SYN, _FIN, _PUSH_ACK, _ACK = 0x02, 0x11, 0x18, 0x10
_WARNING = 0x00600000  # of Wireshark's expert severities: chat, note, warning, error
_FIELDS = ("smpp.command_id", "_ws.expert.severity", "_ws.expert.message", "_ws.malformed")


def dissect(tap: Tap, folder: Path) -> None:
    """AssertionError unless Wireshark finds every PDU that passed, and nothing amiss in them.

    Raises NotInstalled. The capture stays in `folder`.
    """
    found = complaints(tap.chunks, len(tap.pdus), folder / "row.pcap")
    assert not found, "; ".join(sorted(set(found)))


def complaints(chunks: list[Chunk], pdus: int, file: Path) -> list[str]:
    """What Wireshark holds against a conversation of so many PDUs, which is captured in `file`."""
    program = shutil.which("tshark")
    if program is None:
        raise NotInstalled("tshark is not installed")
    file.write_bytes(b"".join(_capture(chunks)))
    read_as_smpp = ("-d", f"tcp.port=={_SMPP_PORT},smpp")
    command = [program, "-r", str(file), *read_as_smpp, "-T", "fields", "-E", "separator=|"]
    for field in _FIELDS:
        command += "-e", field
    read = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    found, seen = [], 0
    for line in read.stdout.splitlines():
        commands, severities, messages, malformed = line.split("|", 3)
        seen += len(commands.split(",")) if commands else 0
        worst = max((int(each, 0) for each in severities.split(",") if each), default=0)
        if malformed or worst >= _WARNING:
            found.append(messages or malformed)
    if seen != pdus:
        found.append(f"it found {seen} PDUs where {pdus} passed")
    return found


def _capture(chunks: Iterable[Chunk]) -> Iterator[bytes]:
    """A pcap file: the octets in TCP packets made for them, since capturing takes root's rights."""
    yield pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, _LINKTYPE_RAW)
    for at, packet in enumerate(_packets(chunks)):
        yield pack("<IIII", at, 0, len(packet), len(packet)) + packet


def _packets(chunks: Iterable[Chunk]) -> Iterator[bytes]:
    """Handshake, data and farewell of each connection; a sequence number counts SYN as one."""
    sent: dict[tuple[int, bool], int] = defaultdict(int)

    def packet(connection: int, from_client: bool, flags: int, octets: bytes = b"") -> bytes:
        ours, theirs = sent[connection, from_client], sent[connection, not from_client]
        sent[connection, from_client] += len(octets) + bool(flags & (_SYN | 0x01))
        ports = (_CLIENT_PORT + connection, _SMPP_PORT)
        source, destination = ports if from_client else ports[::-1]
        acknowledged = theirs if flags & _ACK else 0
        tcp = pack(
            ">HHIIBBHHH", source, destination, ours, acknowledged, 5 << 4, flags, 65_535, 0, 0
        )
        length = 20 + len(tcp) + len(octets)
        ip = pack(">BBHHHBBH4s4s", 0x45, 0, length, 0, 0, 64, 6, 0, _ADDRESS, _ADDRESS)
        return ip + tcp + octets

    for connection, from_client, octets in chunks:
        if not sent[connection, True]:
            yield packet(connection, True, _SYN)
            yield packet(connection, False, _SYN | _ACK)
            yield packet(connection, True, _ACK)
        yield packet(connection, from_client, _PUSH_ACK if octets else _FIN, octets)
