"""What a phone may do besides asking: commands, a language, junk; and what it is counted for."""

from collections.abc import Callable
from pathlib import Path

import pytest
from counting_rules import counting
from gateway_stage import sms
from virtual_reactor import DAY_US, HOUR_US, NOON_US, S_US

from rules import CompiledPolicy, compile_policy, parse_policy
from smsd.gateway.adjudicate import Law, Settled, adjudicate
from storage import InboundMessage, ReplyOutcome, ReplyState, SqliteStore, blocks

MINUTE_US = 60 * S_US
MIDNIGHT_US = NOON_US + 12 * HOUR_US  # in Baku
ONE, OTHER = "994500000001", "994500000002"
POLICY_FILE = Path(__file__).parents[2] / "rules" / "policies" / "8103.toml"

Decide = Callable[..., Settled]


def changed(*changes: tuple[str, str]) -> CompiledPolicy:
    """8103 with other words, without its own tests."""
    text = POLICY_FILE.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return compile_policy(parse_policy(text, "changed.toml"), trial=False)


GRANT = 'verdict = "grant"\nwindow = "window"'
LATER = changed(
    (GRANT, GRANT + '\nstarts_after = "delay"'),
    (
        "[parameters.senior_age]",
        '[parameters.delay]\ntitle = "delay"\nunit = "minutes"\n'
        'values = [{ value = 15, source = "ours" }]\n\n[parameters.senior_age]',
    ),
)  # fmt: skip
COUNTING = changed(*counting(3))


@pytest.fixture
def decide(store: SqliteStore, policy: CompiledPolicy) -> Decide:
    """Commit one batch, under 8103 unless another law is given."""

    def run(*messages: InboundMessage, law: Law | None = None) -> Settled:
        law = law or Law(policy)
        with store.transaction(law.policy) as transaction:
            settled = adjudicate(transaction, law, None, messages)
        with store.transaction(law.policy) as transaction:  # what was said has left
            transaction.settle(
                [
                    ReplyOutcome(r.id, ReplyState.SENT, r.received_at_us, "", 0, False)
                    for r in settled.replies
                ]
            )
        return settled

    return run


def texts(settled: Settled) -> list[str]:
    return [reply.text for reply in settled.replies]


def rules_of(settled: Settled) -> list[str]:
    return [decision.rule for decision in settled.decisions]


def test_a_permit_is_told_returned_and_gone_within_one_batch(decide: Decide) -> None:
    """Asked, looked up, returned, looked up again: each SMS sees what the one before it did."""
    settled = decide(
        sms("1 AZE 1111111 EN", at_us=NOON_US),
        sms("status", at_us=NOON_US + MINUTE_US),
        sms("RETURN", at_us=NOON_US + 2 * MINUTE_US),
        sms("Status", at_us=NOON_US + 3 * MINUTE_US),
        sms("1 aze 1111111", at_us=NOON_US + 4 * MINUTE_US),
    )
    reference = settled.decisions[0].reference
    _, told, ended, gone, again = texts(settled)
    assert told.startswith(f"AZE1111111, code 1: 06.04 12:00-14:00, reference {reference}.")
    assert ended == f"AZE1111111, code 1: your permit has ended, reference {reference}. Thank you!"
    assert gone.startswith("No permit that this phone asked for")
    assert "12:04-14:04" in again
    assert rules_of(settled) == ["granted", "granted"]
    assert settled.commands == ["status", "end", "status"]


def test_only_the_phone_that_asked_can_end_a_permit(decide: Decide) -> None:
    """Whoever knows a document number of somebody else ends nothing with it."""
    decide(sms("2 AZE 1111111", ONE))
    settled = decide(sms("RETURN AZE 1111111 EN", OTHER, NOON_US + MINUTE_US))
    assert texts(settled)[0].startswith("No permit that this phone asked for")
    assert rules_of(decide(sms("2 AZE 1111111", OTHER, NOON_US + MINUTE_US))) == ["repeat"]


