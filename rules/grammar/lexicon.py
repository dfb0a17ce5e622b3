"""A grammar's words and numbers, checked, folded and indexed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rules.documents import DocumentKind
from rules.grammar.folding import fold, spellings_of

__all__ = [
    "GAP",
    "FastPatterns",
    "Language",
    "Letters",
    "Lexicon",
    "PhonePlan",
    "check_codes",
    "compile_lexicon",
    "fast_patterns",
    "index_letters",
    "language_told_by",
]

# A code must stay tellable from a document number by its length alone.
_CODE_DIGITS_MAX = 3
_DOCUMENT_DIGITS_MAX = 20

_PUNCTUATION = r"\-–—.:#№'\"«»“”/_,;()"
GAP = rf"[\s{_PUNCTUATION}]*"
"""White space and punctuation around and between the parts of the common form."""

Letters = Mapping[str, str]
"""The language that each tell-tale letter belongs to."""


class Language(NamedTuple):
    """A language people may ask for or be recognised by.

    tags: words that ask for it at the start or end of an SMS, e.g. ``("EN", "ENG")``.
    letters: letters that no other language of the service uses; two of them in a text tell
        the language. Letters that can be typed for a Latin one (С, И, ə) are left out.
    """

    name: str
    tags: tuple[str, ...]
    letters: str = ""


class PhonePlan(NamedTuple):
    """The national numbering plan, so that a phone number is not taken for a document."""

    country_code: str
    national_digits: int


class Lexicon(NamedTuple):
    """The words and numbers of one grammar.

    digits_min: the shortest number of any document.
    phone: a whole number that is a telephone number; phone_with_plus: such within a text.
    letter_o: letters O that stand for zeros, with the series before them as group 1.
    """

    codes: frozenset[str]
    series: Mapping[str, DocumentKind]
    bare: Mapping[int, DocumentKind]
    tags: Mapping[str, str]
    digits_min: int
    phone: re.Pattern[str]
    phone_with_plus: re.Pattern[str]
    letter_o: re.Pattern[str]
    letters: Letters


def index_letters(languages: Sequence[Language]) -> Letters:
    """Map every letter that tells a language to it."""
    return {
        char: language.name
        for language in languages
        for char in language.letters.lower() + language.letters.upper()
        if fold(char) == "~"
    }


def language_told_by(letters: Letters, text: str) -> str | None:
    """Return the language whose letters the text shows at least twice, and no other's."""
    seen = letters.keys() & set(text)
    names = {letters[char] for char in seen}
    if len(names) != 1 or (len(seen) == 1 and text.count(min(seen)) == 1):
        return None
    return names.pop()


def compile_lexicon(
    codes: Sequence[str],
    kinds: Sequence[DocumentKind],
    languages: Sequence[Language],
    phone_plan: PhonePlan | None,
) -> Lexicon:
    """Check and index the words of a grammar; ValueError says what contradicts what."""
    check_codes(codes)
    series = _index_series(kinds)
    digits_min = min(count for kind in kinds for count in kind.digits)
    longest_code = max(map(len, codes))
    if digits_min < longest_code + 2:
        raise ValueError(
            f"documents of {digits_min} digits cannot be told from codes of {longest_code}"
        )
    names = "|".join(sorted(series, key=len, reverse=True))
    return Lexicon(
        codes=frozenset(codes),
        series=series,
        bare=_index_bare(kinds),
        tags=_index_tags(languages, series),
        digits_min=digits_min,
        phone=_phone_pattern(phone_plan),
        phone_with_plus=_phone_with_plus_pattern(phone_plan),
        letter_o=re.compile(rf"(?<=[0-9])O+(?![A-Z~])|(?<![A-Z~])({names})?O+(?=[0-9])"),
        letters=index_letters(languages),
    )


class FastPatterns(NamedTuple):
    """Patterns of the forms that most people send; everything else takes the slow path.

    one: a code (group 1) and one document. Its number is in group *n* + 2 for kind *n* with
        its series, and behind those groups, in the order of kinds, for a bare number.
    several: a code (group 1), documents with their series (group 2), a tag or not (group 3).
    document: one of those documents, its number in group *n* + 1.

    No two neighbouring parts can take the same character, so a match takes linear time.
    """

    one: re.Pattern[str]
    several: re.Pattern[str]
    document: re.Pattern[str]


