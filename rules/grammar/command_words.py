"""The words that make an SMS a command: at its beginning or end, in any case and script."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rules.grammar.folding import spell
from rules.grammar.request import CommandName

__all__ = ["CommandWords", "Commands", "Found"]

Commands = Mapping[CommandName, Sequence[str]]
"""What people text for each command. ``language`` has no words of its own: it is there when a
language tag alone is a command."""

_TOKEN = re.compile(r"[^\W\d_]+|[0-9~]+")
_WORDS = re.compile(r"[^\W\d_]+(?:\s+[^\W\d_]+)*")


class Found(NamedTuple):
    """A command, and where its words stand in a text, folded or spelled alike.

    language: the one that a tag alone asks for; else tags are left to the reader.
    """

    name: CommandName
    start: int
    end: int
    language: str | None = None


_Phrases = Mapping[str, list[tuple[tuple[str, ...], CommandName]]]


class CommandWords:
    """The command words of one service, and the language tags that may stand outside them."""

    __slots__ = ("_by_first", "_by_last", "_known", "_tags", "_tags_alone")

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
                if not _WORDS.fullmatch(spell(text)):
                    raise ValueError(f"the command word {text!r} is not letters alone")
                words = tuple(spell(text).split())
                for word in {words[0], words[-1]}:
                    if word in tags or word in taken:
                        meaning = taken.get(word) or f"language {tags[word]}"
                        raise ValueError(f"the command word {text!r} means {meaning} already")
                if phrases.setdefault(words, name) != name:
                    raise ValueError(f"the command word {text!r} means {phrases[words]} and {name}")
        self._by_first = _by_word(phrases, 0)
        self._by_last = _by_word(phrases, -1)
        self._known = frozenset(self._by_first) | self._by_last.keys() | tags.keys()

    def find(self, spelled: str, at_end: bool = True) -> Found | None:
        """Return the command that a text begins with or, if allowed, ends with; None: neither.

        A language tag may stand before it or behind it.
        """
        if self._known.isdisjoint(_TOKEN.findall(spelled)):
            return None
        tokens = list(_TOKEN.finditer(spelled))
        first, last = tokens[0][0] in self._tags, tokens[-1][0] in self._tags
        if len(tokens) == 1 and first:
            tag = tokens[0]
            return Found("language", *tag.span(), self._tags[tag[0]]) if self._tags_alone else None
        begin = 1 if first else 0
        for phrase, name in self._by_first.get(tokens[begin][0], ()):
            found = _found(name, phrase, tokens[begin : begin + len(phrase)])
            if found is not None:
                return found
        end = len(tokens) - (1 if last else 0)
        for phrase, name in self._by_last.get(tokens[end - 1][0], ()) if at_end else ():
            found = _found(name, phrase, tokens[max(0, end - len(phrase)) : end])
            if found is not None:
                return found
        return None


def _by_word(phrases: Mapping[tuple[str, ...], CommandName], at: int) -> _Phrases:
    """Index phrases by their first or last word; of two that fit, the longer one comes first."""
    index: dict[str, list[tuple[tuple[str, ...], CommandName]]] = {}
    for phrase in sorted(phrases, key=len, reverse=True):
        index.setdefault(phrase[at], []).append((phrase, phrases[phrase]))
    return index


def _found(
    name: CommandName, phrase: tuple[str, ...], tokens: Sequence[re.Match[str]]
) -> Found | None:
    if tuple(token[0] for token in tokens) != phrase:
        return None
    return Found(name, tokens[0].start(), tokens[-1].end())
