"""An SMSC that takes only so much: replies leave evenly, nothing is dropped, urgent ones first."""

from typing import Any

import pytest
from gateway_stage import RETRY_S, GatewayStage, NewStage, store_replies
from memory_smsc import MemorySmsc
from structlog.testing import capture_logs
from twisted.internet.task import LoopingCall
from virtual_reactor import HOUR_US, NOON_US

from smsd.smpp.pdu import Status, SubmitSm
from storage import ReplyState

STEP_S = 0.02
THROTTLED, FULL = Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL
DOCTOR, FOOD = b"1 AZE 1111111", b"2 AZE 1111111"
SENT = (ReplyState.SENT, 0, 0, "")
PAST_A_DAY = {"enquire_link_s": 86_400}  # no enquire_link among what is counted


def phones(count: int, first: int = 1) -> list[str]:
    return [str(994_500_000_000 + number) for number in range(first, first + count)]


class Strict:
    """Answers at once on all links; takes `limit` in each second, and throttles the rest."""

    def __init__(self, stage: GatewayStage, limit: int, status: int = THROTTLED) -> None:
        self._stage = stage
        self.limit = limit
        self.status = status
        self.taken: list[tuple[int, str]] = []  # second, phone
        self.refused: list[int] = []  # seconds

    def answer(self, *smscs: MemorySmsc) -> None:
        """Whatever came until now."""
        second = int(self._stage.reactor.seconds())
        for smsc in smscs:
            while smsc.requests:
                body = smsc.requests[0].body
                assert isinstance(body, SubmitSm)
                if sum(at == second for at, _ in self.taken) < self.limit:
                    self.taken.append((second, body.destination_addr))
                    smsc.answer()
                else:
                    self.refused.append(second)
                    smsc.answer(self.status)
        self._stage.run()

    def live(self, seconds: float, *smscs: MemorySmsc) -> None:
        """Let time pass in small steps, answering at each."""
        for _ in range(round(seconds / STEP_S)):
            self._stage.pass_time(STEP_S)
            self.answer(*smscs)

    def per_second(self) -> list[int]:
        """How many were taken in each second."""
        return [sum(at == second for at, _ in self.taken) for second in range(self.taken[-1][0])]


def with_replies(stage: GatewayStage, count: int) -> GatewayStage:
    store_replies(stage.store, stage.policy, phones(count))
    return stage.start()


@pytest.mark.parametrize(("links", "window"), [(1, 1_000), (2, 1_000), (2, 1)])
def test_the_limit_holds_over_all_binds(new_stage: NewStage, links: int, window: int) -> None:
    """Fifty a second whatever the windows take: not one throttled, none too few, in order."""
    stage = with_replies(new_stage(throughput=50, window=window, **PAST_A_DAY), 400)
    smscs = [stage.bound()]
    if links == 2:
        smscs.append(stage.another_bind())
    strict = Strict(stage, limit=52)
    strict.answer(*smscs)
    strict.live(8.5, *smscs)
    assert strict.refused == []
    assert all(49 <= each <= 52 for each in strict.per_second()[:7])
    assert [phone for _, phone in strict.taken] == phones(400)
    assert stage.states() == [SENT] * 400


def test_what_leaves_by_one_bind_counts_for_the_other(new_stage: NewStage) -> None:
    """Six may leave at once: four by the first window, so two by the second; then one more."""
    settings = {"throughput": 100, "throughput_burst_s": 0.05, "window": 4}
    stage = new_stage(**settings, **PAST_A_DAY).start()
    smscs = stage.bound(), stage.another_bind()
    store_replies(stage.store, stage.policy, phones(10))
    stage.outbox.look_on_disk()
    stage.run()
    assert [len(smsc.submitted) for smsc in smscs] == [4, 2]
    stage.pass_time(0.01)
    assert [len(smsc.submitted) for smsc in smscs] == [4, 3]


def test_nobody_polls_while_the_rate_keeps_replies_back(new_stage: NewStage) -> None:
    """One timer, for the instant at which the next may leave; none when nothing waits."""

    def timers() -> list[float]:
        return [
            call.getTime() - stage.reactor.seconds()
            for call in stage.reactor.getDelayedCalls()
            if not isinstance(call.func, LoopingCall)  # the links' ticks
        ]

    stage = new_stage(throughput=2, **PAST_A_DAY).start()
    smsc = stage.bound()
    for phone in phones(3):
        smsc.text(FOOD, phone)
    stage.run()
    seen = [timers()]
    for _ in range(2):
        stage.pass_time(0.25)
        seen.append(timers())
        stage.pass_time(0.25)
        seen.append(timers())
    assert smsc.phones == phones(3)
    assert [len(each) for each in seen] == [1, 1, 1, 1, 0]
    assert [round(each[0], 2) for each in seen[:2]] == [0.48, 0.23]


