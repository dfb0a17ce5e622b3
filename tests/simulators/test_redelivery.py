"""What the simulator does with messages that were not acknowledged, second by second."""

from typing import Any

import pytest
from memory_esme import MemoryEsme, smsc_under
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock

from simulators.mo_queue import QueueFull
from simulators.smsc import Smsc
from smsd.smpp.limits import SessionLimits
from smsd.smpp.pdu import (
    BindTransceiver,
    CancelSm,
    DataSm,
    QuerySm,
    ReplaceSm,
    SmeAddress,
    Status,
    SubmitMulti,
    SubmitSm,
    Tag,
    Tlv,
)

PHONE = "994500000001"
TEMPORARY = [
    Status.ESME_RSYSERR,
    Status.ESME_RMSGQFUL,
    Status.ESME_RTHROTTLED,
    Status.ESME_RX_T_APPN,
]


def text(smsc: Smsc, *texts: str) -> None:
    for each in texts:
        smsc.deliver(PHONE, each, "8103")


@pytest.mark.parametrize("status", TEMPORARY)
def test_a_temporary_error_waits_out_the_delay(status: Status) -> None:
    """Not a moment before the delay is over, and right then."""
    clock = Clock()
    smsc = smsc_under(clock, retry_delay_s=5.0)
    esme = MemoryEsme(smsc, clock)
    text(smsc, "again")
    assert esme.texts() == [b"again"]
    esme.answer(status)
    clock.advance(4.999)
    assert esme.texts() == []
    clock.advance(0.002)
    assert esme.texts() == [b"again"]
    esme.answer()
    clock.advance(1_000)
    assert esme.texts() == []
    assert smsc.counters.acknowledged == 1


def test_a_missing_response_counts_as_not_acknowledged() -> None:
    """After the response timeout and the delay the message goes out again."""
    clock = Clock()
    session = SessionLimits(response_timeout_s=10.0, enquire_link_s=1e9)
    smsc = smsc_under(clock, retry_delay_s=5.0, session=session)
    esme = MemoryEsme(smsc, clock)
    text(smsc, "again")
    esme.exchange()
    esme.requests.clear()
    clock.advance(10.001)
    assert smsc.counters.unanswered == 1
    clock.advance(4.99)
    assert esme.texts() == []
    clock.advance(0.02)
    assert esme.texts() == [b"again"]


def test_what_came_back_goes_out_before_what_is_younger() -> None:
    """A retried message is the oldest, so it stands in front."""
    clock = Clock()
    smsc = smsc_under(clock, retry_delay_s=5.0, session=SessionLimits(window=1))
    esme = MemoryEsme(smsc, clock)
    text(smsc, "first", "second", "third")
    assert esme.texts() == [b"first"]
    esme.answer(Status.ESME_RTHROTTLED)
    assert esme.texts() == [b"second"]
    clock.advance(5.001)
    esme.answer()
    assert esme.texts() == [b"first"]
    esme.answer()
    assert esme.texts() == [b"third"]


def test_a_closed_link_gives_everything_back_in_order() -> None:
    """What was sent but not answered is delivered at the next bind, before what came since."""
    clock = Clock()
    smsc = smsc_under(clock)
    esme = MemoryEsme(smsc, clock)
    text(smsc, "first", "second")
    esme.exchange()
    esme.hang_up()
    text(smsc, "third")
    assert MemoryEsme(smsc, clock).texts() == [b"first", b"second", b"third"]


def test_attempts_run_out() -> None:
    """A message that nobody will ever take is given up at last."""
    clock = Clock()
    smsc = smsc_under(clock, retry_delay_s=1.0, attempts_max=2)
    esme = MemoryEsme(smsc, clock)
    message = smsc.deliver(PHONE, "never", "8103")
    esme.exchange()
    esme.answer(Status.ESME_RTHROTTLED)
    assert message.state == "retrying"
    clock.advance(1.001)
    esme.exchange()
    esme.answer(Status.ESME_RTHROTTLED)
    assert message.state == "refused"
    assert smsc.status()["waiting"] == 0


