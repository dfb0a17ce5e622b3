"""Findings → request or command if they are one in one way only, else why not.

A request stays a request whatever words stand around it. A command is the whole SMS: a command
word at its beginning or end, documents or none, a language tag or none.
"""

import re
from collections.abc import Callable, Sequence

from rules.documents import Document, DocumentKind
from rules.grammar.command_words import Commands, CommandWords
from rules.grammar.folding import spell
from rules.grammar.lexicon import Language, PhonePlan, compile_lexicon, language_told_by
from rules.grammar.reading import (
    JOINING_WORDS,
    WORDS,
    WRONG_CODE_DIGITS_MAX,
    Findings,
    plain_digits,
    read,
)
from rules.grammar.request import (
    Command,
    CommandName,
    Meaning,
    NearMiss,
    PermitRequest,
    Reason,
    Unrecognised,
)

__all__ = ["Weighing"]

_DIGIT = re.compile(r"[0-9]")


class Weighing:
    """What one service accepts, and the examples that it teaches with."""

    __slots__ = ("_ending", "_words", "codes", "documents_max", "example_code", "kinds", "lexicon")

    def __init__(
        self,
        codes: Sequence[str],
        kinds: Sequence[DocumentKind],
        documents_max: int,
        languages: Sequence[Language],
        phone_plan: PhonePlan | None,
        example_code: str | None,
        commands: Commands,
        example_ending: str = "",
    ) -> None:
        """Compile the words; ValueError says what contradicts what."""
        self.lexicon = compile_lexicon(codes, kinds, languages, phone_plan)
        if documents_max < 1:
            raise ValueError(f"documents_max is {documents_max}; at least 1 is needed")
        if example_code is not None and example_code not in codes:
            raise ValueError(f"example_code {example_code!r} is not one of {', '.join(codes)}")
        self.codes = tuple(codes)
        self.kinds = tuple(kinds)
        self.documents_max = documents_max
        self.example_code = example_code or codes[0]
        self._ending = example_ending
        taken = {series: f"a {kind.kind} document" for series, kind in self.lexicon.series.items()}
        taken |= dict.fromkeys(JOINING_WORDS, "a word between documents")
        self._words = CommandWords(commands, self.lexicon.tags, taken)

    def example(self, code: str | None, kind: DocumentKind | None) -> str:
        """A whole correct SMS with this code and a document of this kind."""
        document = (kind or self.kinds[0]).example
        return f"{code or self.example_code} {document} {self._ending}".rstrip()

    def check_examples(self, parse: Callable[[str], Meaning]) -> None:
        """ValueError when an example is not what it shows."""
        for kind in self.kinds:
            for code in self.codes:
                shown = self.example(code, kind)
                found = parse(shown)
                if not (
                    isinstance(found, PermitRequest)
                    and found.code == code
                    and [document.kind for document in found.documents] == [kind.kind]
                ):
                    raise ValueError(f"the example {shown!r} is not a {kind.kind} document")

    def meaning(
        self,
        text: str,
        folded: str,
        read_request: Callable[[str], tuple[Findings, Meaning]],
        take_out: Callable[[str], str] = str,
    ) -> Meaning:
        """Read a folded text as a command or else as a request, and tell its language.

        read_request: reads a text with plain digits. take_out: takes out what stands beside
        the documents of a command.
        """
        said = folded.strip(" \n+-")
        if not said:
            return Unrecognised(Reason.EMPTY)
        language: str | None = None
        result: Meaning | None = None
        if not (said[0].isdigit() and said[-1].isdigit()):
            result, language = self._command(spell(text), folded, take_out)
        if result is None:
            found, result = read_request(plain_digits(self.lexicon, folded))
            language = found.language
        language = language or language_told_by(self.lexicon.letters, text)
        return result if language is None else result._replace(language=language)

    def _command(
        self, spelled: str, folded: str, take_out: Callable[[str], str]
    ) -> tuple[Meaning | None, str | None]:
        """Read a text as a command, with the language asked for; (None, None) if it is none."""
        command = self._words.find(spelled)
        if command is None:
            return None, None
        if command.language is not None:
            return Command(command.name), command.language
        rest = f"{folded[: command.start]}\n{folded[command.end :]}"
        plain = take_out(plain_digits(self.lexicon, rest))
        found = read(self.lexicon, plain)
        result = self._obey(command.name, found, WORDS.findall(plain), bool(_DIGIT.search(rest)))
        return result, found.language if result is not None else None

    def _obey(
        self, name: CommandName, found: Findings, words: Sequence[str], has_digits: bool
    ) -> Meaning | None:
        """Make a command of its name and of what else the text holds; None when it is none."""
        documents = tuple(dict.fromkeys(found.documents or found.bare))
        codes = list(dict.fromkeys(found.codes + found.doubtful_codes))
        if not self._is_list(words, documents) or found.wrong_codes or found.strays:
            return None
        if codes and name == "help":
            return self.request(found)  # help is given by any reply; a permit is not
        if found.bad or found.ambiguous or found.dangling or (found.documents and found.bare):
            return None
        if codes:
            # "END 2 AZE 1111111": to end a permit, or to ask for one? Neither is done.
            reason = Reason.AMBIGUOUS
        elif len(documents) > self.documents_max:
            reason = Reason.TOO_MANY_DOCUMENTS
        elif not documents and has_digits:
            return None  # a telephone number, for one: whose permits are meant?
        else:
            return Command(name, documents)
        return Unrecognised(reason, self.near_miss(reason, found, codes, documents))

    def _is_list(self, words: Sequence[str], documents: Sequence[Document]) -> bool:
        """Tell whether these are only words of a list of documents and language tags."""
        known, tags = self.lexicon.series, self.lexicon.tags
        return all(
            word in known
            or word in tags
            or word in JOINING_WORDS
            or (documents and len(word) == 1 and word != "~")  # a series spaced out
            for word in words
        )

    def request(self, found: Findings) -> PermitRequest | Unrecognised:
        """Make a request of the findings if they are one in one way only."""
        codes = list(dict.fromkeys(found.codes)) or list(dict.fromkeys(found.doubtful_codes))
        documents = tuple(dict.fromkeys(found.documents or found.bare))
        reason = self._objection(found, codes, documents)
        if reason is None:
            return PermitRequest(codes[0], documents)
        if reason is Reason.UNREADABLE:
            return Unrecognised(reason)
        return Unrecognised(reason, self.near_miss(reason, found, codes, documents))

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
            number.startswith(code) and len(number) - len(code) in self.lexicon.bare
            for code in self.codes
        )

    def near_miss(
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
        return NearMiss(
            self.example(code, kind),
            _wrong_code(found) if reason is Reason.UNKNOWN_CODE else code,
            kind.kind if kind else None,
            digits,
            kind.digits if kind else (),
            len(documents),
        )


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
