"""Requests as people type them: the same request however spelled, and never a guessed one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.documents import Document, DocumentKind
from rules.grammar.document_grammar import Grammar
from rules.grammar.folding import fold, spellings_of
from rules.grammar.lexicon import Language, PhonePlan
from rules.grammar.request import (
    TEXT_CHARS_MAX,
    NearMiss,
    PermitRequest,
    Reason,
    Unrecognised,
)

SEVEN = (7,)
KINDS = (
    DocumentKind("AZE", (7, 8), ("AZE",), False, "AZE 1234567"),
    DocumentKind("AA", SEVEN, ("AA",), False, "AA 1234567"),
    DocumentKind("MYI", SEVEN, ("MYİ", "MYI"), False, "MYİ 1234567"),
    DocumentKind("DYI", SEVEN, ("DYİ", "DYI"), False, "DYİ 1234567"),
    DocumentKind("MOM", SEVEN, ("MOM",), False, "MOM 1234567"),
    DocumentKind("QM", tuple(range(6, 13)), ("QM",), True, "QM 123456"),
)
LANGUAGES = (
    Language("az", ("AZ",), "ğşçö"),
    Language("en", ("EN", "ENG")),
    Language("ru", ("RU", "РУС"), "бвгджзийклмнптуфцчшщъыьэюя"),
)
PLAN = PhonePlan("994", 9)
LIMIT = 5
GRAMMAR = Grammar(("1", "2", "3"), KINDS, LIMIT, LANGUAGES, PLAN, "2")


def parsed(text: str) -> tuple[str, list[str]]:
    """Return code and documents of a text that must be a request."""
    result = GRAMMAR.parse(text)
    assert isinstance(result, PermitRequest), (text, result)
    return result.code, [document.text for document in result.documents]


@pytest.mark.parametrize(
    ("text", "code", "documents"),
    [
        # as published
        ("2 AZE 1111111", "2", ["AZE1111111"]),
        ("2AZE11111111", "2", ["AZE11111111"]),
        # as typed
        ("  2   aze\n1111111.", "2", ["AZE1111111"]),
        ("“2 AZE 1111111”", "2", ["AZE1111111"]),
        ("2-AZE-1111111", "2", ["AZE1111111"]),
        ("2+AZE+1111111", "2", ["AZE1111111"]),
        ("1 АЗЕ № 1111111", "1", ["AZE1111111"]),
        ("1 A.Z.E. No1111111", "1", ["AZE1111111"]),
        ("3 myı 1234567", "3", ["MYI1234567"]),
        ("3 MYI\u0307 1234567", "3", ["MYI1234567"]),
        ("２ ＡＡ １２３４５６７", "2", ["AA1234567"]),
        ("2\u200b AA\u00a012\u200d34567", "2", ["AA1234567"]),
        ("2\ufe0f\u20e3 AA 1234567", "2", ["AA1234567"]),
        ("2 AZE 11O111o", "2", ["AZE1101110"]),
        ("2 AZEО111111", "2", ["AZE0111111"]),
        ("2 AZE 111-11-11", "2", ["AZE1111111"]),
        ("2 AZE 111 1111", "2", ["AZE1111111"]),
        ("2ci indeks, AZE seriyalı nömrə AZE 1111111", "2", ["AZE1111111"]),
        # the code behind
        ("AZE 1111111 2", "2", ["AZE1111111"]),
        ("AZE 1111111 2\nAZE 2222222 2", "2", ["AZE1111111", "AZE2222222"]),
        # households, and the same document or code twice
        ("2 AZE 1111111, AA 2222222", "2", ["AZE1111111", "AA2222222"]),
        ("2AZE1111111AA2222222", "2", ["AZE1111111", "AA2222222"]),
        ("2 AZE 1111111 2 AZE 2222222", "2", ["AZE1111111", "AZE2222222"]),
        ("2 AZE 1111111\n2 AZE 1111111", "2", ["AZE1111111"]),
        # digits without a series
        ("2 1111111", "2", ["QM1111111"]),
        ("1111111 2", "2", ["QM1111111"]),
        ("2 21111111", "2", ["QM21111111"]),
        ("2 1111111 və 2222222", "2", ["QM1111111", "QM2222222"]),
        # other numbers in the text
        ("+994 (50) 123-45-67 2 AZE 1111111", "2", ["AZE1111111"]),
        ("2 AZE 1111111 tel 0501234567", "2", ["AZE1111111"]),
        ("2 AZE 1111111 tel 050 123 45 67", "2", ["AZE1111111"]),
        ("05.04.2020 tarixdə 2 AZE 1111111", "2", ["AZE1111111"]),
        ("2 AZE 1111111 Nizami küç 12", "2", ["AZE1111111"]),
        # a telephone number with its series is what it says
        ("2 QM 994501234567", "2", ["QM994501234567"]),
    ],
)
def test_a_request_is_understood(text: str, code: str, documents: list[str]) -> None:
    """Every way of typing a request that can be read in one way only is read that way."""
    assert parsed(text) == (code, documents)


@pytest.mark.parametrize(
    ("text", "reason", "near"),
    [
        ("", Reason.EMPTY, None),
        (" ...\n🙂", Reason.EMPTY, None),
        ("salam", Reason.UNREADABLE, None),
        ("\ufffd\ufffd\ufffd", Reason.UNREADABLE, None),
        ("2", Reason.NO_DOCUMENT, NearMiss("2 AZE 1234567", "2")),
        ("3 994501234567", Reason.NO_DOCUMENT, NearMiss("3 AZE 1234567", "3")),
        (
            "AA 1111111",
            Reason.NO_CODE,
            NearMiss("2 AA 1234567", None, "AA", None, SEVEN, 1),
        ),
        (
            "7 AA 1111111",
            Reason.UNKNOWN_CODE,
            NearMiss("2 AA 1234567", "7", "AA", None, SEVEN, 1),
        ),
        (
            "12 AA 1111111",
            Reason.UNKNOWN_CODE,
            NearMiss("2 AA 1234567", "12", "AA", None, SEVEN, 1),
        ),
        (
            "2 AZE 111",
            Reason.BAD_DOCUMENT,
            NearMiss("2 AZE 1234567", "2", "AZE", 3, (7, 8)),
        ),
        ("1 AA", Reason.BAD_DOCUMENT, NearMiss("1 AA 1234567", "1", "AA", 0, SEVEN)),
        (
            "2 AA 1111111X",
            Reason.BAD_DOCUMENT,
            NearMiss("2 AA 1234567", "2", "AA", None, SEVEN),
        ),
        ("2 AZR 1111111", Reason.BAD_DOCUMENT, NearMiss("2 AZE 1234567", "2", None, 7)),
        ("2 AZ 1111111", Reason.BAD_DOCUMENT, NearMiss("2 AZE 1234567", "2", None, 7)),
        ("2 12345", Reason.BAD_DOCUMENT, NearMiss("2 AZE 1234567", "2", None, 5)),
    ],
)
def test_a_near_miss_says_what_was_understood(
    text: str, reason: Reason, near: NearMiss | None
) -> None:
    """A text that is no request is answered with its reason and an example to imitate."""
    assert GRAMMAR.parse(text) == Unrecognised(reason, near)


@pytest.mark.parametrize(
    "text",
    [
        "1 AZE 1111111 code 2",
        "1 2 AZE 1111111",
        "2 7 AZE 1111111",
        "2 AZE 1111111 2",
        "2 AZE 1111111-2",
        "AZE 2 1111111",
        "2 AZE 111111 2",
        "2 AZE 111111 2 AZE 2222222",
        "2 AZE 1111111 2222222",
        "2 AZE 1111111, 2222222",
        "21111111",
        "2-1111111",
        "2 123456 123456",
        "123456 123456 2",
        "2 1111111 2",
    ],
)
def test_two_readings_are_no_request(text: str) -> None:
    """Where digits can be read in two ways, neither is chosen."""
    result = GRAMMAR.parse(text)
    assert isinstance(result, Unrecognised)
    assert result.reason is Reason.AMBIGUOUS


@pytest.mark.parametrize(
    "text",
    [
        "2 AZE 111 və 1111111",
        "2 AZE 1111111 və 22222",
        "2 AZE 1111111 AA 222222",
        "2 AZE 111111З",
        "2 AZE 1111111\ufffd",
        "2 XAZE1111111",
        "2 AZE +1111111",
        "2 AZE 111²1111",
        "mom 2 AZE 1111111",
    ],
)
def test_a_damaged_document_spoils_the_request(text: str) -> None:
    """Beside a document with something wrong, no other digits become a document."""
    result = GRAMMAR.parse(text)
    assert isinstance(result, Unrecognised)
    assert result.reason is Reason.BAD_DOCUMENT


def test_the_household_limit_counts_different_documents() -> None:
    """As many documents as allowed pass, one more does not, and repeats do not count."""
    texts = [f"AA 111111{n}" for n in range(LIMIT + 1)]
    assert len(parsed("2 " + " ".join(texts[:LIMIT] * 2))[1]) == LIMIT
    too_many = GRAMMAR.parse("2 " + " ".join(texts))
    assert isinstance(too_many, Unrecognised)
    assert too_many.reason is Reason.TOO_MANY_DOCUMENTS
    assert too_many.near_miss is not None
    assert too_many.near_miss.documents == LIMIT + 1


def test_the_length_limit_is_exact() -> None:
    """A text of the longest length is read, and one character more is refused unread."""
    request = "2 AZE 1111111"
    assert parsed(request.ljust(TEXT_CHARS_MAX)) == ("2", ["AZE1111111"])
    assert GRAMMAR.parse(request.ljust(TEXT_CHARS_MAX + 1)) == Unrecognised(
        Reason.TOO_LONG, NearMiss("2 AZE 1234567")
    )


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("2 AZE 1111111", None),
        ("2 АЗЕ 1111111", None),
        ("2 AZE 1111111 EN", "en"),
        ("eng 2 AZE 1111111", "en"),
        ("2 AZE 1111111 рус", "ru"),
        ("en 2 AZE 1111111 ru", None),
        ("2 AZE 1111111 en gec saat", None),
        ("Прошу разрешить 2 АЗЕ 1111111", "ru"),
        ("пожалуйста", "ru"),
        ("çıxmaq üçün icazə", "az"),
        ("salam", None),
    ],
)
def test_the_language_is_told_by_a_tag_or_by_letters(text: str, language: str | None) -> None:
    """A tag at either end asks for a language; letters of one language alone tell it."""
    assert GRAMMAR.parse(text).language == language


# Spellings of a known request


def spelled(word: str) -> st.SearchStrategy[str]:
    """Letters in either case, in look-alikes, full-width."""
    return st.tuples(*(st.sampled_from(spellings_of(c) + chr(ord(c) + 0xFEE0)) for c in word)).map(
        "".join
    )


def digits_of(number: str) -> st.SearchStrategy[str]:
    """Digits in ASCII, full-width or Arabic, letters O for zeros where a digit is left."""
    return st.tuples(
        *(st.sampled_from([d, d, chr(0xFF10 + int(d)), chr(0x660 + int(d))]) for d in number),
        st.sampled_from("0OoОо" if number.strip("0") else "0"),
    ).map(lambda row: "".join(row[:-1]).replace("0", row[-1]))


GAPS = st.sampled_from(
    ["", " ", "   ", "\n", "\r\n", "-", " - ", ".", "\u00a0", "\u200b", " № ", "#", ": "]
)
BREAKS = st.sampled_from([" ", "  ", "\n", ", ", "; ", " və ", " и ", " and ", " / "])
BEFORE = st.sampled_from(
    ["", "«", '"', "Salam, xahiş edirəm ", "kod ", "Здравствуйте! Код ", "Please: ", "№"]
)
AFTER = st.sampled_from(
    ["", "»", '"', ".", " təşəkkürlər", " спасибо большое", " thank you!", " 🙏", " EN"]
)
NUMBER = st.text("0123456789", min_size=12, max_size=12)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A document of any kind, with a good number."""
    kind = draw(st.sampled_from(KINDS))
    return Document(kind.kind, draw(NUMBER)[: draw(st.sampled_from(kind.digits))])