def test_a_returned_permit_keeps_its_day_and_a_cancelled_one_gives_it_back(
    decide: Decide,
) -> None:
    """It counts whether the permit had begun: at 12:15, a quarter after it was asked for."""
    law = Law(LATER)
    [granted] = decide(sms("2 AZE 1111111"), law=law).decisions
    assert granted.valid_from_us == NOON_US + 15 * MINUTE_US
    cancelled = decide(sms("CANCEL EN", at_us=NOON_US + 15 * MINUTE_US - 1), law=law)
    assert "is cancelled" in texts(cancelled)[0]
    at_us = NOON_US + HOUR_US
    [second] = decide(sms("2 AZE 1111111", at_us=at_us), law=law).decisions
    assert (second.rule, second.quota) == ("granted", granted.quota)
    returned = decide(sms("CANCEL", at_us=at_us + 15 * MINUTE_US), law=law)
    assert "your permit has ended" in texts(returned)[0]
    third = decide(sms("2 AZE 1111111", at_us=at_us + HOUR_US), law=law)
    assert rules_of(third) == ["once-a-day"]


def test_a_place_given_back_in_the_middle_is_taken_again(decide: Decide) -> None:
    """Two a day: the first is cancelled, and the third takes its place, not the second's."""
    twice = changed(
        (GRANT, 'verdict = "grant"\nwindow = "short"\nstarts_after = "short"'),
        ("value = 1, source = \"seed: once a day", "value = 2, source = \"seed: once a day"),
        (
            "[parameters.senior_age]",
            '[parameters.short]\ntitle = "short"\nunit = "minutes"\n'
            'values = [{ value = 10, source = "ours" }]\n\n[parameters.senior_age]',
        ),
    )  # fmt: skip
    law = Law(twice)
    decide(sms("2 AZE 1111111", ONE), law=law)
    decide(sms("CANCEL", ONE, NOON_US + MINUTE_US), law=law)
    [first] = decide(sms("2 AZE 1111111", OTHER, NOON_US + 2 * MINUTE_US), law=law).decisions
    later_us = NOON_US + HOUR_US
    [second] = decide(sms("2 AZE 1111111", ONE, later_us), law=law).decisions
    assert first.quota is not None
    assert second.quota is not None
    assert (first.quota.slot, second.quota.slot) == (0, 1)
    spent = decide(sms("2 AZE 1111111", OTHER, later_us + HOUR_US), law=law)
    assert rules_of(spent) == ["once-a-day"]


def test_junk_is_answered_ten_times_told_once_and_then_met_with_silence(
    decide: Decide, store: SqliteStore
) -> None:
    """Across batches, each phone for itself; a permit is given whatever came before."""
    for number in range(9):
        assert len(decide(sms(f"salam {'x' * number}")).replies) == 1
    tenth, eleventh, twelfth = (
        decide(sms(f"salam {'x' * (9 + number)}", at_us=NOON_US + number)) for number in range(3)
    )
    assert "anlaşılmadı" in texts(tenth)[0]
    assert texts(eleventh)[0].startswith("Çox SMS göndərdiniz")
    assert (texts(twelfth), twelfth.silent) == ([], 1)
    assert len(decide(sms("salam", OTHER)).replies) == 1
    assert rules_of(decide(sms("1 AZE 1111111"))) == ["granted"]
    later = decide(sms("salam salam", at_us=NOON_US + 30 * MINUTE_US))
    assert "anlaşılmadı" in texts(later)[0]
    outcomes = store.connection.execute(
        "SELECT outcome, count(*) FROM message WHERE phone = ? GROUP BY 1", (ONE,)
    )
    assert dict(outcomes) == {"unreadable": 12, "silent": 1, "decided": 1}


def test_asking_again_for_what_is_refused_is_junk_and_for_others_is_not(decide: Decide) -> None:
    """A family of many refused cards is no flood; the same card eleven times is."""
    spent = [f"2 AZE {number}" for number in range(1_000_001, 1_000_020)]
    for text in spent:
        decide(sms(text, OTHER))
    at_us = NOON_US + 3 * HOUR_US
    for text in spent:  # nineteen refusals, each for another document
        assert len(decide(sms(text, ONE, at_us)).replies) == 1
    silent = [decide(sms(spent[0], ONE, at_us + number)).silent for number in range(1, 14)]
    assert silent == [0] * 11 + [1] * 2


def test_a_language_is_kept_for_a_phone_until_it_asks_for_another(decide: Decide) -> None:
    """A tag alone, or beside a request; another phone is not touched."""
    assert texts(decide(sms("EN"))) == ["Replies to this phone will be in English"]
    assert texts(decide(sms("1 AZE 1111111")))[0].startswith("Permit granted")
    assert texts(decide(sms("1 AZE 2222222", OTHER)))[0].startswith("İcazə verildi")
    assert texts(decide(sms("1 AZE 3333333 RU")))[0].startswith("Разрешение")
    assert texts(decide(sms("1 AZE 4444444")))[0].startswith("Разрешение")


