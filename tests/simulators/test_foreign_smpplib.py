"""The simulator as PyPI's smpplib sees it: a client written by others, over TCP."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from smpplib import consts, gsm
from smpplib.client import Client
from smpplib.exceptions import ConnectionError as ConnectionGone
from smpplib.exceptions import PDUError

from simulators.control_client import ControlClient, ControlRefused, NoAnswer
from simulators.process import SmscProcess

PHONE = "994500000001"
LONG_GSM = "Two hours from now. " * 20
LONG_UCS2 = "Yaşayış yerinizi 2 saat müddətinə tərk edə bilərsiniz. " * 6


@contextmanager
def connected(smsc: SmscProcess) -> Iterator[Client]:
    """A client that closes its socket, whatever state it is in."""
    client = Client(smsc.host, smsc.port, timeout=30, allow_unknown_opt_params=True)
    client.connect()
    try:
        yield client
    finally:
        client.state = consts.SMPP_CLIENT_STATE_OPEN  # It warns of leaving a bound state.
        client.disconnect()


def bind(client: Client, mode: str = "transceiver", **fields: str) -> None:
    credentials = {"system_id": "smsd", "password": "secret"}
    getattr(client, f"bind_{mode}")(**(credentials | fields))


def collect(client: Client, answer: Callable[[Any], int | None] = lambda pdu: None) -> list[Any]:
    """Keep the deliver_sm that come, and answer each with the status that ``answer`` gives."""
    pdus: list[Any] = []

    def keep(pdu: Any) -> int | None:
        pdus.append(pdu)
        return answer(pdu)

    client.set_message_received_handler(keep)
    return pdus


def read_until(client: Client, pdus: list[Any], count: int) -> None:
    while len(pdus) < count:
        client.read_once()


def submit(client: Client, text: str, **fields: Any) -> list[Any]:
    """Submit ``text`` in as many parts as smpplib makes of it; their responses."""
    responses: list[Any] = []
    client.set_message_sent_handler(lambda pdu: responses.append(pdu))
    parts, data_coding, esm_class = gsm.make_parts(text)
    for part in parts:
        client.send_message(
            source_addr="8103",
            dest_addr_ton=consts.SMPP_TON_INTL,
            destination_addr=PHONE,
            short_message=part,
            data_coding=data_coding,
            esm_class=esm_class,
            **fields,
        )
    read_until(client, responses, len(parts))
    return responses


def text_of(pdus: list[Any], encoding: str) -> str:
    """Join parts as smpplib hands them over, their UDH of six octets cut off."""
    return b"".join(pdu.short_message[6:] for pdu in pdus).decode(encoding)


def test_a_transceiver_receives_a_text_and_answers_it(
    smsc: SmscProcess, control: ControlClient
) -> None:
    """One connection carries a phone's text out and the reply back to the phone."""
    with connected(smsc) as client:
        bind(client)
        pdus = collect(client)
        control.watch(PHONE)
        control.send(PHONE, "2 AZE 1111111")
        read_until(client, pdus, 1)
        assert pdus[0].short_message == b"2 AZE 1111111"
        assert pdus[0].source_addr == PHONE.encode()
        assert pdus[0].destination_addr == b"8103"
        responses = submit(client, "Granted", validity_period="000002000000000R")
        received = control.next_received(PHONE)
        assert (received.sender, received.text, received.parts) == ("8103", "Granted", 1)
        assert received.validity_period == "000002000000000R"
        assert responses[0].message_id == received.message_id.encode()


def test_receiver_and_transmitter_share_the_work(smsc: SmscProcess, control: ControlClient) -> None:
    """A text goes to the receiver alone, and the transmitter may answer it."""
    with connected(smsc) as receiver, connected(smsc) as transmitter:
        bind(transmitter, "transmitter")
        with pytest.raises(ControlRefused, match="nobody is bound as receiver for 8103"):
            control.send(PHONE, "1 AZE 1111111", queue=False)
        bind(receiver, "receiver")
        pdus = collect(receiver)
        control.watch(PHONE)
        control.send(PHONE, "1 AZE 1111111", queue=False)
        read_until(receiver, pdus, 1)
        submit(transmitter, "Granted")
        assert control.next_received(PHONE).text == "Granted"


