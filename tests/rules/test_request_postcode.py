"""Requests with a postcode, as in Cyprus: the same request however spelled, never a guessed one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.documents import Document, DocumentKind
from rules.grammar.command_words import Commands
from rules.grammar.folding import fold, spellings_of
from rules.grammar.lexicon import Language, PhonePlan
from rules.grammar.postcode_grammar import PostcodeGrammar
from rules.grammar.request import (
    TEXT_CHARS_MAX,
    Command,
    NearMiss,
    PermitRequest,
    Reason,
    Unrecognised,
)

COUNTS = (5, 6, 7, 8, 9, 10)
KINDS = (
    DocumentKind("ID", COUNTS, ("ID",), True, "123456"),
    DocumentKind("ARC", (5, 6, 7), ("ARC",), False, "ARC 1234567"),
)
LANGUAGES = (Language("el", ("GR", "EL"), "γδθλξπσςφψω"), Language("en", ("EN", "ENG")))
PLAN = PhonePlan("357", 8)
COMMANDS: Commands = {"help": ("HELP",), "end": ("END",), "language": ()}
CODES = tuple("12345678")
GRAMMAR = PostcodeGrammar(CODES, KINDS, 1, 4, "1010", LANGUAGES, PLAN, "2", COMMANDS)
FAMILY = PostcodeGrammar(CODES, KINDS, 3, 4, "1010", LANGUAGES, PLAN, "2", COMMANDS)


def parsed(grammar: PostcodeGrammar, text: str) -> tuple[str, list[str]]:
    """Return code and documents of a text that must be a request."""
    result = grammar.parse(text)
    assert isinstance(result, PermitRequest), (text, result)
    return result.code, [document.text for document in result.documents]


@pytest.mark.parametrize(
    ("text", "code", "document"),
    [
        # as published
        ("2 123456 1010", "2", "ID123456"),
        ("8 ARC 1234567 1010", "8", "ARC1234567"),
        # as typed
        ("  2\n123456\r\n1010.", "2", "ID123456"),
        ("«2 123456 1010»", "2", "ID123456"),
        ("2,123456,1010", "2", "ID123456"),
        ("2-123456-1010", "2", "ID123456"),
        ("“2/123456/1010”.", "2", "ID123456"),
        ("2. 123456 - 1010", "2", "ID123456"),
        ("2 123456 --1010", "2", "ID123456"),
        ("２ １２３４５６ １０１０", "2", "ID123456"),
        ("2 12345O 1O1O", "2", "ID123450"),
        ("2 ID123456 1010", "2", "ID123456"),
        ("2id123456 1010", "2", "ID123456"),
        ("2 ΑRС № 123-4567 1010", "2", "ARC1234567"),
        ("2 ARC 123 4567 1010", "2", "ARC1234567"),
        ("2 A.R.C. 1234567 #1010", "2", "ARC1234567"),
        ("1 12345 1010", "1", "ID12345"),
        ("1 1234567890 1010", "1", "ID1234567890"),
        # text before and after, other numbers
        ("Γεια σας, 2 123456 1010 ευχαριστώ", "2", "ID123456"),
        ("code 2, identity 123456, postcode 1010", "2", "ID123456"),
        ("2 123456 1010 Λευκωσία", "2", "ID123456"),
        ("2 123456 Makariou 12, 1010 Nicosia", "2", "ID123456"),
        ("25.03.2020, code 2 123456 1010", "2", "ID123456"),
        ("2 123456 1010 25.03.2020", "2", "ID123456"),
        ("+357 99 123456 2 123456 1010", "2", "ID123456"),
        ("2 123456 1010 tel 0035799123456", "2", "ID123456"),
        # in another order, and twice
        ("123456 1010 2", "2", "ID123456"),
        ("2 1010 123456", "2", "ID123456"),
        ("2 123456 1010\n2 123456 1010", "2", "ID123456"),
    ],
)
def test_a_request_is_understood(text: str, code: str, document: str) -> None:
    """Every way of typing a request that can be read in one way only is read that way."""
    assert parsed(GRAMMAR, text) == (code, [document])


NO_NEAR = NearMiss("2 123456 1010", "2", "ID", None, COUNTS, 1)


@pytest.mark.parametrize(
    ("text", "reason", "near"),
    [
        ("", Reason.EMPTY, None),
        ("salam", Reason.UNREADABLE, None),
        ("2", Reason.NO_DOCUMENT, NearMiss("2 123456 1010", "2")),
        ("3 1010", Reason.NO_DOCUMENT, NearMiss("3 123456 1010", "3")),
        ("ID 923456 1010", Reason.NO_CODE, NearMiss("2 123456 1010", None, "ID", None, COUNTS, 1)),
        ("9 123456 1010", Reason.UNKNOWN_CODE, NearMiss("2 123456 1010", "9")),
        (
            "2 ARC 1010",
            Reason.BAD_DOCUMENT,
            NearMiss("2 ARC 1234567 1010", "2", "ARC", 4, (5, 6, 7)),
        ),
        (
            "2 ARC 12345678 1010",
            Reason.BAD_DOCUMENT,
            NearMiss("2 ARC 1234567 1010", "2", "ARC", 8, (5, 6, 7)),
        ),
        # no postcode
        ("2 123456", Reason.BAD_DOCUMENT, NO_NEAR),
        ("2 1234561010", Reason.BAD_DOCUMENT, NO_NEAR),
        (
            "7 ARC 123 4567",
            Reason.BAD_DOCUMENT,
            NearMiss("7 ARC 1234567 1010", "7", "ARC", None, (5, 6, 7), 1),
        ),
        # a wrong one
        ("2 123456 10", Reason.BAD_DOCUMENT, NO_NEAR),
        ("2 123456 101", Reason.BAD_DOCUMENT, NO_NEAR),
        ("2 123456 10101", Reason.BAD_DOCUMENT, NO_NEAR),
        ("2 123456 101010", Reason.BAD_DOCUMENT, NO_NEAR),
        ("2 ID 123456 CY1010", Reason.BAD_DOCUMENT, None),
        ("2 123456 10\ufffd0", Reason.AMBIGUOUS, None),
        ("2 123456-1010", Reason.BAD_DOCUMENT, None),
        ("2 123456 1-10", Reason.AMBIGUOUS, None),
        ("3-571234-5678", Reason.UNREADABLE, None),  # a telephone number
        # two of them
        ("2 123456 1010 2020", Reason.AMBIGUOUS, NO_NEAR),
        ("2 123456 7890 1010", Reason.AMBIGUOUS, NO_NEAR),
        # what the grammar for documents refuses
        ("2 5 123456 1010", Reason.AMBIGUOUS, None),
        ("2123456 1010", Reason.AMBIGUOUS, None),
        ("2 ARX 1234567 1010", Reason.BAD_DOCUMENT, None),
        ("2 123456 ARC 1010", Reason.BAD_DOCUMENT, None),
        ("2 123456 1010, 234567 1010", Reason.TOO_MANY_DOCUMENTS, None),
    ],
)
def test_what_is_no_request_tells_why(text: str, reason: Reason, near: NearMiss | None) -> None:
    """The reason is the most useful one, and the example keeps what was understood."""
    result = GRAMMAR.parse(text)
    assert isinstance(result, Unrecognised), (text, result)
    assert result.reason is reason
    if near is not None:
        assert result.near_miss == near


def test_a_household_has_one_postcode() -> None:
    """It stands behind all documents or behind each; two different ones are ambiguous."""
    two = ("2", ["ID123456", "ARC1234567"])
    assert parsed(FAMILY, "2 123456 1010, 234567 1010") == ("2", ["ID123456", "ID234567"])
    assert parsed(FAMILY, "2 ID 123456, ARC 1234567, 1010") == two
    assert parsed(FAMILY, "2 ID 123456 1010\n2 ARC 1234567 1010") == two
    assert FAMILY.parse("2 ID 123456 1010, ARC 1234567 2020")[0] is Reason.AMBIGUOUS
    assert FAMILY.parse("2 ID 123456, ARC 1234567")[0] is Reason.BAD_DOCUMENT
    four = "2 12345, 12346, 12347, 12348 1010"
    assert FAMILY.parse(four)[0] is Reason.TOO_MANY_DOCUMENTS


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("help", Command("help")),
        ("END 123456", Command("end", (Document("ID", "123456"),))),
        ("END 123456 1010", Command("end", (Document("ID", "123456"),))),
        ("ARC 1234567 1010 end EN", Command("end", (Document("ARC", "1234567"),), "en")),
        ("gr", Command("language", (), "el")),
    ],
)
def test_commands_need_no_postcode(text: str, command: Command) -> None:
    """A command word, the document with its postcode or without, a language tag."""
    assert GRAMMAR.parse(text) == command


def test_a_command_beside_a_request_is_not_guessed() -> None:
    """Help stays a request; an end beside a code is neither; a postcode alone ends nothing."""
    assert parsed(GRAMMAR, "HELP 2 123456 1010") == ("2", ["ID123456"])
    assert GRAMMAR.parse("END 2 123456 1010")[0] is Reason.AMBIGUOUS
    assert isinstance(GRAMMAR.parse("END 1010"), Unrecognised)


def test_the_length_limit_is_exact() -> None:
    """A text of the longest length is read, and one character more is refused unread."""
    request = "2 123456 1010"
    assert parsed(GRAMMAR, request.ljust(TEXT_CHARS_MAX)) == ("2", ["ID123456"])
    assert GRAMMAR.parse(request.ljust(TEXT_CHARS_MAX + 1)) == Unrecognised(
        Reason.TOO_LONG, NearMiss("2 123456 1010")
    )


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("2 123456 1010", None),
        ("2 123456 1010 EN", "en"),
        ("GR 2 123456 1010", "el"),
        ("2 123456 1010 παρακαλώ", "el"),
        ("2 123456 el", "el"),
    ],
)
def test_the_language_is_told_by_a_tag_or_by_letters(text: str, language: str | None) -> None:
    """As with documents; a request without a postcode is answered in its language too."""
    assert GRAMMAR.parse(text).language == language


# Spellings of a known request

DIGITS = st.text("0123456789", min_size=10, max_size=10)
GAPS = st.sampled_from([" ", "  ", "\n", ", ", ". ", " - ", "\u00a0", ": ", " / ", "; "])
AROUND = st.sampled_from(["", " ", "«", "\n", "!", " 🙏", '"'])


def wide(number: str) -> st.SearchStrategy[str]:
    """Digits in ASCII or full-width, letters O for zeros."""
    return st.tuples(
        st.sampled_from([number, "".join(chr(0xFF10 + int(digit)) for digit in number)]),
        st.sampled_from("0Oo"),
    ).map(lambda pair: pair[0] if number.strip("0") == "" else pair[0].replace("0", pair[1]))


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, Document]:
    """A text with the code and the document that it asks for."""
    kind = draw(st.sampled_from(KINDS))
    number = draw(DIGITS)[: draw(st.sampled_from(kind.digits))]
    if re.fullmatch(r"0\d{8}", number):
        number = "1" + number[1:]  # a telephone number
    postcode = draw(DIGITS)[:4]
    code = draw(st.sampled_from(CODES))
    series = ""
    if not kind.bare or draw(st.booleans()):
        series = "".join(draw(st.sampled_from(spellings_of(letter))) for letter in kind.kind)
        series += draw(st.sampled_from(["", " ", " No ", "-"]))
    text = draw(AROUND) + draw(wide(code)) + draw(GAPS) + series + draw(wide(number))
    text += draw(GAPS) + draw(wide(postcode)) + draw(AROUND)
    return text, code, Document(kind.kind, number)


@given(requests())
def test_any_spelling_gives_the_same_request(case: tuple[str, str, Document]) -> None:
    """Case, gaps, scripts and quotes around a request change nothing in it."""
    text, code, document = case
    assert parsed(GRAMMAR, text) == (code, [document.text])


# Any text at all

TOKENS = re.findall(
    r"\S+",
    """
