"""The words that make an SMS a command: found at its beginning, in any case and script."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rules.folding import spell
from rules.request import CommandName

__all__ = ["CommandWords", "Commands", "Leading"]

Commands = Mapping[CommandName, Sequence[str]]
"""What people text for each command. ``language`` has no words of its own: it is there when a
language tag alone is a command."""

_NEXT_WORD = re.compile(r"[^\w~]*([^\W\d_]+)")
_WORD = re.compile(r"[^\W\d_]+")
_NOT_EMPTY = re.compile(r"\w|~")


class Leading(NamedTuple):
    """A command word at the beginning of a text, perhaps with a language tag before it.

    end: where the rest of the text begins, in its folded and its spelled form alike.
    """

    name: CommandName
    language: str | None
    end: int


class CommandWords:
    """The command words of one service, and the language tags that may stand before them."""

    __slots__ = ("_phrases", "_tags", "_tags_alone")

    def __init__(
        self, commands: Commands, tags: Mapping[str, str], taken: Mapping[str, str]
    ) -> None:
        """Index the words; ValueError says which has two meanings or is no word.

        tags: the language of each tag, spelled. taken: words that mean something else already,
            and what.
        """
        self._tags = tags
        self._tags_alone = "language" in commands
        phrases: dict[tuple[str, ...], CommandName] = {}
        for name, texts in commands.items():
            for text in texts:
                words = tuple(_WORD.findall(spell(text)))
                if not words or " ".join(words) != " ".join(spell(text).split()):
                    raise ValueError(f"the command word {text!r} is not letters alone")
                other = tags.get(words[0]) or (taken.get(words[0]) if len(words) == 1 else None)
                if other is not None:
                    raise ValueError(f"the command word {text!r} means {other} already")
                if phrases.setdefault(words, name) != name:
                    raise ValueError(f"the command word {text!r} means {phrases[words]} and {name}")
        self._phrases: dict[str, list[tuple[tuple[str, ...], CommandName]]] = {}
        for words in sorted(phrases, key=len, reverse=True):  # of two that fit, the longer one
            self._phrases.setdefault(words[0], []).append((words[1:], phrases[words]))

    def leading(self, spelled: str) -> Leading | None:
        """Return the command that a text begins with; None when it begins otherwise."""
        first = _NEXT_WORD.match(spelled)
        language = self._tags.get(first[1]) if first else None
        if first and language:
            first = _NEXT_WORD.match(spelled, first.end())
        if first is None:
            return None
        for words, name in self._phrases.get(first[1], ()):
            end = _end_of(words, spelled, first.end())
            if end is not None:
                return Leading(name, language, end)
        return None

    def language_alone(self, spelled: str) -> str | None:
        """Return the language that is all a text asks for; None when it says anything else."""
        match = _NEXT_WORD.match(spelled) if self._tags_alone else None
        if match is None or _NOT_EMPTY.search(spelled, match.end()):
            return None
        return self._tags.get(match[1])


def _end_of(words: Sequence[str], spelled: str, start: int) -> int | None:
    """Return where these words end if they come next; None when others do."""
    end = start
    for word in words:
        following = _NEXT_WORD.match(spelled, end)
        if following is None or following[1] != word:
            return None
        end = following.end()
    return end
