"""The daemon against an SMSC written by others: PyPI's smpp34, a codec and server in Rust."""

import asyncio
import socket
from pathlib import Path

import smpp34
from daemon_process import WAIT_S, Daemon, smsc_section, write_config

from smsd.smpp import text


def free_port() -> int:
    """smpp34 tells no port that it chose, so one is chosen for it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def converse(port: int, config: Path) -> list[str]:
    """Bind, three SMS in, three replies out, unbind; the replies as a phone shows them."""
    server = smpp34.Server("127.0.0.1", port, system_id="foreign")
    await server.start()
    replies = []
    with Daemon(config) as daemon:
        esme = await asyncio.wait_for(server.next(), WAIT_S)
        assert isinstance(esme, smpp34.Esme)
        assert esme.system_id == "smsd"
        for octets, data_coding in (
            (b"2 AZE 1111111", 0),
            ("2 MYİ 1111112".encode("utf-16-be"), 8),
            (b"hello", 0),
        ):
            response = await esme.deliver_sm(
                "8103", octets, source_addr="994500000001", data_coding=data_coding
            )
            assert response.is_success
            submitted = await asyncio.wait_for(server.next(), WAIT_S)
            assert isinstance(submitted, smpp34.SubmitSmEvent)
            assert (submitted.source_addr, submitted.destination_addr) == ("8103", "994500000001")
            submitted.accept("id-1")
            replies.append(text.decode(submitted.data_coding, submitted.short_message).text)
        daemon.process.terminate()
        assert isinstance(await asyncio.wait_for(server.next(), WAIT_S), smpp34.Unbound)
        assert daemon.wait() == 0
        assert "peer_fault" not in daemon.log
    await server.stop()
    return replies


def test_it_talks_with_smpp34(tmp_path: Path) -> None:
    """Bind, MO in GSM and UCS-2, MT, responses and unbind with a foreign implementation."""
    port = free_port()
    config = write_config(tmp_path, [smsc_section(port)])
    granted, extended, wrong = asyncio.run(converse(port, config))
    assert "AZE1111111" in granted
    assert "MYI1111112" in extended
    assert "2 AZE 1234567" in wrong
