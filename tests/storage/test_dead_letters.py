"""Replies that never left: found, put back in order, dropped; what would mislead stays."""

import pytest
from decisions_stored import (
    DAY_US,
    DOCUMENT,
    HOLDER,
    HOUR_US,
    NOON_US,
    PHONE,
    decided,
    sms,
    stored,
)

from rules import CompiledPolicy, Document
from rules.commands import Ended
from storage import DESK, ReplyOutcome, ReplyState, SqliteStore, StoreError, audit
from storage.dead_letters import Letter, Lot, WhyNot, drop, list_letters, lots, retriable, retry
from storage.upkeep import verify

WHO = ("A. Operator", "the operator mended it")
LATER_US = NOON_US + HOUR_US
END_US = NOON_US + 2 * HOUR_US
INVALID = 0x0B


def replies(
    store: SqliteStore, policy: CompiledPolicy, count: int, end_us: int = END_US
) -> list[int]:
    """So many permits of as many people, each with a reply that waits; their ids."""
    with store.transaction(policy) as transaction:
        return [
            stored(
                transaction,
                decided(transaction, policy, "2", Document("AZE", f"{1_000_000 + number}")),
                f"p:P{number}",
                str(994_500_000_000 + number),
                not_after_us=end_us,
            )
            for number in range(count)
        ]


def settle(
    store: SqliteStore,
    policy: CompiledPolicy,
    ids: list[int],
    state: ReplyState = ReplyState.REFUSED,
    status: int = INVALID,
    at_us: int = NOON_US,
) -> None:
    with store.transaction(policy) as transaction:
        transaction.settle(
            [ReplyOutcome(number, state, at_us, "", status, False) for number in ids]
        )


def put_back(url: str, *ids: int, smscs: tuple[str, ...] = ("one",), at_us: int = LATER_US) -> str:
    """Why not; empty where all went back."""
    return "; ".join(why for why in retry(url, ids, smscs, *WHO, at_us).values() if why)


def test_what_waits_and_what_never_left_is_listed(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """The oldest that waits first, the newest that never left first; what was sent is not there."""
    ids = replies(store, policy, 6)
    settle(store, policy, ids[:1])
    settle(store, policy, ids[1:2], ReplyState.SENT, 0)
    settle(store, policy, ids[2:3], ReplyState.EXPIRED, 0, LATER_US)
    settle(store, policy, ids[3:4], ReplyState.UNKNOWN, 0, LATER_US + 1)
    waiting, dead = list_letters(url, "", NOON_US, 10)
    assert [letter.id for letter in waiting.letters] == ids[4:]
    assert [(letter.id, letter.state) for letter in dead.letters] == [
        (ids[3], ReplyState.UNKNOWN),
        (ids[2], ReplyState.EXPIRED),
        (ids[0], ReplyState.REFUSED),
    ]
    phone = "994500000000"
    assert dead.letters[2] == Letter(
        ids[0], "one", phone, ReplyState.REFUSED, INVALID, NOON_US, NOON_US, END_US,
        False, False, False,
    )  # fmt: skip


def test_a_list_is_as_long_as_asked_and_tells_how_many_there_are(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Of one SMSC or of all, and only what was settled since."""
    ids = replies(store, policy, 9)
    settle(store, policy, ids[:3])
    settle(store, policy, ids[3:5], at_us=LATER_US)
    waiting, dead = list_letters(url, "one", NOON_US, 2)
    assert (len(waiting.letters), waiting.total) == (2, 4)
    assert (len(dead.letters), dead.total) == (2, 5)
    assert list_letters(url, "one", NOON_US + 1, 9)[1].total == 2
    assert [each.total for each in list_letters(url, "other", 0, 9)] == [0, 0]


def test_a_refused_reply_waits_again_as_if_new(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """It comes from its own page, once, behind the line of the audit; the other page has it not."""
    ids = replies(store, policy, 3)
    settle(store, policy, ids[:2])
    assert put_back(url, *ids[:2]) == ""
    assert [reply.id for reply in store.unsent("one", 0, 10)] == ids[2:]
    first, second = store.unsent("one", 0, 10, retried=True)
    assert (first.id, second.id) == (ids[0], ids[1])
    assert (first.retried, second.retried) == (1, 2)
    assert not first.resent
    assert store.unsent("one", 1, 10, retried=True) == [second]
    assert store.unsent("one", 0, 10, urgent=True, retried=True) == []
    lines = audit.since(url, 0)
    assert [(line.who, line.action, line.subject, line.reason) for line in lines] == [
        (WHO[0], "outbox_retry", f"reply {number}", WHO[1]) for number in ids[:2]
    ]
    settle(store, policy, ids[:1], ReplyState.SENT, 0)
    assert store.unsent("one", 0, 10, retried=True) == [second]
    assert not any(verify(url, lambda _check: None).values())


def test_what_was_refused_again_can_be_put_back_again(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Its new line of the audit stands behind those that a daemon has seen."""
    [number] = replies(store, policy, 1)
    for line in (1, 2):
        settle(store, policy, [number])
        assert put_back(url, number) == ""
        [reply] = store.unsent("one", line - 1, 10, retried=True)
        assert reply.retried == line


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (ReplyState.UNSENT, "waits already"),
        (ReplyState.SENT, "was taken by the SMSC"),
        (ReplyState.REFUSED, ""),
        (ReplyState.DROPPED, ""),
        (ReplyState.UNKNOWN, ""),
    ],
)
def test_only_what_never_left_goes_back(
    url: str, store: SqliteStore, policy: CompiledPolicy, state: ReplyState, why: str
) -> None:
    """Each state says why not; nothing else is touched."""
    [number] = replies(store, policy, 1)
    if state is not ReplyState.UNSENT:
        settle(store, policy, [number], state, 0)
    assert why in put_back(url, number)
    assert len(store.unsent("one", 0, 9, retried=True)) == (not why)
    assert len(audit.since(url, 0)) == (not why)


