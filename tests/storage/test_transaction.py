"""What a batch may ask of the store and leave in it: phones, blocks, permits that end early."""

from datetime import date

import pytest
from decisions_stored import (
    DOCUMENT,
    HOLDER,
    HOUR_US,
    MINUTE_US,
    NOON_US,
    PHONE,
    decided,
    grant,
    sms,
    stored,
)
from lived_traffic import POLICY_FILE
from lived_traffic import policy as edited_policy

from rules import Block, CompiledPolicy, Decision, Document, Facts, Verdict, load_policy
from rules.analysis.shadow import compare
from rules.commands import Ended, PhonePermit
from rules.documents import NAME
from rules.flood import PhoneState
from storage import (
    DecisionRow,
    ReplyOutcome,
    ReplyState,
    ShadowRow,
    SqliteStore,
    StoreConflict,
)
from storage.blocks import add_block, remove_block

OTHER_PHONE = "994500000002"
OTHER = Document("AA", "2222222")


def column(store: SqliteStore, query: str) -> list[object]:
    return [row[0] for row in store.connection.execute(query)]


def window(decision: Decision) -> tuple[int, int]:
    assert decision.valid_from_us is not None
    assert decision.valid_until_us is not None
    return decision.valid_from_us, decision.valid_until_us


# Phones.


