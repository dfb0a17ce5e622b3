"""SMS whose permit ended before its reply could leave: decided anew, explained, or left."""

import pytest
from counting_rules import counting
from gateway_stage import sms
from late_replies import EXPLAINS, FORGETS, LATE_US, RENEWS, Outage, expired, law, texts
from virtual_reactor import DAY_US, HOUR_US, NOON_US

from storage import ReplyState, SqliteStore

ONE, OTHER = "994500000001", "994500000002"
FOOD = b"2 AZE 1111111"
MIDNIGHT_US = NOON_US + 12 * HOUR_US  # in Baku


@pytest.fixture
def outage(store: SqliteStore) -> Outage:
    """Under 8103, which renews."""
    return Outage(store, law())


# Renewed.


def test_a_late_sms_is_decided_as_if_it_came_now(outage: Outage) -> None:
    """A new permit of the same day, from now on; the first is taken back, and both are linked."""
    outage_over = outage.expire(*outage.replies(sms("2 AZE 1111111 EN")))
    [told] = texts(outage_over)
    assert "06.04 15:00-17:00" in told
    assert outage_over.counts.renewed == 1
    assert outage_over.counts.decisions == {("grant", "granted"): 1}
    assert outage.rows("SELECT outcome, received_at_us, repeat_of FROM message ORDER BY id") == [
        ("decided", NOON_US, None),
        ("decided", LATE_US, 1),
    ]
    assert outage.rows("SELECT ended_us, quota_slot FROM decision ORDER BY serial") == [
        (0, None),
        (None, 0),
    ]


def test_the_renewed_one_can_be_late_in_its_turn(outage: Outage) -> None:
    """Each stands for the one before it; in the end one permit of the day is left."""
    [first] = outage.replies(sms("2 AZE 1111111"))
    [second] = outage.expire(first).replies or []
    [third] = outage.expire(second, at_us=LATE_US + 2 * HOUR_US).replies or []
    assert second.not_after_us == LATE_US + 2 * HOUR_US
    outage.send(third)
    assert outage.rows("SELECT id, repeat_of FROM message ORDER BY id") == [
        (1, None),
        (2, 1),
        (3, 2),
    ]
    assert outage.rows("SELECT ended_us FROM decision ORDER BY serial") == [(0,), (0,), (None,)]
    [again] = outage.replies(sms("2 AZE 1111111 ", at_us=LATE_US + 5 * HOUR_US))
    assert "bu gün verilib" in again.text


def test_after_midnight_it_is_another_day(outage: Outage) -> None:
    """Yesterday's place is given back, today's is taken."""
    [late] = outage.replies(sms("2 AZE 1111111", at_us=MIDNIGHT_US - HOUR_US))
    outage.expire(late, at_us=MIDNIGHT_US + 2 * HOUR_US)
    first, second = outage.rows("SELECT day, quota_slot FROM decision ORDER BY serial")
    assert first[1] is None
    assert second == (int(str(first[0])) + 1, 0)


def test_a_household_is_renewed_whole(outage: Outage) -> None:
    """Its reply was void with the first permit that ended; the other people's hours move too."""
    outage.send(*outage.replies(sms("1 AZE 1111111", OTHER)))
    [late] = outage.replies(sms("1 AZE 1111111, AZE 2222222 EN", at_us=NOON_US + HOUR_US))
    assert late.not_after_us == NOON_US + 2 * HOUR_US
    [told] = texts(outage.expire(late, at_us=NOON_US + 2 * HOUR_US))
    assert [line.split()[1] for line in told.splitlines()[1:]] == ["14:00-16:00"] * 2
    ended = outage.rows("SELECT document, ended_us FROM decision ORDER BY serial")
    assert ended[:3] == [("AZE1111111", None), ("AZE1111111", None), ("AZE2222222", 0)]


