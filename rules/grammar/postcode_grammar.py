"""``2 123456 1010``: the requests of a service that asks for a code, documents and a postcode.

Source: Cyprus, 8998; domain sheet, *The service*. The postcode is checked and not kept. It is
the last number of its length that stands alone and right behind no series, so a number cut in
two needs its series: ``2 ARC 123 4567 1010``.
"""

import re
from collections.abc import Iterator, Sequence

from rules.documents import Document, DocumentKind
from rules.grammar.command_words import Commands
from rules.grammar.folding import fold
from rules.grammar.lexicon import Language, PhonePlan, fast_patterns
from rules.grammar.reading import Findings, claimed_digits, read, read_document
from rules.grammar.request import (
    TEXT_CHARS_MAX,
    Meaning,
    NearMiss,
    PermitRequest,
    Reason,
    Unrecognised,
)
from rules.grammar.weighing import Weighing

__all__ = ["PostcodeGrammar"]

# Digits that only punctuation cuts: one number, or a date. (A space makes two of it.)
_NUMBER = re.compile(r"[0-9]+(?:-+[0-9]+)*")
_LETTER = re.compile(r"[A-Z~]")
# A number behind the documents that is so many digits longer is a postcode typed wrong.
_WRONG_POSTCODE_EXCESS_MAX = 2