def test_what_is_kept_of_a_phone_comes_back_and_changes(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """The newest state counts; a phone of which nothing is kept is left out."""
    with store.transaction(policy) as transaction:
        transaction.set_phone_states(
            {PHONE: PhoneState("az", 7, True), OTHER_PHONE: PhoneState(None, 9, False)}
        )
    with store.transaction(policy) as transaction:
        transaction.set_phone_states({PHONE: PhoneState("ru", 8, False)})
    with store.transaction(policy) as transaction:
        assert transaction.phone_states([PHONE, OTHER_PHONE, "994500000003"]) == {
            PHONE: PhoneState("ru", 8, False),
            OTHER_PHONE: PhoneState(None, 9, False),
        }


def test_messages_are_counted_from_an_instant_on_with_those_of_the_batch(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """The instant itself counts, the microsecond before does not; nor do other phones."""
    with store.transaction(policy) as transaction:
        for at_us in (NOON_US - 1, NOON_US, NOON_US + 1):
            transaction.add_message(sms(at_us=at_us), "decided")
        transaction.add_message(sms(phone=OTHER_PHONE, at_us=NOON_US - 1), "decided")
    with store.transaction(policy) as transaction:
        transaction.add_message(sms(at_us=NOON_US + 2), "decided")
        assert transaction.messages_since([PHONE, OTHER_PHONE], NOON_US) == {PHONE: 3}


def test_what_a_phone_asked_for_is_known_by_code_and_document_with_the_first_sms(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Refused requests count too; those before the instant and of other phones do not."""
    with store.transaction(policy) as transaction:
        before = decided(transaction, policy, "3", at_us=NOON_US - 1)
        stored(transaction, before)
        first = stored(transaction, decided(transaction, policy, "1", at_us=NOON_US))
        stored(transaction, decided(transaction, policy, "1", at_us=NOON_US + HOUR_US))
        second = stored(transaction, decided(transaction, policy, "2", OTHER, NOON_US))
        stored(transaction, decided(transaction, policy, "1"), "p:P2", OTHER_PHONE)
        assert transaction.asked_since([PHONE], NOON_US) == {
            PHONE: {("1", "AZE1111111"): first, ("2", "AA2222222"): second}
        }


def test_a_silenced_message_says_so_whenever_it_was_stored(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Its own batch gathers it; the others of the batch keep their outcome."""
    with store.transaction(policy) as transaction:
        numbers = [transaction.add_message(sms(f"junk {n}"), "no_code") for n in range(3)]
        transaction.silence(numbers[0])
        transaction.messages_since([PHONE], NOON_US)  # writes what was gathered so far
        transaction.silence(numbers[2])
    outcomes = column(store, "SELECT outcome FROM message ORDER BY id")
    assert outcomes == ["silent", "no_code", "silent"]


def test_a_failed_batch_leaves_nothing_of_its_phones(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """States, ends and silences are part of the transaction."""
    decision = grant(store, policy)
    with pytest.raises(RuntimeError), store.transaction(policy) as transaction:
        transaction.set_phone_states({PHONE: PhoneState("en", 1, True)})
        transaction.end_permits([Ended(decision.serial, NOON_US + 1, False)])
        transaction.silence(transaction.add_message(sms("junk"), "no_code"))
        raise RuntimeError("the batch fails")
    with store.transaction(policy) as transaction:
        assert transaction.phone_states([PHONE]) == {}
        [held] = transaction.permits([HOLDER], NOON_US)[HOLDER]
        assert held.valid_until_us == decision.valid_until_us
    assert column(store, "SELECT outcome FROM message") == ["decided"]


# Blocks.


def test_a_block_is_known_until_it_is_lifted_and_ended_ones_too(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """The rules compare the day; the store leaves out only what an officer took away."""
    lifted = add_block(url, HOLDER, "AZE1111111", "", 9, "officer", "mistaken", NOON_US)
    add_block(url, HOLDER, "AZE1111111", "3", 5, "officer", "funerals", NOON_US)
    add_block(url, HOLDER, "AZE1111111", "", 7, "officer", "all", NOON_US)
    add_block(url, "p:P2", "AA2222222", "1", 6, "officer", "another", NOON_US)
    remove_block(url, lifted, "officer", "was another person", NOON_US)
    with store.transaction(policy) as transaction:
        assert transaction.blocks([HOLDER, "p:P3"]) == {HOLDER: (Block("3", 5), Block("", 7))}


# Permits of a phone, and their early end.


def test_a_phone_finds_the_permits_that_it_asked_for(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Only its own, only grants, only those that have not ended; documents taken apart again."""
    decision = grant(store, policy)
    other = grant(store, policy, "1", OTHER, NOON_US + 1)
    grant(store, policy, "1", holder="p:P2", phone=OTHER_PHONE)
    with store.transaction(policy) as transaction:
        held = transaction.permits([HOLDER], NOON_US)[HOLDER]
        repeat = decided(transaction, policy, permits=held)
        assert repeat.verdict is Verdict.ALREADY_GRANTED
        stored(transaction, repeat)
        from_us, until_us = window(decision)
        mine = PhonePermit(DOCUMENT, "2", from_us, until_us, decision.day, decision.serial)
        hers = PhonePermit(OTHER, "1", *window(other), other.day, other.serial)
        assert transaction.phone_permits([PHONE, "994500000003"], until_us - 1) == {
            PHONE: (mine, hers)
        }
        assert transaction.phone_permits([PHONE], until_us) == {PHONE: (hers,)}


def test_a_name_and_address_comes_back_as_one(store: SqliteStore) -> None:
    """A service without documents keeps what the phone wrote; "end" with it must find it again."""
    greek = load_policy(POLICY_FILE.with_name("gr-13033.toml"))
    person = Document(NAME, "MARIA PAPPA ERMOU 10")
    decision = grant(store, greek, document=person, holder=f"d:{person.text}")
    with store.transaction(greek) as transaction:
        [permit] = transaction.phone_permits([PHONE], NOON_US)[PHONE]
    assert (permit.document, permit.serial) == (person, decision.serial)


def test_a_permit_that_was_ended_is_no_longer_the_phones(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Neither status nor a second return finds it."""
    decision = grant(store, policy)
    with store.transaction(policy) as transaction:
        transaction.end_permits([Ended(decision.serial, NOON_US + HOUR_US, False)])
        assert transaction.phone_permits([PHONE], NOON_US) == {}


def test_a_returned_permit_ends_when_it_was_returned_and_keeps_its_day(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """It is over, both sides of the instant, and its place in the daily limit stays taken."""
    decision = grant(store, policy)
    returned_us = NOON_US + HOUR_US
    with store.transaction(policy) as transaction:
        transaction.end_permits([Ended(decision.serial, returned_us, False)])
    with store.transaction(policy) as transaction:
        [held] = transaction.permits([HOLDER], returned_us - 1)[HOLDER]
        assert (held.valid_until_us, held.slot) == (returned_us, 0)
        assert transaction.permits([HOLDER], returned_us) == {}
    with pytest.raises(StoreConflict):
        grant(store, policy, at_us=NOON_US + 2 * HOUR_US)


def test_a_permit_cancelled_before_it_began_gives_its_day_back(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """It is gone from the facts and from the index that judges the daily limit."""
    decision = grant(store, policy)
    with store.transaction(policy) as transaction:
        transaction.end_permits([Ended(decision.serial, NOON_US - 1, True)])
        assert transaction.permits([HOLDER], 0) == {}
    again = grant(store, policy, at_us=NOON_US + HOUR_US)
    with store.transaction(policy) as transaction:
        [held] = transaction.permits([HOLDER], 0)[HOLDER]
        assert held.serial == again.serial


def test_a_permit_returned_in_the_instant_it_began_still_counts(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """One read from a socket stamps many SMS alike; were it left out of the facts while the index
    keeps its place, each later request of the person that day would fail."""
    decision = grant(store, policy)
    with store.transaction(policy) as transaction:
        transaction.end_permits([Ended(decision.serial, NOON_US, False)])
        [held] = transaction.permits([HOLDER], NOON_US - 1)[HOLDER]
        assert (held.valid_from_us, held.valid_until_us) == (NOON_US, NOON_US)


def test_a_permit_ends_once(store: SqliteStore, policy: CompiledPolicy) -> None:
    """A day that was used cannot be given back by a later word, nor its end be moved."""
    decision = grant(store, policy)
    with store.transaction(policy) as transaction:
        transaction.end_permits([Ended(decision.serial, NOON_US + 5, False)])
        transaction.end_permits([Ended(decision.serial, NOON_US + 9, False)])
        transaction.end_permits([Ended(decision.serial, NOON_US - 1, True)])
    assert column(store, "SELECT ended_us FROM decision") == [NOON_US + 5]
    assert column(store, "SELECT quota_slot FROM decision") == [0]


# Windows that begin with the reply.


def begun_by_reply(
    store: SqliteStore,
    policy: CompiledPolicy,
    state: ReplyState = ReplyState.SENT,
    ended: bool = False,
    starts_permit: bool = True,
) -> tuple[Decision, list[object]]:
    """A grant whose window begins with its reply, ten minutes later; the window then stored."""
    with store.transaction(policy) as transaction:
        decision = decided(transaction, policy)._replace(begins_with_reply=True)
        number = stored(transaction, decision, starts_permit=starts_permit)
        if ended:
            transaction.end_permits([Ended(decision.serial, NOON_US + MINUTE_US, False)])
    [reply] = store.unsent("one", 0, 10)
    assert reply.starts_permit is starts_permit
    at_us = NOON_US + 10 * MINUTE_US
    outcome = ReplyOutcome(number, state, at_us, "id", 0, False, reply.starts_permit)
    with store.transaction(policy) as transaction:
        transaction.settle([outcome])
    [row] = store.connection.execute("SELECT valid_from_us, valid_until_us FROM decision")
    return decision, list(row)


def test_a_window_is_counted_from_the_moment_its_reply_left(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Moved whole: as long as the policy says, found by holder and phone at its new end."""
    decision, moved = begun_by_reply(store, policy)
    from_us, until_us = window(decision)
    assert moved == [from_us + 10 * MINUTE_US, until_us + 10 * MINUTE_US]
    with store.transaction(policy) as transaction:
        assert transaction.permits([HOLDER], until_us)
        assert transaction.phone_permits([PHONE], until_us)


@pytest.mark.parametrize("state", [ReplyState.REFUSED, ReplyState.EXPIRED])
def test_a_window_stays_where_its_reply_never_left(
    store: SqliteStore, policy: CompiledPolicy, state: ReplyState
) -> None:
    """The decision's own times hold."""
    decision, kept = begun_by_reply(store, policy, state)
    assert kept == list(window(decision))


def test_a_returned_permit_does_not_begin_anew(store: SqliteStore, policy: CompiledPolicy) -> None:
    """The person is at home; the reply that was on its way changes nothing."""
    decision, kept = begun_by_reply(store, policy, ended=True)
    assert kept == list(window(decision))


def test_only_a_reply_that_starts_permits_moves_a_window(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """The flag travels through the outbox, so that other replies cost nothing more."""
    decision, kept = begun_by_reply(store, policy, starts_permit=False)
    assert kept == list(window(decision))


def test_a_reply_moves_the_windows_of_its_own_message_only(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Those that begin with it, that is: a window from the decision stays, in the same SMS too."""
    with store.transaction(policy) as transaction:
        moving = decided(transaction, policy, "1")._replace(begins_with_reply=True)
        number = stored(transaction, moving, starts_permit=True)
        fixed = decided(transaction, policy, "1")
        transaction.add_decisions([DecisionRow(number, HOLDER, fixed, Facts(fixed.serial))])
        apart = decided(transaction, policy, "1")._replace(begins_with_reply=True)
        stored(transaction, apart, starts_permit=True)
    left_us = NOON_US + HOUR_US
    with store.transaction(policy) as transaction:
        transaction.settle([ReplyOutcome(number, ReplyState.SENT, left_us, "id", 0, False, True)])
    starts = column(store, "SELECT valid_from_us FROM decision ORDER BY serial")
    assert starts == [left_us, NOON_US, NOON_US]


# Rows.


def test_what_is_not_there_is_null(store: SqliteStore, policy: CompiledPolicy) -> None:
    """The driver is spared None, and the columns must not show it; no octets are still octets."""
    decision = grant(store, policy)
    from_us, until_us = window(decision)
    with store.transaction(policy) as transaction:
        permits = transaction.permits([HOLDER], NOON_US)[HOLDER]
        refused = decided(transaction, policy, at_us=until_us, permits=permits)
        assert refused.verdict is Verdict.REFUSE
        stored(transaction, refused)
        unsound = sms("\ufffd")._replace(octets=b"", sound=False)
        transaction.add_message(unsound, "empty", repeat_of=1)
    rows = store.connection.execute(
        "SELECT permit, valid_from_us, valid_until_us, quota, quota_slot, ended_us FROM decision"
        " ORDER BY serial"
    )
    assert rows.fetchall() == [(1, from_us, until_us, "code-2", 0, None), (None,) * 6]
    rows = store.connection.execute("SELECT octets, repeat_of, channel FROM message ORDER BY id")
    assert rows.fetchall() == [(None, None, "sms"), (None, None, "sms"), (b"", 1, "sms")]


def test_the_channel_of_a_request_is_kept(store: SqliteStore, policy: CompiledPolicy) -> None:
    """An agent's request is told from an SMS afterwards."""
    with store.transaction(policy) as transaction:
        transaction.add_message(sms(channel="call_centre"), "decided")
    assert column(store, "SELECT channel FROM message") == ["call_centre"]


def test_where_a_candidate_disagrees_is_kept_with_its_whole_text(
    store: SqliteStore, policy: CompiledPolicy
) -> None:
    """The candidate was never in force, and yet its differences stay explainable."""
    candidate = edited_policy(("value = 65", "value = 30"))
    with store.transaction(policy) as transaction:
        decision = decided(transaction, policy)
        stored(transaction, decision)
        facts = Facts(1, True, date(1980, 5, 5))
        found = compare(decision, candidate, "2", DOCUMENT, facts, NOON_US)
        assert found is not None
        transaction.add_shadow_differences([ShadowRow(decision.serial, candidate, found)])
    rows = store.connection.execute(
        "SELECT serial, source, verdict, rule FROM shadow_difference"
        " JOIN policy ON policy.id = shadow_difference.policy"
    ).fetchall()
    assert rows == [(decision.serial, candidate.source, "refuse", "senior")]
