"""Mutated inputs without coverage, for where libFuzzer is not: the same ones each time."""

from collections.abc import Callable, Iterator, Sequence
from random import Random

INPUT_OCTETS_MAX = 4_096

# Lengths and numbers on the bounds of SMPP: sizes of headers, sequence numbers, command_ids.
_WORDS = (0, 4, 15, 16, 17, 1_024, 1_025, 0x7FFFFFFF, 0x80000000, 0x80000004, 0xFFFFFFFF)
_OCTETS = (0x00, 0x01, 0x1B, 0x40, 0x7F, 0x80, 0xD8, 0xFE, 0xFF)


def mutations(inputs: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """Endless variations of ``inputs``, decided by ``seed`` alone."""
    random = Random(seed)
    while True:
        octets = bytearray(random.choice(inputs))
        for _ in range(random.randint(1, 4)):
            random.choice(_MUTATIONS)(octets, random, inputs)
        yield bytes(octets[:INPUT_OCTETS_MAX])


def _flip(octets: bytearray, random: Random, _inputs: Sequence[bytes]) -> None:
    if octets:
        octets[random.randrange(len(octets))] ^= 1 << random.randrange(8)


def _replace(octets: bytearray, random: Random, _inputs: Sequence[bytes]) -> None:
    if octets:
        octets[random.randrange(len(octets))] = random.choice(_OCTETS)


def _word(octets: bytearray, random: Random, _inputs: Sequence[bytes]) -> None:
    at = random.randint(0, len(octets))
    octets[at : at + 4] = random.choice(_WORDS).to_bytes(4, "big")


def _insert(octets: bytearray, random: Random, _inputs: Sequence[bytes]) -> None:
    at = random.randint(0, len(octets))
    octets[at:at] = random.randbytes(random.randint(1, 8))


def _remove(octets: bytearray, random: Random, _inputs: Sequence[bytes]) -> None:
    at = random.randint(0, len(octets))
    del octets[at : at + random.randint(1, 8)]


def _splice(octets: bytearray, random: Random, inputs: Sequence[bytes]) -> None:
    """The head of one input and the tail of another."""
    other = random.choice(inputs)
    octets[random.randint(0, len(octets)) :] = other[random.randint(0, len(other)) :]


def _append(octets: bytearray, random: Random, inputs: Sequence[bytes]) -> None:
    """A whole stream behind another, without its stage and schedule."""
    octets += random.choice(inputs)[10:]


_MUTATIONS: tuple[Callable[[bytearray, Random, Sequence[bytes]], None], ...] = (
    _flip,
    _replace,
    _word,
    _insert,
    _remove,
    _splice,
    _append,
)
