"""Keeping binds up: connect, bind, lose, wait longer each time; and what comes through them."""

from typing import Any

import pytest
from gateway_stage import GatewayStage, NewStage
from memory_smsc import MemorySmsc
from structlog.testing import capture_logs
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.python.failure import Failure

from smsd.smpp.codec import encode
from smsd.smpp.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    DataSm,
    DeliverSm,
    Status,
    Tag,
    Tlv,
)
from storage.sqlite_library import dbapi

PHONE = "994500000001"
RECEIPT = DeliverSm(
    source_addr=PHONE, destination_addr="8103", esm_class=0x04, short_message=b"id:1 stat:DELIVRD"
)


def refuse_connection(stage: GatewayStage) -> None:
    """Nobody listens there."""
    factory: Any = stage.reactor.tcpClients.pop(0)[2]
    factory.clientConnectionFailed(None, Failure(Refused()))
    stage.reactor.advance(0.5)  # the endpoint looks for a further address of the host first


def seconds_to_the_next_attempt(stage: GatewayStage) -> float:
    """How long the bind waits before it connects again, to a quarter of a second."""
    waited = 0.0
    while not stage.reactor.tcpClients:
        stage.pass_time(0.25)
        waited += 0.25
    return waited


def test_it_asks_for_the_bind_that_is_configured(new_stage: NewStage) -> None:
    """Name, password, type and version of the account, at the host and port named."""
    stage = new_stage(port=2776, system_id="gw", system_type="PERMIT", connect_timeout_s=7).start()
    assert [client[:2] for client in stage.reactor.tcpClients] == [("127.0.0.1", 2776)]
    assert stage.reactor.tcpClients[0][3] == 7
    asked = stage.connect().bind_body()
    assert isinstance(asked, BindTransceiver)
    assert asked[:4] == ("gw", "secret", "PERMIT", 0x34)


def test_two_binds_are_kept_apart(new_stage: NewStage) -> None:
    """transmitter+receiver: one of each; only the transmitter may carry replies."""
    stage = new_stage(bind="transmitter+receiver").start()
    transmitter, receiver = stage.connect(), stage.connect()
    assert isinstance(transmitter.bind_body(), BindTransmitter)
    assert isinstance(receiver.bind_body(), BindReceiver)
    receiver.accept()
    assert not stage.outbox.can_send
    transmitter.accept()
    assert stage.outbox.can_send
    assert stage.seen.bind_changes == [("receiver", True), ("transmitter", True)]
    transmitter.hang_up()
    assert not stage.outbox.can_send
    assert [bind.up for bind in stage.binds.binds] == [False, True]


def test_it_waits_longer_after_each_failure_and_starts_anew_after_success(
    new_stage: NewStage,
) -> None:
    """Doubled from the shortest to the longest delay, jittered over its upper half."""
    stage = new_stage(reconnect_delay_min_s=4, reconnect_delay_max_s=16).start()
    for longest in (4, 8, 16, 16):
        refuse_connection(stage)
        assert longest / 2 <= seconds_to_the_next_attempt(stage) <= longest + 0.25
    smsc = stage.bound()
    smsc.hang_up()
    for longest in (4, 4, 8):  # of the lost link, then of two failures
        assert longest / 2 <= seconds_to_the_next_attempt(stage) <= longest + 0.25
        refuse_connection(stage)


def test_a_refused_bind_waits_like_a_refused_connection(new_stage: NewStage) -> None:
    """It does not hammer the SMSC, and is one log line however often it fails."""
    stage = new_stage(reconnect_delay_min_s=4, reconnect_delay_max_s=16).start()
    with capture_logs() as logs:
        for longest in (4, 8, 16):
            smsc = stage.connect()
            smsc.refuse(Status.ESME_RSYSERR)
            assert smsc.wire.disconnecting
            smsc.hang_up()
            assert longest / 2 <= seconds_to_the_next_attempt(stage) <= longest + 0.25
        refuse_connection(stage)
    assert [line["reason"] for line in logs if line["event"] == "bind_failed"] == [
        "bind refused: ESME_RSYSERR (0x8)",
        "Connection was refused by other side.",
    ]
    assert stage.seen.bind_changes == []


