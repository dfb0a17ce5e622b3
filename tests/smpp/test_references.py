"""References of long replies: no phone gets one that it might still have half a text of."""

from smsd.smpp.references import References


def test_phones_share_a_counter_from_one() -> None:
    """Each phone that is new begins behind the one before it."""
    references = References(1_000)
    assert [references.take(phone) for phone in ("a", "b", "c")] == [1, 2, 3]


def test_a_phone_that_is_remembered_gets_the_number_behind_its_last() -> None:
    """However many others had one in between: a counter alone would give it the same again."""
    references = References(1_000)
    first = references.take("a")
    for number in range(255):
        references.take(f"other {number}")
    assert references.take("a") == first + 1


def test_eight_bits_of_a_phones_references_come_round_after_256() -> None:
    """Until then no two are the same, even by their lower eight bits."""
    references = References(1_000)
    for number in range(100):
        references.take(f"other {number}")
    taken = [references.take("a") & 0xFF for _ in range(257)]
    assert len(set(taken[:256])) == 256
    assert taken[256] == taken[0]


def test_sixteen_bits_come_round() -> None:
    """0xFFFF is followed by 0, for a phone as for the counter."""
    references = References(1_000)
    taken = [references.take("a") for _ in range(0x10000)]
    assert taken[-2:] == [0xFFFF, 0]
    many = References(phones_max=1)
    assert [many.take(str(number)) for number in range(0x10001)][-3:] == [0xFFFF, 0, 1]


def test_the_phone_that_got_nothing_for_longest_is_forgotten() -> None:
    """phones_max are remembered, and one more costs the one whose last reply is oldest."""
    references = References(phones_max=2)
    assert [references.take(phone) for phone in "abac"] == [1, 2, 2, 3]  # c pushes b out
    assert references.take("a") == 3
    assert references.take("b") == 4