def test_a_late_refusal_is_followed_by_nothing(outage: Outage) -> None:
    """It is out of date; whoever still wants to go texts again."""
    closed_us = NOON_US - 365 * DAY_US
    done = outage.expire(*outage.replies(sms("2 AZE 1111111", at_us=closed_us)))
    assert (done.replies, done.counts.renewed) == ([], 0)


def test_who_has_ended_the_permit_gets_no_other(outage: Outage) -> None:
    """Back home before the reply came, or never gone: the day stays as the command left it."""
    [late] = outage.replies(sms("2 AZE 1111111"))
    outage.ask(sms("RETURN", at_us=NOON_US + HOUR_US))
    assert outage.expire(late).replies == []
    assert outage.rows("SELECT ended_us, quota_slot FROM decision") == [(NOON_US + HOUR_US, 0)]


def test_what_was_perhaps_sent_keeps_its_permits(outage: Outage) -> None:
    """The day may have been used: the phone hears of it, and of no second permit."""
    done = outage.expire(*outage.replies(sms("2 AZE 1111111 EN")), resent=True)
    assert done.counts.decisions == {("refuse", "once-a-day"): 1}
    assert outage.rows("SELECT ended_us, quota_slot FROM decision ORDER BY serial") == [
        (None, 0),
        (None, None),
    ]


def test_what_was_perhaps_sent_is_granted_anew_where_no_limit_forbids(outage: Outage) -> None:
    """Who needs a doctor is not left in silence because of a doubt."""
    done = outage.expire(*outage.replies(sms("1 AZE 1111111")), resent=True)
    assert done.counts.decisions == {("grant", "granted"): 1}


def test_a_person_told_by_another_phone_keeps_that_permit(outage: Outage) -> None:
    """By way of another SMSC, say; the late phone is told of it, and the day is not used twice."""
    [late] = outage.replies(sms("2 AZE 1111111"))
    outage.send(*outage.replies(sms("2 AZE 1111111", OTHER, NOON_US + HOUR_US)))
    assert outage.expire(late).counts.decisions == {("refuse", "once-a-day"): 1}


def test_a_window_from_the_reply_on_is_late_when_it_would_have_passed(store: SqliteStore) -> None:
    """So long after the SMS its reply would give what nobody asked for any more: decided anew."""
    outage = Outage(store, law(name="az-8103-history"))
    [late] = outage.replies(sms("1 AZE 1111111"))
    assert (late.starts_permit, late.not_after_us) == (True, NOON_US + 2 * HOUR_US)
    [renewed] = outage.expire(late).replies or []
    assert (renewed.starts_permit, renewed.not_after_us) == (True, LATE_US + 2 * HOUR_US)
    outage.send(renewed)
    assert outage.rows("SELECT ended_us, valid_from_us FROM decision ORDER BY serial") == [
        (0, NOON_US),
        (None, LATE_US),
    ]


def test_the_same_words_meanwhile_are_answered_by_the_renewal(outage: Outage) -> None:
    """Sent during the outage, and in the very batch in which it is over: one reply for all."""
    text = "2 AZE 1111111"
    [late] = outage.replies(sms(text))
    assert outage.replies(sms(text, at_us=NOON_US + HOUR_US)) == []
    done = outage.ask(sms(text, at_us=LATE_US), outcomes=expired(late))
    assert (len(done.replies or []), done.counts.repeated, done.counts.renewed) == (1, 1, 1)
    assert outage.rows("SELECT outcome, repeat_of FROM message ORDER BY id") == [
        ("decided", None),
        ("repeated", 1),
        ("decided", 1),
        ("repeated", 3),
    ]


def test_an_outcome_told_twice_renews_once(outage: Outage) -> None:
    """A COMMIT that reported a fault may have reached the disk, and the outcome comes again."""
    [late] = outage.replies(sms("2 AZE 1111111"))
    [renewed] = outage.expire(late).replies or []
    assert outage.expire(late).replies == []
    outage.send(renewed)
    assert outage.expire(late).replies == []
    assert len(outage.rows("SELECT id FROM message")) == 2