@pytest.mark.parametrize(
    ("status", "seconds"),
    [(Status.ESME_RINVPASWD, 60), (Status.ESME_RALYBND, 10)],
    ids=["wrong password", "already bound"],
)
def test_what_the_smsc_says_decides_how_long_it_is_left_alone(
    new_stage: NewStage, status: Status, seconds: float
) -> None:
    """A wrong password locks accounts; an old session ends by itself after a while."""
    stage = new_stage(reconnect_delay_max_s=2).start()
    smsc = stage.connect()
    smsc.refuse(status)
    smsc.hang_up()
    assert seconds <= seconds_to_the_next_attempt(stage) <= seconds + 0.25


def test_several_hosts_are_tried_in_turn(new_stage: NewStage) -> None:
    """Without a pause within the round; a reason for each host is told once."""
    stage = new_stage(hosts=("127.0.0.1:1", "127.0.0.2:2"), reconnect_delay_max_s=1).start()
    tried = []
    with capture_logs() as logs:
        for _ in range(3):
            tried += [client[1] for client in stage.reactor.tcpClients]
            refuse_connection(stage)
            seconds_to_the_next_attempt(stage)
        smsc = stage.bound()
        smsc.hang_up()
        seconds_to_the_next_attempt(stage)
    assert tried == [1, 2, 1]
    assert stage.reactor.tcpClients[0][1] == 2  # where it was bound
    failed = [(line["host"], line["port"]) for line in logs if line["event"] == "bind_failed"]
    assert failed == [("127.0.0.1", 1), ("127.0.0.2", 2)]


def test_several_binds_have_a_name_and_a_window_each(new_stage: NewStage) -> None:
    """One that is not answered keeps nothing from the other."""
    stage = new_stage(bind="transmitter+receiver", binds=2, window=1).start()
    smscs = [stage.connect() for _ in range(4)]
    assert [type(smsc.bind_body()) for smsc in smscs] == [BindTransmitter, BindReceiver] * 2
    first, receiver, second, _silent = smscs
    for smsc in (first, receiver, second):
        smsc.accept()
    assert [bind.name for bind in stage.binds.binds if bind.up] == [
        "transmitter-1",
        "receiver-1",
        "transmitter-2",
    ]
    for number in range(3):
        receiver.text(b"1 AZE 1111111", str(int(PHONE) + number))
    stage.run()
    assert (len(first.requests), len(second.requests)) == (1, 1)
    second.answer()
    stage.run()
    assert (len(first.submitted), len(second.submitted)) == (1, 2)


@pytest.mark.parametrize(("version", "octet"), [("3.3", 0x33), ("3.4", 0x34), ("5.0", 0x50)])
@pytest.mark.parametrize("theirs", [None, 0x33, 0x34, 0x50], ids=str)
def test_versions_need_not_agree(
    new_stage: NewStage, version: str, octet: int, theirs: int | None
) -> None:
    """We say what is configured; whatever the SMSC says of its own, the bind is good."""
    stage = new_stage(interface_version=version).start()
    smsc = stage.connect()
    asked = smsc.bind_body()
    assert isinstance(asked, BindTransceiver)
    assert asked.interface_version == octet
    tlvs = () if theirs is None else (Tlv(Tag.SC_INTERFACE_VERSION, bytes([theirs])),)
    smsc.say(encode(BindTransceiverResp("memory", tlvs), 1))
    assert stage.outbox.can_send


def test_the_bind_may_name_the_numbers_it_serves(new_stage: NewStage) -> None:
    """address_range with its type of number and numbering plan."""
    stage = new_stage(
        address_range="^8103", address_range_ton=3, address_range_npi=8, system_type="VMA"
    ).start()
    asked = stage.connect().bind_body()
    assert isinstance(asked, BindTransceiver)
    assert asked[4:7] == (3, 8, "^8103")


