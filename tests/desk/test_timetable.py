"""What is queued takes effect by itself, in virtual time: at its instant, and after a restart."""

import pytest
from desk_people import person
from desk_stage import DeskStage, NewDesk
from study_child import LONGER, candidate
from virtual_reactor import NOON_US, S_US

import rules
from storage import policies, proposals, studies
from storage.proposal_states import Move, State
from storage.roles import Role
from storage.studies import Outcome

TEXT = candidate(LONGER)
DIGEST = rules.parse_policy(TEXT, "longer.toml").digest


def queue(stage: DeskStage, due_us: int) -> int:
    """Propose, study and approve three hours."""
    url, before_us = stage.config.store.url, NOON_US - 10 * S_US
    number = proposals.propose(url, TEXT, DIGEST, before_us, "proposer", "a decree")
    task = studies.begin_next(url)
    assert task is not None
    studies.end(url, task.study, before_us, Outcome.SOUND, "{}")
    proposals.move(url, number, Move.QUEUE, before_us, "second", "at midnight", due_us)
    return number


def start(stage: DeskStage) -> None:
    """Have the desk begin, until it knows what is queued."""
    officer = person(stage, "officer", Role.POLICY)
    stage.desk.start()
    stage.settle()
    assert "data-due" in officer.get("/policy").text


def in_force(stage: DeskStage, digest: str = DIGEST) -> bool:
    """Whether the daemon decides by a policy, as /metrics has it."""
    told = f'smsd_policy_info{{digest="{digest}",id="8103",role="live"}} 1.0'
    watcher = person(stage, "watcher", Role.VIEWER)
    return told in watcher.get("/metrics").text


def state(stage: DeskStage, number: int) -> State:
    found = proposals.find(stage.config.store.url, number)
    assert found is not None
    return found.state


def test_it_takes_effect_at_its_instant_and_not_a_microsecond_before(desk: DeskStage) -> None:
    """The clock of records decides, not the timer's."""
    due_us = NOON_US + 2 * S_US + S_US // 2
    number = queue(desk, due_us)
    start(desk)
    desk.clock.now_us = due_us - 1
    desk.reactor.advance(1.0)
    assert not in_force(desk)
    next_s = min(call.getTime() for call in desk.reactor.getDelayedCalls())
    assert next_s - desk.reactor.seconds() == pytest.approx(0.000_001)
    desk.clock.now_us = due_us
    desk.reactor.advance(0.000_002)
    while not in_force(desk):
        desk.reactor.run_one()
    assert state(desk, number) is State.ACTIVATED
    assert policies.history(desk.config.store.url)[0].who == "second"


def test_a_clock_that_jumps_is_noticed_within_a_second(desk: DeskStage) -> None:
    """A rehearsal moves the hour: no timer was set for a day away."""
    queue(desk, NOON_US + 86_400 * S_US)
    start(desk)
    desk.clock.now_us = NOON_US + 86_401 * S_US
    desk.reactor.advance(1.0)
    while not in_force(desk):
        desk.reactor.run_one()


@pytest.mark.parametrize(("due_us", "taken"), [(NOON_US, True), (NOON_US + 1, False)])
def test_what_fell_due_while_nobody_ran_is_in_force_before_the_first_sms(
    new_desk: NewDesk, due_us: int, taken: bool
) -> None:
    """Both sides of the instant, across a restart at noon."""
    number = queue(new_desk(""), due_us)
    again = new_desk("")
    assert in_force(again) is taken
    assert state(again, number) is (State.ACTIVATED if taken else State.QUEUED)


def test_what_was_studied_against_another_policy_is_kept_back(desk: DeskStage) -> None:
    """And the desk no longer counts down to it."""
    number = queue(desk, NOON_US + S_US)
    start(desk)
    url, other = desk.config.store.url, candidate()
    digest = rules.parse_policy(other, "other.toml").digest
    policies.activate(url, other, digest, NOON_US, "officer", "meanwhile", "activate")
    desk.clock.now_us = NOON_US + S_US
    desk.reactor.advance(1.0)
    while state(desk, number) is State.QUEUED or not in_force(desk, digest):
        desk.reactor.run_one()
    assert state(desk, number) is State.PROPOSED