def fast_patterns(
    lexicon: Lexicon, kinds: Sequence[DocumentKind], postcode_digits: int | None = None
) -> FastPatterns:
    """Compile the fast path of a grammar; with a postcode behind the one document."""
    codes = "|".join(sorted(lexicon.codes, key=len, reverse=True))
    documents = []
    for kind in kinds:
        names = [name for name, owner in lexicon.series.items() if owner is kind]
        documents.append(f"(?:{_spelled(names)}){GAP}({_counts(kind)})")
    # White space, not punctuation: 2-1111111 may be one number.
    bare = [rf"\s+({_counts(kind)})" for kind in kinds if kind.bare]
    document = f"(?:{'|'.join(documents)})"
    unnamed = document.replace(f"{GAP}(", f"{GAP}(?:")
    tag = f"(?:{GAP}({_spelled(lexicon.tags)}))?" if lexicon.tags else "()"
    postcode = ""
    if postcode_digits is not None:
        # With white space before it: 123456-1010 may be one number.
        postcode = rf"[{_PUNCTUATION}]*\s{GAP}[0-9]{{{postcode_digits}}}"
    return FastPatterns(
        one=re.compile(f"{GAP}({codes})(?:{'|'.join([GAP + document, *bare])}){postcode}{GAP}"),
        several=re.compile(f"{GAP}({codes})((?:{GAP}{unnamed})+){tag}{GAP}"),
        document=re.compile(document),
    )


def _spelled(names: Iterable[str]) -> str:
    """Return a pattern of the usual spellings of these folded words."""
    return "|".join("".join(f"[{spellings_of(letter)}]" for letter in name) for name in names)


def _counts(kind: DocumentKind) -> str:
    return "|".join(f"[0-9]{{{count}}}" for count in sorted(kind.digits, reverse=True))


def check_codes(codes: Sequence[str]) -> None:
    """ValueError when these are no codes of a service."""
    if not codes or len(set(codes)) < len(codes):
        raise ValueError("codes must be given, each once")
    for code in codes:
        if not re.fullmatch(rf"[0-9]{{1,{_CODE_DIGITS_MAX}}}", code):
            raise ValueError(f"the code {code!r} is not 1 to {_CODE_DIGITS_MAX} ASCII digits")


def _index_series(kinds: Sequence[DocumentKind]) -> dict[str, DocumentKind]:
    """Map every folded spelling to its kind."""
    if not kinds:
        raise ValueError("at least one kind of document is needed")
    index: dict[str, DocumentKind] = {}
    for kind in kinds:
        if not kind.digits or not all(1 <= n <= _DOCUMENT_DIGITS_MAX for n in kind.digits):
            raise ValueError(f"{kind.kind}: digits must be counts from 1 to {_DOCUMENT_DIGITS_MAX}")
        for spelling in (kind.kind, *kind.spellings):
            folded = fold(spelling)
            if not re.fullmatch("[A-Z]+", folded):
                raise ValueError(f"{kind.kind}: the spelling {spelling!r} is not letters alone")
            if index.setdefault(folded, kind) is not kind:
                owner = index[folded].kind
                raise ValueError(f"the spelling {spelling!r} means both {owner} and {kind.kind}")
    return index


def _index_bare(kinds: Sequence[DocumentKind]) -> dict[int, DocumentKind]:
    """Map every digit count that needs no series to its kind."""
    index: dict[int, DocumentKind] = {}
    for kind in kinds:
        for count in kind.digits if kind.bare else ():
            if index.setdefault(count, kind) is not kind:
                raise ValueError(
                    f"{count} digits without a series mean both {index[count].kind} and {kind.kind}"
                )
    return index


def _index_tags(
    languages: Sequence[Language], series: Mapping[str, DocumentKind]
) -> dict[str, str]:
    """Map every folded language tag to its language."""
    index: dict[str, str] = {}
    for language in languages:
        for tag in language.tags:
            folded = fold(tag)
            if not re.fullmatch("[A-Z]+", folded):
                raise ValueError(f"the language tag {tag!r} is not letters that can be folded")
            if folded in series or index.setdefault(folded, language.name) != language.name:
                raise ValueError(f"the language tag {tag!r} has another meaning already")
    return index


def _phone_pattern(plan: PhonePlan | None) -> re.Pattern[str]:
    """Match a number that the national plan makes a telephone number: 994…, 00994…, 0…"""
    if plan is None:
        return re.compile(r"(?!)")
    return re.compile(rf"(?:(?:00)?{plan.country_code}|0)[0-9]{{{plan.national_digits}}}")


def _phone_with_plus_pattern(plan: PhonePlan | None) -> re.Pattern[str]:
    """Match a telephone number with its plus, however cut; ITU-T E.123 §2.

    With a foreign country code its length is unknown, and it ends with its line or a word.
    A plus right behind a letter or digit is a separator (``2+AZE+1111111``).
    """
    foreign = r"[0-9](?:[ -]*[0-9])*"
    if plan is None:
        return re.compile(rf"(?<![A-Z0-9~])\+{foreign}")
    home = "[ -]*" + "[ -]*".join(plan.country_code)
    home += rf"(?:[ -]*[0-9]){{{plan.national_digits}}}(?![0-9])"
    return re.compile(rf"(?<![A-Z0-9~])\+(?:{home}|{foreign})")