@st.composite
def cut(draw: st.DrawFn, number: str) -> str:
    """A number whole or in groups of at least two digits, as a code has one."""
    at = draw(st.integers(2, len(number) - 2))
    head, tail = draw(digits_of(number[:at])), draw(digits_of(number[at:]))
    whole = draw(digits_of(number))
    return draw(st.sampled_from([whole, whole, f"{head}-{tail}", f"{head}.{tail}"]))


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, str, list[Document]]:
    """A text with the code and the documents that it asks for, in order."""
    code = draw(st.sampled_from("123"))
    wanted = draw(st.lists(documents(), min_size=1, max_size=LIMIT, unique=True))
    typed = [
        draw(spelled(document.kind)) + draw(GAPS) + draw(cut(document.number))
        for document in wanted
    ]
    first, *others = typed
    text = draw(digits_of(code)) + draw(GAPS) + first
    text += "".join(draw(BREAKS) + other for other in others)
    return draw(BEFORE) + text + draw(AFTER), code, wanted


@given(requests())
def test_any_spelling_gives_the_same_request(case: tuple[str, str, list[Document]]) -> None:
    """Case, gaps, scripts, quotes and words around a request change nothing in it."""
    text, code, wanted = case
    assert parsed(text) == (code, [document.text for document in wanted])


