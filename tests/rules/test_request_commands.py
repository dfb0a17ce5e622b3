"""Commands by SMS: the whole SMS says so, or it is none."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.documents import Document, DocumentKind
from rules.grammar.command_words import Commands
from rules.grammar.document_grammar import Grammar
from rules.grammar.folding import fold, spell, spellings_of
from rules.grammar.lexicon import Language, PhonePlan
from rules.grammar.request import TEXT_CHARS_MAX, Command, PermitRequest, Reason, Unrecognised

KINDS = (
    DocumentKind("AZE", (7, 8), ("AZE",), False, "AZE 1234567"),
    DocumentKind("AA", (7,), ("AA",), False, "AA 1234567"),
    DocumentKind("QM", (6, 7, 9), ("QM",), True, "QM 123456"),
)
LANGUAGES = (
    Language("az", ("AZERI",), "ğşçö"),
    Language("en", ("EN", "ENG")),
    Language("ru", ("RU",), "бвгджзийклмнптуфцчшщъыьэюя"),
)
COMMANDS: Commands = {
    "help": ("HELP", "KÖMƏK", "ПОМОЩЬ", "βοήθεια"),
    "status": ("STATUS",),
    "end": ("END", "RETURN", "RETURN EARLY", "QAYITDIM"),
    "language": (),
}
LIMIT = 3
GRAMMAR = Grammar(("1", "2"), KINDS, LIMIT, LANGUAGES, PhonePlan("994", 9), "2", COMMANDS)
SILENT = Grammar(("1", "2"), KINDS, LIMIT, LANGUAGES, PhonePlan("994", 9), "2")


@pytest.mark.parametrize(
    ("text", "name", "documents", "language"),
    [
        ("HELP", "help", [], None),
        ("help!", "help", [], None),
        ("“Status?”\n", "status", [], None),
        ("ＳＴＡＴＵＳ", "status", [], None),
        ("ЅТАТUЅ", "status", [], None),
        ("kömək", "help", [], None),
        ("Komek", "help", [], None),
        ("KÖMEK", "help", [], None),
        ("ko\u0308m\u0259k", "help", [], None),
        ("помощь", "help", [], "ru"),
        ("ΒΟΗΘΕΙΑ", "help", [], None),
        ("Βοηθεια", "help", [], None),
        ("return", "end", [], None),
        ("Return,  early.", "end", [], None),
        ("QAYITDIM", "end", [], None),
        # with a language
        ("EN status", "status", [], "en"),
        ("status en", "status", [], "en"),
        ("ru status en", "status", [], None),
        # with documents
        ("STATUS AZE 1111111", "status", ["AZE1111111"], None),
        ("END AZE1111111", "end", ["AZE1111111"], None),
        ("status: A Z E № 1111111", "status", ["AZE1111111"], None),
        ("STATUS AZE 1111111, AA 2222222 və AA 3333333 EN", "status", 3, "en"),
        ("STATUS AZE 1111111 AZE 1111111", "status", ["AZE1111111"], None),
        ("END 1111111", "end", ["QM1111111"], None),
        ("END111111", "end", ["QM111111"], None),
        ("END 11111OO", "end", ["QM1111100"], None),
        ("return early 1111111 2222222", "end", ["QM1111111", "QM2222222"], None),
        ("AZE 1111111 END", "end", ["AZE1111111"], None),
        ("1111111 qayıtdım", "end", ["QM1111111"], None),
        ("AZE 1111111 return early EN", "end", ["AZE1111111"], "en"),
        ("END AZE 1111111 +994501234567", "end", ["AZE1111111"], None),
    ],
)
def test_a_command_is_understood(
    text: str, name: str, documents: list[str] | int, language: str | None
) -> None:
    """A command word at either end, documents or none, a language tag or none."""
    command = GRAMMAR.parse(text)
    assert isinstance(command, Command), (text, command)
    assert (command.name, command.language) == (name, language)
    named = [document.text for document in command.documents]
    assert documents == (len(named) if isinstance(documents, int) else named)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("help me please", Reason.UNREADABLE),
        ("END of the world", Reason.UNREADABLE),
        ("the END", Reason.UNREADABLE),
        ("STATUS END", Reason.UNREADABLE),
        ("END x", Reason.UNREADABLE),
        ("ENDED", Reason.UNREADABLE),
        ("END\ufffd", Reason.UNREADABLE),
        ("END 0501234567", Reason.UNREADABLE),
        ("END +994501234567", Reason.UNREADABLE),
        ("please STATUS AZE 1111111", Reason.NO_CODE),
        ("STATUS for AZE 1111111", Reason.NO_CODE),
        ("STATUS AZE", Reason.BAD_DOCUMENT),
        ("STATUS AZE 111", Reason.BAD_DOCUMENT),
        ("STATUS AZR 1111111", Reason.BAD_DOCUMENT),
        ("END 1111", Reason.UNREADABLE),
        ("STATUS 7 AZE 1111111", Reason.UNKNOWN_CODE),
        ("STATUS 1111111 AZE 2222222", Reason.AMBIGUOUS),
        ("STATUS AA 1111111 AA 2222222 AA 3333333 AA 4444444", Reason.TOO_MANY_DOCUMENTS),
    ],
)
def test_what_is_not_the_whole_sms_is_no_command(text: str, reason: Reason) -> None:
    """Other words, damaged documents and telephone numbers make it no command: none is guessed."""
    result = GRAMMAR.parse(text)
    assert isinstance(result, Unrecognised), result
    assert result.reason is reason


@pytest.mark.parametrize(
    "text",
    [
        "2 AZE 1111111",
        "HELP 2 AZE 1111111",
        "2 AZE 1111111 help",
        "HELP AZE 1111111 2",
        "anama kömək üçün 2 AZE 1111111",
        "my return is at six, 2 AZE 1111111",
        "2 AZE 1111111 END of message",
    ],
)
def test_a_request_stays_a_request(text: str) -> None:
    """A code and a document ask for a permit, whatever words stand around them, help too."""
    result = GRAMMAR.parse(text)
    assert isinstance(result, PermitRequest)
    assert result[:2] == ("2", (Document("AZE", "1111111"),))


def test_help_before_bare_digits_is_no_mistyped_series() -> None:
    """HELP has four letters like a series, and is none."""
    assert GRAMMAR.parse("HELP 1111111 2") == PermitRequest("2", (Document("QM", "1111111"),))
    assert GRAMMAR.parse("HELQ 1111111 2")[0] is Reason.BAD_DOCUMENT


@pytest.mark.parametrize(
    "text",
    [
        "END 2 AZE 1111111",
        "2 AZE 1111111 END",
        "STATUS 2 AZE 1111111 EN",
        "END AZE 1111111 2",
        "END 2",
        "2 END",
        "STATUS 2 1111111",
    ],
)
def test_a_command_and_a_code_are_two_readings(text: str) -> None:
    """To end a permit or to ask for one? Neither is done, and the reply says so."""
    result = GRAMMAR.parse(text)
    assert isinstance(result, Unrecognised)
    assert result.reason is Reason.AMBIGUOUS
    assert result.near_miss is not None
    assert isinstance(GRAMMAR.parse(result.near_miss.example), PermitRequest)


@pytest.mark.parametrize(("text", "language"), [("EN", "en"), ("«ru».", "ru"), (" azeri\n", "az")])
def test_a_language_tag_alone_chooses_the_language(text: str, language: str) -> None:
    """It is a command where the policy has it, and a hint at most where not."""
    assert GRAMMAR.parse(text) == Command("language", (), language)
    assert SILENT.parse(text) == Unrecognised(Reason.UNREADABLE, None, language)


@pytest.mark.parametrize("text", ["EN RU", "EN 2", "EN\ufffd", "en please"])
def test_a_language_tag_with_anything_else_is_no_choice(text: str) -> None:
    """Two tags, a code or other words leave the language as it is."""
    assert isinstance(GRAMMAR.parse(text), Unrecognised)


def test_a_policy_without_commands_has_none() -> None:
    """The words are the policy's, not the program's."""
    assert SILENT.parse("HELP") == Unrecognised(Reason.UNREADABLE)
    assert isinstance(SILENT.parse("END 2 AZE 1111111"), PermitRequest)


def test_the_length_limit_holds_for_commands() -> None:
    """A command of the longest length is read, and one character more is refused unread."""
    assert GRAMMAR.parse("STATUS".ljust(TEXT_CHARS_MAX)) == Command("status")
    assert GRAMMAR.parse("STATUS".ljust(TEXT_CHARS_MAX + 1))[0] is Reason.TOO_LONG


@pytest.mark.parametrize(
    ("commands", "message"),
    [
        ({"help": ("HELP2",)}, "'HELP2' is not letters alone"),
        ({"help": ("",)}, "is not letters alone"),
        ({"help": ("A.Z",)}, "is not letters alone"),
        ({"help": ("aze",)}, "'aze' means a AZE document already"),
        ({"help": ("EN",)}, "'EN' means language en already"),
        ({"help": ("HELP EN",)}, "'HELP EN' means language en already"),
        ({"help": ("və",)}, "'və' means a word between documents already"),
        ({"help": ("STOP",), "end": ("stop",)}, "'stop' means help and end"),
        ({"help": ("KÖMƏK",), "end": ("KOMEK",)}, "'KOMEK' means help and end"),
    ],
)
def test_a_command_word_with_two_meanings_is_refused(commands: Commands, message: str) -> None:
    """Each word has one meaning, and is a word."""
    with pytest.raises(ValueError, match=re.escape(message)):
        Grammar(("1", "2"), KINDS, LIMIT, LANGUAGES, None, "2", commands)


# Any spelling, any text


def spelled(word: str) -> st.SearchStrategy[str]:
    """Letters in either case, in look-alikes, full-width."""
    return st.tuples(*(st.sampled_from(spellings_of(c) + chr(ord(c) + 0xFEE0)) for c in word)).map(
        "".join
    )


AROUND = st.sampled_from(["", " ", "\n", "“", ". ", " - ", "\u200b", "!", " 🙏"])


@given(AROUND, spelled("STATUS"), st.sampled_from([" ", "\n", ": ", ""]), spelled("AA"), AROUND)
def test_any_spelling_gives_the_same_command(
    before: str, word: str, gap: str, series: str, after: str
) -> None:
    """Case, scripts, quotes and gaps change nothing in a command."""
    assert GRAMMAR.parse(before + word + after) == Command("status")
    document = Document("AA", "1234567")
    text = f"{before}{word}{gap or ' '}{series}{gap}1234567{after}"
    assert GRAMMAR.parse(text) == Command("status", (document,))


TOKENS = re.findall(
    r"\S+",
    """
