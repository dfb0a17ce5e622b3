"""The grammar of a policy: its form, its words and its limits are all the file's."""

from pathlib import Path

import pytest

import rules
from rules.grammar.document_grammar import Grammar
from rules.grammar.grammars import build_grammar
from rules.grammar.name_grammar import NameGrammar
from rules.grammar.postcode_grammar import PostcodeGrammar
from rules.grammar.request import Command, PermitRequest, Reason
from rules.policy import PolicyFile, load

POLICIES = Path(rules.__file__).parent / "policies"


def content(name: str, **requests: object) -> PolicyFile:
    """A shipped policy with other values in its [requests]."""
    file = load(POLICIES / f"{name}.toml").content
    return file.model_copy(update={"requests": file.requests.model_copy(update=requests)})


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("8103", Grammar),
        ("az-8103-history", Grammar),
        ("cy-8998", PostcodeGrammar),
        ("gr-13033", NameGrammar),
    ],
)
def test_the_form_chooses_the_grammar(name: str, form: type) -> None:
    """Every form has its grammar, with the policy's codes, and its example is a request."""
    file = content(name)
    grammar = build_grammar(file)
    assert type(grammar) is form
    assert grammar.codes == tuple(file.codes)
    assert [kind.kind for kind in grammar.kinds] == [series.kind for series in file.documents]
    assert grammar.documents_max == file.requests.documents_max
    example = grammar.parse(grammar.example)
    assert isinstance(example, PermitRequest)
    assert example.code == file.requests.example_code


@pytest.mark.parametrize("name", ["8103", "az-8103-history", "cy-8998", "gr-13033"])
def test_the_words_of_every_command_are_understood(name: str) -> None:
    """Each word of the file is its command, and a language tag is one where the file says so."""
    file = content(name)
    grammar = build_grammar(file)
    for command in ("help", "status", "end"):
        given = getattr(file.commands, command)
        for word in given.words if given else ():
            found = grammar.parse(word.lower())
            assert isinstance(found, Command)
            assert found.name == command
    tag = file.languages[-1].tags[0]
    assert isinstance(grammar.parse(tag), Command) == (file.commands.language is not None)


def test_a_language_tag_alone_is_a_command_where_the_policy_answers_it() -> None:
    """Without [commands.language] there is no reply to it."""
    file = content("8103")
    silent = file.commands.model_copy(update={"language": None})
    assert file.commands.language is not None
    assert build_grammar(file).parse("EN") == Command("language", (), "en")
    without = build_grammar(file.model_copy(update={"commands": silent}))
    assert without.parse("EN")[0] is Reason.UNREADABLE


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("cy-8998", {"postcode_digits": None}, "a postcode needs"),
        ("cy-8998", {"example_ending": None}, "a postcode needs"),
        ("cy-8998", {"postcode_digits": 5}, "is not a postcode of 5 digits"),
        ("gr-13033", {"words_min": None}, "a name and address needs"),
        ("gr-13033", {"example_ending": None}, "a name and address needs"),
        ("gr-13033", {"words_min": 9}, "is not a name and address"),
    ],
)
def test_a_form_without_its_values_is_refused(
    name: str, changes: dict[str, object], message: str
) -> None:
    """What a form needs is asked for in words."""
    with pytest.raises(ValueError, match=message):
        build_grammar(content(name, **changes))
