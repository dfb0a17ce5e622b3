"""Requests with a name and address, as in Greece: the code first, and the rest as it is typed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.documents import NAME, Document
from rules.grammar.command_words import Commands
from rules.grammar.folding import spell
from rules.grammar.lexicon import Language
from rules.grammar.name_grammar import NAME_CHARS_MAX, NameGrammar
from rules.grammar.request import (
    TEXT_CHARS_MAX,
    Command,
    NearMiss,
    PermitRequest,
    Reason,
    Unrecognised,
)
from rules.sms_length import is_gsm

ENDING = "ΜΑΡΙΑ ΠΑΠΠΑ ΕΡΜΟΥ 10"
LANGUAGES = (Language("el", ("GR", "ΕΛ"), "γδθλξπσςφψω"), Language("en", ("EN", "ENG")))
COMMANDS: Commands = {"help": ("HELP", "ΒΟΗΘΕΙΑ"), "status": ("STATUS",), "language": ()}
CODES = tuple("123456")
GRAMMAR = NameGrammar(CODES, 3, ENDING, LANGUAGES, "2", COMMANDS)
GREEK = "MAPIA ΠAΠΠA EPMOY 10"  # Latin letters where they look the same
LATIN = "MARIA PAPPA ERMOU 10"


@pytest.mark.parametrize(
    ("text", "code", "name"),
    [
        # as published
        ("2 ΜΑΡΙΑ ΠΑΠΠΑ ΕΡΜΟΥ 10", "2", GREEK),
        ("2 Maria Pappa Ermou 10", "2", LATIN),
        # as typed: accents, case, alphabets mixed by the phone, line breaks, punctuation
        ("2 Μαρία Παππά, Ερμού 10", "2", GREEK),
        ("2 Μαρι\u0301α Παππά Ερμού 10", "2", GREEK),
        ("2 MAPIA ΠAΠΠA EPMOY 10", "2", GREEK),
        ("2Μαρία\r\nΠαππά\nΕρμού 10", "2", GREEK),
        ("2. Μαρία   Παππά - Ερμού 10.", "2", GREEK),
        ("«2 ΜΑΡΙΑ ΠΑΠΠΑ, ΕΡΜΟΥ 10»", "2", GREEK),
        ("２ Ｍａｒｉａ Pappa Ermou １０", "2", LATIN),
        ("  6) maria pappa, ermou 10 🙏", "6", LATIN),
        ("1\u200b Maria\u00a0Pappa Ermou 10", "1", LATIN),
        ("3 O'Brien 12-14 Ermou", "3", "O BRIEN 12 14 ERMOU"),
        ("3 Γιώργος Ξένος 25ης Μαρτίου 7, 10552", "3", "ΓIΩPΓOΣ ΞENOΣ 25HΣ MAPTIOY 7 10552"),
        ("4 Jürgen Groß Athinas", "4", "JURGEN GROS ATHINAS"),
        ("5 Иван Петров Ермоу", "5", None),
    ],
)
def test_a_request_is_understood(text: str, code: str, name: str | None) -> None:
    """The same name and address is the same document, however it is typed."""
    result = GRAMMAR.parse(text)
    assert isinstance(result, PermitRequest), (text, result)
    assert result.code == code
    if name is not None:
        assert result.documents == (Document(NAME, name),)


def test_a_name_in_capitals_of_the_gsm_alphabet_costs_one_segment() -> None:
    """A reply that repeats a Greek name and address stays in the GSM alphabet."""
    result = GRAMMAR.parse("2 Μαρία Παππά, Ερμού 10")
    assert isinstance(result, PermitRequest)
    assert result.documents[0].text == GREEK
    assert is_gsm(result.documents[0].text)


@pytest.mark.parametrize(
    ("text", "reason", "near"),
    [
        ("", Reason.EMPTY, None),
        (" ...\n🙂", Reason.EMPTY, None),
        ("salam", Reason.UNREADABLE, None),
        ("\ufffd\ufffd", Reason.UNREADABLE, None),
        ("2", Reason.NO_DOCUMENT, NearMiss(f"2 {ENDING}", "2")),
        ("3 Maria Pappa", Reason.NO_DOCUMENT, NearMiss(f"3 {ENDING}", "3")),
        ("2 2 Maria Pappa Ermou", Reason.NO_DOCUMENT, NearMiss(f"2 {ENDING}", "2")),
        ("7", Reason.UNKNOWN_CODE, NearMiss(f"2 {ENDING}", "7")),
        ("7 Maria Pappa Ermou", Reason.UNKNOWN_CODE, NearMiss(f"2 {ENDING}", "7")),
        ("22 Maria Pappa Ermou", Reason.UNKNOWN_CODE, NearMiss(f"2 {ENDING}", "22")),
        ("Maria Pappa Ermou 10", Reason.NO_CODE, NearMiss(f"2 {ENDING}", documents=1)),
        ("Maria Pappa Ermou 2", Reason.NO_CODE, NearMiss(f"2 {ENDING}", documents=1)),
        ("Ermou 2 Maria Pappa", Reason.NO_CODE, NearMiss(f"2 {ENDING}", documents=1)),
        ("6912345678 Maria Pappa Ermou", Reason.NO_CODE, NearMiss(f"2 {ENDING}", documents=1)),
        ("6912345678", Reason.UNREADABLE, None),
        ("2 " + "abcd " * 30, Reason.TOO_LONG, NearMiss(f"2 {ENDING}", "2")),
    ],
)
def test_what_is_no_request_tells_why(text: str, reason: Reason, near: NearMiss | None) -> None:
    """The code comes first, as a house number could be one; the example keeps the code."""
    assert GRAMMAR.parse(text) == Unrecognised(reason, near)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("help", Command("help")),
        ("βοήθεια!", Command("help")),
        ("EN status", Command("status", (), "en")),
        ("STATUS Maria Pappa, Ermou 10 EN", Command("status", (Document(NAME, LATIN),), "en")),
        ("ελ", Command("language", (), "el")),
    ],
)
def test_a_command_is_understood(text: str, command: Command) -> None:
    """A command word first, a name and address or nothing behind it, a language tag."""
    assert GRAMMAR.parse(text) == command


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("help me", Reason.UNREADABLE),
        ("STATUS 2", Reason.UNREADABLE),
        ("STATUS\ufffd", Reason.UNREADABLE),
        ("Maria Pappa Ermou status", Reason.NO_CODE),
        ("STATUS 2 Maria Pappa Ermou", Reason.NO_CODE),
        ("STATUS " + "abcd " * 30, Reason.NO_CODE),
    ],
)
def test_what_is_not_the_whole_sms_is_no_command(text: str, reason: Reason) -> None:
    """Too few words, a code, or words before it make it no command."""
    result = GRAMMAR.parse(text)
    assert isinstance(result, Unrecognised), result
    assert result.reason is reason


def test_a_request_stays_a_request() -> None:
    """Behind a code, a command word is a part of the name and address."""
    result = GRAMMAR.parse("2 Help Pappa Status 10")
    assert result == PermitRequest("2", (Document(NAME, "HELP PAPPA STATUS 10"),))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (f"2 {LATIN}", None),
        (f"2 {LATIN} en", "en"),
        (f"GR 2 {LATIN}", "el"),
        (f"GR 2 {LATIN} en", None),
        ("2 Μαρία Παππά Ερμού 10", "el"),
        ("2 Μαρία Παππά Ερμού 10 EN", "en"),
    ],
)
def test_a_language_tag_is_no_part_of_the_name(text: str, language: str | None) -> None:
    """A tag at either end asks for a language; Greek letters tell it."""
    result = GRAMMAR.parse(text)
    assert isinstance(result, PermitRequest)
    assert result.language == language
    assert result.documents[0].number in (LATIN, GREEK)


def test_the_length_limits_are_exact() -> None:
    """The longest name and the longest text are read, and one character more is refused."""
    longest = "A B " + "C" * (NAME_CHARS_MAX - 4)
    result = GRAMMAR.parse(f"2 {longest}".ljust(TEXT_CHARS_MAX))
    assert result == PermitRequest("2", (Document(NAME, longest),))
    assert GRAMMAR.parse(f"2 {longest}C")[0] is Reason.TOO_LONG
    assert GRAMMAR.parse_document(longest) == Document(NAME, longest)
    assert GRAMMAR.parse_document(longest + "C") is None
    assert GRAMMAR.parse("2 a b c".ljust(TEXT_CHARS_MAX + 1)) == Unrecognised(
        Reason.TOO_LONG, NearMiss(f"2 {ENDING}")
    )


def test_the_least_number_of_words_is_exact() -> None:
    """Digits count as words, but the first word is a name."""
    assert isinstance(GRAMMAR.parse("2 Maria Ermou 10"), PermitRequest)
    assert GRAMMAR.parse("2 Maria Ermou")[0] is Reason.NO_DOCUMENT
    assert GRAMMAR.parse_document("Maria Ermou 10") == Document(NAME, "MARIA ERMOU 10")
    assert GRAMMAR.parse_document("Maria Ermou") is None
    assert GRAMMAR.parse_document("2 Maria Ermou") is None


# Any text at all

WORDS = st.text(
    st.characters(categories=("Lu", "Ll"), max_codepoint=0x3FF), min_size=1, max_size=8
).filter(lambda word: spell(word) not in ("GR", "EΛ", "EN", "ENG") and "~" not in spell(word))
GAPS = st.sampled_from([" ", "  ", "\n", ", ", ",\r\n", " - ", ". "])


@given(st.sampled_from(CODES), st.lists(WORDS, min_size=3, max_size=6), st.data())
def test_any_spelling_gives_the_same_request(
    code: str, words: list[str], data: st.DataObject
) -> None:
    """Case and gaps change nothing in a name and address."""
    plain = GRAMMAR.parse(f"{code} {' '.join(words)}")
    text = code + "".join(data.draw(GAPS) + word for word in words)
    assert isinstance(plain, PermitRequest)
    assert GRAMMAR.parse(text)[:2] == plain[:2]
    assert plain.documents[0].number == " ".join(spell(word) for word in words)
    assert GRAMMAR.parse_document(" ".join(words)) == plain.documents[0]


TOKENS = re.findall(
    r"\S+",
    "1 2 7 22 10 10552 6912345678 +30 Μαρία Παππά Maria Ermou EN GR help STATUS , . ~ \ufffd 🙂",
)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=80),
    st.lists(st.sampled_from(TOKENS), max_size=8).map(" ".join),
    st.lists(st.sampled_from(TOKENS), max_size=8).map("".join),
)
ALLOWED = {
    Reason.EMPTY,
    Reason.TOO_LONG,
    Reason.UNREADABLE,
    Reason.NO_CODE,
    Reason.UNKNOWN_CODE,
    Reason.NO_DOCUMENT,
}


@given(TEXTS)
def test_nothing_is_invented(text: str) -> None:
    """A request begins with its code; every example is one; the policy has every reason."""
    result = GRAMMAR.parse(text)
    if isinstance(result, Unrecognised):
        assert result.reason in ALLOWED
        if result.near_miss is not None:
            assert isinstance(GRAMMAR.parse(result.near_miss.example), PermitRequest)
    elif isinstance(result, PermitRequest):
        (document,) = result.documents
        words = re.findall(r"[^\W_]+", spell(text))
        assert words[0].startswith(result.code) or words[1].startswith(result.code)
        assert " ".join(words).find(document.number) > 0
        assert len(document.number.split()) >= 3
        assert len(document.number) <= NAME_CHARS_MAX


@given(TEXTS)
def test_any_text_may_be_offered_as_a_document(text: str) -> None:
    """What is kept of a name and address is read as the same again, without raising."""
    document = GRAMMAR.parse_document(text)
    assert document is None or GRAMMAR.parse_document(document.text) == document


# Grammars


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"codes": ()}, "codes must be given"),
        ({"words_min": 0}, "at least 1 is needed"),
        ({"example_code": "9"}, "not one of 1"),
        ({"example_ending": "MARIA PAPPA"}, "'1 MARIA PAPPA' is not a name and address"),
        ({"example_ending": "10 ERMOU MARIA"}, "is not a name and address"),
        ({"languages": (Language("x", ("E-N",)),)}, "'E-N' is not letters alone"),
        ({"languages": (Language("x", ("EN",)), Language("y", ("ΕΝ",)))}, "another meaning"),
        ({"commands": {"help": ("EN",)}}, "means language en already"),
    ],
)
def test_a_grammar_that_contradicts_itself_is_refused(
    changes: dict[str, object], message: str
) -> None:
    """Each way a grammar can be wrong has its own message."""
    good: dict[str, object] = {
        "codes": CODES,
        "words_min": 3,
        "example_ending": ENDING,
        "languages": LANGUAGES,
    }
    with pytest.raises(ValueError, match=message):
        NameGrammar(**(good | changes))  # type: ignore[arg-type]  # the wrong values are the point