def test_a_busy_smsc_is_one_line_in_the_log(new_stage: NewStage) -> None:
    """However long it lasts; the next time it is one line again."""
    stage = with_replies(new_stage(throughput=8, throughput_recovery_per_s=1, **PAST_A_DAY), 60)
    smsc = stage.bound()
    strict = Strict(stage, 0)
    with capture_logs() as lines:
        strict.answer(smsc)
        strict.live(4, smsc)
        strict.limit = 100
        strict.live(9, smsc)
        strict.limit = 0
        strict.live(1, smsc)
    assert [(line["event"], line["rate_per_s"]) for line in lines] == [("smsc_busy", 4)] * 2


@pytest.mark.parametrize(("status", "refused_share"), [(THROTTLED, 0.25), (FULL, 0.6)])
def test_the_gateway_learns_what_the_smsc_takes(
    new_stage: NewStage, status: int, refused_share: float
) -> None:
    """No limit configured, twenty a second taken: it settles near that, and all arrive, once."""
    stage = with_replies(new_stage(window=200, **PAST_A_DAY), 400)
    smsc = stage.bound()
    strict = Strict(stage, 20, status)
    strict.answer(smsc)
    strict.live(40, smsc)
    assert sorted(phone for _, phone in strict.taken) == phones(400)
    assert stage.states() == [SENT] * 400
    settled = strict.per_second()[5:20]
    assert sum(settled) >= 15 * 20 * 0.6
    refused = sum(5 <= second < 20 for second in strict.refused)
    assert refused <= refused_share * sum(settled)
    assert stage.seen.throttlings == len(strict.refused)


def test_a_rate_that_fell_survives_a_reconnect(new_stage: NewStage) -> None:
    """A new link is no reason to flood the SMSC again."""
    stage = with_replies(new_stage(window=100, throughput_recovery_per_s=0.1, **PAST_A_DAY), 200)
    first = stage.bound()
    first.answer_at_once(*[THROTTLED] * 100)
    stage.run()
    assert stage.outbox.rate_per_s == 50
    first.hang_up()
    second = stage.reconnect()
    assert stage.outbox.rate_per_s == pytest.approx(50, abs=0.5)
    assert len(second.submitted) <= 2
    strict = Strict(stage, 1_000)
    strict.answer(second)
    strict.live(3, second)
    assert all(49 <= each <= 52 for each in strict.per_second()[1:3])


def test_urgent_replies_leave_first_however_slow_it_is(new_stage: NewStage) -> None:
    """One a second: who needs a doctor is next, even after being turned away together."""
    stage = new_stage(window=10, throughput=1, **PAST_A_DAY).start()
    smsc = stage.bound()
    for phone in phones(5):
        smsc.text(FOOD, phone)
    stage.run()
    smsc.answer(THROTTLED)  # the first one
    for phone in phones(2, first=6):
        smsc.text(DOCTOR, phone)
    stage.run()
    for _ in range(9):
        stage.pass_time(1.1)
        while smsc.requests:
            smsc.answer()
            stage.run()
    assert smsc.phones == [*phones(1), *phones(2, first=6), *phones(5)]
    assert stage.states() == [SENT] * 7


def test_a_full_queue_for_an_hour_drops_nothing(new_stage: NewStage) -> None:
    """ESME_RMSGQFUL to everything: it is asked ever more rarely, then all leave in order."""
    stage = with_replies(new_stage(window=50, **PAST_A_DAY), 50)
    smsc = stage.bound()
    while smsc.requests:
        smsc.answer(FULL)
    stage.run()
    tries = []
    for _ in range(60):
        before = len(smsc.submitted)
        for _ in range(10):
            stage.pass_time(1)
            while smsc.requests:
                smsc.answer(FULL)
                stage.run()
        tries.append(len(smsc.submitted) - before)
    assert max(tries[3:]) <= 3 * 10
    submitted = len(smsc.submitted)
    for _ in range(200):
        stage.pass_time(1)
        while smsc.requests:
            smsc.answer()
            stage.run()
    assert sorted(smsc.phones[submitted:]) == phones(50)
    assert [row[:1] for row in stage.states()] == [(ReplyState.SENT,)] * 50


def test_one_phone_whose_queue_is_full_slows_nobody_down(new_stage: NewStage) -> None:
    """Its reply rests alone between its tries; the rate falls once, and comes back."""
    stage = with_replies(new_stage(window=5, throughput=20, **PAST_A_DAY), 400)
    smsc = stage.bound()
    stuck = phones(1)[0]
    for _ in range(round(30 / STEP_S)):
        stage.pass_time(STEP_S)
        while smsc.requests:
            body = smsc.requests[0].body
            assert isinstance(body, SubmitSm)
            smsc.answer(FULL if body.destination_addr == stuck else Status.ESME_ROK)
            stage.run()
    assert smsc.phones.count(stuck) <= 2 + 30 / RETRY_S
    assert len(smsc.phones) >= 400
    assert stage.states()[1:] == [SENT] * 399
    stage.clock.now_us = NOON_US + 2 * HOUR_US
    stage.pass_time(RETRY_S)
    assert stage.states()[0][0] == ReplyState.EXPIRED
    assert stage.outbox.depth == 0