def test_a_link_of_no_use_is_bound_anew(new_stage: NewStage) -> None:
    """Answers to enquire_link alone do not show that SMS would come through."""
    stage = new_stage(inactivity_s=60, enquire_link_s=10).start()
    smsc = stage.bound()
    with capture_logs() as logs:
        stage.pass_time(45)
        smsc.text(b"1 AZE 1111111", PHONE)
        stage.run()
        smsc.answer()
        for _ in range(119):
            stage.pass_time(0.5)
        assert stage.outbox.can_send
        for _ in range(3):
            stage.pass_time(0.5)
        assert smsc.wire.disconnecting
        smsc.hang_up()
    assert [line["reason"] for line in logs if line["event"] == "bind_lost"] == [
        "nothing but enquire_link came"
    ]


def test_half_a_pdu_is_not_waited_for_for_ever(new_stage: NewStage) -> None:
    """pdu_rest_timeout_s is the operator's to choose."""
    stage = new_stage(pdu_rest_timeout_s=2).start()
    smsc = stage.bound()
    smsc.say(encode(RECEIPT, 7)[:-1])
    stage.pass_time(2.5)
    assert smsc.wire.disconnecting


def test_a_lost_bind_that_cannot_come_back_says_why(new_stage: NewStage) -> None:
    """One line for the loss, one for each new reason, none for the same one again."""
    stage = new_stage(reconnect_delay_max_s=1).start()
    smsc = stage.bound()
    with capture_logs() as logs:
        smsc.hang_up()
        for _ in range(3):
            seconds_to_the_next_attempt(stage)
            refuse_connection(stage)
        seconds_to_the_next_attempt(stage)
        stage.connect().hang_up()
    assert [line["reason"] for line in logs] == [
        "Connection was closed cleanly.",
        "Connection was refused by other side.",
        "Connection was closed cleanly.",
    ]


def test_a_lost_bind_is_told_once_and_bound_again(new_stage: NewStage) -> None:
    """Up, down, up: as many log lines and changes of the gauge."""
    stage = new_stage().start()
    with capture_logs() as logs:
        stage.bound().hang_up()
        stage.reconnect()
    assert stage.seen.bind_changes == [
        ("transceiver", True),
        ("transceiver", False),
        ("transceiver", True),
    ]
    assert [line["event"] for line in logs] == ["bound", "bind_lost", "bound"]
    assert PHONE not in str(logs)


def test_stopping_unbinds_and_never_connects_again(new_stage: NewStage) -> None:
    """unbind, its answer, the end of the transport; then the Deferred fires."""
    stage = new_stage().start()
    smsc = stage.bound()
    stopped = stage.binds.stop()
    smsc.exchange()
    assert smsc.wire.disconnecting
    assert not stopped.called
    smsc.hang_up()
    assert stopped.called
    stage.pass_time(1_000)
    assert stage.reactor.tcpClients == []


@pytest.mark.parametrize("when", ["connecting", "binding", "waiting"])
def test_it_can_be_stopped_before_it_is_bound(new_stage: NewStage, when: str) -> None:
    """While it connects, while the bind is unanswered, and while it waits to connect again."""
    stage = new_stage().start()
    if when == "binding":
        smsc = stage.connect()
    elif when == "waiting":
        refuse_connection(stage)
    stopped = stage.binds.stop()
    if when == "binding":
        assert smsc.wire.disconnecting
        smsc.hang_up()
    assert stopped.called
    stage.reactor.tcpClients.clear()
    stage.pass_time(1_000)
    assert stage.reactor.tcpClients == []


def test_a_stop_is_not_held_up_by_a_peer_that_hangs(new_stage: NewStage) -> None:
    """No unbind_resp, no end of the transport: after both time limits we cut the line."""
    stage = new_stage(limits={"shutdown_s": 4.0}).start()
    smsc = stage.bound()
    smsc.open = False
    stage.binds.stop()
    for _ in range(8):
        stage.reactor.advance(0.5)
    assert smsc.wire.disconnected


def test_receipts_are_settled_at_once_and_counted(new_stage: NewStage) -> None:
    """They are no SMS: nothing is stored, nothing answered but the receipt itself."""
    stage = new_stage().start()
    smsc = stage.bound()
    smsc.send(RECEIPT, "receipt")
    stage.run()
    assert smsc.responses == {"receipt": 0}
    assert (stage.seen.passed, stage.seen.messages) == ({"ignored": 1}, 0)
    assert stage.rows("SELECT count(*) FROM message") == [(0,)]


