"""What a folded SMS contains: codes, documents, and whatever stands in their way.

The text is a row of digit runs with words between them. A run belongs to the series right
before it; a run without a series holds codes, bare document numbers, telephone numbers or
numbers of no concern. Nothing is decided here: ``rules.grammar.request`` weighs the findings.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from rules.documents import Document, DocumentKind
from rules.grammar.folding import fold
from rules.grammar.lexicon import Lexicon

__all__ = [
    "JOINING_WORDS",
    "WORDS",
    "WRONG_CODE_DIGITS_MAX",
    "Bad",
    "Findings",
    "claimed_digits",
    "plain_digits",
    "read",
    "read_document",
]

# A number may be cut by spaces and punctuation, not by a newline, comma or semicolon.
_RUNS = re.compile(r"([0-9]+(?:[ -]+[0-9]+)*)")
_GROUPS = re.compile(r"([ -]*)([0-9]+)")
WORDS = re.compile(r"[A-Z~]+")
_GAPS = ("", " ", "-", "\n")  # what can stand beside a run and is no letter

# "AZE No 1111111", "seriya AZE nömrə 1111111": words for №, in folded letters.
_NUMBER_WORDS = frozenset(map(fold, ("N", "No", "Nr", "nömrə", "nomre", "номер", "number")))
# "2 1111111 və 2222222": short words that are no series.
JOINING_WORDS = _NUMBER_WORDS | frozenset(map(fold, ("və", "ve", "и", "and")))

# An unknown word of up to so many letters right before a number may be a mistyped series, so
# the number is not taken as bare.
_SERIES_LETTERS_MAX = 4
# A number of up to so many digits, where a code belongs, is a wrong code.
WRONG_CODE_DIGITS_MAX = 3


class Bad(NamedTuple):
    """Something like a document that is none: its kind if known, and how many digits.

    digits: None when their count is right, and letters touching them are what is wrong.
    """

    kind: DocumentKind | None
    digits: int | None


@dataclass(slots=True)
class Findings:
    """Everything found in one text, in order; filled by ``read`` and not changed after.

    bare: documents given by digits alone.
    bad: what was meant as a document and is none.
    doubtful_codes: codes behind a number that may also be its last digit.
    wrong_codes: numbers where a code belongs.
    dangling: series without digits.
    strays: numbers that are neither code nor document.
    ambiguous: some digits have two readings.
    """

    codes: list[str] = field(default_factory=list)
    doubtful_codes: list[str] = field(default_factory=list)
    wrong_codes: list[str] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    bare: list[Document] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    dangling: list[DocumentKind] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    ambiguous: bool = False
    language: str | None = None


class _Group(NamedTuple):
    """Digits typed without a break; spaced: white space before them, not just punctuation."""

    digits: str
    spaced: bool


class _Run(NamedTuple):
    """Digit groups, the words before them, and what touches them.

    glued_before: the last word touches the first digit (``AZE1``).
    glued_after: a word touches the last digit, and is neither a series nor a language tag.
    before_series: a series follows in the same line, so the last group may be a code.
    """

    words: Sequence[str]
    glued_before: bool
    groups: Sequence[_Group]
    glued_after: bool
    before_series: bool


def read(lexicon: Lexicon, plain: str) -> Findings:
    """Find everything in a folded text with plain digits; linear in its length."""
    findings = Findings()
    # Between two digit runs stand words: [words, run, words, run, ..., words].
    parts = _RUNS.split(plain)
    words = [WORDS.findall(part) for part in parts[::2]]
    # The words behind the last run lead no number, even if they are a series.
    series = [_series_at_end(lexicon, row) for row in words[:-1]] + [(None, 0)]
    for index, (kind, used) in enumerate(series[:-1]):
        _read_dangling(lexicon, words[index][: len(words[index]) - used], findings)
        next_kind, next_used = series[index + 1]
        follows = next_kind is not None and next_used == len(words[index + 1])
        run = _run(lexicon, parts[2 * index : 2 * index + 3], words[index : index + 2], follows)
        if kind is None:
            _read_plain(lexicon, run, findings)
        else:
            _read_series(lexicon, kind, run, findings)
    _read_dangling(lexicon, words[-1], findings)
    findings.language = _tagged_language(lexicon, words)
    return findings


def read_document(lexicon: Lexicon, folded: str) -> Document | None:
    """Read a text that is one document and nothing else; None when it is not."""
    parts = _RUNS.split(plain_digits(lexicon, folded))
    if len(parts) != 3 or WORDS.search(parts[2]):
        return None
    words = WORDS.findall(parts[0])
    kind, used = _series_at_end(lexicon, words)
    if len(words) != used:
        return None
    if kind is None:
        # A bare number has no series to say where it ends, so it must be in one piece.
        bare = lexicon.bare.get(len(parts[1])) if parts[1].isdigit() else None
        return Document(bare.kind, parts[1]) if bare else None
    number = parts[1].replace(" ", "").replace("-", "")
    return Document(kind.kind, number) if len(number) in kind.digits else None


def claimed_digits(lexicon: Lexicon, plain: str) -> set[int]:
    """Return where digits begin that stand right behind a series."""
    claimed, end = set(), 0
    for run in _RUNS.finditer(plain):
        if _series_at_end(lexicon, WORDS.findall(plain, end, run.start()))[0] is not None:
            claimed.add(run.start())
        end = run.end()
    return claimed


def plain_digits(lexicon: Lexicon, folded: str) -> str:
    """Turn letters O that stand for zeros into zeros, and take telephone numbers out."""
    if "O" in folded:
        folded = lexicon.letter_o.sub(_zeros, folded)
    if "+" in folded:
        folded = lexicon.phone_with_plus.sub("\n", folded).replace("+", "-")
    return folded


def _zeros(match: re.Match[str]) -> str:
    series = match[1] or ""
    return series + "0" * (len(match[0]) - len(series))


def _run(
    lexicon: Lexicon, parts: Sequence[str], words: Sequence[Sequence[str]], series_follows: bool
) -> _Run:
    """Return the digit run in the middle of three parts, with its surroundings.

    words: those of the first and the last part; series_follows: the latter are a series.
    """
    before, text, after = parts
    touched = after[:1] not in _GAPS and words[1][0] not in lexicon.tags
    return _Run(
        words[0],
        before[-1:] not in _GAPS,
        [_Group(text, False)]
        if text.isdigit()
        else [_Group(digits, " " in gap) for gap, digits in _GROUPS.findall(text)],
        touched and not series_follows,
        series_follows and "\n" not in after,
    )


def _series_at_end(lexicon: Lexicon, words: Sequence[str]) -> tuple[DocumentKind | None, int]:
    """Return the kind whose series ends the words, and how many words that takes.

    ``AZE``, ``AZE No`` and the spaced-out ``A Z E`` are series.
    """
    end = len(words)
    while end and words[end - 1] in _NUMBER_WORDS:
        end -= 1
    signs = len(words) - end
    if not end:
        return None, signs
    kind = lexicon.series.get(words[end - 1])
    if kind is not None:
        return kind, signs + 1
    start = end
    while start and len(words[start - 1]) == 1:
        start -= 1
    kind = lexicon.series.get("".join(words[start:end]))
    return (kind, len(words) - start) if kind else (None, signs)


def _read_dangling(lexicon: Lexicon, words: Sequence[str], findings: Findings) -> None:
    for word in words:
        if word in lexicon.series:
            findings.dangling.append(lexicon.series[word])


def _tagged_language(lexicon: Lexicon, words: Sequence[Sequence[str]]) -> str | None:
    """Return the language asked for by the first or the last word of the text.

    Elsewhere a tag is an ordinary word: *az* is Azerbaijani for *few*.
    """
    first = lexicon.tags.get(words[0][0]) if words[0] else None
    last = lexicon.tags.get(words[-1][-1]) if words[-1] else None
    return (first or last) if first is None or last is None or first == last else None


def _read_series(lexicon: Lexicon, kind: DocumentKind, run: _Run, findings: Findings) -> None:
    """Read the run right after a series: its number, perhaps cut, perhaps with a code behind."""
    groups, codes = run.groups, lexicon.codes
    readings = list(_readings(codes, kind, run))
    if not readings:
        if len(groups) > 1 and len(groups[0].digits) in kind.digits:
            # A good number, and more digits behind it: whose are they?
            findings.ambiguous = True
            return
        tail = len(groups)
        while tail > 1 and groups[tail - 1].spaced and groups[tail - 1].digits in codes:
            tail -= 1
        digits = sum(len(group.digits) for group in groups[:tail])
        findings.bad.append(Bad(kind, None if digits in kind.digits else digits))
        findings.codes += [group.digits for group in groups[tail:]]
        return
    start, end = readings[0]
    natural = start == 0 and all(group.spaced for group in groups[end:])
    # "AZE 111111 2" may be a number cut in two, and may be one a digit short with a code behind.
    swallows = end > 1 and any(group.digits in codes for group in groups[:end])
    if not natural or swallows or (len(readings) > 1 and end > 1):
        findings.ambiguous = True
        return
    number = "".join(group.digits for group in groups[:end])
    findings.documents.append(Document(kind.kind, number))
    tail_codes = [group.digits for group in groups[end:]]
    # "AZE 1111111 2": most likely a code behind, though AZE 11111112 is a number too. It is
    # taken as a code when the SMS has no other, or when it leads the next document.
    doubtful = len(readings) > 1 and not run.before_series
    (findings.doubtful_codes if doubtful else findings.codes).extend(tail_codes)


def _readings(codes: frozenset[str], kind: DocumentKind, run: _Run) -> Iterator[tuple[int, int]]:
    """Yield every (start, end) of groups that make a number of this kind, the rest being codes.

    Bounded, whatever the text: each group has a digit, and a number at most max(kind.digits).
    """
    groups = run.groups
    first_tail = len(groups)  # groups[first_tail:] are all codes
    while first_tail and groups[first_tail - 1].digits in codes:
        first_tail -= 1
    longest = max(kind.digits)
    for start in range(len(groups)):
        length = 0
        for end in range(start + 1, len(groups) + 1):
            length += len(groups[end - 1].digits)
            if length > longest:
                break
            damaged = run.glued_after and end == len(groups)
            if end >= first_tail and length in kind.digits and not damaged:
                yield start, end
        if groups[start].digits not in codes:
            break


def _read_plain(lexicon: Lexicon, run: _Run, findings: Findings) -> None:
    """Read a run without a series: codes, bare numbers, or neither."""
    if lexicon.phone.fullmatch("".join(group.digits for group in run.groups)):
        return
    numbers = list(_numbers(run.groups))
    if any(_is_bare(lexicon, number) for number in numbers):
        _read_bare(lexicon, run, numbers, findings)
        return
    for index, number in enumerate(numbers):
        digits = number.replace("-", "")
        leads = run.before_series and index == len(numbers) - 1
        if number in lexicon.codes:
            findings.codes.append(number)
        elif lexicon.phone.fullmatch(digits):
            continue
        elif _is_code_and_bare(lexicon, number):
            findings.ambiguous = True
        elif len(digits) == 1 or (leads and len(digits) <= WRONG_CODE_DIGITS_MAX):
            findings.wrong_codes.append(digits)
        elif number == digits and len(digits) >= lexicon.digits_min - 1:
            findings.bad.append(Bad(None, len(digits)))
        else:
            findings.strays.append(digits)


def _numbers(groups: Sequence[_Group]) -> Iterator[str]:
    """Yield what stands between spaces, with ``-`` for punctuation inside: ``05-04-2020``."""
    number = groups[0].digits
    for group in groups[1:]:
        if group.spaced:
            yield number
            number = group.digits
        else:
            number += "-" + group.digits
    yield number


def _is_bare(lexicon: Lexicon, number: str) -> bool:
    """Tell whether a number in one piece is a document number of a kind without a series."""
    return len(number) in lexicon.bare and number.isdigit() and not lexicon.phone.fullmatch(number)


def _is_code_and_bare(lexicon: Lexicon, number: str) -> bool:
    """Tell whether punctuation joins a code and a bare number, or cuts one: ``2-1111111``."""
    code, _, rest = number.partition("-")
    return code in lexicon.codes and _is_bare(lexicon, rest)


def _read_bare(lexicon: Lexicon, run: _Run, numbers: Sequence[str], findings: Findings) -> None:
    """Read a run with a bare document number: codes in front, or one code behind, or neither."""
    start = 0
    while numbers[start] in lexicon.codes:
        start += 1
    behind = 1 if start == 0 and numbers[-1] in lexicon.codes else 0
    end = len(numbers) - behind
    bare = numbers[start:end]
    strange = [number for number in bare if not _is_bare(lexicon, number)]
    if strange:
        _read_strange(strange[0], start + behind > 0, findings)
        return
    damaged = run.glued_after and not behind
    if damaged or (start == 0 and _may_be_series(run)):
        findings.bad.append(Bad(None, len(bare[-1] if damaged else bare[0])))
        return
    # "123456 123456" may be one number of twelve digits, and "1111111 2" one of eight.
    rivals = [len(a) + len(b) in lexicon.bare for a, b in pairwise(numbers[start:])]
    findings.ambiguous |= any(rivals[: len(bare) - 1])
    findings.codes += numbers[:start]
    if behind:
        (findings.doubtful_codes if rivals[-1] else findings.codes).append(numbers[-1])
    findings.bare += [Document(lexicon.bare[len(number)].kind, number) for number in bare]


def _read_strange(number: str, has_code: bool, findings: Findings) -> None:
    """Say what a number is that stands beside a bare document number and is not one itself."""
    digits = number.replace("-", "")
    if len(digits) > WRONG_CODE_DIGITS_MAX:
        findings.bad.append(Bad(None, len(digits)))
    elif has_code:
        findings.ambiguous = True
    else:
        findings.wrong_codes.append(digits)


def _may_be_series(run: _Run) -> bool:
    """Tell whether the word before a bare number may be its mistyped series: ``AZR 1111111``."""
    if not run.words or run.words[-1] in _NUMBER_WORDS:
        return False
    if run.glued_before:
        return True
    return run.words[-1] not in JOINING_WORDS and len(run.words[-1]) <= _SERIES_LETTERS_MAX
