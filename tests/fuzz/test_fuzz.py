"""A few seconds' share of `make fuzz`: nothing escapes, and what is planted is found."""

from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from smsd.smpp import answers, codec, session
from smsd.smpp.framing import Framer
from smsd.smpp.pdu import Command, Pdu
from smsd.smpp.segments import Reassembler
from smsd.smpp.session import Session, State
from smsd.smpp.window import Window
from tests.fuzz import targets
from tests.fuzz.__main__ import PYTHON, hunt
from tests.fuzz.mutations import mutations
from tests.fuzz.seeds import CORPUS, seeds

SEED = 8103
MUTATIONS = 30_000
FILES = sorted(CORPUS.iterdir())
INPUTS = [path.read_bytes() for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_corpus_passes(path: Path) -> None:
    """Every input that the fuzzer begins with, and every one that once found a fault."""
    targets.run(path.read_bytes())


def test_the_corpus_is_what_its_maker_makes() -> None:
    """`python -m tests.fuzz.seeds` was run after the last change, and no file is large."""
    committed = dict(zip([path.name for path in FILES], INPUTS, strict=True))
    assert {name: committed.get(name) for name in seeds()} == seeds()
    assert max(map(len, INPUTS)) < 1_024


def test_nothing_escapes() -> None:
    """The same mutations each time, without coverage to guide them."""
    for octets in islice(mutations(INPUTS, SEED), MUTATIONS):
        try:
            targets.run(octets)
        except Exception as escaped:
            escaped.add_note(f"the input, in hex: {octets.hex()}")
            raise


def test_nothing_escapes_a_guided_hunt(tmp_path: Path) -> None:
    """libFuzzer with a fixed seed, where `make fuzz` has been set up."""
    if not PYTHON.exists():
        pytest.skip("atheris is not here; `make .venv-fuzz/ready` installs it")
    hunted = hunt(seconds=120, seed=SEED, own=tmp_path, runs=10_000)
    assert not hunted.found, hunted.told
    assert hunted.returncode == 0, hunted.told
    assert hunted.executions >= 10_000
    assert hunted.edges > 100, "our code was not instrumented"


# Faults to plant: each stands for a kind of promise that a target holds.


def _forgets_tlvs(plant: pytest.MonkeyPatch) -> None:
    """The fast path of the codec parts from the table."""
    sound = codec._FAST_DECODERS[Command.DELIVER_SM]

    def decode(frame: bytes, status: int, sequence: int) -> Pdu | None:
        found = sound(frame, status, sequence)
        body: Any = found and found.body
        return found and found._replace(body=body._replace(tlvs=()))

    plant.setitem(codec._FAST_DECODERS, Command.DELIVER_SM, decode)


def _holds_for_ever(plant: pytest.MonkeyPatch) -> None:
    """A command_length over the limit is waited for."""
    plant.setattr(Framer, "_refuse", lambda self, length, header: None)


def _depends_on_the_cut(plant: pytest.MonkeyPatch) -> None:
    """What is left of a segment is dropped."""
    sound = Framer.feed

    def feed(self: Framer, data: bytes) -> list[bytes]:
        frames = sound(self, data)
        if frames and len(self._held) == 3:
            self._held.clear()
        return frames

    plant.setattr(Framer, "feed", feed)


def _settles_twice(plant: pytest.MonkeyPatch) -> None:
    """A response leaves its request in the window."""
    plant.setattr(Window, "take", lambda self, sequence, _: self._waiting.get(sequence))


def _amplifies(plant: pytest.MonkeyPatch) -> None:
    """A refusal is said twice."""
    sound = answers.nack
    plant.setattr(answers, "nack", lambda sequence, status: sound(sequence, status) * 2)


def _speaks_after_the_end(plant: pytest.MonkeyPatch) -> None:
    """An enquire_link that stands behind an unbind is answered."""
    for (_, state), handlers in session._HANDLERS.items():
        if state is State.CLOSED:
            plant.setitem(handlers, Command.ENQUIRE_LINK, Session._enquired)


def _hoards(plant: pytest.MonkeyPatch) -> None:
    """Unfinished texts may take a hundred times their room."""
    sound = Reassembler.__init__

    def init(self: Reassembler, texts_max: int = 64, octets_max: int = 65_536) -> None:
        sound(self, texts_max, octets_max * 100)

    plant.setattr(Reassembler, "__init__", init)


def _trips(plant: pytest.MonkeyPatch) -> None:
    """A generic_nack for a number that nobody used is an exception."""
    plant.setattr(Window, "awaits", lambda self, sequence: self._waiting[sequence][0])


PLANTED = (
    _forgets_tlvs,
    _holds_for_ever,
    _depends_on_the_cut,
    _settles_twice,
    _amplifies,
    _speaks_after_the_end,
    _hoards,
    _trips,
)


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__[1:])
def test_a_planted_fault_is_found(plant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the very inputs of the test above: the targets can fail."""
    plant(monkeypatch)
    with pytest.raises((AssertionError, KeyError)):
        for octets in islice(mutations(INPUTS, SEED), MUTATIONS):
            targets.run(octets)
