"""Delivery receipts through the whole gateway: asked for, read, stored, then acknowledged."""

import pytest
from gateway_stage import STORE_RETRY_S, GatewayStage, NewStage
from memory_smsc import MemorySmsc
from structlog.testing import capture_logs
from virtual_reactor import NOON_US

from smsd.smpp.pdu import DataSm, DeliverSm, Status, SubmitSm, Tag, Tlv
from smsd.smpp.receipts import Receipt, make
from storage import Register
from storage.sqlite_library import dbapi

PHONE = "994500000001"
TOLD = "SELECT receipt_state, receipt_at_us FROM reply ORDER BY id"
DELIVERED, EXPIRED = 2, 3


def receipt(message_id: str, state: str = "DELIVRD") -> DeliverSm:
    """As an SMSC sends it, without TLVs."""
    made = make(Receipt(message_id, state), SubmitSm(source_addr="8103", destination_addr=PHONE))
    return made._replace(tlvs=())


def report(stage: GatewayStage, smsc: MemorySmsc, *receipts: DeliverSm | DataSm) -> list[int]:
    """What each is answered."""
    at = len(smsc.responses)
    for number, body in enumerate(receipts, at):
        smsc.send(body, ("receipt", number))
    stage.run()
    return [smsc.responses["receipt", number] for number in range(at, at + len(receipts))]


def answered(stage: GatewayStage, smsc: MemorySmsc, *message_ids: str) -> None:
    """A phone texts, and the SMSC takes the reply under this name."""
    for message_id in message_ids:
        smsc.text(f"1 AZE {1_000_000 + len(smsc.submitted)}".encode(), PHONE)
        stage.run()
        smsc.answer(message_id=message_id)
        stage.run()


def test_asked_for_they_are_stored_and_counted(new_stage: NewStage) -> None:
    """With each reply; ten seconds from the SMS to the phone."""
    stage = new_stage(receipts=True).start()
    smsc = stage.bound()
    answered(stage, smsc, "a", "b")
    assert [body.registered_delivery for body in smsc.submitted] == [1, 1]
    stage.pass_time(10)
    came_us = NOON_US + 10_000_000
    assert report(stage, smsc, receipt("a"), receipt("b", "EXPIRED")) == [0, 0]
    assert stage.rows(TOLD) == [(DELIVERED, came_us), (EXPIRED, came_us)]
    assert [each.state for each in stage.seen.receipts] == [DELIVERED, EXPIRED]
    assert stage.seen.arrived == [("one", 10_000_000)]
    assert stage.seen.messages == 2


def test_not_asked_for_they_are_acknowledged_and_no_more(new_stage: NewStage) -> None:
    """Whatever an SMSC sends of its own accord; replies await nothing."""
    stage = new_stage().start()
    smsc = stage.bound()
    answered(stage, smsc, "a")
    assert smsc.submitted[0].registered_delivery == 0
    assert report(stage, smsc, receipt("a")) == [0]
    assert stage.rows(TOLD) == [(None, None)]
    assert stage.rows("SELECT count(*) FROM submission") == [(0,)]
    assert (stage.seen.receipts, stage.seen.passed) == ([], {"ignored": 1})


def test_before_the_response_they_wait_for_it(new_stage: NewStage) -> None:
    """The SMSC that delivers before it answers is answered, and its reply is matched later."""
    stage = new_stage(receipts=True).start()
    smsc = stage.bound()
    smsc.text(b"1 AZE 1111111", PHONE)
    stage.run()
    assert report(stage, smsc, receipt("a")) == [0]
    assert stage.seen.arrived == []
    smsc.answer(message_id="a")
    stage.run()
    assert stage.rows(TOLD) == [(DELIVERED, NOON_US)]
    assert stage.seen.arrived == [("one", 0)]


def test_what_waits_in_vain_is_counted_once(new_stage: NewStage) -> None:
    """A minute later, by the first sweep that comes, and by nobody after that."""
    stage = new_stage(receipts=True).start()
    stage.sweeper.start()
    smsc = stage.bound()
    report(stage, smsc, receipt("nobody's"))
    stage.pass_time(59)
    assert stage.seen.unmatched == {}
    for _ in range(3):
        stage.pass_time(2)
    assert stage.seen.unmatched == {"one": 1}
    assert stage.rows("SELECT count(*) FROM early_receipt") == [(0,)]


