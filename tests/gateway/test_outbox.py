"""Replies on their way out: nothing lost, nothing doubled, nothing late, and in order."""

import pytest
from gateway_stage import RETRY_S, GatewayStage, NewStage, store_replies
from memory_smsc import MemorySmsc
from virtual_reactor import HOUR_US, NOON_US, S_US

from smsd.gateway.outbox import relative_time
from smsd.smpp.pdu import Status, SubmitSm
from storage import ReplyState
from storage.sqlite_library import dbapi

TWO_PARTS = "ə" * 71  # 70 letters of UCS-2 fit one SMS
SENT = (ReplyState.SENT, 0, 0, "")
UNSENT = (ReplyState.UNSENT, 0, None, None)


def phones(count: int, first: int = 1) -> list[str]:
    return [str(994_500_000_000 + number) for number in range(first, first + count)]


def answer_all(stage: GatewayStage, smsc: MemorySmsc) -> None:
    """ESME_ROK to whatever comes, until nothing comes any more."""
    while smsc.requests:
        smsc.answer_at_once(*[Status.ESME_ROK] * len(smsc.requests))
        stage.run()


def with_replies(stage: GatewayStage, count: int, text: str = "Permit granted") -> GatewayStage:
    store_replies(stage.store, stage.policy, phones(count), text)
    return stage.start()


@pytest.mark.parametrize("memory_max", [1, 2, 3, 4, 5, 11, 20_000])
@pytest.mark.parametrize("window", [1, 3, 1_000])
def test_a_start_sends_what_the_disk_holds_page_by_page(
    new_stage: NewStage, memory_max: int, window: int
) -> None:
    """Eleven replies of an earlier life leave once each, in order, whatever memory holds."""
    stage = with_replies(new_stage(limits={"outbox_memory_max": memory_max}, window=window), 11)
    stage.run()
    assert stage.outbox.depth <= memory_max
    smsc = stage.bound()
    answer_all(stage, smsc)
    assert smsc.phones == phones(11)
    assert stage.states() == [SENT] * 11


def test_a_reply_says_whose_numbers_it_bears_and_nothing_that_was_not_asked(
    new_stage: NewStage,
) -> None:
    """Types of number and numbering plans are the configuration's; what we do not use is NULL."""
    stage = with_replies(
        new_stage(source_ton=3, source_npi=9, destination_ton=2, destination_npi=8), 1
    )
    smsc = stage.connect().accept()
    stage.run()
    [body] = smsc.submitted
    assert body[:7] == ("", 3, 9, "8103", 2, 8, phones(1)[0])
    assert (body.esm_class, body.protocol_id, body.priority_flag) == (0, 0, 0)
    assert body.schedule_delivery_time == ""
    assert (body.registered_delivery, body.replace_if_present_flag) == (0, 0)
    assert (body.sm_default_msg_id, body.tlvs) == (0, ())


@pytest.mark.parametrize("memory_max", [1, 2, 3, 4, 7])
def test_what_overflows_memory_comes_back_from_disk(new_stage: NewStage, memory_max: int) -> None:
    """With no link to send on, memory stays bounded, and later all leave once, in order."""
    stage = new_stage(
        limits={"outbox_memory_max": memory_max}, bind="transmitter+receiver", window=2
    ).start()
    transmitter = stage.connect()
    receiver = stage.bound()
    for group in range(3):
        for phone in phones(4, first=4 * group):
            receiver.text(b"1 AZE 1111111", phone)
        stage.run()
        assert stage.outbox.depth <= memory_max
    transmitter.accept()
    stage.run()
    answer_all(stage, transmitter)
    assert transmitter.phones == phones(12, first=0)
    assert stage.states() == [SENT] * 12