@given(st.sampled_from("123"), documents(), BEFORE, AFTER, st.sampled_from([" ", "\n", "  "]))
def test_bare_digits_are_the_kind_without_a_series(
    code: str, document: Document, before: str, after: str, gap: str
) -> None:
    """A code and digits alone ask for the bare kind, unless they are a telephone number."""
    phone = re.fullmatch(r"(994|0)\d{9}", document.number)
    bare = GRAMMAR.parse(before + code + gap + document.number + after)
    if phone:
        assert isinstance(bare, Unrecognised)
    else:
        assert bare[:2] == (code, (Document("QM", document.number),))


@given(requests(), st.sampled_from(KINDS), st.data())
def test_a_digit_too_few_or_too_many_is_never_a_permit(
    case: tuple[str, str, list[Document]], kind: DocumentKind, data: st.DataObject
) -> None:
    """A number of a wrong length gives no request, alone or in a household, however spelled."""
    text, code, _ = case
    count = data.draw(st.sampled_from([min(kind.digits) - 1, max(kind.digits) + 1]))
    number = data.draw(st.text("0123456789", min_size=count, max_size=count))
    wrong = data.draw(spelled(kind.kind)) + data.draw(GAPS) + data.draw(digits_of(number))
    for candidate in (f"{code} {wrong}", f"{text}\n{wrong}", f"{code}{wrong} {text}"):
        result = GRAMMAR.parse(candidate)
        assert isinstance(result, Unrecognised)
        assert result.reason in (Reason.BAD_DOCUMENT, Reason.AMBIGUOUS)