def test_a_reply_whose_clock_was_set_back_took_no_time(new_stage: NewStage) -> None:
    """What is told is the wall clock's difference; the histogram counts a negative one as none."""
    stage = new_stage(receipts=True).start()
    smsc = stage.bound()
    answered(stage, smsc, "a")
    stage.clock.now_us -= 5_000_000
    report(stage, smsc, receipt("a"))
    assert stage.seen.arrived == [("one", -5_000_000)]


@pytest.mark.parametrize("form", ["hex_to_decimal", "decimal_to_hex"])
def test_an_smsc_that_answers_in_one_base_and_reports_in_another(
    new_stage: NewStage, form: str
) -> None:
    """Told which, the gateway finds the reply."""
    stage = new_stage(receipts=True, message_id_form=form).start()
    smsc = stage.bound()
    response, name = ("000000FF", "255") if form == "hex_to_decimal" else ("0255", "ff")
    answered(stage, smsc, response)
    report(stage, smsc, receipt(name))
    assert stage.rows(TOLD) == [(DELIVERED, NOON_US)]
    assert stage.rows("SELECT smsc_message_id FROM reply") == [(response,)]


def test_a_long_reply_has_arrived_when_all_of_it_has(new_stage: NewStage) -> None:
    """A household's reply in several segments, whose responses come out of order."""
    stage = new_stage(receipts=True).start()
    smsc = stage.bound()
    documents = ", ".join(f"DYI {number}" for number in range(7000001, 7000008))
    smsc.text(f"2 {documents}".encode(), PHONE)
    stage.run()
    names = [f"id{number}" for number in range(len(smsc.submitted))]
    assert len(names) > 1
    smsc.requests.reverse()
    for name in names:
        smsc.answer(message_id=name)
    stage.run()
    report(stage, smsc, *map(receipt, names[1:]))
    assert stage.seen.arrived == []
    report(stage, smsc, receipt(names[0]))
    assert stage.rows(TOLD) == [(DELIVERED, NOON_US)]


@pytest.mark.parametrize("text", [b"", b"delivered!", b"2 AZE 1111111", b"id:7", b"\xff\x00:"])
def test_one_that_cannot_be_read_is_no_sms(new_stage: NewStage, text: bytes) -> None:
    """Acknowledged and counted; the rules never see it."""
    stage = new_stage(receipts=True).start()
    smsc = stage.bound()
    body = DeliverSm(source_addr=PHONE, esm_class=0x04, short_message=text)
    assert report(stage, smsc, body) == [0]
    assert stage.seen.passed == {"unreadable": 1}
    assert stage.rows("SELECT count(*) FROM message") == [(0,)]
    assert smsc.submitted == []


def test_what_is_said_meanwhile_is_not_kept(new_stage: NewStage) -> None:
    """An intermediate notification tells of no end."""
    stage = new_stage(receipts=True).start()
    smsc = stage.bound()
    answered(stage, smsc, "a")
    assert report(stage, smsc, receipt("a", "ENROUTE")) == [0]
    assert (stage.seen.passed, stage.rows(TOLD)) == ({"enroute": 1}, [(None, None)])


def test_in_a_data_sm_they_are_answered_as_such(new_stage: NewStage) -> None:
    """By their TLVs, which are all that they have."""
    stage = new_stage(receipts=True).start()
    smsc = stage.bound()
    answered(stage, smsc, "a")
    tlvs = (Tlv(Tag.RECEIPTED_MESSAGE_ID, b"a\0"), Tlv(Tag.MESSAGE_STATE, b"\x02"))
    assert report(stage, smsc, DataSm(esm_class=0x04, tlvs=tlvs)) == [0]
    assert stage.rows(TOLD) == [(DELIVERED, NOON_US)]


def test_they_are_acknowledged_once_durable_and_not_before(new_stage: NewStage) -> None:
    """Between what is handed to the writer and its COMMIT, the SMSC hears nothing."""
    stage = new_stage(receipts=True).start()
    smsc = stage.bound()
    answered(stage, smsc, "a")
    smsc.send(receipt("a"), "receipt")
    smsc.exchange()
    assert "receipt" not in smsc.responses
    assert stage.seen.receipts == []
    stage.run()
    assert smsc.responses["receipt"] == 0


