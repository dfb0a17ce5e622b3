"""SMS text → PermitRequest | Unrecognised: tolerant of spelling, never guessing."""

from collections.abc import Sequence
from enum import StrEnum, auto
from typing import NamedTuple

from rules.documents import Document, DocumentKind

__all__ = [
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
    digits: how many digits stood there (0: the series alone).
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


class Unrecognised(NamedTuple):
    """Not a request: why, and how near it came (None: nothing was understood)."""

    reason: Reason
    near_miss: NearMiss | None = None
    language: str | None = None


class Language(NamedTuple):
    """A language people may ask for or be recognised by.

    tags: words that ask for it at the start or end of an SMS, e.g. ``("EN", "ENG")``.
    letters: letters that no other language of the service uses; two of them in a text tell
        the language.
    """

    name: str
    tags: tuple[str, ...]
    letters: str = ""


class PhonePlan(NamedTuple):
    """The national numbering plan, so that a phone number is not taken for a document."""

    country_code: str
    national_digits: int


class Grammar:
    """The requests of one service, as a value: codes, kinds of documents and limits.

    A service with other requests (a postcode, a name and an address) is a sibling with its
    own ``parse``.
    """

    def __init__(
        self,
        codes: Sequence[str],
        kinds: Sequence[DocumentKind],
        documents_max: int,
        languages: Sequence[Language] = (),
        phone_plan: PhonePlan | None = None,
        example_code: str | None = None,
    ) -> None:
        """Compile the grammar; ValueError says what contradicts what."""
        self.codes = tuple(codes)
        self.kinds = tuple(kinds)
        self.documents_max = documents_max

    def parse(self, text: str) -> PermitRequest | Unrecognised:
        """Read one SMS. Never raises; linear in the length of the text."""
        return Unrecognised(Reason.EMPTY)

    def parse_document(self, text: str) -> Document | None:
        """Read one document as printed on a card, without a code; None when it is not one."""
        return None
