"""smpplib as an ESME that echoes: python smpplib_esme.py PORT. See ../../peer.py."""

import sys

from octets import RECEIPT, joined, receipt, tell
from smpplib import consts, gsm
from smpplib.client import Client
from smpplib.exceptions import PDUError
from smpplib.smpp import make_pdu


class Echo:
    def __init__(self, port: int) -> None:
        self.client = Client("127.0.0.1", port, timeout=30, allow_unknown_opt_params=True)
        self.client.connect()
        self.client.set_message_received_handler(self.deliver)
        self.client.set_message_sent_handler(self.taken)
        self.last_sequences: set[int] = set()
        self.leaving = False

    def bind(self, password: str) -> None:
        self.client.bind_transceiver(system_id="smsd", password=password)

    def deliver(self, pdu) -> None:
        source, destination = pdu.source_addr.decode(), pdu.destination_addr.decode()
        if pdu.esm_class & RECEIPT:
            tell("receipt", **receipt(pdu.short_message))
            return
        whole = joined(source, destination, pdu.esm_class, pdu.data_coding, pdu.short_message)
        if whole is None:
            return
        if whole["text"] == "bye":
            self.leaving = True
            return
        tell("text", phone=source, number=destination, **whole)
        self.echo(whole["text"], source, destination)

    def echo(self, text: str, phone: str, number: str) -> None:
        parts, data_coding, esm_class = gsm.make_parts(text)
        for part in parts:
            sent = self.client.send_message(
                source_addr=number,
                dest_addr_ton=consts.SMPP_TON_INTL,
                destination_addr=phone,
                short_message=part,
                data_coding=data_coding,
                esm_class=esm_class,
                registered_delivery=True,
            )
        self.last_sequences.add(sent.sequence)

    def taken(self, pdu) -> None:
        if pdu.sequence in self.last_sequences:
            tell("taken", id=pdu.message_id.decode())

    def serve(self) -> None:
        self.client.send_pdu(make_pdu("enquire_link", client=self.client))
        while not self.leaving:
            self.client.read_once()
        self.client.unbind()
        self.client.disconnect()

    def await_unbind(self) -> None:
        """smpplib reads an unbind and leaves the answer to its user."""
        while (pdu := self.client.read_pdu()).command != "unbind":
            self.client._enquire_link_received(pdu)
        answer = make_pdu("unbind_resp", client=self.client)
        answer.sequence = pdu.sequence
        self.client.send_pdu(answer)
        self.client.state = consts.SMPP_CLIENT_STATE_OPEN
        self.client.disconnect()


port = int(sys.argv[1])
refused = Echo(port)
try:
    refused.bind("wrong")
except PDUError:
    refused.client.disconnect()
echo = Echo(port)
echo.bind("secret")
echo.serve()
again = Echo(port)
again.bind("secret")
again.await_unbind()
