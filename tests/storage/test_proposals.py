"""Proposed policies: every move from every state, by whom, and what a study is good for."""

from pathlib import Path

import pytest

from storage import SqliteStore, audit, policies, proposals, studies
from storage.policies import activate
from storage.proposal_states import MOVES, QUEUE_US_MAX, Move, MoveRefused, State, Why
from storage.studies import Outcome

PROPOSER, SECOND, THIRD = "proposer", "second", "third"
NOW_US = 1_000_000
BY = {Move.WITHDRAW: PROPOSER}  # all others: the second
BY_PEOPLE = (Move.ACTIVATE, Move.QUEUE, Move.DECLINE, Move.WITHDRAW)


@pytest.fixture
def url(url: str, store: SqliteStore) -> str:
    """A store in which a policy is in force, and another was before it."""
    activate(url, "text of zero", "zero", 0, "smsd", "read", "file")
    activate(url, "text of one", "one", 0, "officer", "decree", "activate")
    return url


def proposed(url: str, digest: str = "two") -> int:
    return proposals.propose(url, f"text of {digest}", digest, NOW_US, PROPOSER, "a decree")


def study(url: str, outcome: Outcome = Outcome.SOUND) -> None:
    """Make the next study."""
    task = studies.begin_next(url)
    assert task is not None
    studies.end(url, task.study, NOW_US, outcome, "{}")


def studied(url: str, digest: str = "two") -> int:
    number = proposed(url, digest)
    study(url)
    return number


def make(url: str, number: int, move: Move, who: str | None = None, due_us: int = 0) -> None:
    at_us = due_us or NOW_US + 100
    queued_us = at_us if move is Move.QUEUE else None
    proposals.move(url, number, move, NOW_US, who or BY.get(move, SECOND), "because", queued_us)


def state(url: str, number: int) -> State:
    found = proposals.find(url, number)
    assert found is not None
    return found.state


def in_force(url: str) -> str:
    active = policies.active(url)
    assert active is not None
    return active.digest


def bring(url: str, wanted: State) -> int:
    """A studied proposal in a state."""
    number = studied(url)
    ways: dict[State, list[Move]] = {
        State.PROPOSED: [],
        State.QUEUED: [Move.QUEUE],
        State.ACTIVATED: [Move.ACTIVATE],
        State.DECLINED: [Move.DECLINE],
        State.WITHDRAWN: [Move.WITHDRAW],
    }
    for move in ways[wanted]:
        make(url, number, move)
    assert state(url, number) is wanted
    return number


@pytest.mark.parametrize("start", State)
@pytest.mark.parametrize("move", BY_PEOPLE)
def test_a_move_is_made_where_the_table_has_it_and_refused_elsewhere(
    url: str, start: State, move: Move
) -> None:
    """Legal: the state changes, the move is told; illegal: nothing does, and the reason is said."""
    number = bring(url, start)
    before = proposals.moves_of(url, number), len(audit.since(url, 0))
    wanted = MOVES.get((start, move))
    if wanted is None:
        with pytest.raises(MoveRefused) as refused:
            make(url, number, move)
        assert refused.value.why is Why.STATE
        assert state(url, number) is start
        assert (proposals.moves_of(url, number), len(audit.since(url, 0))) == before
        return
    make(url, number, move)
    assert state(url, number) is wanted
    [*_, made] = proposals.moves_of(url, number)
    assert (made.move, made.reason) == (move, "because")
    line = audit.since(url, 0)[-1]
    assert (line.who, line.action, line.subject) == (made.who, f"policy_{move}", "two")
    assert in_force(url) == ("two" if State.ACTIVATED in (start, wanted) else "one")


@pytest.mark.parametrize("move", [Move.ACTIVATE, Move.QUEUE, Move.DECLINE])
def test_nobody_decides_about_his_own(url: str, move: Move) -> None:
    """Two persons stand behind every law."""
    number = studied(url)
    with pytest.raises(MoveRefused) as refused:
        make(url, number, move, PROPOSER)
    assert refused.value.why is Why.OWN
    assert in_force(url) == "one"


def test_only_the_proposer_withdraws(url: str) -> None:
    """Others decline, with their name."""
    number = studied(url)
    with pytest.raises(MoveRefused) as refused:
        make(url, number, Move.WITHDRAW, SECOND)
    assert refused.value.why is Why.NOT_OWN


@pytest.mark.parametrize(
    ("outcome", "why"), [(Outcome.FAULTY, Why.UNSOUND), (Outcome.FAILED, Why.UNSTUDIED)]
)
@pytest.mark.parametrize("move", [Move.ACTIVATE, Move.QUEUE])
def test_what_was_not_found_sound_is_not_put_in_force(
    url: str, outcome: Outcome, why: Why, move: Move
) -> None:
    """Not studied, faulty, or a study that failed: each says what is missing."""
    number = proposed(url)
    with pytest.raises(MoveRefused) as refused:
        make(url, number, move)
    assert refused.value.why is Why.UNSTUDIED
    study(url, outcome)
    with pytest.raises(MoveRefused) as refused:
        make(url, number, move)
    assert refused.value.why is why
    make(url, number, Move.DECLINE)  # what is faulty can be put away


@pytest.mark.parametrize("move", [Move.ACTIVATE, Move.QUEUE])
def test_a_study_against_another_policy_is_void_until_it_is_made_again(
    url: str, move: Move
) -> None:
    """What is activated is what was studied."""
    number = studied(url)
    activate(url, "text of three", "three", NOW_US, "officer", "meanwhile", "activate")
    with pytest.raises(MoveRefused) as refused:
        make(url, number, move)
    assert refused.value.why is Why.STALE
    studies.ask(url, number, NOW_US, SECOND)
    studies.ask(url, number, NOW_US, SECOND)  # twice is once
    task = studies.begin_next(url)
    assert task is not None
    assert (task.old, task.new) == ("text of three", "text of two")
    studies.end(url, task.study, NOW_US, Outcome.SOUND, "{}")
    assert studies.begin_next(url) is None
    make(url, number, move)