@pytest.mark.parametrize(
    ("text", "encoding"), [(LONG_GSM, "ascii"), (LONG_UCS2, "utf-16-be")], ids=["gsm", "ucs2"]
)
def test_long_texts_go_both_ways(
    smsc: SmscProcess, control: ControlClient, text: str, encoding: str
) -> None:
    """Parts joined by UDH come out whole at either end, in either alphabet."""
    with connected(smsc) as client:
        bind(client)
        pdus = collect(client)
        serial = control.send(PHONE, text)
        read_until(client, pdus, control.message(serial)["parts"])
        assert len(pdus) > 1
        assert text_of(pdus, encoding) == text
        control.watch(PHONE)
        responses = submit(client, text)
        received = control.next_received(PHONE)
        assert (received.text, received.sound) == (text, True)
        assert received.parts == len(responses) > 1


def test_texts_go_only_to_whom_the_address_range_names(
    smsc: SmscProcess, control: ControlClient
) -> None:
    """Two gateways for two short numbers do not get each other's messages."""
    with connected(smsc) as first, connected(smsc) as second:
        bind(first, address_range="8103")
        bind(second, address_range="^91")
        firsts, seconds = collect(first), collect(second)
        control.send(PHONE, "to the second", "9108")
        control.send(PHONE, "to the first", "8103")
        read_until(first, firsts, 1)
        read_until(second, seconds, 1)
        assert [pdu.short_message for pdu in firsts] == [b"to the first"]
        assert [pdu.short_message for pdu in seconds] == [b"to the second"]
        with pytest.raises(ControlRefused, match="nobody is bound as receiver for 7000"):
            control.send(PHONE, "to nobody", "7000", queue=False)


@pytest.mark.parametrize(
    ("credentials", "status"),
    [
        ({"password": "wrong"}, consts.SMPP_ESME_RINVPASWD),
        ({"password": ""}, consts.SMPP_ESME_RINVPASWD),
        ({"system_id": "other"}, consts.SMPP_ESME_RINVSYSID),
        ({"address_range": "(8103"}, consts.SMPP_ESME_RBINDFAIL),
    ],
)
def test_a_wrong_bind_is_refused_with_its_reason(
    smsc: SmscProcess, control: ControlClient, credentials: dict[str, str], status: int
) -> None:
    """What is wrong with a bind is in the status, and nothing is delivered to whoever sent it."""
    with connected(smsc) as client:
        with pytest.raises(PDUError) as refused:
            bind(client, **credentials)
        assert refused.value.args[1] == status
    assert control.status()["counters"]["bind_refused"] == 1
    assert control.status()["counters"]["bound"] == 0


def test_a_delivery_receipt_comes_when_asked_for(smsc: SmscProcess, control: ControlClient) -> None:
    """registered_delivery 1 brings a receipt that names the message; 0 brings none."""
    with connected(smsc) as client:
        bind(client)
        pdus = collect(client)
        submit(client, "No receipt", registered_delivery=0)
        responses = submit(client, "Receipt", registered_delivery=1)
        read_until(client, pdus, 1)
        assert pdus[0].esm_class == 0x04  # SMPP 3.4 §5.2.12: SMSC delivery receipt
        assert pdus[0].receipted_message_id == responses[0].message_id
        assert b"stat:DELIVRD" in pdus[0].short_message
        control.await_counter("acknowledged", 1)
        assert control.status()["counters"]["receipts"] == 1


def test_a_temporary_error_brings_the_text_again_and_a_permanent_one_does_not(
    smsc: SmscProcess, control: ControlClient
) -> None:
    """The SMSC keeps what it is told to keep, and drops what it is told to drop."""
    statuses = iter([consts.SMPP_ESME_RX_T_APPN, consts.SMPP_ESME_RSYSERR, 0])
    with connected(smsc) as client:
        bind(client)
        pdus = collect(client, lambda pdu: next(statuses))
        serial = control.send(PHONE, "again and again")
        read_until(client, pdus, 3)
        control.await_counter("acknowledged", 1)
        fate = control.message(serial)
        assert (fate["state"], fate["attempts"]) == ("acknowledged", 3)

        refused = collect(client, lambda pdu: consts.SMPP_ESME_RX_R_APPN)
        serial = control.send(PHONE, "never")
        read_until(client, refused, 1)
        control.await_counter("deliver_errors", 3)
        fate = control.message(serial)
        assert (fate["state"], fate["attempts"]) == ("refused", 1)
        assert fate["last_status"] == "ESME_RX_R_APPN (0x66)"


def test_what_a_lost_link_left_unanswered_comes_again_oldest_first(
    smsc: SmscProcess, control: ControlClient
) -> None:
    """A gateway that dies before it acknowledges gets everything again at its next bind."""
    with connected(smsc) as client:
        bind(client)
        control.send(PHONE, "first")
        control.await_counter("delivered", 1)
    control.await_counter("unanswered", 1)
    control.send(PHONE, "second")
    with connected(smsc) as client:
        bind(client)
        pdus = collect(client)
        read_until(client, pdus, 2)
        assert [pdu.short_message for pdu in pdus] == [b"first", b"second"]


