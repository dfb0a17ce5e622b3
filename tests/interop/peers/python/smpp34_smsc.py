"""smpp34 as an SMSC: python smpp34_smsc.py TEXTS. See ../../peer.py."""

import asyncio
import json
import socket
import sys

import smpp34
from octets import RECEIPT, joined, sar_parts, tell
from smpp34_esme import leave, tlvs


def free_port() -> int:
    """smpp34 tells no port that it chose, so one is chosen for it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def reply_to(server: smpp34.Server, serial: int) -> tuple[smpp34.SubmitSmEvent, str]:
    """Take submit_sm until they are a whole text; the last, and its message_id."""
    while isinstance(pdu := await server.next(), smpp34.SubmitSmEvent):
        message_id = f"rust-{serial}"
        pdu.accept(message_id)
        source, destination = pdu.source_addr, pdu.destination_addr
        whole = joined(source, destination, pdu.esm_class, pdu.data_coding, pdu.short_message)
        if whole is not None:
            tell("text", phone=destination, number=source, **whole)
            return pdu, message_id
    raise ConnectionError("the ESME left before it replied")


async def report(esme: smpp34.Esme, pdu: smpp34.SubmitSmEvent, message_id: str) -> int:
    """Say that a reply was delivered; the status of the answer."""
    text = f"id:{message_id} sub:001 dlvrd:001 submit date:2604060000 done date:2604060000"
    response = await esme.deliver_sm(
        pdu.source_addr,
        f"{text} stat:DELIVRD err:000 text:".encode(),
        source_addr=pdu.destination_addr,
        esm_class=RECEIPT,
        tlvs=[
            smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, message_id.encode() + b"\0"),
            smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, b"\2"),
        ],
    )
    return response.command_status


async def serve_until_unbound(server: smpp34.Server) -> None:
    """Until the session that the server unbound has ended, and the next one too.

    The next may begin first. The unbind may overtake the last submit_sm_resp; the submit_sm for
    which it was meant then comes again.
    """
    sessions_ended = 0
    while sessions_ended < 2:
        event = await server.next()
        if isinstance(event, smpp34.SubmitSmEvent):
            event.accept("again")
        sessions_ended += isinstance(event, smpp34.Unbound)


async def main(texts: list[tuple[str, str]]) -> None:
    port = free_port()
    server = smpp34.Server("127.0.0.1", port, system_id="rust")
    await server.start()
    tell("listening", port=port)
    esme = await server.next()
    assert isinstance(esme, smpp34.Esme) and esme.system_id == "smsd", esme
    for at, (phone, text) in enumerate(texts):
        for data_coding, octets, sar in sar_parts(text):
            response = await esme.deliver_sm(
                "8103",
                octets,
                source_addr=phone,
                source_addr_ton=1,
                data_coding=data_coding,
                tlvs=tlvs(sar),
            )
            assert response.is_success, response.command_status
        tell("taken", id="")
        pdu, message_id = await reply_to(server, at)
        if at == 0:
            tell("reported", status=await report(esme, pdu, message_id))
    await esme.unbind()
    await serve_until_unbound(server)
    await server.stop()


asyncio.run(main(json.loads(sys.argv[1])))
leave()
