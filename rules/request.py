"""SMS text → PermitRequest | Command | Unrecognised: tolerant of spelling, never guessing."""

import re
from collections.abc import Sequence
from enum import StrEnum, auto
from typing import Literal, NamedTuple

from rules.documents import Document, DocumentKind
from rules.folding import fold
from rules.lexicon import Language, PhonePlan, compile_lexicon, fast_patterns
from rules.reading import WRONG_CODE_DIGITS_MAX, Findings, read, read_document

__all__ = [
    "Command",
    "CommandName",
    "Document",
    "DocumentKind",
    "Grammar",
    "Language",
    "NearMiss",
    "PermitRequest",
    "PhonePlan",
    "Reason",
    "Unrecognised",
]

_SOMETHING = re.compile(r"[A-Z0-9~]")

TEXT_CHARS_MAX = 640
"""Longer texts are refused unread; a household of ten fits in a quarter of it."""


class Reason(StrEnum):
    """Why a text is not a request. Stable names: replies, metrics and records use them."""

    EMPTY = auto()  # no letter and no digit
    TOO_LONG = auto()  # more than TEXT_CHARS_MAX characters
    UNREADABLE = auto()  # neither a code nor anything like a document was found
    NO_CODE = auto()  # a good document, no purpose code
    UNKNOWN_CODE = auto()  # a number stands where the code belongs, and is not a code
    NO_DOCUMENT = auto()  # a code, nothing like a document
    BAD_DOCUMENT = auto()  # a document with a wrong series or a wrong count of digits
    TOO_MANY_DOCUMENTS = auto()  # more different documents than one SMS may carry
    AMBIGUOUS = auto()  # two codes, or digits that can be read in two ways


class NearMiss(NamedTuple):
    """What was understood of a text that is not a request, and a text that would be one.

    example: a whole correct SMS built from the grammar, e.g. ``2 AZE 1234567``; never the
        sender's own numbers.
    code: the code understood; for UNKNOWN_CODE the number that is not a code.
    kind: the document kind understood.
    digits: how many digits stood there (0: the series alone; None: their count is right or
        not the point).
    wanted: the digit counts that the kind allows.
    documents: how many good documents were found.
    """

    example: str
    code: str | None = None
    kind: str | None = None
    digits: int | None = None
    wanted: tuple[int, ...] = ()
    documents: int = 0


class PermitRequest(NamedTuple):
    """One purpose code and at least one document, each once, in the order typed."""

    code: str
    documents: tuple[Document, ...]
    language: str | None = None


CommandName = Literal["help", "status", "end", "language"]


class Command(NamedTuple):
    """What a phone asks besides permits; for these documents, or for all it has asked for.

    language: the one asked for or told by the letters; never None for the command "language",
        which is a language tag alone.
    """

    name: CommandName
    documents: tuple[Document, ...] = ()
    language: str | None = None


class Unrecognised(NamedTuple):
    """Not a request: why, and how near it came (None: nothing was understood)."""

    reason: Reason
    near_miss: NearMiss | None = None
    language: str | None = None


