"""naz as an ESME that echoes: python naz_esme.py PORT. See ../../peer.py.

naz reads no field of a deliver_sm: its hook hands over the PDU as it came, to be read here.
"""

import asyncio
import logging
import sys

import naz
from octets import (
    RECEIPT,
    SAR_MSG_REF_NUM,
    SAR_SEGMENT_SEQNUM,
    SAR_TOTAL_SEGMENTS,
    joined,
    receipt,
    sar_parts,
    tell,
)

ENQUIRE_LINK_S = 0.5
_QUIET = naz.log.SimpleLogger("quiet", level=logging.CRITICAL)


def fields(body: bytes) -> tuple[str, str, int, int, bytes]:
    """source_addr, destination_addr, esm_class, data_coding, short_message (SMPP 3.4 §4.6.1)."""
    _, rest = body.split(b"\0", 1)
    source, rest = rest[2:].split(b"\0", 1)
    destination, rest = rest[2:].split(b"\0", 1)
    esm_class = rest[0]
    _, _, rest = rest[3:].split(b"\0", 2)
    data_coding, length = rest[2], rest[4]
    return source.decode(), destination.decode(), esm_class, data_coding, rest[5 : 5 + length]


class Echo(naz.hooks.BaseHook):
    def __init__(self, port: int, password: str) -> None:
        self.client = naz.Client(
            smsc_host="127.0.0.1",
            smsc_port=port,
            system_id="smsd",
            password=password,
            broker=naz.broker.SimpleBroker(),
            hook=self,
            logger=_QUIET,
            enquire_link_interval=ENQUIRE_LINK_S,
        )
        self.leaving = False
        self.bound: asyncio.Future = asyncio.get_running_loop().create_future()
        self.unbound: asyncio.Future = asyncio.get_running_loop().create_future()

    async def to_smsc(self, smpp_command, log_id, hook_metadata, pdu) -> None:
        """Unbind behind the last deliver_sm_resp, which waits in the broker for its turn."""
        if self.leaving and smpp_command == "deliver_sm_resp":
            self.last_task = asyncio.create_task(self.client.unbind())

    async def from_smsc(self, smpp_command, log_id, hook_metadata, status, pdu) -> None:
        if smpp_command == "bind_transceiver_resp":
            self.bound.set_result(status.value)
        elif smpp_command in ("unbind_resp", "unbind"):
            self.unbound.set_result(None)
        elif smpp_command == "submit_sm_resp" and log_id == "last":
            tell("taken", id=pdu[16:].rstrip(b"\0").decode())
        elif smpp_command == "deliver_sm":
            await self.deliver(*fields(pdu[16:]))

    async def deliver(
        self, source: str, destination: str, esm_class: int, data_coding: int, octets: bytes
    ) -> None:
        if esm_class & RECEIPT:
            tell("receipt", **receipt(octets))
            return
        whole = joined(source, destination, esm_class, data_coding, octets)
        if whole is None:
            return
        if whole["text"] == "bye":
            self.leaving = True
            return
        tell("text", phone=source, number=destination, **whole)
        await self.echo(whole["text"], source, destination)

    async def echo(self, text: str, phone: str, number: str) -> None:
        parts = sar_parts(text)
        for at, (data_coding, octets, sar) in enumerate(parts, start=1):
            await self.client.send_message(
                naz.protocol.SubmitSM(
                    short_message=octets.decode("utf_16_be" if data_coding else "ascii"),
                    encoding="utf_16_be" if data_coding else "gsm0338",
                    source_addr=number,
                    destination_addr=phone,
                    log_id="last" if at == len(parts) else "part",
                    sar_msg_ref_num=sar.get(SAR_MSG_REF_NUM),
                    sar_total_segments=sar.get(SAR_TOTAL_SEGMENTS),
                    sar_segment_seqnum=sar.get(SAR_SEGMENT_SEQNUM),
                )
            )

    async def serve(self) -> None:
        """Bind; then, if let in, echo until unbound."""
        await self.client.connect()
        await self.client.tranceiver_bind()
        reading = asyncio.create_task(self.client.receive_data())
        tasks = [reading]
        if await self.bound == 0:
            tasks += (
                asyncio.create_task(self.client.dequeue_messages()),
                asyncio.create_task(self.client.enquire_link()),
            )
            await self.unbound
        for task in tasks:
            task.cancel()
        self.client.writer.close()


async def main(port: int) -> None:
    await Echo(port, "wrong").serve()
    await Echo(port, "secret").serve()
    await Echo(port, "secret").serve()


asyncio.run(main(int(sys.argv[1])))