@pytest.mark.parametrize(
    ("due_us", "why"),
    [
        (NOW_US, Why.PAST),
        (NOW_US + 1, None),
        (NOW_US + QUEUE_US_MAX, None),
        (NOW_US + QUEUE_US_MAX + 1, Why.FAR),
    ],
)
def test_an_instant_lies_within_a_year_from_now(url: str, due_us: int, why: Why | None) -> None:
    """Neither now or past, nor a mistyped year."""
    number = studied(url)
    if why is None:
        make(url, number, Move.QUEUE, due_us=due_us)
        assert proposals.queued(url) == proposals.find(url, number)
        return
    with pytest.raises(MoveRefused) as refused:
        make(url, number, Move.QUEUE, due_us=due_us)
    assert refused.value.why is why


def test_one_at_a_time_is_queued(url: str) -> None:
    """A second would have been studied against a policy that the first replaces."""
    first, second = studied(url), studied(url, "three")
    make(url, first, Move.QUEUE)
    with pytest.raises(MoveRefused) as refused:
        make(url, second, Move.QUEUE)
    assert refused.value.why is Why.QUEUE_TAKEN
    make(url, first, Move.QUEUE, due_us=NOW_US + 500)
    queued = proposals.queued(url)
    assert queued is not None
    assert queued.due_us == NOW_US + 500


def test_what_is_queued_takes_effect_at_its_instant_and_not_before(url: str) -> None:
    """By itself, in the name of who approved it; the audit tells that the daemon did it."""
    number = studied(url)
    make(url, number, Move.QUEUE, due_us=NOW_US + 50)
    assert proposals.take_due(url, NOW_US + 49) is None
    assert in_force(url) == "one"
    assert proposals.take_due(url, NOW_US + 50) == proposals.Due(number, "two", None)
    newest = policies.history(url)[0]
    assert (newest.digest, newest.who, newest.reason) == ("two", SECOND, "because")
    line = audit.since(url, 0)[-1]
    assert (line.who, line.action) == ("smsd", "policy_activate")
    assert proposals.take_due(url, NOW_US + 51) is None
    found = proposals.find(url, number)
    assert found is not None
    assert (found.state, found.due_us) == (State.ACTIVATED, None)


def test_what_was_queued_against_another_policy_lapses(url: str) -> None:
    """A rollback in between: nothing is put in force that nobody has looked at."""
    number = studied(url)
    make(url, number, Move.QUEUE, due_us=NOW_US + 50)
    proposals.roll_back(url, "zero", NOW_US, THIRD, "it grants too much")
    due = proposals.take_due(url, NOW_US + 50)
    assert due == proposals.Due(number, "two", Why.STALE)
    assert in_force(url) == "zero"
    assert state(url, number) is State.PROPOSED
    assert audit.since(url, 0)[-1].action == "policy_lapse"


def test_one_person_rolls_back_and_the_audit_says_so(url: str) -> None:
    """Only to the policy before, which had two persons; there and back again."""
    with pytest.raises(MoveRefused) as refused:
        proposals.roll_back(url, "one", NOW_US, THIRD, "mistaken")
    assert refused.value.why is Why.MOVED_ON
    proposals.roll_back(url, "zero", NOW_US, THIRD, "it grants too much")
    assert in_force(url) == "zero"
    line = audit.since(url, 0)[-1]
    assert (line.who, line.action, line.subject, line.reason) == (
        THIRD, "policy_rollback_alone", "zero", "it grants too much",
    )  # fmt: skip
    proposals.roll_back(url, "one", NOW_US, THIRD, "it was right after all")
    assert in_force(url) == "one"


def test_without_an_earlier_policy_there_is_no_way_back(tmp_path: Path) -> None:
    """A fresh store has had one law only."""
    url = f"sqlite:///{tmp_path}/fresh.db"
    SqliteStore(url).close()
    activate(url, "text", "only", 0, "smsd", "read", "file")
    with pytest.raises(MoveRefused) as refused:
        proposals.roll_back(url, "only", NOW_US, THIRD, "back")
    assert refused.value.why is Why.NOTHING_BEFORE


def test_the_same_policy_is_neither_proposed_twice_nor_over_itself(url: str) -> None:
    """What is in force, or open, needs no proposal; what was declined may come again."""
    with pytest.raises(MoveRefused) as refused:
        proposed(url, "one")
    assert refused.value.why is Why.IN_FORCE
    number = proposed(url)
    with pytest.raises(MoveRefused) as refused:
        proposed(url)
    assert refused.value.why is Why.OPEN
    make(url, number, Move.DECLINE)
    again = proposed(url)
    assert [each.id for each in proposals.recent(url, 10)] == [again, number]
    assert studies.begin_next(url) is not None
    task = studies.begin_next(url)  # that of the declined one is nobody's any more
    assert task is not None
    assert task.proposal == again


def test_a_study_that_was_cut_off_is_the_next_again(url: str) -> None:
    """Begun is not ended: whoever starts next makes it, against what is in force then."""
    number = proposed(url)
    begun = studies.begin_next(url)
    activate(url, "text of three", "three", NOW_US, "officer", "meanwhile", "activate")
    again = studies.begin_next(url)
    assert begun is not None
    assert again is not None
    assert begun.study == again.study
    assert again.old == "text of three"
    newest = studies.newest(url, number)
    assert newest is not None
    assert (newest.against, newest.outcome) == ("three", None)