def test_urgent_again(outage: Outage) -> None:
    """Who needs a doctor has waited long enough."""
    done = outage.expire(*outage.replies(sms("1 AZE 1111111"), sms("2 AZE 2222222", OTHER)))
    assert [reply.urgent for reply in done.replies or []] == [True, False]


# By another law, and beside what is kept of a phone.


def test_a_code_that_is_gone_is_told_as_such_and_is_no_junk(outage: Outage) -> None:
    """The law changed during the outage; the phone has sent nothing wrong."""
    late = outage.replies(sms("3 AZE 1111111"))
    outage.writer.law = law(
        ("[codes.3", "[codes.4"),
        ('codes = ["3"]', 'codes = ["4"]'),
        ('code = "3"', 'code = "4"'),
    )
    done = outage.expire(*late)
    assert done.counts.unrecognised == {"unknown_code": 1}
    assert len(done.replies or []) == 1
    assert outage.rows("SELECT * FROM phone") == []
    assert outage.rows("SELECT ended_us FROM decision") == [(0,)]


def test_the_language_chosen_since_is_spoken_and_kept(outage: Outage) -> None:
    """The SMS asked for English when it came; then the phone asked for Russian."""
    late = outage.replies(sms("2 AZE 1111111 EN"))
    outage.ask(sms("RU"))
    [told] = texts(outage.expire(*late))
    assert told.startswith("Разрешение")
    assert outage.rows("SELECT language FROM phone") == [("ru",)]


def test_an_outage_uses_up_nothing_that_a_phone_may_send(store: SqliteStore) -> None:
    """Its second SMS, for a second document, stays its second; the one after it is the third."""
    outage = Outage(store, law(*counting(2)))
    late = outage.replies(sms("1 AZE 1111111"), sms("1 AZE 2222222"))
    assert outage.expire(*late).counts.decisions == {("grant", "granted"): 2}
    third = outage.ask(sms("1 AZE 3333333", at_us=LATE_US))
    assert third.counts.decisions == {("refuse", "busy"): 1}


# Explained, or left.


def test_lateness_is_explained(store: SqliteStore) -> None:
    """In the language of the phone; the permit is taken back, and the same words are new again."""
    outage = Outage(store, law((RENEWS, EXPLAINS)))
    late = outage.replies(sms("2 AZE 1111111 EN"))
    done = outage.expire(*late)
    assert texts(done) == ["Too late, text again, like 2 AZE 1234567"]
    assert (done.counts.renewed, done.counts.decisions) == (1, {})
    assert outage.rows("SELECT outcome, repeat_of FROM message ORDER BY id") == [
        ("decided", None),
        ("late", 1),
    ]
    again = outage.ask(sms("2 AZE 1111111 EN", at_us=LATE_US + 1))
    assert again.counts.decisions == {("grant", "granted"): 1}
    assert outage.expire(*done.replies or [], at_us=LATE_US + DAY_US).replies == []


def test_without_late_nothing_follows(store: SqliteStore) -> None:
    """The permit stands as it was granted; the phone hears nothing."""
    outage = Outage(store, law(FORGETS))
    done = outage.expire(*outage.replies(sms("2 AZE 1111111")))
    assert (done.replies, done.counts.renewed) == ([], 0)
    assert outage.rows("SELECT ended_us, quota_slot FROM decision") == [(None, 0)]


@pytest.mark.parametrize("state", [ReplyState.SENT, ReplyState.REFUSED])
def test_only_what_came_too_late_is_renewed(outage: Outage, state: ReplyState) -> None:
    """A phone that cannot be reached would not be reached by another SMS either."""
    [reply] = outage.replies(sms("2 AZE 1111111"))
    [outcome] = expired(reply)
    assert outage.ask(outcomes=(outcome._replace(state=state),)).replies == []
    assert outage.rows("SELECT ended_us FROM decision") == [(None,)]
