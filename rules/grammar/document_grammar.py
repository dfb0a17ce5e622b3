"""``2 AZE 1111111``: the requests of a service that asks for a code and documents."""

import re
from collections.abc import Sequence

from rules.documents import Document, DocumentKind
from rules.grammar.command_words import Commands
from rules.grammar.folding import fold
from rules.grammar.lexicon import Language, PhonePlan, fast_patterns
from rules.grammar.reading import Findings, read, read_document
from rules.grammar.request import (
    TEXT_CHARS_MAX,
    Meaning,
    NearMiss,
    PermitRequest,
    Reason,
    Unrecognised,
)
from rules.grammar.weighing import Weighing

__all__ = ["Grammar"]


class Grammar:
    """The requests of one service, as a value: codes, kinds of documents and limits.

    `rules.grammar.postcode_grammar` and `rules.grammar.name_grammar` are its siblings.
    """

    __slots__ = (
        "_bare_group",
        "_documents",
        "_kinds",
        "_one",
        "_phone",
        "_several",
        "_weighing",
        "codes",
        "documents_max",
        "example",
        "kinds",
    )

    def __init__(
        self,
        codes: Sequence[str],
        kinds: Sequence[DocumentKind],
        documents_max: int,
        languages: Sequence[Language] = (),
        phone_plan: PhonePlan | None = None,
        example_code: str | None = None,
        commands: Commands | None = None,
    ) -> None:
        """Compile the grammar; ValueError says what contradicts what.

        example_code: the code that examples show when none was understood; the first if None.
        """
        weighing = self._weighing = Weighing(
            codes, kinds, documents_max, languages, phone_plan, example_code, commands or {}
        )
        self.codes, self.kinds = weighing.codes, weighing.kinds
        self.documents_max = documents_max
        self.example = weighing.example(None, None)
        fast = fast_patterns(weighing.lexicon, kinds)
        self._one, self._several = fast.one.fullmatch, fast.several.fullmatch
        self._documents = fast.document.finditer
        self._phone = weighing.lexicon.phone.fullmatch
        names = [kind.kind for kind in kinds]
        self._kinds = ("", "", *names, *(kind.kind for kind in kinds if kind.bare))
        self._bare_group = 2 + len(names)
        weighing.check_examples(self.parse)

    def parse(self, text: str) -> Meaning:
        """Read one SMS. Never raises; linear in the length of the text."""
        if len(text) > TEXT_CHARS_MAX:
            return Unrecognised(Reason.TOO_LONG, NearMiss(self.example))
        match = self._one(text)
        if match is None:
            match = self._several(text)
            return self.parse_slowly(text) if match is None else self._household(match, text)
        group = match.lastindex or 0
        number = match[group]
        if group >= self._bare_group and self._phone(number):
            return self.parse_slowly(text)
        return PermitRequest(match[1], (Document(self._kinds[group], number),))

    def _household(self, match: re.Match[str], text: str) -> Meaning:
        """Read several documents, each with its series, or one and a language tag."""
        code, listed, tag = match.groups()
        kinds = self._kinds
        found = [
            Document(kinds[(one.lastindex or 0) + 1], one[one.lastindex or 0])
            for one in self._documents(listed)
        ]
        documents = tuple(dict.fromkeys(found))
        if len(documents) > self.documents_max:
            return self.parse_slowly(text)
        tags = self._weighing.lexicon.tags
        return PermitRequest(code, documents, tags[fold(tag)] if tag else None)

    def parse_slowly(self, text: str) -> Meaning:
        """Read one SMS in every form allowed; ``parse`` gives the same, sooner."""
        if len(text) > TEXT_CHARS_MAX:
            return Unrecognised(Reason.TOO_LONG, NearMiss(self.example))
        return self._weighing.meaning(text, fold(text), self._request)

    def _request(self, plain: str) -> tuple[Findings, Meaning]:
        found = read(self._weighing.lexicon, plain)
        return found, self._weighing.request(found)

    def parse_document(self, text: str) -> Document | None:
        """Read one document as printed on a card, without a code; None when it is not one."""
        if len(text) > TEXT_CHARS_MAX:
            return None
        return read_document(self._weighing.lexicon, fold(text))