1 2 9 12 101 1010 2020 10101 12345 123456 1234567890 12345678901 0991234567 +35799123456 ID ARC
ARX A R C O o № - . , ; 25.03.2020 EN GR HELP END salam X ~ \ufffd \u200b παρακαλώ
    """,
)
SOUP = st.lists(st.sampled_from(TOKENS), max_size=9)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=80),
    st.text("12340AIDRCOo -+.,\n", max_size=40),
    SOUP.map("".join),
    SOUP.map(" ".join),
    SOUP.map("-".join),
    requests().map(lambda case: case[0]),
)


@given(TEXTS, st.sampled_from([GRAMMAR, FAMILY]))
def test_the_fast_path_gives_what_the_slow_path_gives(text: str, grammar: PostcodeGrammar) -> None:
    """The shortcut for the common form is no second opinion, and nothing raises."""
    assert grammar.parse(text) == grammar.parse_slowly(text)


@given(TEXTS, st.sampled_from([GRAMMAR, FAMILY]))
def test_nothing_is_invented(text: str, grammar: PostcodeGrammar) -> None:
    """Code, numbers and a postcode besides them stand in the text of every request."""
    result = grammar.parse(text)
    if isinstance(result, Unrecognised) and result.near_miss is not None:
        assert isinstance(grammar.parse(result.near_miss.example), PermitRequest)
    if not isinstance(result, PermitRequest):
        return
    folded = fold(text).replace("O", "0")
    digits = re.sub("[^0-9]", "", folded)
    assert result.code in digits
    assert 1 <= len(result.documents) <= grammar.documents_max
    counts = {kind.kind: kind.digits for kind in KINDS}
    for document in result.documents:
        assert document.number in digits
        assert len(document.number) in counts[document.kind]
        assert len(digits) >= len(result.code) + len(document.number) + 4
    assert re.search(r"(?<![0-9])[0-9]{4}(?![0-9])", folded)


@given(TEXTS)
def test_any_text_may_be_offered_as_a_document(text: str) -> None:
    """Register lines of any content are read or refused, without raising."""
    document = GRAMMAR.parse_document(text)
    assert document is None or GRAMMAR.parse_document(document.text) == document


# Grammars


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"postcode_digits": 5, "example_postcode": "10101"}, "cannot be told from ID"),
        ({"postcode_digits": 1, "example_postcode": "1"}, "cannot be told from codes"),
        ({"example_postcode": "101"}, "is not a postcode of 4 digits"),
        ({"example_postcode": "IOIO"}, "is not a postcode of 4 digits"),
        ({"kinds": (KINDS[1]._replace(example="ARC 1"),)}, "'1 ARC 1 1010' is not a ARC document"),
        ({"kinds": (KINDS[0]._replace(example="099123456"),)}, "is not a ID document"),
        ({"documents_max": 0}, "at least 1"),
        ({"example_code": "9"}, "not one of 1"),
        ({"commands": {"help": ("ID",)}}, "means a ID document already"),
    ],
)
def test_a_grammar_that_contradicts_itself_is_refused(
    changes: dict[str, object], message: str
) -> None:
    """Each way a grammar can be wrong has its own message."""
    good: dict[str, object] = {
        "codes": CODES,
        "kinds": KINDS,
        "documents_max": 1,
        "postcode_digits": 4,
        "example_postcode": "1010",
        "phone_plan": PLAN,
    }
    with pytest.raises(ValueError, match=message):
        PostcodeGrammar(**(good | changes))  # type: ignore[arg-type]  # the wrong values are the point
