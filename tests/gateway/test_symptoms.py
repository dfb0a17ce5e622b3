"""Faults that users of other gateways report, by their symptom, against a whole gateway.

Those that a session shows alone stand in tests/smpp/test_symptoms_session.py, a password that is
too long in tests/daemon/test_config.py, single octets over TCP in tests/daemon/test_bad_peers.py.
"""

import pytest
from gateway_stage import NewStage, store_replies
from memory_smsc import MemorySmsc
from structlog.testing import capture_logs
from test_binds import refuse_connection, seconds_to_the_next_attempt
from test_outbox import answer_all, phones, with_replies
from virtual_reactor import DAY_US, HOUR_US, VirtualReactor

from smsd.smpp.codec import encode
from smsd.smpp.pdu import EnquireLinkResp, Status, SubmitSm, SubmitSmResp, Tlv
from storage import ReplyState

PHONE = "994500000001"
SMS = b"2 AZE 1111111"
SENT = (ReplyState.SENT, 0, 0, "")
RESENT = (ReplyState.SENT, 1, 0, "")
UNSENT = (ReplyState.UNSENT, 0, None, None)


# The window


def test_responses_that_never_come_do_not_stop_the_replies_behind(new_stage: NewStage) -> None:
    """A full window without answers is free again in time, and all leave, the first ones twice."""
    stage = with_replies(new_stage(window=2, response_timeout_s=30), 5)
    smsc = stage.bound()
    smsc.requests.clear()  # The SMSC forgot them.
    stage.pass_time(29.5)
    assert smsc.phones == phones(2)
    stage.pass_time(1.0)
    answer_all(stage, smsc)
    assert smsc.phones == phones(2) + phones(5)
    assert stage.states() == [RESENT] * 2 + [SENT] * 3


def test_late_and_unknown_responses_settle_nothing(new_stage: NewStage) -> None:
    """What answers no open request is a line in the log; the reply waits for its own response."""
    stage = with_replies(new_stage(response_timeout_s=30), 1)
    smsc = stage.bound()
    late = smsc.requests.popleft().sequence
    stage.pass_time(30.5)
    with capture_logs() as logs:
        smsc.say(encode(SubmitSmResp("late"), late))
    assert [line["event"] for line in logs] == ["peer_fault"]
    stage.run()
    assert stage.states() == [UNSENT]
    smsc.answer(message_id="7f")
    stage.run()
    assert stage.states() == [(ReplyState.SENT, 1, 0, "7f")]


def test_a_thousand_faults_a_second_do_not_fill_the_log(new_stage: NewStage) -> None:
    """One line a second at most, and the next one tells how many were kept back."""
    stage = new_stage().start()
    smsc = stage.bound()
    unasked = encode(EnquireLinkResp(), 77)
    with capture_logs() as logs:
        smsc.say(unasked * 1_000)
        stage.pass_time(0.9)
        smsc.say(unasked)
        assert len(logs) == 1
        stage.pass_time(0.1)
        smsc.say(unasked * 3)
    assert [(line["event"], line["not_told"]) for line in logs] == [
        ("peer_fault", 0),
        ("peer_fault", 1_000),
    ]


# Duplicates


def test_a_reconnect_does_not_repeat_what_was_answered(new_stage: NewStage) -> None:
    """Only what has no response goes again, once for each reconnect, and marked."""
    stage = with_replies(new_stage(window=4), 4)
    first = stage.bound()
    first.answer_at_once(Status.ESME_ROK, Status.ESME_ROK)
    first.hang_up()
    stage.run()
    second = stage.reconnect()
    assert second.phones == phones(2, first=3)
    answer_all(stage, second)
    second.hang_up()
    assert stage.reconnect().phones == []
    assert stage.states() == [SENT] * 2 + [RESENT] * 2


def test_an_sms_that_comes_again_after_a_reconnect_is_answered_once(new_stage: NewStage) -> None:
    """The link went before our deliver_sm_resp: the SMSC delivers again, the phone hears once."""
    stage = new_stage().start()
    first = stage.bound()
    first.text(SMS, PHONE)
    first.hang_up()
    stage.run()
    second = stage.reconnect()
    second.text(SMS, PHONE)
    stage.run()
    assert second.responses == {(PHONE, SMS): Status.ESME_ROK}
    assert second.phones == [PHONE]
    answer_all(stage, second)
    assert second.phones == [PHONE]


def test_a_response_with_a_broken_body_does_not_send_the_reply_again(new_stage: NewStage) -> None:
    """Its header says that the message was taken, so the phone does not get it every 30 s."""
    stage = with_replies(new_stage(response_timeout_s=30), 1)
    smsc = stage.bound()
    sequence = smsc.requests.popleft().sequence
    smsc.say(encode(SubmitSmResp(), sequence)[:16].replace(b"\0\0\0\x11", b"\0\0\0\x10", 1))
    stage.run()
    stage.pass_time(31)
    assert smsc.phones == phones(1)
    assert stage.states() == [SENT]


# Binding


def test_already_bound_is_waited_out(new_stage: NewStage) -> None:
    """The SMSC keeps our dead session for a while (ESME_RALYBND): at rest, until it lets go."""
    stage = new_stage(
        reconnect_delay_min_s=1, reconnect_delay_max_s=16, reconnect_already_bound_delay_s=10
    ).start()
    stage.bound().hang_up()
    for shortest, longest in ((0.5, 1), (10, 10), (10, 10)):
        assert shortest <= seconds_to_the_next_attempt(stage) <= longest + 0.25
        again = stage.connect()
        again.refuse(Status.ESME_RALYBND)
        again.hang_up()
    smsc = stage.reconnect()
    smsc.text(SMS, PHONE)
    stage.run()
    assert smsc.responses == {(PHONE, SMS): Status.ESME_ROK}