def test_one_reply_that_meets_a_temporary_error_holds_the_others_up_once(
    new_stage: NewStage,
) -> None:
    """The first time all wait, since the SMSC may be ill; afterwards only that one."""
    stage = with_replies(new_stage(window=2, **PAST_A_DAY), 20)
    smsc = stage.bound()
    stuck = phones(1)[0]

    def answer() -> None:
        while smsc.requests:
            body = smsc.requests[0].body
            assert isinstance(body, SubmitSm)
            ill = body.destination_addr == stuck
            smsc.answer(Status.ESME_RSYSERR if ill else Status.ESME_ROK)
            stage.run()

    answer()
    assert smsc.phones == phones(2)
    stage.pass_time(RETRY_S)
    answer()
    stage.pass_time(RETRY_S)
    answer()
    assert len(set(smsc.phones)) == 20
    assert stage.states()[1:] == [SENT] * 19
    assert stage.states()[0] == (ReplyState.UNSENT, 0, None, None)
    assert stage.outbox.depth == 1


def test_the_rate_counts_every_part_of_a_long_reply(new_stage: NewStage) -> None:
    """An SMSC counts what is submitted: two parts are two."""
    stage = new_stage(throughput=10, **PAST_A_DAY)
    store_replies(stage.store, stage.policy, phones(30), "ə" * 71)
    stage.start()
    smsc = stage.bound()
    strict = Strict(stage, 11)
    strict.answer(smsc)
    strict.live(6.5, smsc)
    assert strict.refused == []
    assert len(strict.taken) == 60
    assert [row[:3] for row in stage.states()] == [SENT[:3]] * 30


# What a status means, and what follows when none came.


@pytest.mark.parametrize(
    ("settings", "status", "outcome"),
    [
        ({}, 0x400, ReplyState.REFUSED),
        ({"temporary_statuses": (0x400,)}, 0x400, ReplyState.SENT),
        ({"congestion_statuses": (0x4FF,)}, 0x4FF, ReplyState.SENT),
        ({"permanent_statuses": (Status.ESME_RSUBMITFAIL,)}, 0x45, ReplyState.REFUSED),
        ({"temporary_statuses": (Status.ESME_RINVDSTADR,)}, 0x0B, ReplyState.SENT),
        ({}, Status.ESME_RUNKNOWNERR, ReplyState.REFUSED),
    ],
)
def test_an_smsc_may_mean_something_else(
    new_stage: NewStage, settings: dict[str, Any], status: int, outcome: ReplyState
) -> None:
    """Its section says what its own codes are, and may overrule the table."""
    stage = with_replies(new_stage(**settings, **PAST_A_DAY), 1)
    smsc = stage.bound()
    smsc.answer(status)
    stage.run()
    stage.pass_time(RETRY_S)
    while smsc.requests:
        smsc.answer()
        stage.run()
    assert stage.states()[0][0] == outcome
    assert stage.seen.throttlings == (status == 0x4FF)


@pytest.mark.parametrize(("validity_s", "state"), [(7_199, 0), (7_200, ReplyState.EXPIRED)])
def test_a_temporary_error_is_tried_until_the_reply_would_mislead(
    new_stage: NewStage, validity_s: int, state: ReplyState
) -> None:
    """A second before the permit ends it is tried; at its end it has run late, and is not lost."""
    stage = with_replies(new_stage(**PAST_A_DAY), 1)
    smsc = stage.bound()
    smsc.answer(Status.ESME_RSYSERR)
    stage.run()
    stage.pass_time(validity_s)
    assert len(smsc.submitted) == 2 - (state == ReplyState.EXPIRED)
    assert stage.states()[0][0] == state


@pytest.mark.parametrize("lost", ["link", "answer"])
def test_without_an_answer_a_reply_can_be_given_up(new_stage: NewStage, lost: str) -> None:
    """`unknown_outcome = "give_up"`: never twice; told as unknown, and perhaps sent."""
    stage = with_replies(new_stage(unknown_outcome="give_up", window=1, **PAST_A_DAY), 2)
    smsc = stage.bound()
    if lost == "link":
        smsc.hang_up()
        stage.run()
        smsc = stage.reconnect()
        assert smsc.phones == phones(1, first=2)
    else:
        stage.pass_time(30)
        assert smsc.phones == phones(2)
        smsc.requests.popleft()
    smsc.answer(message_id="7")
    stage.run()
    assert stage.states() == [(ReplyState.UNKNOWN, 1, 0, ""), (ReplyState.SENT, 0, 0, "7")]
    assert stage.seen.outcomes == [ReplyState.UNKNOWN, ReplyState.SENT]


def test_half_a_reply_is_sent_again_though_unknown_ones_are_given_up(new_stage: NewStage) -> None:
    """Part one was taken, part two never left: nothing about that is unknown."""
    stage = new_stage(unknown_outcome="give_up", throughput=1, **PAST_A_DAY)
    store_replies(stage.store, stage.policy, phones(1), "ə" * 71)
    stage.start()
    first = stage.bound()
    first.answer(message_id="a")
    stage.run()
    first.hang_up()
    stage.run()
    second = stage.reconnect()
    for message_id in ("b", "c"):
        second.answer(message_id=message_id)
        stage.pass_time(1.1)
    assert stage.states() == [(ReplyState.SENT, 1, 0, "b c")]