def test_an_esme_that_says_nothing_is_left_and_its_messages_kept() -> None:
    """Without an answer to enquire_link the link is closed, as a dead peer's should be."""
    clock = Clock()
    session = SessionLimits(response_timeout_s=10.0, enquire_link_s=30.0)
    smsc = smsc_under(clock, session=session)
    esme = MemoryEsme(smsc, clock)
    clock.advance(30.001)
    assert not esme.wire.disconnecting
    clock.advance(10.001)
    assert esme.wire.disconnecting


def test_the_window_bounds_what_is_under_way() -> None:
    """No more than the window is unanswered, and every response makes room for one."""
    clock = Clock()
    smsc = smsc_under(clock, session=SessionLimits(window=2))
    esme = MemoryEsme(smsc, clock)
    text(smsc, "1", "2", "3", "4")
    assert esme.texts() == [b"1", b"2"]
    esme.answer()
    assert esme.texts() == [b"2", b"3"]


def test_receivers_take_turns() -> None:
    """Two binds for one number share its messages."""
    clock = Clock()
    smsc = smsc_under(clock)
    esmes = [MemoryEsme(smsc, clock), MemoryEsme(smsc, clock)]
    text(smsc, "1", "2", "3", "4")
    assert [len(esme.texts()) for esme in esmes] == [2, 2]


def test_an_esme_that_does_not_read_is_sent_nothing() -> None:
    """A full socket holds the queue, not the simulator's memory."""
    clock = Clock()
    smsc = smsc_under(clock)
    esme = MemoryEsme(smsc, clock)
    esme.link.pauseProducing()
    text(smsc, "waits")
    assert esme.texts() == []
    esme.link.resumeProducing()
    assert esme.texts() == [b"waits"]


def test_the_queue_is_bounded_and_takes_a_long_text_whole_or_not_at_all() -> None:
    """At the bound a message is refused, and none of its parts stays."""
    clock = Clock()
    smsc = smsc_under(clock, undelivered_max=3)
    text(smsc, "1", "2")
    with pytest.raises(QueueFull):
        text(smsc, "x" * 200)
    assert smsc.status()["waiting"] == 2
    text(smsc, "3")
    with pytest.raises(QueueFull):
        text(smsc, "4")


def test_a_full_queue_does_not_stop_submissions() -> None:
    """A receipt that finds no room is dropped; the submission it reports on is not."""
    clock = Clock()
    smsc = smsc_under(clock, undelivered_max=1)
    esme = MemoryEsme(smsc, clock)
    text(smsc, "unanswered")
    esme.request(SubmitSm(source_addr="8103", destination_addr=PHONE, registered_delivery=1))
    assert [response.status for response in esme.responses] == [0]
    assert smsc.counters.received == 1


def test_held_responses_are_bounded() -> None:
    """At the bound a submission is told that the queue is full."""
    clock = Clock()
    smsc = smsc_under(clock, held_responses_max=1)
    esme = MemoryEsme(smsc, clock)
    smsc.set_faults({"hold_responses": True})
    for _ in range(2):
        esme.request(SubmitSm(source_addr="8103", destination_addr=PHONE))
    assert [response.status for response in esme.responses] == [Status.ESME_RMSGQFUL]
    smsc.set_faults({"hold_responses": False})
    esme.exchange()
    assert [response.status for response in esme.responses] == [Status.ESME_RMSGQFUL, 0]


def test_connections_are_bounded_and_those_that_do_not_bind_end() -> None:
    """One that is silent makes room for another after the bind timeout."""
    clock = Clock()
    smsc = smsc_under(
        clock, connections_max=1, session=SessionLimits(bind_timeout_s=10.0, unbind_timeout_s=1.0)
    )
    esme = MemoryEsme(smsc, clock, BindTransceiver("smsd", "wrong"))
    assert smsc.connect() is None
    clock.advance(9.999)
    assert not esme.wire.disconnecting
    clock.advance(0.002)
    assert esme.wire.disconnecting
    esme.hang_up()
    assert smsc.connect() is not None