def test_an_outage_is_no_storm(new_stage: NewStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour without an SMSC: replies stay where they are; nothing is read, written or retried."""
    stage = with_replies(new_stage(reconnect_delay_max_s=60), 50)
    first = stage.bound()
    first.hang_up()
    stage.run()
    returns_of_the_writer = 0
    run_one = VirtualReactor.run_one

    def counted(reactor: VirtualReactor) -> None:
        nonlocal returns_of_the_writer
        returns_of_the_writer += 1
        run_one(reactor)

    monkeypatch.setattr(VirtualReactor, "run_one", counted)
    attempts = 0
    for _ in range(3_600):
        stage.pass_time(1.0)
        if stage.reactor.tcpClients:
            refuse_connection(stage)
            attempts += 1
    assert returns_of_the_writer == 0
    assert attempts <= 3_600 / 30 + 10
    assert stage.outbox.depth == 50
    second = stage.reconnect()
    answer_all(stage, second)
    assert second.phones == phones(50)


# What PDUs carry


def test_a_vendor_tlv_costs_nobody_their_permit(new_stage: NewStage) -> None:
    """0x1400-0x3FFF belong to vendors: decided, acknowledged, answered."""
    stage = new_stage().start()
    smsc = stage.bound()
    smsc.text(SMS, PHONE, tlvs=(Tlv(0x1403, b"\1\2"), Tlv(0x0007, b"")))
    stage.run()
    assert smsc.responses == {(PHONE, SMS): Status.ESME_ROK}
    assert smsc.phones == [PHONE]


@pytest.mark.parametrize("status", [0x400, 0x4FF, 0x500])
def test_a_status_of_the_vendors_own_settles_its_reply(new_stage: NewStage, status: int) -> None:
    """Refused, recorded with its number, named in the log; the next reply is not held up."""
    stage = with_replies(new_stage(window=1), 2)
    smsc = stage.bound()
    with capture_logs() as logs:
        smsc.answer(status)
    stage.run()
    [line] = logs
    assert f"0x{status:x}" in line["status"]
    assert smsc.phones == phones(2)
    assert stage.states() == [(ReplyState.REFUSED, 0, status, ""), UNSENT]


# A peer that stops


def octets_waiting(smsc: MemorySmsc) -> int:
    """What we have written and the SMSC has not read."""
    return sum(map(len, smsc.wire.writes))


def test_a_peer_that_stops_reading_holds_nobody_up(new_stage: NewStage) -> None:
    """No more than a window and a question wait for it; then it is left, and the replies go on."""
    stage = new_stage(window=5, enquire_link_s=30, response_timeout_s=30).start()
    smsc = stage.bound()
    smsc.open = False  # From here on it reads nothing, and Twisted tells its producer so.
    smsc.wire.producer.pauseProducing()
    store_replies(stage.store, stage.policy, phones(20))
    stage.outbox.look_on_disk()
    stage.run()
    assert 0 < octets_waiting(smsc) < 5 * 200
    window = octets_waiting(smsc)
    assert smsc.wire.producerState == "paused"
    while not smsc.wire.disconnecting:
        stage.pass_time(0.5)
        # Responses that cannot come count as lost once, just before the link is given up.
        assert octets_waiting(smsc) <= 2 * window + 16
    stage.pass_time(1.0)
    assert smsc.wire.disconnected
    smsc.hang_up()
    stage.run()
    second = stage.reconnect()
    answer_all(stage, second)
    assert second.phones == phones(20)


# The wall clock


@pytest.mark.parametrize("jump_us", [-DAY_US, -HOUR_US, HOUR_US], ids=["-1 d", "-1 h", "+1 h"])
def test_a_wall_clock_that_jumps_disturbs_no_session(new_stage: NewStage, jump_us: int) -> None:
    """Nothing is lost, asked or given up before its time by the monotonic clock, and no later."""
    stage = with_replies(new_stage(enquire_link_s=30, response_timeout_s=30), 2)
    stage.clock.now_us += jump_us
    smsc = stage.bound()
    stage.clock.now_us -= jump_us
    stage.pass_time(29.5)
    assert smsc.phones == phones(2)
    assert stage.outbox.in_flight
    smsc.answer()
    stage.run()
    assert stage.states()[0] == SENT
    stage.clock.now_us += jump_us
    stage.pass_time(1.0)
    assert smsc.phones == [*phones(2), *phones(1, first=2)]
    assert not smsc.wire.disconnecting


def test_a_wall_clock_set_back_keeps_the_order_of_replies(new_stage: NewStage) -> None:
    """Replies leave in the order of their COMMIT, whatever the clock said at each."""
    stage = new_stage(window=1).start()
    smsc = stage.bound()
    for number in range(1, 4):
        smsc.text(f"1 AZE {number}111111".encode(), phones(1, first=number)[0])
        stage.run()
        stage.clock.now_us -= 60_000_000
    answer_all(stage, smsc)
    assert smsc.phones == phones(3)
    submitted: list[SubmitSm] = smsc.submitted
    assert all(body.validity_period for body in submitted)
