"""What delivery receipts make of stored replies: in any order, early, twice, for each segment."""

from collections.abc import Iterator
from itertools import permutations

import pytest
from decisions_stored import DAY_US, HOUR_US, NOON_US, sms

from rules import CompiledPolicy
from storage import InboundReceipt, ReplyOutcome, ReplyState, SqliteStore, Sweep

DELIVERED, EXPIRED, UNDELIVERABLE, ACCEPTED = 2, 3, 5, 6
SENT_US = NOON_US + 1_000
CAME_US = NOON_US + 5_000_000


class Outbox:
    """A store, and what an SMSC says of the replies in it."""

    def __init__(self, store: SqliteStore, policy: CompiledPolicy) -> None:
        self.store = store
        self._policy = policy

    def sent(self, *message_ids: str, smsc: str = "one", at_us: int = SENT_US) -> int:
        """A reply whose segments the SMSC took under these names; its id."""
        message = sms(f"1 AZE {self.store.last_id}")._replace(smsc=smsc)
        with self.store.transaction(self._policy) as transaction:
            number = transaction.add_message(message, "decided")
            transaction.add_reply(number, message, "a reply", NOON_US + HOUR_US)
        self.settle(number, *message_ids, smsc=smsc, at_us=at_us)
        return number

    def settle(self, number: int, *message_ids: str, smsc: str, at_us: int) -> list[int]:
        """The response came; how long after its SMS the reply was on the phone, if it was."""
        names = " ".join(message_ids)
        outcome = ReplyOutcome(number, ReplyState.SENT, at_us, names, 0, False)
        with self.store.transaction(self._policy) as transaction:
            transaction.settle([outcome._replace(smsc=smsc, awaits=message_ids)])
        return [elapsed_us for _, elapsed_us in transaction.receipts.arrived]

    def report(
        self, *said: tuple[str, int], smsc: str = "one", at_us: int = CAME_US
    ) -> list[tuple[str, int]]:
        """Receipts came in one batch; what is on its phone by them."""
        with self.store.transaction(self._policy) as transaction:
            transaction.receipts.record([InboundReceipt(smsc, *each, at_us) for each in said])
        return transaction.receipts.arrived

    def sweep(self, now_us: int, early_us: int = 60_000_000, early_max: int = 100) -> int:
        """How many receipts are given up."""
        sweep = Sweep(now_us, DAY_US, early_us, early_max)
        if not self.store.due(sweep):
            return 0
        with self.store.transaction(self._policy) as transaction:
            return sum(transaction.receipts.give_up(sweep).values())

    def told(self, number: int) -> tuple[int | None, int | None]:
        """State and time of a reply's receipt."""
        query = "SELECT receipt_state, receipt_at_us FROM reply WHERE id = ?"
        state, at_us = self.store.connection.execute(query, (number,)).fetchone()
        return state, at_us

    def count(self, table: str) -> int:
        """Rows of a table."""
        query = f"SELECT count(*) FROM {table}"
        return int(self.store.connection.execute(query).fetchone()[0])


@pytest.fixture
def outbox(url: str, policy: CompiledPolicy) -> Iterator[Outbox]:
    """Over a store of its own."""
    store = SqliteStore(url)
    yield Outbox(store, policy)
    store.close()


def test_a_receipt_finds_its_reply(outbox: Outbox) -> None:
    """State and time are kept, and the way from SMS to phone is told."""
    one, other = outbox.sent("a"), outbox.sent("b")
    assert outbox.report(("b", DELIVERED)) == [("one", CAME_US - NOON_US)]
    assert outbox.told(other) == (DELIVERED, CAME_US)
    assert outbox.told(one) == (None, None)
    assert outbox.report(("a", EXPIRED)) == []
    assert outbox.told(one) == (EXPIRED, CAME_US)


def test_two_smscs_may_use_one_name(outbox: Outbox) -> None:
    """Each SMSC counts by itself."""
    one, other = outbox.sent("1"), outbox.sent("1", smsc="two")
    outbox.report(("1", EXPIRED))
    assert (outbox.told(one)[0], outbox.told(other)[0]) == (EXPIRED, None)
    outbox.report(("1", DELIVERED), smsc="two")
    assert (outbox.told(one)[0], outbox.told(other)[0]) == (EXPIRED, DELIVERED)


def test_before_the_response_it_waits_for_it(outbox: Outbox, url: str) -> None:
    """Also over a restart; then it counts from when it came, and is used up."""
    number = outbox.sent()
    outbox.report(("a", DELIVERED), ("stray", DELIVERED))
    outbox.store.close()
    store = outbox.store = SqliteStore(url)
    elapsed = outbox.settle(number, "a", smsc="one", at_us=CAME_US + 9)
    assert elapsed == [CAME_US - NOON_US]
    assert outbox.told(number) == (DELIVERED, CAME_US)
    assert store.connection.execute("SELECT message_id FROM early_receipt").fetchall() == [
        ("stray",)
    ]


@pytest.mark.parametrize(
    ("states", "last"),
    [((ACCEPTED, DELIVERED), DELIVERED), ((DELIVERED, EXPIRED), DELIVERED), ((3, 5), 5)],
)
def test_several_before_the_response_are_one(
    outbox: Outbox, states: tuple[int, ...], last: int
) -> None:
    """By the same rule as after it."""
    number = outbox.sent()
    for state in states:
        outbox.report(("a", state))
    assert outbox.count("early_receipt") == 1
    outbox.settle(number, "a", smsc="one", at_us=CAME_US)
    assert outbox.told(number)[0] == last