class PostcodeGrammar:
    """The requests of one service, as a value: codes, kinds of documents, postcode and limits."""

    __slots__ = (
        "_bare_group",
        "_dashed",
        "_kinds",
        "_one",
        "_phone",
        "_weighing",
        "codes",
        "documents_max",
        "example",
        "kinds",
        "postcode_digits",
    )

    def __init__(
        self,
        codes: Sequence[str],
        kinds: Sequence[DocumentKind],
        documents_max: int,
        postcode_digits: int,
        example_postcode: str,
        languages: Sequence[Language] = (),
        phone_plan: PhonePlan | None = None,
        example_code: str | None = None,
        commands: Commands | None = None,
    ) -> None:
        """Compile the grammar; ValueError says what contradicts what.

        example_code: the code that examples show when none was understood; the first if None.
        """
        weighing = self._weighing = Weighing(
            codes,
            kinds,
            documents_max,
            languages,
            phone_plan,
            example_code,
            commands or {},
            example_postcode,
        )
        _check_digits(codes, kinds, postcode_digits, example_postcode)
        self.codes, self.kinds = weighing.codes, weighing.kinds
        self.documents_max = documents_max
        self.postcode_digits = postcode_digits
        self.example = weighing.example(None, None)
        self._one = fast_patterns(weighing.lexicon, kinds, postcode_digits).one.fullmatch
        self._phone = weighing.lexicon.phone.fullmatch
        names = [kind.kind for kind in kinds]
        self._kinds = ("", "", *names, *(kind.kind for kind in kinds if kind.bare))
        self._bare_group = 2 + len(names)
        bare = "|".join(f"[0-9]{{{count}}}" for count in weighing.lexicon.bare) or "(?!)"
        self._dashed = re.compile(
            rf"(?<![A-Z0-9~])(?<![0-9]-)({'|'.join(codes)})-+({bare})-+([0-9]{{{postcode_digits}}})"
            r"(?![A-Z0-9~]|-+[0-9])"
        )
        weighing.check_examples(self.parse)

    def parse(self, text: str) -> Meaning:
        """Read one SMS. Never raises; linear in the length of the text."""
        if len(text) > TEXT_CHARS_MAX:
            return Unrecognised(Reason.TOO_LONG, NearMiss(self.example))
        match = self._one(text)
        if match is None:
            return self.parse_slowly(text)
        group = match.lastindex or 0
        number = match[group]
        if group >= self._bare_group and self._phone(number):
            return self.parse_slowly(text)
        return PermitRequest(match[1], (Document(self._kinds[group], number),))

    def parse_slowly(self, text: str) -> Meaning:
        """Read one SMS in every form allowed; ``parse`` gives the same, sooner."""
        if len(text) > TEXT_CHARS_MAX:
            return Unrecognised(Reason.TOO_LONG, NearMiss(self.example))
        return self._weighing.meaning(text, fold(text), self._request, self._without_postcode)

    def parse_document(self, text: str) -> Document | None:
        """Read one document as printed on a card, without a code; None when it is not one."""
        if len(text) > TEXT_CHARS_MAX:
            return None
        return read_document(self._weighing.lexicon, fold(text))

    def _request(self, plain: str) -> tuple[Findings, Meaning]:
        """Read a text with one postcode; else find out what is wrong with it."""
        plain = self._dashed.sub(self._spaced, plain)
        loose = list(self._loose_numbers(plain))
        postcodes = [number for number in loose if len(number[0]) == self.postcode_digits]
        same = postcodes and _same_as_last(postcodes)
        if len(same) < len(postcodes):
            # Two postcodes, or one and a piece of a number: "2 ARC 123 4567 1010".
            found, request = self._try(plain, postcodes)
            if isinstance(request, PermitRequest):
                return found, self._objection(Reason.AMBIGUOUS, request)
        found, result = self._try(plain, same)
        if postcodes and isinstance(result, PermitRequest):
            return found, result
        # Would it be a request if no postcode were asked for? If the last number were none?
        for left_out in [], [number for number in loose[-1:] if self._is_wrong(number[0])]:
            without, request = self._try(plain, left_out)
            if isinstance(request, PermitRequest):
                return without, self._objection(Reason.BAD_DOCUMENT, request)
        return found, result

    def _try(
        self, plain: str, left_out: Sequence[re.Match[str]]
    ) -> tuple[Findings, PermitRequest | Unrecognised]:
        """Read a text without these numbers, postcode or not."""
        found = read(self._weighing.lexicon, _without(plain, left_out))
        return found, self._weighing.request(found)

    def _objection(self, reason: Reason, request: PermitRequest) -> Unrecognised:
        """Turn down what would be a request but for its postcode."""
        code, documents, _ = request
        kind = next(kind for kind in self.kinds if kind.kind == documents[0].kind)
        shown = self._weighing.example(code, kind)
        near = NearMiss(shown, code, kind.kind, None, kind.digits, len(documents))
        return Unrecognised(reason, near)

    def _without_postcode(self, plain: str) -> str:
        """Take the postcode out of what stands behind a command word."""
        loose = self._loose_numbers(plain)
        postcodes = [number for number in loose if len(number[0]) == self.postcode_digits]
        return _without(plain, _same_as_last(postcodes)) if postcodes else plain

    def _loose_numbers(self, plain: str) -> Iterator[re.Match[str]]:
        """Yield the numbers in one piece that no letter touches and no series claims."""
        claimed = claimed_digits(self._weighing.lexicon, plain)
        for number in _NUMBER.finditer(plain):
            start, end = number.span()
            touched = _LETTER.match(plain[start - 1 : start]) or _LETTER.match(plain, end)
            if number[0].isdigit() and start not in claimed and not touched:
                yield number

    def _is_wrong(self, number: str) -> bool:
        """Tell whether a number is of another length than a postcode, and not much longer."""
        digits = len(number)
        most = self.postcode_digits + _WRONG_POSTCODE_EXCESS_MAX
        return 1 < digits <= most and digits != self.postcode_digits

    def _spaced(self, match: re.Match[str]) -> str:
        """``2-123456-1010``: three numbers, as no other three have their lengths."""
        return match[0] if self._phone("".join(match.groups())) else " ".join(match.groups())


def _check_digits(
    codes: Sequence[str], kinds: Sequence[DocumentKind], digits: int, example: str
) -> None:
    """ValueError when a postcode cannot be told from a code or a document number."""
    if not (example.isascii() and example.isdigit() and len(example) == digits):
        raise ValueError(f"the example {example!r} is not a postcode of {digits} digits")
    if digits <= max(map(len, codes)):
        raise ValueError(f"postcodes of {digits} digits cannot be told from codes")
    for kind in kinds:
        if digits in kind.digits:
            raise ValueError(f"postcodes of {digits} digits cannot be told from {kind.kind}")


def _same_as_last(numbers: Sequence[re.Match[str]]) -> list[re.Match[str]]:
    return [number for number in numbers if number[0] == numbers[-1][0]]


def _without(plain: str, left_out: Sequence[re.Match[str]]) -> str:
    """Return a text with a line break in the place of these numbers."""
    start, parts = 0, []
    for number in left_out:
        parts.append(plain[start : number.start()])
        start = number.end()
    return "\n".join([*parts, plain[start:]])