def test_a_data_sm_is_an_sms_like_any_other(new_stage: NewStage) -> None:
    """Decided, acknowledged by data_sm_resp, answered by submit_sm."""
    stage = new_stage().start()
    smsc = stage.bound()
    payload = (Tlv(Tag.MESSAGE_PAYLOAD, b"2 AZE 1111111"),)
    smsc.send(DataSm(source_addr=PHONE, destination_addr="8103", tlvs=payload), "data")
    stage.run()
    assert smsc.responses == {"data": 0}
    assert "AZE1111111" in smsc.texts[0]


def test_a_data_sm_from_an_address_that_no_reply_can_reach_harms_nobody(
    new_stage: NewStage,
) -> None:
    """64 characters are lawful there; the next phone has its reply, and so has a restart."""
    stage = new_stage().start()
    smsc = stage.bound()
    payload = (Tlv(Tag.MESSAGE_PAYLOAD, b"1 AZE 1111111"),)
    smsc.send(DataSm(source_addr="9" * 64, destination_addr="8103", tlvs=payload), "data")
    smsc.text(b"1 AZE 2222222", PHONE)
    stage.run()
    assert smsc.responses == {"data": 0, (PHONE, b"1 AZE 2222222"): 0}
    assert smsc.phones == [PHONE]


def test_while_draining_the_smsc_keeps_its_sms(new_stage: NewStage) -> None:
    """ESME_RX_T_APPN to SMS and receipts alike; nothing new comes in on the way out."""
    stage = new_stage().start()
    smsc = stage.bound()
    stage.binds.drain()
    smsc.text(b"1 AZE 1111111", PHONE)
    smsc.send(RECEIPT, "receipt")
    stage.run()
    assert set(smsc.responses.values()) == {int(Status.ESME_RX_T_APPN)}
    assert stage.rows("SELECT count(*) FROM message") == [(0,)]


def flood(stage: GatewayStage, smsc: MemorySmsc) -> "dbapi.Connection":
    """A stuck disk and more SMS than may wait; close the connection to free the disk."""
    lock = dbapi.connect(str(stage.store.path), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    for number in range(5):
        smsc.text(b"1 AZE 1111111", str(int(PHONE) + number))
    return lock


def test_the_operator_is_told_once_that_sms_are_turned_away(new_stage: NewStage) -> None:
    """One line when it begins, however many; one when the lane is half empty again."""
    stage = new_stage(limits={"intake_messages_max": 3}).start()
    smsc = stage.bound()
    with capture_logs() as logs:
        lock = flood(stage, smsc)
        assert stage.seen.turned_away == 1
        smsc.text(b"1 AZE 1111111", "994500000098")
        assert stage.seen.turned_away == 2
        lock.close()
        stage.run()
        for phone in ("994500000099", "994500000100"):
            smsc.text(b"1 AZE 1111111", phone)
            stage.run()
    told = [line for line in logs if line["event"].startswith("intake_")]
    assert [(line["event"], line["log_level"], line["smsc"]) for line in told] == [
        ("intake_full", "warning", "one"),
        ("intake_has_room", "info", "one"),
    ]


def test_an_smsc_that_throws_us_out_at_once_is_left_in_peace(new_stage: NewStage) -> None:
    """Bound and hung up on each time: the pauses grow; a bind by which an SMS came ends that."""
    stage = new_stage(reconnect_delay_min_s=2, reconnect_delay_max_s=16).start()
    for longest in (2, 4, 8):
        stage.bound().hang_up()
        assert longest / 2 <= seconds_to_the_next_attempt(stage) <= longest + 0.25
    smsc = stage.bound()
    smsc.text(b"1 AZE 1111111", PHONE)
    stage.run()
    smsc.hang_up()
    assert 1 <= seconds_to_the_next_attempt(stage) <= 2.25
    for longest in (4, 8):  # of these, none is of use again
        stage.bound().hang_up()
        assert longest / 2 <= seconds_to_the_next_attempt(stage) <= longest + 0.25
