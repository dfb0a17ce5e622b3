"""Identity documents as a grammar knows them; values only."""

from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["NAME", "NAME_CHARS_MAX", "Document", "DocumentKind", "taken_apart"]

NAME = "NAME"
"""The kind of a name and address, where a service asks for no document."""


NAME_CHARS_MAX = 120
"""A name and an address, where they stand for a document, are kept up to here."""


class Document(NamedTuple):
    """One identity document: its kind and its digits, ASCII, nothing else.

    With the kind ``NAME``, number is a name and address as `rules.grammar.name_grammar` writes it.
    """

    kind: str
    number: str

    @property
    def text(self) -> str:
        """The document as replies and registers write it, e.g. ``AZE1111111``."""
        return self.number if self.kind == NAME else self.kind + self.number


class DocumentKind(NamedTuple):
    """One kind of document that a service accepts.

    kind: the canonical series, e.g. ``AZE``.
    digits: every digit count allowed, e.g. ``(7, 8)``.
    spellings: the series as people type it, in any case or script; folded before use.
    bare: digits without any series are taken as this kind.
    example: a whole document as a person should type it, e.g. ``AZE 1234567``.
    """

    kind: str
    digits: tuple[int, ...]
    spellings: tuple[str, ...]
    bare: bool
    example: str


def taken_apart(text: str, kinds: Iterable[DocumentKind]) -> Document:
    """The document that `Document.text` wrote; kinds: those of the grammar, none for names."""
    known = [kind.kind for kind in kinds]
    if not known:
        return Document(NAME, text)
    kind = max(filter(text.startswith, known), key=len, default="")
    return Document(kind, text.removeprefix(kind))