def test_faults_make_a_bad_smsc_of_a_good_one(smsc: SmscProcess, control: ControlClient) -> None:
    """Each knob does what it says, and the simulator is well again afterwards."""
    with connected(smsc) as client:
        bind(client)
        control.fault(submit_status="ESME_RTHROTTLED", submit_status_times=1)
        with pytest.raises(PDUError) as throttled:
            submit(client, "refused")
        assert throttled.value.args[1] == consts.SMPP_ESME_RTHROTTLED
        submit(client, "taken")

        control.watch(PHONE)
        control.fault(hold_responses=True)
        client.send_message(source_addr="8103", destination_addr=PHONE, short_message=b"held")
        assert control.next_received(PHONE).text == "held"
        assert control.status()["held_responses"] == 1
        responses: list[Any] = []
        client.set_message_sent_handler(lambda pdu: responses.append(pdu))
        control.fault(hold_responses=False)
        read_until(client, responses, 1)

        control.fault(deliver=False)
        serial = control.send(PHONE, "waits")
        assert control.message(serial)["state"] == "waiting"
        pdus = collect(client)
        control.fault(deliver=True)
        read_until(client, pdus, 1)

        assert control.drop_links() == 1
        with pytest.raises(ConnectionGone):
            client.read_once()
    control.await_counter("unbound", 1)
    control.fault(bind_status="ESME_RBINDFAIL")
    with connected(smsc) as client, pytest.raises(PDUError) as refused:
        bind(client)
    assert refused.value.args[1] == consts.SMPP_ESME_RBINDFAIL
    assert [each.text for each in control.received(PHONE)] == ["taken", "held"]


def test_a_deaf_smsc_answers_nothing_until_it_hears_again(
    smsc: SmscProcess, control: ControlClient
) -> None:
    """With read off not even enquire_link is answered, and nothing is lost by it."""
    with connected(smsc) as client:
        bind(client)
        control.fault(read=False)
        client.send_message(source_addr="8103", destination_addr=PHONE, short_message=b"late")
        control.watch(PHONE)
        with pytest.raises(NoAnswer):
            control.next_received(PHONE, timeout_s=0.2)
        control.fault(read=True)
        assert control.next_received(PHONE).text == "late"


def test_a_submission_at_fault_is_refused_by_name(
    smsc: SmscProcess, control: ControlClient
) -> None:
    """The status says which field was wrong, and the link lives on."""
    with connected(smsc) as client:
        bind(client)
        for fields, status in (
            ({"destination_addr": "Azercell"}, consts.SMPP_ESME_RINVDSTADR),
            ({"validity_period": "tomorrow"}, consts.SMPP_ESME_RINVEXPIRY),
            ({"esm_class": 0x04}, consts.SMPP_ESME_RINVESMCLASS),
            ({"source_addr": ""}, consts.SMPP_ESME_RINVSRCADR),
        ):
            sound = {"source_addr": "8103", "destination_addr": PHONE, "short_message": b"x"}
            client.send_message(**(sound | fields))
            with pytest.raises(PDUError) as refused:
                client.read_once()
            assert refused.value.args[1] == status
        submit(client, "sound")
    assert control.status()["counters"]["submitted"] == 1


def test_an_unbind_is_answered_and_ends_the_bind(smsc: SmscProcess, control: ControlClient) -> None:
    """After unbind_resp the SMSC closes the link, and nobody is bound any more."""
    with connected(smsc) as client:
        bind(client)
        assert client.unbind().command == "unbind_resp"
        with pytest.raises(ConnectionGone):
            client.read_once()
    control.await_counter("unbound", 1)
    assert control.status()["binds"] == []


def test_a_silent_gateway_is_asked_whether_it_is_there() -> None:
    """--enquire-link says after how much silence, again and again."""
    with SmscProcess("--enquire-link", "0.05") as smsc, connected(smsc) as client:
        bind(client)
        for _ in range(2):
            asked = client.read_pdu()
            assert asked.command == "enquire_link"
            client._enquire_link_received(asked)


def test_a_simulator_that_stops_unbinds_its_peers(smsc: SmscProcess) -> None:
    """On SIGTERM an ESME gets an unbind, and the simulator ends with 0."""
    with connected(smsc) as client:
        bind(client)
        smsc.terminate()
        assert client.read_pdu().command == "unbind"
    assert smsc.stop() == 0
