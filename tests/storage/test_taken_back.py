"""SMS whose reply came too late: what is taken back, what stands, and what is decided anew."""

import pytest
from decisions_stored import (
    HOLDER,
    HOUR_US,
    NOON_US,
    PHONE,
    decided,
    grant,
    sms,
    stored,
)

from rules import CompiledPolicy, Document, Facts, Verdict
from rules.commands import Ended
from storage import DecisionRow, InboundMessage, ReplyOutcome, ReplyState, SqliteStore
from storage.abuse import measure

OTHER_PHONE = "994500000002"
OTHER = Document("AZE", "2222222")
END_US = NOON_US + 2 * HOUR_US
LATE_US = NOON_US + 3 * HOUR_US
FIRST, SECOND = 1, 2  # ids of SMS and their replies, in the order of storing


def outcome(reply_id: int, state: ReplyState, resent: bool = False) -> ReplyOutcome:
    return ReplyOutcome(reply_id, state, LATE_US, "", 0, resent)


def settle(store: SqliteStore, policy: CompiledPolicy, *outcomes: ReplyOutcome) -> None:
    with store.transaction(policy) as transaction:
        transaction.settle(outcomes)


def take_back(store: SqliteStore, policy: CompiledPolicy, reply_id: int = FIRST) -> None:
    """Its reply has expired without having been sent."""
    expired = outcome(reply_id, ReplyState.EXPIRED)
    with store.transaction(policy) as transaction:
        transaction.settle([expired])
        transaction.take_back([expired])


def to_renew(store: SqliteStore, policy: CompiledPolicy, *ids: int) -> list[int | None]:
    with store.transaction(policy) as transaction:
        return [message.renews for message in transaction.to_renew(ids)]


def repeat(store: SqliteStore, policy: CompiledPolicy, not_after_us: int = END_US) -> int:
    """The holder asks again, from another phone, and is to be told of the permit; the SMS's id."""
    with store.transaction(policy) as transaction:
        permits = transaction.permits([HOLDER], NOON_US)[HOLDER]
        again = decided(transaction, policy, at_us=NOON_US + HOUR_US, permits=permits)
        assert again.verdict is Verdict.ALREADY_GRANTED
        return stored(transaction, again, phone=OTHER_PHONE, not_after_us=not_after_us)


def ends(store: SqliteStore) -> list[int | None]:
    """When each decision's permit was ended; 0: taken back."""
    rows = store.connection.execute("SELECT ended_us FROM decision ORDER BY serial")
    return [ended_us for (ended_us,) in rows]