@pytest.mark.parametrize(("at_us", "goes"), [(END_US - 1, True), (END_US, False)])
def test_what_tells_of_an_ended_permit_stays(
    url: str, store: SqliteStore, policy: CompiledPolicy, at_us: int, goes: bool
) -> None:
    """Until the last microsecond it may go, at its end no more, since it would mislead."""
    [number] = replies(store, policy, 1)
    settle(store, policy, [number])
    assert bool(retriable(url, "", 0, at_us)) is goes
    assert ("would mislead" in put_back(url, number, at_us=at_us)) is not goes


def test_what_tells_of_a_permit_that_was_returned_stays(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Its holder came home early: "granted until noon" is no longer so."""
    with store.transaction(policy) as transaction:
        permit = decided(transaction, policy, "2", DOCUMENT)
        number = stored(transaction, permit, HOLDER, PHONE, not_after_us=END_US)
    settle(store, policy, [number])
    with store.transaction(policy) as transaction:
        transaction.end_permits([Ended(permit.serial, NOON_US + 60, False)])
    assert "ended by its holder" in put_back(url, number)


def test_a_reply_of_an_smsc_that_is_no_longer_there_stays(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Nobody would send it, so it must not look as if it waited."""
    [number] = replies(store, policy, 1)
    settle(store, policy, [number])
    assert put_back(url, number, smscs=("two",)) == WhyNot.NO_SMSC
    assert put_back(url, 77) == "is not in the store"


def test_many_go_back_in_small_steps_each_once(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """More than one transaction takes; a number given twice counts once."""
    ids = replies(store, policy, 450)
    settle(store, policy, ids)
    assert put_back(url, *ids, *ids) == ""
    assert [reply.id for reply in store.unsent("one", 0, 999, retried=True)] == ids
    assert len(audit.since(url, 0)) == 450


def test_replies_are_chosen_by_status_and_smsc(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Those refused or unknown that may still leave; never the dropped or expired."""
    ids = replies(store, policy, 6)
    settle(store, policy, ids[:2], status=INVALID)
    settle(store, policy, ids[2:3], status=0x400)
    settle(store, policy, ids[3:4], ReplyState.UNKNOWN, 0)
    settle(store, policy, ids[4:5], ReplyState.DROPPED, INVALID)
    settle(store, policy, ids[5:], ReplyState.EXPIRED, 0)
    assert retriable(url, "", 0, LATER_US) == ids[:4]
    assert retriable(url, "one", INVALID, LATER_US) == ids[:2]
    assert retriable(url, "", 0x400, LATER_US) == ids[2:3]
    assert retriable(url, "two", 0, LATER_US) == []
    assert retriable(url, "", 0, LATER_US + DAY_US) == []


@pytest.mark.parametrize(
    ("state", "runs", "why"),
    [
        (ReplyState.UNSENT, True, "stop the daemon first"),
        (ReplyState.UNSENT, False, ""),
        (ReplyState.REFUSED, True, ""),
        (ReplyState.EXPIRED, True, ""),
        (ReplyState.UNKNOWN, True, ""),
        (ReplyState.SENT, False, "was taken by the SMSC"),
        (ReplyState.DROPPED, False, "was dropped before"),
    ],
)
def test_a_reply_is_dropped_where_nobody_may_be_sending_it(
    url: str, store: SqliteStore, policy: CompiledPolicy, state: ReplyState, runs: bool, why: str
) -> None:
    """It leaves both lists, in the name of somebody; the permit stands."""
    [number] = replies(store, policy, 1)
    if state is not ReplyState.UNSENT:
        settle(store, policy, [number], state)
    [said] = drop(url, [number], runs, *WHO, LATER_US).values()
    assert (why in said) if why else not said
    rows = store.connection.execute("SELECT state, settled_at_us FROM reply").fetchall()
    assert (rows == [(ReplyState.DROPPED, LATER_US)]) is not why
    if not why:
        assert [each.total for each in list_letters(url, "", 0, 9)] == [0, 0]
        [line] = audit.since(url, 0)
        assert (line.action, line.subject) == ("outbox_drop", f"reply {number}")
    assert store.connection.execute("SELECT ended_us FROM decision").fetchall() == [(None,)]


def test_an_older_store_is_left_to_the_daemon(url: str, store: SqliteStore) -> None:
    """Its schema lacks the column; the message says how it gets it."""
    store.connection.execute("DELETE FROM _sqlite_migrations WHERE name LIKE 'm0007%'")
    for attempt in (
        lambda: list_letters(url, "", 0, 9),
        lambda: retriable(url, "", 0, 0),
        lambda: retry(url, [1], ["one"], *WHO, 0),
        lambda: drop(url, [1], False, *WHO, 0),
    ):
        with pytest.raises(StoreError, match="m0007_dead_letters; start the daemon once"):
            attempt()


def test_what_never_left_is_told_by_its_reasons(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """The largest lot first; how much of it could still leave; nothing of what is older."""
    ids = replies(store, policy, 6)
    settle(store, policy, ids[:3], at_us=LATER_US)
    settle(store, policy, ids[3:4], status=0x45, at_us=LATER_US)
    settle(store, policy, ids[4:5], ReplyState.UNKNOWN, 0, LATER_US)
    settle(store, policy, ids[5:], ReplyState.EXPIRED, 0, LATER_US - 1)
    refused, unknown = ReplyState.REFUSED, ReplyState.UNKNOWN
    told = [
        Lot("one", refused, INVALID, 3, 3),
        Lot("one", refused, 0x45, 1, 1),
        Lot("one", unknown, 0, 1, 1),
    ]
    assert lots(url, LATER_US, END_US - 1) == told
    assert lots(url, LATER_US, END_US) == [lot._replace(in_time=0) for lot in told]
    assert lots(url, LATER_US - 1, END_US)[-1].state is unknown
    assert lots(url, LATER_US + 1, END_US) == []


def test_a_lot_is_listed_and_sent_again_alone(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """By its state and status; what waits is listed all the same."""
    ids = replies(store, policy, 4)
    settle(store, policy, ids[:1])
    settle(store, policy, ids[1:2], status=0x45)
    settle(store, policy, ids[2:3], ReplyState.UNKNOWN, 0)
    for states, status, found in (
        ([ReplyState.REFUSED], INVALID, ids[:1]),
        ([ReplyState.REFUSED], 0, ids[1::-1]),
        ([ReplyState.UNKNOWN], 0, ids[2:3]),
        ([ReplyState.EXPIRED], 0, []),
    ):
        waiting, dead = list_letters(url, "one", NOON_US, 10, states, status)
        assert [letter.id for letter in waiting.letters] == ids[3:]
        assert [letter.id for letter in dead.letters] == found
        assert dead.total == len(found)
        assert retriable(url, "one", status, LATER_US, states) == sorted(found)
    settle(store, policy, ids[3:], ReplyState.EXPIRED, 0)
    assert retriable(url, "one", 0, LATER_US, [ReplyState.EXPIRED]) == []


# Sent again, though the SMSC took it.


@pytest.mark.parametrize(("at_us", "why"), [(END_US - 1, ""), (END_US, "would mislead")])
def test_what_was_sent_goes_again_while_it_holds(
    url: str, store: SqliteStore, policy: CompiledPolicy, at_us: int, why: str
) -> None:
    """To the last microsecond; what the phone was told before, and when, stays on record."""
    ids = replies(store, policy, 1)
    settle(store, policy, ids, ReplyState.SENT, 0, NOON_US + 5)
    assert put_back(url, *ids, at_us=at_us) == "was taken by the SMSC"
    told = retry(url, ids, ("one",), *WHO, at_us, again=True)[ids[0]]
    assert (told or "").startswith(why)
    assert (told is None) is (why == "")
    waiting = store.unsent("one", 0, 10, retried=True)
    assert [(reply.id, reply.resent, reply.starts_permit) for reply in waiting] == (
        [] if why else [(ids[0], True, False)]
    )
    row = store.connection.execute("SELECT state, sent_before_us FROM reply").fetchone()
    assert row == ((1, None) if why else (0, NOON_US + 5))


def test_a_second_sending_moves_no_window(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """A permit that began when its reply first left does not begin anew."""
    with store.transaction(policy) as transaction:
        decision = decided(transaction, policy)._replace(begins_with_reply=True)
        number = stored(transaction, decision, starts_permit=True)
    for at_us in (NOON_US + 5, LATER_US):
        with store.transaction(policy) as transaction:
            starts = at_us == NOON_US + 5
            sent = ReplyOutcome(number, ReplyState.SENT, at_us, "", 0, False, starts)
            transaction.settle([sent])
        retry(url, [number], ("one",), *WHO, LATER_US, again=True)
        [waiting] = store.unsent("one", 0, 10, retried=True)
        assert not waiting.starts_permit
    [(begins_us,)] = store.connection.execute("SELECT valid_from_us FROM decision").fetchall()
    assert begins_us == NOON_US + 5


def test_what_was_read_out_is_neither_sent_nor_dropped(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """There is no phone to send it to."""
    with store.transaction(policy) as transaction:
        message = sms()._replace(phone="", smsc=DESK)
        number = transaction.add_message(message, "decided")
        transaction.tell(number, message, "yes", END_US)
    assert retry(url, [number], (DESK,), *WHO, NOON_US, again=True)[number] is WhyNot.TOLD
    assert drop(url, [number], False, *WHO, NOON_US)[number] is WhyNot.TOLD
    assert store.unsent(DESK, 0, 10) == []


def test_between_two_steps_of_a_large_lot_others_have_their_turn(
    url: str, store: SqliteStore, policy: CompiledPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon's batches above all: while a lot rests, somebody else writes."""
    ids = replies(store, policy, 5)
    settle(store, policy, ids)
    monkeypatch.setattr("storage.dead_letters._BATCH_REPLIES", 2)
    rests: list[float] = []

    def rest(seconds: float) -> None:
        rests.append(seconds)
        audit.note(url, NOON_US, "daemon", "batch", "", "")

    monkeypatch.setattr("storage.beside.time.sleep", rest)
    assert put_back(url, *ids) == ""
    assert len(rests) == 2
    assert min(rests) >= 0.02
    told = [line.action for line in audit.since(url, 0)]
    assert told == [*["outbox_retry"] * 2, "batch", *["outbox_retry"] * 2, "batch", "outbox_retry"]
