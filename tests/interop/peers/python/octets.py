"""Texts as a user of a Python library that hands over octets puts them on the wire and reads them.

Ours are not asked: what smsd takes for a text would then prove nothing.
"""

import json
import struct
from collections import defaultdict
from itertools import count

UDHI = 0x40  # SMPP 3.4 §5.2.12
RECEIPT = 0x04
UCS2 = 8  # §5.2.19
SAR_MSG_REF_NUM, SAR_TOTAL_SEGMENTS, SAR_SEGMENT_SEQNUM = 0x020C, 0x020E, 0x020F  # §5.3.2.22-24

_references = count(1)
_held: dict[tuple, dict[int, bytes]] = defaultdict(dict)


def tell(saw: str, **fields: object) -> None:
    """Say to the tests what was seen."""
    print(json.dumps({"saw": saw} | fields), flush=True)


def encoded(text: str) -> tuple[int, bytes]:
    """data_coding and octets. GSM 03.38 and ASCII agree in what the tests send."""
    return (0, text.encode()) if text.isascii() else (UCS2, text.encode("utf-16-be"))


def sar_parts(text: str) -> list[tuple[int, bytes, dict[int, int]]]:
    """data_coding, octets and SAR TLVs of each PDU that ``text`` takes."""
    data_coding, octets = encoded(text)
    if len(octets) <= (140 if data_coding else 160):
        return [(data_coding, octets, {})]
    room = 134 if data_coding else 153
    cut = [octets[at : at + room] for at in range(0, len(octets), room)]
    reference = next(_references)
    return [
        (
            data_coding,
            part,
            {
                SAR_MSG_REF_NUM: reference,
                SAR_TOTAL_SEGMENTS: len(cut),
                SAR_SEGMENT_SEQNUM: index,
            },
        )
        for index, part in enumerate(cut, start=1)
    ]


def joined(
    source: str, destination: str, esm_class: int, data_coding: int, octets: bytes
) -> dict[str, object] | None:
    """The whole text that a PDU completes, with its parts; None before."""
    reference = total = index = 1
    if esm_class & UDHI:
        reference, total, index = struct.unpack_from("BBB", octets, 3)
        octets = octets[octets[0] + 1 :]
    key = (source, destination, data_coding, reference)
    _held[key][index] = octets
    if len(_held[key]) < total:
        return None
    whole = b"".join(part for _, part in sorted(_held.pop(key).items()))
    return {"text": whole.decode("utf-16-be" if data_coding == UCS2 else "ascii"), "parts": total}


def receipt(octets: bytes) -> dict[str, str]:
    """What a delivery receipt says, by its text."""
    words = dict(word.split(":", 1) for word in octets.decode().split() if ":" in word)
    return {"id": words["id"], "state": words["stat"]}
