"""What an SMS can be: a PermitRequest, a Command, or Unrecognised; values only.

The grammars that read it are `rules.grammar.document_grammar`, `rules.grammar.postcode_grammar` and
`rules.grammar.name_grammar`.
"""

from enum import StrEnum, auto
from typing import Literal, NamedTuple

from rules.documents import Document

__all__ = [
    "TEXT_CHARS_MAX",
    "Command",
    "CommandName",
    "Meaning",
    "NearMiss",
    "PermitRequest",
    "Reason",
    "Unrecognised",
]

TEXT_CHARS_MAX = 640
"""Longer texts are refused unread; a household of ten fits in a quarter of it."""


class Reason(StrEnum):
    """Why a text is not a request. Stable names: replies, metrics and records use them."""

    EMPTY = auto()  # no letter and no digit
    TOO_LONG = auto()  # more than TEXT_CHARS_MAX characters, or no name and address is so long
    UNREADABLE = auto()  # neither a code nor anything like a document was found
    NO_CODE = auto()  # a good document, no purpose code
    UNKNOWN_CODE = auto()  # a number stands where the code belongs, and is not a code
    NO_DOCUMENT = auto()  # a code, nothing like a document
    BAD_DOCUMENT = auto()  # a document with a wrong series, count of digits, or postcode
    TOO_MANY_DOCUMENTS = auto()  # more different documents than one SMS may carry
    AMBIGUOUS = auto()  # two codes or postcodes, or digits that can be read in two ways
    INCOMPLETE = auto()  # parts of a long SMS never came; no grammar says so, the gateway does


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
    """Neither request nor command: why, and how near it came (None: nothing was understood)."""

    reason: Reason
    near_miss: NearMiss | None = None
    language: str | None = None


Meaning = PermitRequest | Command | Unrecognised