1 2 7 111 123456 1111111 0501234567 +994501234567 AZE AA QM AZR EN ru HELP status END return early
və kömək ПОМОЩЬ salam No - , ; \ufffd X
    """,
)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=60),
    st.lists(st.sampled_from(TOKENS), max_size=8).map(" ".join),
    st.lists(st.sampled_from(TOKENS), max_size=8).map("".join),
)


@given(TEXTS)
def test_commands_are_never_invented(text: str) -> None:
    """A command has its word in the text and no code; its documents stand there too."""
    result = GRAMMAR.parse(text)
    assert result == GRAMMAR.parse_slowly(text)
    if not isinstance(result, Command):
        return
    said = re.findall(r"[^\W\d_]+", spell(text))
    words = [spell(word) for word in COMMANDS[result.name]]
    if result.name == "language":
        assert len(said) == 1
        assert result.language is not None
    else:
        assert {said[0], said[-1], said[min(1, len(said) - 1)], said[max(-2, -len(said))]} & {
            part for word in words for part in word.split()
        }
    digits = re.sub("[^0-9]", "", fold(text).replace("O", "0"))
    assert all(document.number in digits for document in result.documents)
    assert not re.search(r"(?<![0-9-])[12](?![0-9-])", fold(text).replace(" ", "  "))


@given(TEXTS)
def test_every_example_is_a_request(text: str) -> None:
    """Whoever copies the example of a reply is understood."""
    result = GRAMMAR.parse(text)
    if isinstance(result, Unrecognised) and result.near_miss is not None:
        assert isinstance(GRAMMAR.parse(result.near_miss.example), PermitRequest)


@given(st.text(st.characters(exclude_categories=())))
def test_spelling_goes_along_with_folding(text: str) -> None:
    """Both forms have the same length and differ only where folding gives up on a letter."""
    for folded, letter in zip(fold(text), spell(text), strict=True):
        assert letter == folded or (folded == "~" and letter.isalpha())


@given(st.text(st.characters(exclude_categories=())))
def test_spelling_again_changes_nothing_but_unknown_signs(text: str) -> None:
    """A spelled text is its own spelling."""
    once = spell(text).replace("~", "")
    assert spell(once) == once