def test_twice_it_counts_once(outbox: Outbox) -> None:
    """In one batch or in two; nobody's receipt is left over."""
    number = outbox.sent("a")
    assert len(outbox.report(("a", DELIVERED), ("a", DELIVERED))) == 1
    assert outbox.report(("a", DELIVERED), at_us=CAME_US + 1) == []
    assert outbox.told(number) == (DELIVERED, CAME_US)
    assert outbox.count("early_receipt") == 0


@pytest.mark.parametrize(
    ("states", "last"),
    [
        ((ACCEPTED, DELIVERED), DELIVERED),
        ((EXPIRED, DELIVERED), DELIVERED),
        ((DELIVERED, EXPIRED), DELIVERED),
        ((EXPIRED, UNDELIVERABLE), UNDELIVERABLE),
    ],
)
def test_what_arrived_stays_so_and_else_the_last_word_counts(
    outbox: Outbox, states: tuple[int, ...], last: int
) -> None:
    """Receipts overtake each other; a phone does not lose what it has."""
    number = outbox.sent("a")
    for state in states:
        outbox.report(("a", state))
    assert outbox.told(number)[0] == last


@pytest.mark.parametrize("order", list(permutations("abc")))
def test_a_long_reply_has_arrived_with_its_last_segment(outbox: Outbox, order: str) -> None:
    """Until then the phone has nothing to read; a segment that comes twice stands for no other."""
    number = outbox.sent("a", "b", "c")
    first, second, third = order
    assert outbox.report((first, DELIVERED), (first, DELIVERED)) == []
    assert outbox.report((second, DELIVERED)) == []
    assert outbox.told(number) == (None, None)
    assert len(outbox.report((third, DELIVERED), at_us=CAME_US + 7)) == 1
    assert outbox.told(number) == (DELIVERED, CAME_US + 7)


def test_a_name_may_have_a_space_in_it(outbox: Outbox) -> None:
    """It is a text that the SMSC made up; segments are counted, not read off it."""
    number = outbox.sent("a b")
    outbox.report(("a b", DELIVERED))
    assert outbox.told(number) == (DELIVERED, CAME_US)


@pytest.mark.parametrize("order", list(permutations([("a", DELIVERED), ("b", EXPIRED)])))
def test_a_long_reply_fails_with_any_segment(
    outbox: Outbox, order: tuple[tuple[str, int], ...]
) -> None:
    """Whichever receipt comes first; and it is mended when the missing one arrives after all."""
    number = outbox.sent("a", "b")
    outbox.report(*order)
    assert outbox.told(number) == (EXPIRED, CAME_US)
    outbox.report(("b", DELIVERED), at_us=CAME_US + 7)
    assert outbox.told(number) == (DELIVERED, CAME_US + 7)


def test_a_name_given_out_again_means_the_newest(outbox: Outbox) -> None:
    """An SMSC that was started anew counts from 1: on one day and over midnight."""
    first, second = outbox.sent("1"), outbox.sent("1")
    third = outbox.sent("1", at_us=SENT_US + DAY_US)
    outbox.report(("1", DELIVERED))
    outbox.report(("1", EXPIRED), at_us=CAME_US + DAY_US)
    states = [outbox.told(number)[0] for number in (first, second, third)]
    assert states == [None, DELIVERED, EXPIRED]


def test_a_receipt_is_awaited_for_a_day_and_then_forgotten(outbox: Outbox) -> None:
    """On the day of the submission and on the next; then the rows go, and it is nobody's."""
    one, other, last = outbox.sent("a"), outbox.sent("b"), outbox.sent("c")
    midnight_us = (NOON_US // DAY_US + 1) * DAY_US
    outbox.sweep(midnight_us - 1)
    outbox.report(("a", DELIVERED), at_us=midnight_us - 1)
    outbox.sweep(midnight_us + DAY_US - 1)
    outbox.report(("b", DELIVERED), at_us=midnight_us + DAY_US - 1)
    assert outbox.sweep(midnight_us + DAY_US) == 0
    assert outbox.count("submission") == 0
    outbox.report(("c", DELIVERED), at_us=midnight_us + DAY_US)
    assert [outbox.told(number)[0] for number in (one, other, last)] == [DELIVERED] * 2 + [None]
    assert outbox.sweep(midnight_us + DAY_US + HOUR_US) == 1


def test_an_early_receipt_waits_so_long_and_no_longer(outbox: Outbox) -> None:
    """Then it is counted as one of no reply of ours."""
    outbox.report(("a", DELIVERED))
    assert outbox.sweep(CAME_US + 59_999_999) == 0
    assert outbox.sweep(CAME_US + 60_000_000) == 1
    assert outbox.count("early_receipt") == 0


def test_of_too_many_early_receipts_the_oldest_go(outbox: Outbox) -> None:
    """The bound holds on both sides; the ones that came last may still find their reply."""
    for at in range(4):
        outbox.report((str(at), DELIVERED), at_us=CAME_US + at)
    assert outbox.sweep(CAME_US + 10, early_max=4) == 0
    assert outbox.sweep(CAME_US + 10, early_max=3) == 1
    number = outbox.sent("3")
    assert outbox.told(number)[0] == DELIVERED


def test_who_awaits_nothing_leaves_no_rows(outbox: Outbox, policy: CompiledPolicy) -> None:
    """As without receipts: a settled reply writes where it always did."""
    number = outbox.sent()
    assert outbox.count("submission") == 0
    assert outbox.told(number) == (None, None)


def test_what_is_rolled_back_was_not_said(outbox: Outbox, policy: CompiledPolicy) -> None:
    """A receipt is durable with its batch, or comes again."""
    number = outbox.sent("a")
    with pytest.raises(RuntimeError), outbox.store.transaction(policy) as transaction:
        transaction.receipts.record([InboundReceipt("one", "a", DELIVERED, CAME_US)])
        raise RuntimeError
    assert outbox.told(number) == (None, None)
    assert len(outbox.report(("a", DELIVERED))) == 1
