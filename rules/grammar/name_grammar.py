"""``2 MARIA PAPPA ERMOU 10``: the requests of a service that asks for a code, name and address.

Source: Greece, 13033; domain sheet, *The service*. Nothing tells a name and address from any
other words, so the code must come first, and all that stands behind it is the name and address.
"""

import re
from collections.abc import Sequence

from rules.documents import NAME, Document, DocumentKind
from rules.grammar.command_words import Commands, CommandWords
from rules.grammar.folding import spell
from rules.grammar.lexicon import Language, check_codes, index_letters, language_told_by
from rules.grammar.reading import WRONG_CODE_DIGITS_MAX
from rules.grammar.request import (
    TEXT_CHARS_MAX,
    Command,
    Meaning,
    NearMiss,
    PermitRequest,
    Reason,
    Unrecognised,
)

__all__ = ["NAME_CHARS_MAX", "NameGrammar"]

NAME_CHARS_MAX = 120
"""The longest name and address, in the form in which it is kept."""

_DIGITS = "0123456789"
_OTHERS = re.compile(r"[-+~]+")


class NameGrammar:
    """The requests of one service, as a value: codes, and how long a name and address is.

    A name and address is kept in capitals without accents, with single spaces, its Greek and
    Cyrillic look-alikes in Latin letters: so the same words are the same document in whichever
    alphabet a phone sent them, and cost a GSM segment and not UCS-2 when they are repeated.
    """

    __slots__ = ("_ending", "_example_code", "_letters", "_tags", "_words", "_words_min", "codes")

    documents_max = 1
    kinds: tuple[DocumentKind, ...] = ()

    def __init__(
        self,
        codes: Sequence[str],
        words_min: int,
        example_ending: str,
        languages: Sequence[Language] = (),
        example_code: str | None = None,
        commands: Commands | None = None,
    ) -> None:
        """Compile the grammar; ValueError says what contradicts what.

        words_min: how many words a name and an address have together at least.
        example_code: the code that examples show when none was understood; the first if None.
        """
        check_codes(codes)
        if example_code is not None and example_code not in codes:
            raise ValueError(f"example_code {example_code!r} is not one of {', '.join(codes)}")
        if words_min < 1:
            raise ValueError(f"words_min is {words_min}; at least 1 is needed")
        self.codes = tuple(codes)
        self._words_min = words_min
        self._ending = example_ending
        self._example_code = example_code or codes[0]
        self._letters = index_letters(languages)
        self._tags = _index_tags(languages)
        self._words = CommandWords(commands or {}, self._tags, {})
        for code in codes:
            shown = self._example(code)
            found = self.parse(shown)
            if not isinstance(found, PermitRequest) or found.code != code:
                raise ValueError(f"the example {shown!r} is not a name and address")

    @property
    def example(self) -> str:
        """A whole correct SMS."""
        return self._example(self._example_code)

    def parse(self, text: str) -> Meaning:
        """Read one SMS. Never raises; linear in the length of the text."""
        if len(text) > TEXT_CHARS_MAX:
            return Unrecognised(Reason.TOO_LONG, NearMiss(self.example))
        spelled = spell(text)
        words, language = self._take_tags(_words(spelled))
        language = language or language_told_by(self._letters, text)
        if words and words[0][0] in _DIGITS:
            return self._request(words, language)
        if not spelled.strip(" \n+-"):
            return Unrecognised(Reason.EMPTY)
        return self._command(spelled, language) or self._no_code(words, language)

    def parse_document(self, text: str) -> Document | None:
        """Read a name and address without a code; None when it is none."""
        if len(text) > TEXT_CHARS_MAX:
            return None
        return self._document(_words(spell(text)))

    def _example(self, code: str) -> str:
        return f"{code} {self._ending}"

    def _request(self, words: Sequence[str], language: str | None) -> Meaning:
        """Read words that begin with a digit."""
        behind = words[0].lstrip(_DIGITS)
        code = words[0][: len(words[0]) - len(behind)]
        name = [behind, *words[1:]] if behind else words[1:]
        if code in self.codes:
            document = self._document(name)
            if document is not None:
                return PermitRequest(code, (document,), language)
            reason = Reason.TOO_LONG if self._is_name(name) else Reason.NO_DOCUMENT
            return Unrecognised(reason, NearMiss(self._example(code), code), language)
        if len(code) <= WRONG_CODE_DIGITS_MAX:
            return Unrecognised(Reason.UNKNOWN_CODE, NearMiss(self.example, code), language)
        return self._no_code(name, language)

    def _no_code(self, words: Sequence[str], language: str | None) -> Unrecognised:
        if self._is_name(words):
            return Unrecognised(Reason.NO_CODE, NearMiss(self.example, documents=1), language)
        return Unrecognised(Reason.UNREADABLE, None, language)

    def _command(self, spelled: str, language: str | None) -> Command | None:
        """Read a command: its word and nothing else, or a name and address behind it."""
        command = self._words.find(spelled, at_end=False)
        rest = spelled[command.end :] if command else ""
        if command is None or "~" in rest:
            return None
        words, _ = self._take_tags(_words(rest))
        if not words:
            return Command(command.name, (), language)
        document = self._document(words)
        return Command(command.name, (document,), language) if document else None

    def _take_tags(self, words: list[str]) -> tuple[list[str], str | None]:
        """Return the words without a language tag at either end, and the language asked for."""
        first = self._tags.get(words[0]) if words else None
        words = words[1:] if first else words
        last = self._tags.get(words[-1]) if words else None
        words = words[:-1] if last else words
        return words, (first or last) if first is None or last in (None, first) else None

    def _is_name(self, words: Sequence[str]) -> bool:
        """Tell whether words can be a name and address. A number first is another code."""
        return len(words) >= self._words_min and not words[0].isdigit()

    def _document(self, words: Sequence[str]) -> Document | None:
        text = " ".join(words)
        return (
            Document(NAME, text) if self._is_name(words) and len(text) <= NAME_CHARS_MAX else None
        )


def _words(spelled: str) -> list[str]:
    """Return the words of a spelled text, in which letters and digits are all that is kept."""
    return _OTHERS.sub(" ", spelled).split()


def _index_tags(languages: Sequence[Language]) -> dict[str, str]:
    """Map every language tag, spelled, to its language."""
    index: dict[str, str] = {}
    for language in languages:
        for tag in language.tags:
            spelled = spell(tag)
            if not spelled.isalpha():
                raise ValueError(f"the language tag {tag!r} is not letters alone")
            if index.setdefault(spelled, language.name) != language.name:
                raise ValueError(f"the language tag {tag!r} has another meaning already")
    return index