def test_a_reply_fires_for_its_phone_and_sender_only() -> None:
    """In-process callers wait for the reply by a Deferred, which can be cancelled."""
    clock = Clock()
    smsc = smsc_under(clock)
    esme = MemoryEsme(smsc, clock)
    replies: list[str] = []
    smsc.reply(f"+{PHONE}", "8103").addCallback(lambda received: replies.append(received.text))
    cancelled = smsc.reply(PHONE)
    cancelled.addErrback(lambda failure: failure.trap(CancelledError))
    cancelled.cancel()
    for source, phone in (("9108", PHONE), ("8103", "994500000002"), ("8103", f"+{PHONE}")):
        esme.request(
            SubmitSm(source_addr=source, destination_addr=phone, short_message=source.encode())
        )
        assert bool(replies) == (phone == f"+{PHONE}")
    assert replies == ["8103"]
    assert [each.sender for each in smsc.received(PHONE)] == ["9108", "8103"]


def test_data_sm_is_a_submission_too() -> None:
    """Its text is in message_payload; without one it carries nothing and is refused."""
    clock = Clock()
    smsc = smsc_under(clock)
    esme = MemoryEsme(smsc, clock)
    payload = (Tlv(Tag.MESSAGE_PAYLOAD, b"by data"),)
    esme.request(DataSm(source_addr="8103", destination_addr=PHONE, tlvs=payload))
    esme.request(DataSm(source_addr="8103", destination_addr=PHONE))
    assert [each.status for each in esme.responses] == [0, Status.ESME_RMISSINGOPTPARAM]
    assert [each.text for each in smsc.received(PHONE)] == ["by data"]


def test_parts_joined_by_sar_come_out_whole_in_any_order() -> None:
    """An ESME may cut a text by TLVs instead of a UDH, and send the parts as it likes."""
    clock = Clock()
    smsc = smsc_under(clock)
    esme = MemoryEsme(smsc, clock)
    for index, part in ((2, b"world"), (1, b"hello ")):
        sar = (
            Tlv(Tag.SAR_MSG_REF_NUM, b"\x01\x02"),
            Tlv(Tag.SAR_TOTAL_SEGMENTS, b"\x02"),
            Tlv(Tag.SAR_SEGMENT_SEQNUM, bytes((index,))),
        )
        esme.request(
            SubmitSm(source_addr="8103", destination_addr=PHONE, short_message=part, tlvs=sar)
        )
    (received,) = smsc.received(PHONE)
    assert (received.text, received.parts) == ("hello world", 2)