def test_replies_committed_around_the_reading_of_a_page_leave_once(new_stage: NewStage) -> None:
    """Before, with and after a page's batch: the page or the commit brings each, never both."""
    stage = with_replies(new_stage(), 2)
    stage.run()
    smsc = stage.bound()
    blocker = dbapi.connect(str(stage.store.path), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    before, beside, after, last = phones(4, first=3)
    smsc.text(b"1 AZE 1111111", before)  # its batch now waits for the lock
    stage.outbox.look_on_disk()  # the page will be read by the next batch
    smsc.text(b"1 AZE 1111111", beside)
    blocker.execute("ROLLBACK")
    blocker.close()
    stage.reactor.run_one()
    smsc.text(b"1 AZE 1111111", after)
    stage.run()
    smsc.text(b"1 AZE 1111111", last)
    stage.run()
    answer_all(stage, smsc)
    assert smsc.phones == phones(6)
    assert stage.states() == [SENT] * 6


def test_a_page_that_cannot_be_read_is_asked_for_again(new_stage: NewStage) -> None:
    """An I/O error costs retry_delay_s, not the replies."""
    stage = with_replies(new_stage(), 3)
    smsc = stage.connect().accept()
    stage.run()
    answer_all(stage, smsc)
    store_replies(stage.store, stage.policy, phones(3, first=4))
    stage.store.connection.execute("ALTER TABLE reply RENAME TO hidden")
    stage.outbox.look_on_disk()
    stage.run()
    stage.store.connection.execute("ALTER TABLE hidden RENAME TO reply")
    stage.pass_time(RETRY_S - 0.001)
    assert smsc.phones == phones(3)
    stage.pass_time(0.001)
    answer_all(stage, smsc)
    assert smsc.phones == phones(6)


@pytest.mark.parametrize(
    ("late_us", "state"), [(-1, ReplyState.SENT), (0, ReplyState.EXPIRED)], ids=["before", "at"]
)
def test_a_reply_leaves_until_the_last_microsecond(
    new_stage: NewStage, late_us: int, state: ReplyState
) -> None:
    """Half-open, as the permit is: one microsecond before its end it leaves, at it no more."""
    stage = with_replies(new_stage(), 1)
    stage.run()
    stage.clock.now_us = NOON_US + 2 * HOUR_US + late_us
    smsc = stage.bound()
    answer_all(stage, smsc)
    assert len(smsc.submitted) == (state is ReplyState.SENT)
    assert stage.seen.outcomes == [state]
    assert stage.rows("SELECT state, settled_at_us FROM reply") == [(state, stage.clock.now_us)]


def test_an_expired_reply_does_not_stop_the_ones_behind_it(new_stage: NewStage) -> None:
    """Settled in passing, in the same turn; the living ones leave."""
    stage = new_stage()
    store_replies(stage.store, stage.policy, phones(2), not_after_us=NOON_US)
    store_replies(stage.store, stage.policy, phones(1, first=3))
    stage.start()
    smsc = stage.bound()
    answer_all(stage, smsc)
    assert smsc.phones == phones(1, first=3)
    assert [row[0] for row in stage.states()] == [ReplyState.EXPIRED] * 2 + [ReplyState.SENT]


def test_the_validity_told_to_the_smsc_is_what_is_left(new_stage: NewStage) -> None:
    """Two hours at noon, a minute and a half later that much less, in whole seconds."""
    stage = with_replies(new_stage(), 1)
    stage.run()
    stage.clock.now_us = NOON_US + 90 * S_US + 1
    smsc = stage.bound()
    assert smsc.submitted[0].validity_period == "000000015829000R"
    assert stage.seen.turnarounds_us == [90_000_001]


@pytest.mark.parametrize(
    ("seconds", "period"),
    [
        (-5, "000000000001000R"),
        (0, "000000000001000R"),
        (1, "000000000001000R"),
        (59, "000000000059000R"),
        (60, "000000000100000R"),
        (3_599, "000000005959000R"),
        (3_600, "000000010000000R"),
        (86_399, "000000235959000R"),
        (86_400, "000001000000000R"),
        (30 * 86_400 - 1, "000029235959000R"),
        (30 * 86_400, "000030000000000R"),
        (30 * 86_400 + 1, "000030000000000R"),
        (10**12, "000030000000000R"),
    ],
)
def test_relative_time_within_its_bounds(seconds: int, period: str) -> None:
    """SMPP 3.4 §7.1.1.2: 16 characters, from a second to the 30 days that two digits can say."""
    assert relative_time(seconds) == period


def test_never_more_in_the_window_than_agreed(new_stage: NewStage) -> None:
    """Three at a time: each answer lets one more out."""
    stage = with_replies(new_stage(window=3), 6)
    smsc = stage.bound()
    seen = []
    while smsc.requests:
        seen.append(len(smsc.requests))
        smsc.answer()
        stage.run()
    assert seen == [3, 3, 3, 3, 2, 1]
    assert smsc.phones == phones(6)


def test_the_parts_of_a_long_reply_pass_a_window_of_one(new_stage: NewStage) -> None:
    """One after the other, same reference, before the next reply; SENT when both are taken."""
    stage = with_replies(new_stage(window=1), 2, TWO_PARTS)
    smsc = stage.bound()
    assert len(smsc.requests) == 1
    smsc.answer(message_id="a")
    stage.run()
    assert stage.states() == [UNSENT] * 2
    smsc.answer(message_id="b")
    stage.run()
    assert stage.states() == [(ReplyState.SENT, 0, 0, "a b"), UNSENT]
    answer_all(stage, smsc)
    first, second = phones(2)
    assert smsc.phones == [first, first, second, second]
    headers = [body.short_message[:6].hex() for body in smsc.submitted]
    assert headers == ["050003010201", "050003010202", "050003020201", "050003020202"]


def test_references_of_long_replies_come_round(new_stage: NewStage) -> None:
    """One octet: after 255 comes 0, and no header breaks."""
    stage = with_replies(new_stage(), 257, TWO_PARTS)
    smsc = stage.bound()
    references = [body.short_message[3] for body in smsc.submitted[::2]]
    assert references == [*range(1, 256), 0, 1]


def test_a_refused_reply_is_final_and_recorded(new_stage: NewStage) -> None:
    """ESME_RINVDSTADR: the record keeps the status, the next reply is not held up."""
    stage = with_replies(new_stage(window=1), 2)
    smsc = stage.bound()
    smsc.answer(Status.ESME_RINVDSTADR)
    stage.run()
    answer_all(stage, smsc)
    assert smsc.phones == phones(2)
    assert stage.states() == [
        (ReplyState.REFUSED, 0, Status.ESME_RINVDSTADR, ""),
        SENT,
    ]


@pytest.mark.parametrize("statuses", [(0, 0x0B), (0x0B, 0)], ids=["second", "first"])
def test_one_refused_part_refuses_the_reply(new_stage: NewStage, statuses: tuple[int, int]) -> None:
    """Half a reply is none: it is not told as sent, and not sent again."""
    stage = with_replies(new_stage(), 1, TWO_PARTS)
    smsc = stage.bound()
    for status in statuses:
        smsc.answer(status)
        stage.run()
    assert stage.states() == [(ReplyState.REFUSED, 0, Status.ESME_RINVDSTADR, "")]
    assert len(smsc.submitted) == 2


def test_after_a_refused_part_the_rest_is_not_sent(new_stage: NewStage) -> None:
    """With the second part still ahead of the window, it would only puzzle its reader."""
    stage = with_replies(new_stage(window=1), 2, TWO_PARTS)
    smsc = stage.bound()
    smsc.answer(Status.ESME_RINVDSTADR)
    stage.run()
    answer_all(stage, smsc)
    first, second = phones(2)
    assert smsc.phones == [first, second, second]


def test_a_part_whose_answer_is_lost_sends_the_reply_again(new_stage: NewStage) -> None:
    """The first part was taken, the second's fate is unknown: both go again, and that is told."""
    stage = with_replies(new_stage(), 1, TWO_PARTS)
    first = stage.bound()
    first.answer()
    first.hang_up()
    stage.run()
    second = stage.reconnect()
    second.answer(message_id="a")
    second.answer(message_id="b")
    stage.run()
    assert len(second.submitted) == 2
    assert stage.states() == [(ReplyState.SENT, 1, 0, "a b")]


@pytest.mark.parametrize("refused_first", [True, False])
def test_a_part_lost_and_a_part_refused_refuse_the_reply(
    new_stage: NewStage, refused_first: bool
) -> None:
    """Whichever comes first, for what was refused once would be refused again."""
    stage = new_stage(window=2, response_timeout_s=30, enquire_link_s=86_400)
    store_replies(stage.store, stage.policy, phones(1))
    store_replies(stage.store, stage.policy, phones(1, first=2), TWO_PARTS)
    stage.start()
    smsc = stage.bound()
    stage.pass_time(10)
    smsc.answer()  # so part two leaves ten seconds after part one
    stage.run()
    part_one, part_two = smsc.requests
    if refused_first:
        smsc.answer(Status.ESME_RINVDSTADR)
        stage.pass_time(30)
    else:
        stage.pass_time(20)
        smsc.requests.remove(part_one)
        smsc.answer(Status.ESME_RINVDSTADR)
    stage.run()
    assert isinstance(part_two.body, SubmitSm)
    assert len(smsc.submitted) == 3
    assert stage.states()[1] == (ReplyState.REFUSED, 0, Status.ESME_RINVDSTADR, "")


@pytest.mark.parametrize(
    "status",
    [
        Status.ESME_RINVBNDSTS,
        Status.ESME_RSYSERR,
        Status.ESME_RX_T_APPN,
        Status.ESME_RSUBMITFAIL,
    ],
)
def test_an_ill_smsc_is_left_alone_for_the_retry_delay(new_stage: NewStage, status: int) -> None:
    """Nothing more is submitted until retry_delay_s have passed, then all goes on in order."""
    stage = with_replies(new_stage(window=1), 3)
    smsc = stage.bound()
    smsc.answer(status)
    stage.run()
    stage.pass_time(RETRY_S - 0.001)
    assert smsc.phones == phones(1)
    stage.pass_time(0.001)
    answer_all(stage, smsc)
    assert smsc.phones == phones(1) + phones(3)
    assert stage.states() == [SENT] * 3


@pytest.mark.parametrize("at_once", [True, False])
def test_a_throttled_window_goes_again_in_its_order(new_stage: NewStage, at_once: bool) -> None:
    """The oldest waits longest, so it leaves first, however the answers were cut."""
    stage = with_replies(new_stage(window=4), 6)
    smsc = stage.bound()
    busy = [Status.ESME_RTHROTTLED] * 4
    if at_once:
        smsc.answer_at_once(*busy)
    else:
        for status in busy:
            smsc.answer(status)
    stage.pass_time(RETRY_S)
    answer_all(stage, smsc)
    assert smsc.phones == phones(4) + phones(6)


def test_a_throttled_part_holds_off_at_once(new_stage: NewStage) -> None:
    """A busy SMSC is not asked to take the second part of what it just would not take."""
    stage = with_replies(new_stage(window=1), 1, TWO_PARTS)
    smsc = stage.bound()
    smsc.answer(Status.ESME_RTHROTTLED)
    stage.run()
    assert len(smsc.submitted) == 1
    stage.pass_time(RETRY_S)
    answer_all(stage, smsc)
    assert len(smsc.submitted) == 3
    assert [row[:3] for row in stage.states()] == [SENT[:3]]


def test_replies_that_come_during_the_retry_delay_wait_with_it(new_stage: NewStage) -> None:
    """New permits are stored and acknowledged meanwhile; their replies come after the old one."""
    stage = new_stage().start()
    smsc = stage.bound()
    smsc.text(b"1 AZE 1111111", phones(1)[0])
    stage.run()
    smsc.answer(Status.ESME_RTHROTTLED)
    smsc.text(b"1 AZE 1111112", phones(2)[1])
    stage.run()
    assert smsc.responses == {
        (phones(1)[0], b"1 AZE 1111111"): 0,
        (phones(2)[1], b"1 AZE 1111112"): 0,
    }
    assert smsc.phones == phones(1)
    stage.pass_time(RETRY_S)
    assert smsc.phones == phones(1) + phones(2)


def test_a_link_lost_in_mid_flight_loses_and_reorders_nothing(new_stage: NewStage) -> None:
    """Answered ones stay sent; the others go again on the next link, in order, marked."""
    stage = with_replies(new_stage(window=4), 6)
    first = stage.bound()
    first.answer()
    stage.run()
    assert stage.outbox.in_flight
    first.hang_up()
    assert not stage.outbox.in_flight
    assert not stage.outbox.can_send
    stage.run()
    second = stage.reconnect()
    answer_all(stage, second)
    assert second.phones == phones(5, first=2)
    resent = (ReplyState.SENT, 1, 0, "")
    assert stage.states() == [SENT, *[resent] * 4, SENT]


def test_half_a_long_reply_never_leaves_on_another_link(new_stage: NewStage) -> None:
    """The link goes between its parts: the next one carries the whole reply, not its tail first."""
    stage = with_replies(new_stage(window=1), 1, TWO_PARTS)
    stage.bound().hang_up()
    stage.run()
    second = stage.reconnect()
    answer_all(stage, second)
    assert [body.short_message[5] for body in second.submitted] == [1, 2]
    assert [row[:2] for row in stage.states()] == [(ReplyState.SENT, 1)]


def test_the_second_part_of_a_reply_is_not_sent_after_its_end(new_stage: NewStage) -> None:
    """Part one taken, a busy SMSC, the link gone, three hours later a new one: nothing leaves."""
    stage = new_stage(window=2)
    store_replies(stage.store, stage.policy, phones(1))
    store_replies(stage.store, stage.policy, phones(1, first=2), TWO_PARTS)
    stage.start()
    smsc = stage.bound()
    # In the window: the first reply, and part one of the second.
    smsc.answer_at_once(Status.ESME_RTHROTTLED, Status.ESME_ROK)
    smsc.hang_up()
    stage.run()
    stage.pass_time(3 * 3_600)
    late = stage.reconnect()
    assert late.submitted == []
    assert [row[0] for row in stage.states()] == [ReplyState.EXPIRED] * 2


def test_an_answer_that_does_not_come_in_time_sends_again(new_stage: NewStage) -> None:
    """After response_timeout_s, not before, on the same link, and marked as resent."""
    stage = with_replies(new_stage(response_timeout_s=10, enquire_link_s=86_400), 1)
    smsc = stage.bound()
    stage.pass_time(9.5)
    assert len(smsc.submitted) == 1
    stage.pass_time(0.5)
    assert len(smsc.submitted) == 2
    smsc.requests.popleft()
    answer_all(stage, smsc)
    assert stage.states() == [(ReplyState.SENT, 1, 0, "")]


def test_an_smsc_that_never_answers_gets_a_reply_ever_later(new_stage: NewStage) -> None:
    """At once after the first silence, then 10, 20, 40 s later and no more; an answer ends that."""
    stage = with_replies(
        new_stage(response_timeout_s=10, enquire_link_s=86_400, unanswered_delay_max_s=40), 1
    )
    smsc = stage.bound()
    for pause_s in (0, 10, 20, 40, 40):
        sent = len(smsc.submitted)
        stage.pass_time(10)
        if pause_s:
            stage.pass_time(pause_s - 0.5)
            assert len(smsc.submitted) == sent
            stage.pass_time(0.5)
        assert len(smsc.submitted) == sent + 1
    answer_all(stage, smsc)
    assert [row[0] for row in stage.states()] == [ReplyState.SENT]
    smsc.text(b"1 AZE 1111112", "994500000009")
    stage.run()
    assert smsc.phones.count("994500000009") == 1
    stage.pass_time(10)
    assert smsc.phones.count("994500000009") == 2


def test_a_link_that_goes_is_no_answer(new_stage: NewStage) -> None:
    """Silences count on over lost links; the pause of a link ends with it, and no later one."""
    stage = with_replies(
        new_stage(
            response_timeout_s=10,
            enquire_link_s=86_400,
            reconnect_delay_max_s=1,
            unanswered_delay_max_s=40,
        ),
        1,
    )
    stage.bound()
    stage.pass_time(10)  # the first silence
    for pause_s in (10, 20, 40):
        stage.smscs[-1].hang_up()
        smsc = stage.reconnect()
        assert len(smsc.submitted) == 1, "at once, whatever the link before was held off for"
        stage.pass_time(10)
        stage.pass_time(pause_s / 2)
        assert len(smsc.submitted) == 1, pause_s
    stage.pass_time(19.5)
    assert len(smsc.submitted) == 1
    stage.pass_time(0.5)
    assert len(smsc.submitted) == 2


def test_a_restart_resends_only_what_has_no_outcome(new_stage: NewStage) -> None:
    """Sent ones stay sent; what was in the window when the process ended goes again."""
    first = with_replies(new_stage(window=2), 4)
    smsc = first.bound()
    smsc.answer()
    first.run()
    second = new_stage().start()
    smsc = second.bound()
    answer_all(second, smsc)
    assert smsc.phones == phones(3, first=2)
    assert second.states() == [SENT] * 4


def test_two_links_share_one_outbox(new_stage: NewStage) -> None:
    """What one link had in flight when it went, the other one sends, before what is younger."""
    stage = with_replies(new_stage(window=1), 3)
    first = stage.bound()
    second = stage.another_bind()
    assert (first.phones, second.phones) == (phones(1), phones(1, first=2))
    first.hang_up()
    answer_all(stage, second)
    assert second.phones == [phones(3)[number] for number in (1, 0, 2)]
    assert [row[:2] for row in stage.states()] == [(1, 1), (1, 0), (1, 0)]


def test_a_phone_number_that_no_submit_sm_can_carry_is_refused_by_ourselves(
    new_stage: NewStage,
) -> None:
    """data_sm has room for 64 characters, submit_sm for 20: recorded, and nobody else suffers."""
    stage = new_stage()
    store_replies(stage.store, stage.policy, ["9" * 64, *phones(1)])
    stage.start()
    smsc = stage.bound()
    answer_all(stage, smsc)
    assert smsc.phones == phones(1)
    assert stage.states() == [(ReplyState.REFUSED, 0, Status.ESME_RINVDSTADR, ""), SENT]


def test_a_message_after_the_reply_has_left_gets_a_reply_of_its_own(new_stage: NewStage) -> None:
    """While the first reply waits a twin is answered by it; once it has left, anew."""
    stage = new_stage().start()
    smsc = stage.bound()
    for _ in range(2):
        smsc.text(b"2 AZE 1111111", phones(1)[0])
        stage.run()
    assert len(smsc.submitted) == 1
    answer_all(stage, smsc)
    smsc.text(b"2 AZE 1111111", phones(1)[0])
    stage.run()
    assert len(smsc.submitted) == 2