class Grammar:
    """The requests of one service, as a value: codes, kinds of documents and limits.

    A service with other requests (a postcode, a name and an address) is a sibling with its
    own ``parse`` and the same results.
    """

    __slots__ = (
        "_bare_group",
        "_documents",
        "_kinds",
        "_lexicon",
        "_one",
        "_several",
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
    ) -> None:
        """Compile the grammar; ValueError says what contradicts what.

        example_code: the code that examples show when none was understood; the first if None.
        """
        self._lexicon = compile_lexicon(codes, kinds, languages, phone_plan)
        self.codes = tuple(codes)
        self.kinds = tuple(kinds)
        if documents_max < 1:
            raise ValueError(f"documents_max is {documents_max}; at least 1 is needed")
        self.documents_max = documents_max
        self.example = f"{example_code or codes[0]} {kinds[0].example}"
        if example_code is not None and example_code not in codes:
            raise ValueError(f"example_code {example_code!r} is not one of {', '.join(codes)}")
        for kind in kinds:
            document = self.parse_document(kind.example)
            if document is None or document.kind != kind.kind:
                raise ValueError(f"the example {kind.example!r} is not a {kind.kind} document")
        fast = fast_patterns(self._lexicon, kinds)
        self._one, self._several = fast.one.fullmatch, fast.several.fullmatch
        self._documents = fast.document.finditer
        names = [kind.kind for kind in kinds]
        self._kinds = ("", "", *names, *(kind.kind for kind in kinds if kind.bare))
        self._bare_group = 2 + len(names)

    def parse(self, text: str) -> PermitRequest | Unrecognised:
        """Read one SMS. Never raises; linear in the length of the text."""
        if len(text) > TEXT_CHARS_MAX:
            return Unrecognised(Reason.TOO_LONG, NearMiss(self.example))
        match = self._one(text)
        if match is None:
            match = self._several(text)
            return self.parse_slowly(text) if match is None else self._household(match, text)
        group = match.lastindex or 0
        number = match[group]
        if group >= self._bare_group and self._lexicon.phone.fullmatch(number):
            return self.parse_slowly(text)
        return PermitRequest(match[1], (Document(self._kinds[group], number),))

    def _household(self, match: re.Match[str], text: str) -> PermitRequest | Unrecognised:
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
        return PermitRequest(code, documents, self._lexicon.tags[fold(tag)] if tag else None)

    def parse_slowly(self, text: str) -> PermitRequest | Unrecognised:
        """Read one SMS in every form allowed; ``parse`` gives the same, sooner."""
        if len(text) > TEXT_CHARS_MAX:
            return Unrecognised(Reason.TOO_LONG, NearMiss(self.example))
        folded = fold(text)
        if not _SOMETHING.search(folded):
            return Unrecognised(Reason.EMPTY)
        found = read(self._lexicon, folded)
        language = found.language or self._lexicon.language_of(text)
        result = self._weigh(found)
        return result if language is None else result._replace(language=language)

    def parse_document(self, text: str) -> Document | None:
        """Read one document as printed on a card, without a code; None when it is not one."""
        if len(text) > TEXT_CHARS_MAX:
            return None
        return read_document(self._lexicon, fold(text))

    def _weigh(self, found: Findings) -> PermitRequest | Unrecognised:
        """Make a request of the findings if they are one in one way only."""
        codes = list(dict.fromkeys(found.codes)) or list(dict.fromkeys(found.doubtful_codes))
        documents = tuple(dict.fromkeys(found.documents or found.bare))
        reason = self._objection(found, codes, documents)
        if reason is None:
            return PermitRequest(codes[0], documents)
        if reason is Reason.UNREADABLE:
            return Unrecognised(reason)
        return Unrecognised(reason, self._near_miss(reason, found, codes, documents))

    def _objection(
        self, found: Findings, codes: Sequence[str], documents: Sequence[Document]
    ) -> Reason | None:
        """Return why the findings are not one request; the most useful reason first."""
        if found.bad:
            return Reason.BAD_DOCUMENT
        if found.ambiguous or len(codes) > 1 or (codes and found.wrong_codes):
            return Reason.AMBIGUOUS
        if found.codes and found.doubtful_codes:
            return Reason.AMBIGUOUS
        if found.bare and (found.documents or found.dangling):
            # Whose digits are these? A series in the SMS says that series are being used.
            return Reason.AMBIGUOUS
        if not codes and _wrong_code(found) is not None:
            return Reason.UNKNOWN_CODE
        if not documents:
            return self._no_document(found, codes)
        if not codes:
            split = any(self._hides_code(document.number) for document in found.bare)
            return Reason.AMBIGUOUS if split else Reason.NO_CODE
        return Reason.TOO_MANY_DOCUMENTS if len(documents) > self.documents_max else None

    @staticmethod
    def _no_document(found: Findings, codes: Sequence[str]) -> Reason:
        if found.dangling or (codes and found.strays):
            return Reason.BAD_DOCUMENT
        return Reason.NO_DOCUMENT if codes else Reason.UNREADABLE

    def _hides_code(self, number: str) -> bool:
        """Tell whether digits alone are also a code and a shorter number: ``21111111``."""
        return any(
            number.startswith(code) and len(number) - len(code) in self._lexicon.bare
            for code in self.codes
        )

    def _near_miss(
        self,
        reason: Reason,
        found: Findings,
        codes: Sequence[str],
        documents: Sequence[Document],
    ) -> NearMiss:
        """Say what was understood, with an example that keeps the code and kind understood."""
        code = codes[0] if len(codes) == 1 else None
        kind: DocumentKind | None = None
        digits: int | None = None
        if reason is Reason.BAD_DOCUMENT:
            kind, digits = _worst(found)
        elif documents:
            kind = next(kind for kind in self.kinds if kind.kind == documents[0].kind)
        shown = f"{code} {(kind or self.kinds[0]).example}" if code else self._example_of(kind)
        return NearMiss(
            shown,
            _wrong_code(found) if reason is Reason.UNKNOWN_CODE else code,
            kind.kind if kind else None,
            digits,
            kind.digits if kind else (),
            len(documents),
        )

    def _example_of(self, kind: DocumentKind | None) -> str:
        if kind is None:
            return self.example
        code, _, _ = self.example.partition(" ")
        return f"{code} {kind.example}"


def _wrong_code(found: Findings) -> str | None:
    """Return the number that stands for a code; a short stray counts where there is no code."""
    if found.wrong_codes:
        return found.wrong_codes[0]
    short = (stray for stray in found.strays if len(stray) <= WRONG_CODE_DIGITS_MAX)
    return next(short, None)


def _worst(found: Findings) -> tuple[DocumentKind | None, int | None]:
    """Return the kind and digit count of the first document that is none."""
    if found.bad:
        return found.bad[0]
    if found.dangling:
        return found.dangling[0], 0
    return None, len(found.strays[0])
