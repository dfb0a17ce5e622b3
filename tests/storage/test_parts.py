"""Segments of long SMS: joined in any order, given up once, known again when sent again."""

from collections.abc import Iterator
from itertools import permutations

import pytest
from decisions_stored import DAY_US, HOUR_US, MINUTE_US, NOON_US, PHONE, sms

from rules import CompiledPolicy
from storage import InboundMessage, InboundPart, SqliteStore, Sweep

HELLO = {1: b"hello ", 2: b"wide ", 3: b"world"}


class Keeper:
    """A store that is given segments, each in a transaction of its own."""

    def __init__(self, store: SqliteStore, policy: CompiledPolicy) -> None:
        self.store = store
        self._policy = policy

    def add(
        self,
        number: int,
        octets: bytes | None = None,
        at_us: int = NOON_US,
        total: int = 3,
        smsc: str = "one",
        reference: int = 7,
    ) -> bytes | None:
        """One comes; the user data of its SMS if that is whole."""
        message = sms(at_us=at_us)._replace(
            octets=HELLO[number] if octets is None else octets,
            part=InboundPart(reference, total, number),
            smsc=smsc,
            data_coding=8,
        )
        with self.store.transaction(self._policy) as transaction:
            return transaction.add_part(message)

    def give_up(self, now_us: int) -> list[InboundMessage]:
        """What is given up two minutes after its last segment."""
        sweep = Sweep(now_us, 2 * MINUTE_US, MINUTE_US, 10)
        if not self.store.due(sweep):
            return []
        with self.store.transaction(self._policy) as transaction:
            return transaction.give_up_parts(sweep)

    @property
    def rows(self) -> int:
        """Segments that are kept."""
        query = "SELECT count(*) FROM part"
        return int(self.store.connection.execute(query).fetchone()[0])


@pytest.fixture
def keeper(url: str, policy: CompiledPolicy) -> Iterator[Keeper]:
    """Over a store of its own."""
    store = SqliteStore(url)
    yield Keeper(store, policy)
    store.close()


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_the_last_to_come_makes_it_whole(keeper: Keeper, order: tuple[int, ...]) -> None:
    """Whatever their order, and though each comes twice."""
    came = [keeper.add(number) for number in order for _ in range(2)]
    assert came == [None] * 4 + [b"hello wide world", None]


def test_what_was_whole_is_not_given_up(keeper: Keeper) -> None:
    """Neither then, nor when its SMSC sends the last one again because our answer was lost."""
    for number in HELLO:
        keeper.add(number)
    assert keeper.add(3, at_us=NOON_US + MINUTE_US) is None
    assert keeper.give_up(NOON_US + 4 * MINUTE_US) == []
    assert keeper.add(3, at_us=NOON_US + 5 * MINUTE_US) is None
    assert keeper.give_up(NOON_US + 10 * MINUTE_US) == []


def test_what_comes_again_whole_is_an_sms_again(keeper: Keeper) -> None:
    """A phone that uses one reference for all its SMS is heard each time."""
    for _ in range(2):
        came = [keeper.add(number) for number in HELLO]
        assert came == [None, None, b"hello wide world"]


def test_given_up_after_its_time_and_not_before(keeper: Keeper) -> None:
    """Counted from the segment that came last, and with all that came."""
    keeper.add(3)
    keeper.add(1, at_us=NOON_US + MINUTE_US)
    assert keeper.give_up(NOON_US + 3 * MINUTE_US - 1) == []
    [message] = keeper.give_up(NOON_US + 3 * MINUTE_US)
    assert message.octets == b"hello world"
    assert message.part == InboundPart(7, 3, 2)
    assert (message.phone, message.short_number, message.smsc) == (PHONE, "8103", "one")
    assert (message.data_coding, message.received_at_us) == (8, NOON_US + MINUTE_US)
    assert keeper.give_up(NOON_US + HOUR_US) == []


@pytest.mark.parametrize("late", [2, 3])
def test_what_comes_after_that_is_not_given_up_again(keeper: Keeper, late: int) -> None:
    """The phone was told once; a missing segment, or the same once more, tells it nothing new."""
    keeper.add(1)
    keeper.add(3)
    assert len(keeper.give_up(NOON_US + 2 * MINUTE_US)) == 1
    keeper.add(late, total=3, at_us=NOON_US + 3 * MINUTE_US)
    assert keeper.give_up(NOON_US + 10 * MINUTE_US) == []


