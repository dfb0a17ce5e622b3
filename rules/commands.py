"""What a phone may text besides requests: help, status, an early end, a language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rules.documents import Document
from rules.grammar.request import Command
from rules.reference import encode

if TYPE_CHECKING:
    from rules.compile import CompiledPolicy

__all__ = ["CommandAnswer", "Ended", "PhonePermit", "answer"]


class PhonePermit(NamedTuple):
    """A permit that a phone asked for, with what a reply may tell of it."""

    document: Document
    code: str
    valid_from_us: int
    valid_until_us: int
    day: int
    serial: int

    @property
    def reference(self) -> str:
        """What police can check with the phone dead."""
        return encode(self.serial)


class Ended(NamedTuple):
    """A permit that ends early. given_back: it had not begun, so its day is given back."""

    serial: int
    at_us: int
    given_back: bool


class CommandAnswer(NamedTuple):
    """The answer to a command.

    replies: the key of a reply for each permit that it tells of; one without a permit where
    there is none to tell of.
    """

    command: str
    replies: tuple[tuple[str, PhonePermit | None], ...]
    ended: tuple[Ended, ...] = ()


def answer(
    policy: CompiledPolicy, command: Command, permits: Sequence[PhonePermit], at_us: int
) -> CommandAnswer:
    """Answer a command.

    permits: those that this phone asked for and that were not ended; where the command names
        documents, only theirs are meant.
    """
    commands = policy.policy.content.commands
    if command.name == "help":
        assert commands.help is not None, "the grammar knows only the commands of the policy"
        return CommandAnswer("help", ((commands.help.reply, None),))
    if command.name == "language":
        assert commands.language is not None
        return CommandAnswer("language", ((commands.language.reply, None),))
    meant = [
        permit
        for permit in permits
        if at_us < permit.valid_until_us
        and (not command.documents or permit.document in command.documents)
    ]
    if command.name == "status":
        assert commands.status is not None
        told = tuple((commands.status.reply, permit) for permit in meant)
        return CommandAnswer("status", told or ((commands.status.none, None),))
    assert commands.end is not None
    end = commands.end
    replies = tuple(
        (end.cancelled if at_us < permit.valid_from_us else end.returned, permit)
        for permit in meant
    )
    ended = tuple(Ended(p.serial, at_us, at_us < p.valid_from_us) for p in meant)
    return CommandAnswer("end", replies or ((end.none, None),), ended)