def test_a_permit_taken_back_is_nobodys_and_its_day_is_free(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Neither its holder's facts nor its phone's commands know it; the day can be granted again."""
    grant(store, policy)
    take_back(store, policy)
    with store.transaction(policy) as transaction:
        assert transaction.permits([HOLDER], 0) == {}
        assert transaction.phone_permits([PHONE], NOON_US) == {}
    again = grant(store, policy, at_us=LATE_US)
    with store.transaction(policy) as transaction:
        [held] = transaction.permits([HOLDER], 0)[HOLDER]
    assert (held.serial, held.slot) == (again.serial, 0)


def test_what_a_decision_says_stays_as_it_was(store: SqliteStore, policy: CompiledPolicy) -> None:
    """Its permit and its hours are on record: a replay must make the same decision again."""
    decision = grant(store, policy)
    take_back(store, policy)
    assert store.connection.execute(
        "SELECT verdict, permit, valid_from_us, valid_until_us FROM decision"
    ).fetchall() == [("grant", decision.serial, NOON_US, END_US)]


def test_of_a_household_the_permits_go_and_the_refusal_stays(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """One SMS, one reply: two people were granted, one not; another SMS is not touched."""
    with store.transaction(policy) as transaction:
        number = stored(transaction, decided(transaction, policy))
        rows = []
        for holder, document in (("p:P2", OTHER), ("p:P3", Document("AZE", "3333333"))):
            decision = decided(transaction, policy, document=document)
            if holder == "p:P3":
                decision = decision._replace(
                    verdict=Verdict.REFUSE, quota=None, permit=None, valid_until_us=None
                )
            rows.append(DecisionRow(number, holder, decision, Facts(decision.serial)))
        transaction.add_decisions(rows)
        stored(transaction, decided(transaction, policy, "1"), "p:P4", OTHER_PHONE)
    take_back(store, policy, number)
    assert ends(store) == [0, 0, None, None]
    assert to_renew(store, policy, number) == [number]


def test_a_permit_that_was_returned_stays_returned(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Its day was used; and who has ended a permit does not want another one."""
    decision = grant(store, policy)
    with store.transaction(policy) as transaction:
        transaction.end_permits([Ended(decision.serial, NOON_US + HOUR_US, False)])
    take_back(store, policy)
    assert ends(store) == [NOON_US + HOUR_US]
    assert to_renew(store, policy, FIRST) == []


@pytest.mark.parametrize(
    ("state", "resent", "not_after_us", "stands"),
    [
        (ReplyState.SENT, False, END_US, True),
        (ReplyState.EXPIRED, True, END_US, True),
        (ReplyState.EXPIRED, False, END_US, False),
        (ReplyState.REFUSED, False, END_US, False),
        (ReplyState.UNSENT, False, LATE_US + 1, True),
        (ReplyState.UNSENT, False, LATE_US, False),
    ],
    ids=["sent", "perhaps sent", "expired", "refused", "will leave", "expires too"],
)
def test_a_permit_stands_that_another_reply_tells_of(
    store: SqliteStore,
    policy: CompiledPolicy,
    state: ReplyState,
    resent: bool,
    not_after_us: int,
    stands: bool,
) -> None:
    """By another phone, perhaps another SMSC: police may be shown that reference."""
    grant(store, policy)
    other = repeat(store, policy, not_after_us)
    if state is not ReplyState.UNSENT:
        settle(store, policy, outcome(other, state, resent))
    take_back(store, policy)
    assert ends(store)[0] == (None if stands else 0)


def test_two_documents_of_one_person_in_one_sms_are_taken_back(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """The second names the permit of the first, in the same reply that never left."""
    grant(store, policy)
    with store.transaction(policy) as transaction:
        permits = transaction.permits([HOLDER], NOON_US)[HOLDER]
        again = decided(transaction, policy, permits=permits)
        row = DecisionRow(FIRST, HOLDER, again, Facts(again.serial, permits=permits))
        transaction.add_decisions([row])
    take_back(store, policy)
    assert ends(store) == [0, None]


def test_an_sms_to_be_renewed_comes_back_as_it_was_taken_in(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """With the number of the SMS that it stands in for; what was not sound is still not sound."""
    sent = [
        InboundMessage(
            NOON_US, "one", PHONE, "8103", 8, b"\xd8\x00", "2 AZE 1111111 \ufffd", False, None
        ),
        sms(phone=OTHER_PHONE, channel="web"),
    ]
    with store.transaction(policy) as transaction:
        for message in sent:
            decision = decided(transaction, policy, "1")
            number = transaction.add_message(message, "decided")
            row = DecisionRow(number, HOLDER, decision, Facts(decision.serial))
            transaction.add_decisions([row])
    with store.transaction(policy) as transaction:
        assert transaction.to_renew([FIRST, SECOND]) == [
            sent[0]._replace(renews=FIRST),
            sent[1]._replace(renews=SECOND, octets=b""),
        ]


def test_what_has_no_permit_is_not_renewed(store: SqliteStore, policy: CompiledPolicy) -> None:
    """A refusal, a command and nonsense are out of date, and that is all."""
    with store.transaction(policy) as transaction:
        closed = decided(transaction, policy, at_us=0)
        assert closed.verdict is Verdict.REFUSE
        numbers = [stored(transaction, closed)]
        numbers += [
            transaction.add_message(sms(text), kind)
            for text, kind in (("STATUS", "command"), ("?", "unreadable"))
        ]
    assert to_renew(store, policy, *numbers) == []


def test_a_repeat_is_renewed_unless_its_permit_was_ended_by_its_holder(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Whether the permit stood, was taken back, or was returned before the repeat's reply left."""
    decision = grant(store, policy)
    again = repeat(store, policy)
    assert to_renew(store, policy, again) == [again]
    take_back(store, policy)
    assert to_renew(store, policy, again) == [again]
    store.connection.execute("UPDATE decision SET ended_us = NULL")
    with store.transaction(policy) as transaction:
        transaction.end_permits([Ended(decision.serial, NOON_US + HOUR_US, False)])
    assert to_renew(store, policy, again) == []


@pytest.mark.parametrize(
    ("kind", "renewed"), [("decided", True), ("late", True), ("repeated", False)]
)
def test_nobody_is_renewed_twice(
    store: SqliteStore, policy: CompiledPolicy, kind: str, renewed: bool
) -> None:
    """A COMMIT that reported a fault was durable, say; an impatient thumb is no renewal."""
    grant(store, policy)
    with store.transaction(policy) as transaction:
        if renewed:
            transaction.add_message(sms(at_us=LATE_US)._replace(renews=FIRST), kind)
        else:
            transaction.add_message(sms(at_us=LATE_US), kind, repeat_of=FIRST)
    assert to_renew(store, policy, FIRST) == ([] if renewed else [FIRST])


def test_what_stands_for_another_sms_names_it(store: SqliteStore, policy: CompiledPolicy) -> None:
    """Where it meets an equal SMS that waits, that one is named: its reply answers both."""
    late = sms(at_us=LATE_US)._replace(renews=FIRST)
    with store.transaction(policy) as transaction:
        transaction.add_message(sms(), "decided")
        transaction.add_message(late, "decided")
        transaction.add_message(late, "repeated", repeat_of=SECOND)
    rows = store.connection.execute("SELECT repeat_of FROM message ORDER BY id").fetchall()
    assert rows == [(None,), (FIRST,), (SECOND,)]


def test_a_phone_is_not_counted_for_what_an_outage_did(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Repeats are its own doing and count; an SMS that was renewed or explained counts once."""
    with store.transaction(policy) as transaction:
        transaction.add_message(sms(), "decided")
        transaction.add_message(sms(), "repeated", repeat_of=FIRST)
        for kind in ("decided", "late"):
            transaction.add_message(sms(at_us=LATE_US)._replace(renews=FIRST), kind)
        assert transaction.messages_since([PHONE], NOON_US) == {PHONE: 2}


def test_an_explanation_that_waits_answers_no_further_sms(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """It asks the phone to text again: the same words are a new request then."""
    with store.transaction(policy) as transaction:
        for phone, kind in ((PHONE, "late"), (OTHER_PHONE, "decided")):
            message = sms(phone=phone)
            number = transaction.add_message(message, kind)
            transaction.add_reply(number, message, "a reply", LATE_US)
    with store.transaction(policy) as transaction:
        assert transaction.unsent_twins([sms(), sms(phone=OTHER_PHONE)]) == {
            (OTHER_PHONE, sms().text): SECOND
        }


def test_permits_of_no_use_are_no_sign_of_abuse(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """An outage doubles the rows, not what a person had; a returned permit was one."""
    grant(store, policy, "1")
    take_back(store, policy)
    renewed = grant(store, policy, "1", at_us=LATE_US)
    with store.transaction(policy) as transaction:
        transaction.end_permits([Ended(renewed.serial, LATE_US + HOUR_US, False)])
    grant(store, policy, "1", at_us=LATE_US + 2 * HOUR_US)
    [candidate] = measure(url, "permits_of_person", (), 0, 1).candidates
    assert (candidate.who, candidate.amount) == (HOLDER, 2)


def test_replies_are_read_by_their_urgency(store: SqliteStore, policy: CompiledPolicy) -> None:
    """Each in the order of ids, above an id, so many; no reply is in both."""
    with store.transaction(policy) as transaction:
        made = [
            transaction.add_reply(
                transaction.add_message(sms(), "decided"), sms(), "a reply", LATE_US, urgent=urgent
            )
            for urgent in (False, True, False, True, True, False)
        ]
    urgent = [reply for reply in made if reply.urgent]
    usual = [reply for reply in made if not reply.urgent]
    assert store.unsent("one", 0, 9, urgent=True) == urgent
    assert store.unsent("one", 0, 9) == usual
    assert store.unsent("one", urgent[0].id, 1, urgent=True) == urgent[1:2]
    assert store.unsent("one", usual[0].id, 1) == usual[1:2]
    assert store.unsent_count("one") == 6
