"""The inputs that the fuzzer begins with: `python -m tests.fuzz.seeds` writes them to corpus/.

Besides them corpus/ holds what once found a fault, named for it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from smsd.smpp import receipts, segments
from smsd.smpp.codec import encode
from smsd.smpp.pdu import (
    BindTransceiver,
    BindTransceiverResp,
    DeliverSm,
    DeliverSmResp,
    Status,
    SubmitSm,
    SubmitSmResp,
    Tlv,
)
from smsd.smpp.receipts import Receipt
from smsd.smpp.session import Role, State
from tests.fuzz import peers
from tests.fuzz.targets import TARGETS, coded_text, frames, message, pdu, reassembly
from tests.smpp.pdu_golden import GOLDEN

CORPUS = Path(__file__).parent / "corpus"

_SCHEDULE = bytes((7, 40, 1, 3, 0, 90, 16, 5))
_UNDER_WAY, _ASKED = 0x80, 0x40  # bits of the stage, in peers.py
# The shorter an input, the sooner a mutation meets the octet that matters.
_STREAM_OCTETS_MAX = 360


def seeds() -> dict[str, bytes]:
    """File name → input: every golden PDU alone, streams of them to each stage, texts, parts."""
    return dict(_seeds())


def _seeds() -> Iterator[tuple[str, bytes]]:
    for body, _, octets in GOLDEN:
        yield f"pdu-{type(body).__name__}", _food(pdu, octets)
    everything = b"".join(octets for _, _, octets in GOLDEN)
    for role in Role:
        for number, state in enumerate(State):
            stage = number << 1 | list(Role).index(role)
            head = bytes((stage | _UNDER_WAY,)) + _SCHEDULE
            # The PDUs that would end a session at once come last.
            food = head + (_in_state(state) + everything)[:_STREAM_OCTETS_MAX]
            name = f"{role.name}-{state.name}".lower()
            yield f"stream-{name}", _food(peers.stream, food)
            yield (
                f"conversation-{name}",
                _food(peers.conversation, food),
            )
    opened = list(State).index(State.OPEN) << 1
    refusal = bytes((opened | list(Role).index(Role.ESME),)) + _SCHEDULE
    refusal += encode(BindTransceiverResp(), 1, Status.ESME_RINVPASWD)
    yield "stream-bind-refused", _food(peers.stream, refusal)
    asking = bytes((opened | list(Role).index(Role.SMSC),)) + _SCHEDULE
    asking += encode(BindTransceiver("esme", "wrong"), 7) + encode(BindTransceiver("esme"), 8)
    yield "conversation-bind-refused", _food(peers.conversation, asking)
    yield "frames-three", _food(frames, bytes((2, 5)) + everything[:180])
    for name, octets in _messages():
        yield f"message-{name}", _food(message, octets)
    yield "text-gsm", _food(coded_text, b"\0\0caf\x05 \x1be 10 \x1b<2\x1b>")
    yield "text-ucs2", _food(coded_text, b"\x08\0" + "ə \U0001f600 İ".encode("utf-16-be") * 9)
    yield "text-byte-order", _food(coded_text, b"\x08\0\xfe\xff\0a")
    yield "text-other-byte-order", _food(coded_text, b"\x08\0\xff\xfea\0")
    yield "reassembly-two", _food(reassembly, b"\4\2\2\3ing\4\2\1\3sav\5\3\1\1a\0\0\0\1z")


def _in_state(state: State) -> bytes:
    """What a peer says that is well behaved in a state: messages, then responses."""
    kinds = ["EnquireLink", "EnquireLinkResp", "AlertNotification", "DeliverSm"]
    if state is State.OPEN:
        kinds = ["Outbind", "BindTransceiver", "BindTransceiverResp", *kinds]
    by_name = {type(body).__name__: octets for body, _, octets in GOLDEN}
    # To the second of three requests that are under way.
    settled = encode(SubmitSmResp("7f"), 2) + encode(DeliverSmResp(), 2)
    return b"".join(by_name[kind] for kind in kinds) + settled


def _messages() -> Iterator[tuple[str, bytes]]:
    def body_of(body: DeliverSm) -> bytes:
        return encode(body, 1)[16:]

    phone = DeliverSm("", 1, 1, "994500000001", 0, 1, "8103")
    yield "sms", body_of(phone._replace(short_message=b"2 AZE 1111111"))
    receipt = Receipt("7f", "DELIVRD", "000", "2004061200", "2004061201")
    yield "receipt", body_of(receipts.make(receipt, SubmitSm(destination_addr="994500000001")))
    cut = segments.segment("2 AZE 1111111, ə " * 9, 7)
    long = phone._replace(esm_class=cut.esm_class, data_coding=cut.data_coding)
    yield "part", body_of(long._replace(short_message=cut.parts[1]))
    wide = bytes((6, 8, 4, 1, 7, 2, 1)) + b"2 AZE 1"
    yield "part-16-bit", body_of(phone._replace(esm_class=0x40, short_message=wide))
    sar = (Tlv(0x020C, b"\0\7"), Tlv(0x020E, b"\2"), Tlv(0x020F, b"\1"), Tlv(0x0424, b"1 AZE 1"))
    yield "sar-payload", body_of(phone._replace(tlvs=sar))


def _food(target: Callable[[bytes], None], food: bytes) -> bytes:
    return bytes((TARGETS.index(target),)) + food


def main() -> None:
    """Write corpus/ anew, and leave what is there besides."""
    CORPUS.mkdir(exist_ok=True)
    for name, octets in seeds().items():
        (CORPUS / name).write_bytes(octets)


if __name__ == "__main__":
    main()