def test_a_blocked_person_is_refused_from_the_next_batch_on(
    decide: Decide, url: str, store: SqliteStore
) -> None:
    """From one code until a day, and free on that day; the facts tell of it."""
    day = NOON_US // DAY_US + 719_163  # 1970-01-01 is day 719163
    blocks.add_block(url, "d:AZE1111111", "AZE1111111", "3", day + 1, "A", "?", NOON_US)
    refused = decide(sms("3 AZE 1111111"))
    assert rules_of(refused) == ["blocked-from-code"]
    assert "07.04" in texts(refused)[0]
    assert rules_of(decide(sms("1 AZE 1111111"))) == ["granted"]
    assert rules_of(decide(sms("3 AZE 1111111", at_us=MIDNIGHT_US))) == ["granted"]


@pytest.mark.parametrize("batches", [1, 2, 5])
def test_what_a_phone_sent_today_is_counted_however_the_batches_fall(
    decide: Decide, batches: int
) -> None:
    """Nonsense counts too; midnight begins anew, also within one batch."""
    messages = [
        sms("1 AZE 1000001", at_us=MIDNIGHT_US - 5),
        sms("salam", at_us=MIDNIGHT_US - 4),
        sms("1 AZE 1000002", at_us=MIDNIGHT_US - 3),
        sms("1 AZE 1000003", at_us=MIDNIGHT_US - 2),
        sms("1 AZE 1000004", at_us=MIDNIGHT_US),
    ]
    size = -(-len(messages) // batches)
    decided = []
    for start in range(0, len(messages), size):
        decided += rules_of(decide(*messages[start : start + size], law=Law(COUNTING)))
    assert decided == ["granted", "granted", "busy", "granted"]


def test_documents_of_a_phone_are_counted_before_its_sms(decide: Decide) -> None:
    """Three known ones are too many for a fourth; asking for one again adds nothing."""
    law = Law(COUNTING)
    first = decide(sms("1 AZE 1000001, AZE 1000002, AZE 1000003"), law=law)
    assert rules_of(first) == ["granted"] * 3
    assert rules_of(decide(sms("1 AZE 1000004"), law=law)) == ["many"]
    assert rules_of(decide(sms("1 AZE 1000004", OTHER), law=law)) == ["granted"]


def test_a_window_that_begins_with_the_reply_begins_when_it_was_taken(
    store: SqliteStore,
) -> None:
    """The permit lasts as long as it was meant to, from that moment."""
    history = compile_policy(
        parse_policy(
            (POLICY_FILE.parent / "az-8103-history.toml").read_text(encoding="utf-8"), "history"
        ),
        trial=False,
    )
    with store.transaction(history) as transaction:
        settled = adjudicate(transaction, Law(history), None, [sms("1 AZE 1111111")])
    [reply] = settled.replies
    assert reply.starts_permit
    assert store.unsent("one", 0, 9, urgent=True)[0].starts_permit
    taken_us = NOON_US + 90 * MINUTE_US
    outcome = ReplyOutcome(reply.id, ReplyState.SENT, taken_us, "", 0, False, reply.starts_permit)
    with store.transaction(history) as transaction:
        transaction.settle([outcome])
    with store.transaction(history) as transaction:
        [[permit]] = transaction.permits({"d:AZE1111111"}, NOON_US).values()
    assert (permit.valid_from_us, permit.valid_until_us) == (taken_us, taken_us + 2 * HOUR_US)


def test_a_candidate_is_compared_and_changes_nothing(decide: Decide, store: SqliteStore) -> None:
    """Where it decides otherwise a row says so; what phones get is the live law's."""
    stricter = changed(('value = 120, source = "seed', 'value = 60, source = "seed'))
    settled = decide(
        sms("1 AZE 1111111"), sms("salam"), law=Law(changed(), stricter)
    )  # fmt: skip
    assert "12:00–14:00" in texts(settled)[0]
    [found] = settled.disagreements
    assert (found.live_verdict, found.candidate_verdict) == ("grant", "grant")
    rows = store.connection.execute("SELECT serial, verdict, rule FROM shadow_difference")
    assert rows.fetchall() == [(settled.decisions[0].serial, "grant", "granted")]
