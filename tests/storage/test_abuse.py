"""Candidates of abuse: counted exactly, against what everybody else did, with the evidence."""

import pytest
from decisions_stored import DAY_US, HOUR_US, NOON_US, decided, grant, stored

from rules import CompiledPolicy, Document, Verdict
from storage import SqliteStore, abuse
from storage.abuse import (
    CANDIDATES_MAX,
    EXAMPLES_MAX,
    Candidate,
    Example,
    count_above,
    measure,
)


def document(number: int) -> Document:
    return Document("AZE", f"{number:07}")


def funerals(
    store: SqliteStore, policy: CompiledPolicy, person: int, count: int, phone: str = "1"
) -> list[int]:
    """Permits with code 3 for one person, an hour apart; their serials."""
    return [
        grant(
            store, policy, "3", document(person), NOON_US + n * HOUR_US, f"p:P{person}", phone
        ).serial
        for n in range(count)
    ]


def test_who_has_far_more_permits_than_others_is_told_with_the_norm(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Most first; median and 99th percentile over all who did it at all; the newest as evidence."""
    funerals(store, policy, 1, 7, "994500000001")
    for person in range(2, 6):
        funerals(store, policy, person, 1)
    serials = funerals(store, policy, 6, 3)
    found = measure(url, "permits_of_person", ["3"], NOON_US, 3)
    assert (found.everybody, found.median, found.percentile_99, found.above) == (6, 1, 7, 2)
    first, second = found.candidates
    assert (first.who, first.amount) == ("p:P1", 7)
    assert first.examples[0] == Example(7, NOON_US + 6 * HOUR_US, "3", "AZE0000001", "994500000001")
    assert [example.serial for example in first.examples] == [7, 6, 5, 4, 3]
    assert len(first.examples) == EXAMPLES_MAX
    assert (second.who, second.amount) == ("p:P6", 3)
    assert [example.serial for example in second.examples] == serials[::-1]


def test_the_bound_is_the_first_number_that_is_too_much(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """On both sides of it; the norm does not depend on it."""
    funerals(store, policy, 1, 3)
    reached = measure(url, "permits_of_person", [], NOON_US, 3)
    below = measure(url, "permits_of_person", [], NOON_US, 4)
    assert (reached.above, below.above, below.candidates) == (1, 0, ())
    assert reached[:3] == below[:3] == (1, 3, 3)


def test_only_granted_requests_of_these_codes_and_days_count(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """The first instant counts, the one before it does not; repeats and other codes never do."""
    grant(store, policy, "3", at_us=NOON_US - DAY_US)
    grant(store, policy, "3", at_us=NOON_US)
    grant(store, policy, "1", at_us=NOON_US)
    with store.transaction(policy) as transaction:
        held = transaction.permits(["p:P1"], NOON_US)["p:P1"]
        repeat = decided(transaction, policy, "3", at_us=NOON_US + 1, permits=held)
        assert repeat.verdict is Verdict.ALREADY_GRANTED
        stored(transaction, repeat)

    def amount(codes: list[str], since_us: int) -> int:
        [candidate] = measure(url, "permits_of_person", codes, since_us, 1).candidates
        assert len(candidate.examples) == candidate.amount
        return candidate.amount

    assert amount(["3"], NOON_US) == 1
    assert amount(["3"], NOON_US - DAY_US) == 2
    assert amount(["3"], NOON_US - DAY_US + 1) == 1
    assert amount(["1", "3"], NOON_US) == 2
    assert amount([], NOON_US) == 2


def test_a_phone_is_measured_by_the_people_it_asks_for(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Two cards of one person are one, two permits of one person too."""
    funerals(store, policy, 1, 2, "many")
    grant(store, policy, "1", Document("AA", "1234567"), holder="p:P1", phone="many")
    funerals(store, policy, 2, 1, "many")
    funerals(store, policy, 3, 1, "other")
    found = measure(url, "people_of_phone", [], NOON_US, 2)
    assert (found.everybody, found.median, found.percentile_99, found.above) == (2, 1, 2, 1)
    [candidate] = found.candidates
    assert (candidate.who, candidate.amount) == ("many", 2)
    assert {example.phone for example in candidate.examples} == {"many"}


def test_a_person_is_measured_by_the_phones_that_ask_for_them(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """However often each of them asks."""
    for phone in ("one", "two", "two", "three"):
        funerals(store, policy, 1, 1, phone)
    funerals(store, policy, 2, 4, "one")
    [candidate] = measure(url, "phones_of_person", ["3"], NOON_US, 3).candidates
    assert (candidate.who, candidate.amount) == ("p:P1", 3)
    assert [example.phone for example in candidate.examples] == ["three", "two", "two", "one"]


def test_the_99th_percentile_leaves_the_few_out(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """One in a hundred stands above it, two in a hundred are part of it."""
    with store.transaction(policy) as transaction:
        for person in range(100):
            for _ in range(9 if person == 0 else 1):
                decision = decided(transaction, policy, "1", document(person))
                stored(transaction, decision, f"p:P{person}")
    assert measure(url, "permits_of_person", [], NOON_US, 9)[:4] == (100, 1, 1, 1)
    grant(store, policy, "1", document(1), holder="p:P1")
    assert measure(url, "permits_of_person", [], NOON_US, 9)[:4] == (100, 1, 2, 1)


def test_the_list_ends_and_the_count_goes_on(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """A bound set too low must not print a country."""
    people = CANDIDATES_MAX + 1
    with store.transaction(policy) as transaction:
        for person in range(people):
            stored(transaction, decided(transaction, policy, "1", document(person)), f"p:P{person}")
    found = measure(url, "permits_of_person", [], NOON_US, 1)
    assert (found.above, len(found.candidates)) == (people, CANDIDATES_MAX)


def test_nobody_asked_and_nobody_is_a_candidate(url: str, store: SqliteStore) -> None:
    """An empty store has a norm of nothing."""
    assert measure(url, "people_of_phone", ["1"], 0, 1) == abuse.Measured(0, 0, 0, 0, ())


def test_the_evidence_never_quotes_an_sms() -> None:
    """What people wrote may hold a name and an illness; serial, instant, code and card suffice."""
    assert Example._fields == ("serial", "at_us", "code", "document", "phone")
    assert Candidate._fields == ("who", "amount", "examples")


@pytest.mark.parametrize("serials_at_once", [1, 3, 20_000])
@pytest.mark.parametrize("what", ["permits_of_person", "people_of_phone", "phones_of_person"])
def test_counting_in_short_reads_finds_the_same(
    url: str,
    store: SqliteStore,
    policy: CompiledPolicy,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
    serials_at_once: int,
) -> None:
    """Whoever is met in several of them counts once."""
    monkeypatch.setattr(abuse, "_SERIALS_AT_ONCE", serials_at_once)
    funerals(store, policy, 1, 4, "many")
    for person in range(2, 5):
        funerals(store, policy, person, 2, "many")
        funerals(store, policy, person, 1, f"own-{person}")
    grant(store, policy, "1", document(9), holder="p:P9", phone="many")
    for codes in ([], ["3"], ["1", "3"], ["2"]):
        for since_us in (NOON_US, NOON_US + HOUR_US, NOON_US + DAY_US):
            for bound in (1, 2, 4, 5):
                measured = measure(url, what, codes, since_us, bound)
                counted = count_above(url, what, codes, since_us, bound)
                assert counted == (measured.above, measured.everybody)
