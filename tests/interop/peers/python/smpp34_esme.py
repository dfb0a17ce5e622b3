"""smpp34 as an ESME that echoes: python smpp34_esme.py PORT. See ../../peer.py."""

import asyncio
import os
import sys
from typing import NoReturn

import smpp34
from octets import RECEIPT, joined, receipt, sar_parts, tell

WIDTHS = {smpp34.TLV_SAR_MSG_REF_NUM: 2}
REFUSED_MS = 1_000


def leave() -> NoReturn:
    """End at once: its threads now and then crash an interpreter that ends in good order."""
    sys.stdout.flush()
    os._exit(0)


def tlvs(values: dict[int, int]) -> list[smpp34.Tlv]:
    return [
        smpp34.Tlv(tag, value.to_bytes(WIDTHS.get(tag, 1), "big")) for tag, value in values.items()
    ]


async def echo(smsc: smpp34.Smsc, text: str, phone: str, number: str) -> None:
    for data_coding, octets, sar in sar_parts(text):
        response = await smsc.submit_sm(
            phone,
            octets,
            source_addr=number,
            dest_addr_ton=1,
            data_coding=data_coding,
            registered_delivery=1,
            tlvs=tlvs(sar),
        )
        assert response.is_success, response.command_status
    tell("taken", id=response.message_id)


async def main(port: int) -> None:
    try:  # A refusal is told only once the time to connect is over.
        await smpp34.Client(
            "127.0.0.1", port, "smsd", "wrong", connect_timeout_ms=REFUSED_MS
        ).connect()
    except (smpp34.SmppError, OSError) as refused:
        tell("refused", why=str(refused))
    client = smpp34.Client("127.0.0.1", port, "smsd", "secret")
    smsc = await client.connect()
    echoes = set()
    while isinstance(pdu := await smsc.next(), smpp34.DeliverSmEvent):
        if pdu.esm_class & RECEIPT:
            tell("receipt", **receipt(pdu.short_message))
            continue
        source, destination = pdu.source_addr, pdu.destination_addr
        whole = joined(source, destination, pdu.esm_class, pdu.data_coding, pdu.short_message)
        if whole is None:
            continue
        if whole["text"] == "bye":
            await smsc.unbind()
            await client.stop()
            break
        tell("text", phone=source, number=destination, **whole)
        echoes.add(asyncio.create_task(echo(smsc, whole["text"], source, destination)))
    again = smpp34.Client("127.0.0.1", port, "smsd", "secret")
    smsc = await again.connect()
    assert isinstance(await smsc.next(), smpp34.Disconnected)
    await again.stop()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
    leave()