@given(requests(), st.sampled_from(KINDS))
def test_parse_document_reads_a_card(
    case: tuple[str, str, list[Document]], kind: DocumentKind
) -> None:
    """One document as on a card is read, and a whole request is not one."""
    text, _, wanted = case
    assert GRAMMAR.parse_document(f" {wanted[0].kind.lower()} {wanted[0].number} ") == wanted[0]
    assert GRAMMAR.parse_document(text) is None
    assert GRAMMAR.parse_document(f"{kind.kind} 12345") is None


# Any text at all

WORDS = re.findall(
    r"\S+",
    """
1 2 3 7 12 20 111 1111 123456 1111111 11111111 1111111111111 AZE aze АЗЕ AA MYİ MOM QM AZ EN ru
AZR A Z E O o N № - . , ; + +994 994501234567 0501234567 və kod salam X ~ \ufffd \u200b
    """,
)
SOUP = st.lists(st.sampled_from(WORDS), max_size=12)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=80),
    st.text("123AZEМOo -+.,\n", max_size=40),
    SOUP.map("".join),
    SOUP.map(" ".join),
    st.tuples(SOUP, st.sampled_from([" ", "\n", "-"])).map(lambda soup: soup[1].join(soup[0])),
    requests().map(lambda case: case[0]),
)