def test_while_the_store_cannot_be_written_they_stay_with_the_smsc(new_stage: NewStage) -> None:
    """Put off like SMS, and stored when they come again."""
    stage = new_stage(receipts=True).start()
    smsc = stage.bound()
    answered(stage, smsc, "a")
    blocker = dbapi.connect(str(stage.store.path), isolation_level=None)
    stage.store.connection.execute("PRAGMA busy_timeout = 0")
    blocker.execute("BEGIN IMMEDIATE")
    smsc.send(receipt("a"), "with the writer")
    smsc.exchange()
    smsc.send(receipt("a"), "behind it")
    smsc.exchange()
    stage.run()
    assert list(smsc.responses.values())[1:] == [Status.ESME_RX_T_APPN] * 2
    blocker.execute("ROLLBACK")
    blocker.close()
    stage.pass_time(STORE_RETRY_S)
    assert report(stage, smsc, receipt("a")) == [0]
    assert stage.rows(TOLD) == [(DELIVERED, stage.clock.now_us)]


def test_a_bug_beside_a_receipt_costs_it_nothing(new_stage: NewStage, damaged: Register) -> None:
    """The SMS that meets it stays with the SMSC; the receipt in its batch is stored."""
    stage = new_stage(receipts=True, register=damaged).start()
    smsc = stage.bound()
    smsc.text(b"1 AZE 1111111", PHONE)
    stage.run()
    smsc.answer(message_id="a")
    stage.run()
    with capture_logs() as logs:
        receive_at_once(stage, smsc, b"1 AZE 9999999", receipt("a"))
    assert {"message_failed", "batch_failed"} <= {line["event"] for line in logs}
    assert smsc.responses == {
        (PHONE, b"1 AZE 1111111"): 0,
        "receipt": 0,
        (PHONE, b"1 AZE 9999999"): Status.ESME_RX_T_APPN,
    }
    assert stage.rows(TOLD)[0] == (DELIVERED, NOON_US)


def test_a_receipt_that_meets_a_bug_is_let_go(new_stage: NewStage) -> None:
    """It would come for ever; the SMS beside it is answered, and the log says what happened."""
    stage = new_stage(receipts=True).start()
    smsc = stage.bound()
    smsc.text(b"1 AZE 1111111", PHONE)
    stage.run()
    day = NOON_US // 86_400_000_000
    spoil = f"INSERT INTO submission VALUES ({day}, 1, 'a', 1, 99, 100)"  # no integer has the bit
    stage.store.connection.execute(spoil)
    with capture_logs() as logs:
        receive_at_once(stage, smsc, b"1 AZE 2222222", receipt("a"))
    assert {"batch_failed", "receipts_failed"} <= {line["event"] for line in logs}
    assert set(smsc.responses.values()) == {0}
    assert [body.destination_addr for body in smsc.submitted] == [PHONE] * 2


def receive_at_once(stage: GatewayStage, smsc: MemorySmsc, text: bytes, report: DeliverSm) -> None:
    """An SMS and a receipt in one batch: the writer is busy while they come."""
    blocker = dbapi.connect(str(stage.store.path), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    smsc.text(b"salam", "994500000002")
    smsc.send(report, "receipt")
    smsc.text(text, PHONE)
    blocker.close()
    stage.run()
    del smsc.responses["994500000002", b"salam"]
    smsc.submitted = [body for body in smsc.submitted if body.destination_addr == PHONE]


def test_more_than_there_is_room_for_stay_with_the_smsc(new_stage: NewStage) -> None:
    """As many as SMS; the bound is tried on both sides."""
    stage = new_stage(receipts=True, limits={"intake_messages_max": 2}).start()
    smsc = stage.bound()
    answers = report(stage, smsc, *(receipt(str(number)) for number in range(3)))
    assert answers == [0, 0, Status.ESME_RMSGQFUL]


def test_a_restart_loses_no_name(new_stage: NewStage) -> None:
    """What was submitted before it is matched after it."""
    stage = new_stage(receipts=True).start()
    answered(stage, stage.bound(), "a")
    stage = new_stage(receipts=True).start()
    report(stage, stage.bound(), receipt("a"))
    assert stage.rows(TOLD) == [(DELIVERED, NOON_US)]


def test_a_reply_without_a_name_awaits_nothing(new_stage: NewStage) -> None:
    """Some SMSCs give no message_id."""
    stage = new_stage(receipts=True).start()
    answered(stage, stage.bound(), "")
    assert stage.rows("SELECT count(*) FROM submission") == [(0,)]