def test_the_only_one_that_came_is_given_up_once_though_it_comes_again(keeper: Keeper) -> None:
    """Its SMSC missed our answer, minutes ago."""
    keeper.add(1)
    assert len(keeper.give_up(NOON_US + 2 * MINUTE_US)) == 1
    keeper.add(1, at_us=NOON_US + 3 * MINUTE_US)
    assert keeper.give_up(NOON_US + 10 * MINUTE_US) == []


def test_two_smscs_may_bring_the_parts(keeper: Keeper) -> None:
    """A phone has one SMS in hand, by whatever way its parts come."""
    keeper.add(1, smsc="two")
    keeper.add(3)
    assert keeper.add(2, smsc="two") == b"hello wide world"


def test_the_missing_one_still_completes_it(keeper: Keeper) -> None:
    """Late is better than never: the SMS is read after all, and given up no more."""
    keeper.add(1)
    keeper.add(3)
    keeper.give_up(NOON_US + 2 * MINUTE_US)
    assert keeper.add(2, at_us=NOON_US + 3 * MINUTE_US) == b"hello wide world"
    assert keeper.give_up(NOON_US + 10 * MINUTE_US) == []


def test_a_reference_that_comes_round_is_another_sms(keeper: Keeper) -> None:
    """Other octets in the same place: what was there before neither joins nor silences it."""
    for number in HELLO:
        keeper.add(number)
    later_us = NOON_US + 10 * MINUTE_US
    assert keeper.add(1, b"another ", at_us=later_us) is None
    assert keeper.add(3, b"text", at_us=later_us) is None
    [message] = keeper.give_up(later_us + 2 * MINUTE_US)
    assert message.octets == b"another text"


def test_a_sweep_takes_so_many_and_leaves_the_rest_to_the_next(keeper: Keeper) -> None:
    """Each is to be answered in the transaction that gives it up."""
    for reference in range(201):
        keeper.add(1, reference=reference)
    later_us = NOON_US + 2 * MINUTE_US
    assert [len(keeper.give_up(later_us)) for _ in range(3)] == [200, 1, 0]


def test_segments_of_two_counts_are_two_sms(keeper: Keeper) -> None:
    """1 of 2 and 2 of 3 do not belong together, whatever their reference."""
    keeper.add(1, total=2)
    assert keeper.add(2, total=3) is None
    assert len(keeper.give_up(NOON_US + 2 * MINUTE_US)) == 2


def test_nothing_is_kept_for_more_than_an_hour(keeper: Keeper) -> None:
    """Whole or given up; then a stray segment is one of a new SMS."""
    keeper.add(1)
    keeper.give_up(NOON_US + 2 * MINUTE_US)
    assert keeper.rows == 1
    keeper.give_up(NOON_US + HOUR_US - 1)
    assert keeper.rows == 1
    keeper.give_up(NOON_US + HOUR_US)
    assert keeper.rows == 0
    assert keeper.add(2, at_us=NOON_US + HOUR_US) is None
    assert len(keeper.give_up(NOON_US + 2 * HOUR_US)) == 1


def test_a_restart_forgets_neither_segments_nor_that_they_were_given_up(
    keeper: Keeper, policy: CompiledPolicy, url: str
) -> None:
    """Given up by whoever runs when the time has come, be it a day later; once."""
    keeper.add(1)
    keeper.store.close()
    for expected in (1, 0):
        keeper.store = SqliteStore(url)
        assert len(keeper.give_up(NOON_US + DAY_US)) == expected
        keeper.store.close()


def test_parts_of_an_earlier_version_are_joined_but_not_answered(keeper: Keeper, url: str) -> None:
    """Nobody knows by which SMSC they came; see migration m0006."""
    keeper.store.connection.execute(
        "INSERT INTO part (phone, reference, total, number, octets, received_at_us, state)"
        " VALUES (?, 7, 3, 1, ?, ?, 3)",
        (PHONE, HELLO[1], NOON_US),
    )
    assert keeper.add(2) is None
    assert keeper.give_up(NOON_US + 2 * MINUTE_US) == []
    assert keeper.add(3) == b"hello wide world"