@given(TEXTS)
def test_the_fast_path_gives_what_the_slow_path_gives(text: str) -> None:
    """The shortcut for the common forms is no second opinion, and nothing raises."""
    assert GRAMMAR.parse(text) == GRAMMAR.parse_slowly(text)


@given(TEXTS)
def test_nothing_is_invented(text: str) -> None:
    """Code and numbers of every request stand in the text, each number as long as its kind's."""
    result = GRAMMAR.parse(text)
    if not isinstance(result, PermitRequest):
        return
    digits = re.sub("[^0-9]", "", fold(text).replace("O", "0"))
    assert result.code in digits
    assert 1 <= len(result.documents) <= LIMIT
    counts = {kind.kind: kind.digits for kind in KINDS}
    for document in result.documents:
        assert document.number in digits
        assert len(document.number) in counts[document.kind]


@given(TEXTS)
def test_any_text_may_be_offered_as_a_document(text: str) -> None:
    """Register lines of any content are read or refused, without raising."""
    document = GRAMMAR.parse_document(text)
    assert document is None or GRAMMAR.parse_document(document.text) == document


# Grammars


def test_another_service_needs_no_other_code() -> None:
    """Codes, kinds and limits are all of the grammar's making: eight codes and an ID here."""
    identity = DocumentKind("ID", (8,), ("ΑΔΤ", "ID"), False, "ID 12345678")
    with pytest.raises(ValueError, match="not letters"):
        Grammar(("1",), (identity,), 1)
    grammar = Grammar(tuple("12345678"), (identity._replace(spellings=("AT",)),), 1)
    assert grammar.parse("8 at 12345678") == PermitRequest("8", (Document("ID", "12345678"),))
    assert grammar.parse("8 12345678") == Unrecognised(
        Reason.BAD_DOCUMENT, NearMiss("8 ID 12345678", "8", None, 8)
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"codes": ()}, "codes must be given"),
        ({"codes": ("2", "2")}, "each once"),
        ({"codes": ("B",)}, "ASCII digits"),
        ({"codes": ("١",)}, "ASCII digits"),
        ({"kinds": ()}, "at least one kind"),
        ({"kinds": (KINDS[0]._replace(digits=()),)}, "digits must be"),
        ({"kinds": (KINDS[0]._replace(digits=(21,)),)}, "digits must be"),
        ({"kinds": (KINDS[0]._replace(digits=(2,)),)}, "cannot be told from codes"),
        ({"kinds": (KINDS[0]._replace(spellings=("A-Z",)),)}, "not letters alone"),
        ({"kinds": (KINDS[0], KINDS[1]._replace(spellings=("АЗЕ",)))}, "both AZE and AA"),
        ({"kinds": (KINDS[5], KINDS[1]._replace(bare=True))}, "mean both QM and AA"),
        ({"kinds": (KINDS[0]._replace(example="AZE 123"),)}, "is not a AZE document"),
        ({"documents_max": 0}, "at least 1"),
        ({"example_code": "4"}, "not one of 1"),
        ({"languages": (Language("x", ("AZE",)),)}, "another meaning"),
        ({"languages": (Language("x", ("EN",)), Language("y", ("ЕN",)))}, "another meaning"),
        ({"languages": (Language("x", ("2",)),)}, "not letters"),
    ],
)
def test_a_grammar_that_contradicts_itself_is_refused(
    changes: dict[str, object], message: str
) -> None:
    """Each way a grammar can be wrong has its own message."""
    good: dict[str, object] = {"codes": ("1", "2"), "kinds": KINDS, "documents_max": 5}
    with pytest.raises(ValueError, match=message):
        Grammar(**(good | changes))  # type: ignore[arg-type]  # the wrong values are the point


# Folding


@given(st.text(st.characters(exclude_categories=())))
def test_folded_text_has_only_the_letters_of_the_grammar(text: str) -> None:
    """Whatever is folded, the grammar meets only what it knows."""
    assert re.fullmatch(r"[A-Z0-9~ \n+-]*", fold(text))


@given(st.text(st.characters(exclude_categories=())))
def test_folding_again_changes_nothing_but_unknown_signs(text: str) -> None:
    """A folded text is its own folding."""
    folded = fold(text).replace("~", "")
    assert fold(folded) == folded