def test_what_the_simulator_does_not_do_is_declined() -> None:
    """Each request gets its own error, and the link lives on."""
    clock = Clock()
    smsc = smsc_under(clock)
    esme = MemoryEsme(smsc, clock)
    esme.request(QuerySm(message_id="1"))
    esme.request(CancelSm(message_id="1"))
    esme.request(ReplaceSm(message_id="1"))
    esme.request(SubmitMulti(source_addr="8103", dest_addresses=(SmeAddress(1, 1, PHONE),)))
    esme.request(SubmitSm(source_addr="8103", destination_addr=PHONE))
    statuses = [response.status for response in esme.responses]
    assert statuses == [
        Status.ESME_RQUERYFAIL,
        Status.ESME_RCANCELFAIL,
        Status.ESME_RREPLACEFAIL,
        Status.ESME_RSUBMITFAIL,
        Status.ESME_ROK,
    ]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"service_type": "CMT", "protocol_id": 0x7F, "sm_default_msg_id": 9}, Status.ESME_ROK),
        ({"source_addr_ton": 6, "source_addr_npi": 18}, Status.ESME_ROK),
        ({"dest_addr_ton": 6, "dest_addr_npi": 18}, Status.ESME_ROK),
        ({"priority_flag": 3}, Status.ESME_ROK),
        ({"priority_flag": 4}, Status.ESME_RINVPRTFLG),
        ({"schedule_delivery_time": "000000020000000R"}, Status.ESME_ROK),
        ({"schedule_delivery_time": "200405101500016+"}, Status.ESME_ROK),
        ({"schedule_delivery_time": "noon"}, Status.ESME_RINVSCHED),
        ({"validity_period": "200405101500"}, Status.ESME_RINVEXPIRY),
        ({"registered_delivery": 0x1E}, Status.ESME_ROK),
        ({"registered_delivery": 0x03}, Status.ESME_RINVREGDLVFLG),
        ({"registered_delivery": 0x20}, Status.ESME_RINVREGDLVFLG),
        ({"replace_if_present_flag": 2}, Status.ESME_RINVREPFLAG),
        ({"esm_class": 0x01}, Status.ESME_ROK),
        ({"esm_class": 0x02}, Status.ESME_ROK),
        ({"esm_class": 0x0B}, Status.ESME_ROK),
        ({"esm_class": 0xD0}, Status.ESME_ROK),
        ({"esm_class": 0x18}, Status.ESME_RINVESMCLASS),
        ({"esm_class": 0x20}, Status.ESME_RINVESMCLASS),
        ({"tlvs": (Tlv(Tag.MESSAGE_PAYLOAD, b"y"),)}, Status.ESME_ROPTPARNOTALLWD),
    ],
)
def test_each_value_that_the_standard_does_not_assign_has_its_status(
    fields: dict[str, Any], status: Status
) -> None:
    """§5.2.12 to §5.2.18, and message_payload beside a short_message (§5.3.2.32)."""
    clock = Clock()
    esme = MemoryEsme(smsc_under(clock), clock)
    sound = SubmitSm(source_addr="8103", destination_addr=PHONE, short_message=b"\x00")
    esme.request(sound._replace(**fields))
    assert [response.status for response in esme.responses] == [status]


@pytest.mark.parametrize(
    "tag",
    sorted(
        set(Tag)
        - {Tag.MESSAGE_PAYLOAD}
        - {Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM}
    ),
    ids=lambda tag: tag.name.lower(),
)
def test_a_tlv_that_it_does_not_use_changes_nothing(tag: Tag) -> None:
    """§3.3: it is passed over, and the phone shows the text."""
    clock = Clock()
    smsc = smsc_under(clock)
    esme = MemoryEsme(smsc, clock)
    esme.request(
        SubmitSm(
            source_addr="8103",
            destination_addr=PHONE,
            short_message=b"hello",
            tlvs=(Tlv(tag, b"\x01"),),
        )
    )
    assert [response.status for response in esme.responses] == [Status.ESME_ROK]
    assert [each.text for each in smsc.received(PHONE)] == ["hello"]


@pytest.mark.parametrize(
    ("registered_delivery", "state", "receipts"),
    [(0, 2, 0), (1, 2, 1), (1, 5, 1), (2, 2, 0), (2, 6, 0), (2, 3, 1), (2, 5, 1), (2, 8, 1)],
)
def test_a_receipt_is_sent_as_it_was_asked_for(
    registered_delivery: int, state: int, receipts: int
) -> None:
    """§5.2.17: never, whatever the outcome, or only when the message failed."""
    clock = Clock()
    smsc = smsc_under(clock)
    esme = MemoryEsme(smsc, clock)
    smsc.set_faults({"receipt_state": state})
    esme.request(
        SubmitSm(
            source_addr="8103", destination_addr=PHONE, registered_delivery=registered_delivery
        )
    )
    assert len(esme.texts()) == receipts


@pytest.mark.parametrize(("version", "tlvs"), [(0x33, 0), (0x34, 2), (0x50, 2)])
def test_an_esme_before_3_4_gets_no_tlv(version: int, tlvs: int) -> None:
    """§3.4: it could not read them; the text of a receipt says the same."""
    clock = Clock()
    smsc = smsc_under(clock)
    esme = MemoryEsme(smsc, clock, BindTransceiver("smsd", "secret", "VMA", version))
    esme.request(SubmitSm(source_addr="8103", destination_addr=PHONE, registered_delivery=1))
    [text] = esme.texts()
    assert b"stat:DELIVRD" in text
    assert len(esme.requests[0].body.tlvs) == tlvs
