"""The grammar that a policy file describes."""

from collections.abc import Sequence

from rules.documents import DocumentKind
from rules.grammar.command_words import Commands
from rules.grammar.document_grammar import Grammar
from rules.grammar.lexicon import Language, PhonePlan
from rules.grammar.name_grammar import NameGrammar
from rules.grammar.postcode_grammar import PostcodeGrammar
from rules.grammar.request import CommandName
from rules.policy import PolicyFile

__all__ = ["Parser", "build_grammar"]

Parser = Grammar | PostcodeGrammar | NameGrammar


def build_grammar(content: PolicyFile) -> Parser:
    """The grammar of a policy; ValueError says what contradicts what."""
    requests = content.requests
    codes = tuple(content.codes)
    kinds = [
        DocumentKind(d.kind, tuple(d.digits), tuple(d.spellings), d.bare, d.example)
        for d in content.documents
    ]
    languages = [Language(x.name, tuple(x.tags), x.letters) for x in content.languages]
    plan = PhonePlan(requests.country_code, requests.national_digits)
    limit, example_code, commands = requests.documents_max, requests.example_code, _words(content)
    if requests.form == "documents":
        return Grammar(codes, kinds, limit, languages, plan, example_code, commands)
    ending = requests.example_ending
    if requests.form == "number_postcode":
        if requests.postcode_digits is None or ending is None:
            raise ValueError("a postcode needs postcode_digits and example_ending")
        digits = requests.postcode_digits
        return PostcodeGrammar(
            codes, kinds, limit, digits, ending, languages, plan, example_code, commands
        )
    if requests.words_min is None or ending is None:
        raise ValueError("a name and address needs words_min and example_ending")
    return NameGrammar(codes, requests.words_min, ending, languages, example_code, commands)


def _words(content: PolicyFile) -> Commands:
    """What people text for each command of the policy."""
    given = content.commands
    words: dict[CommandName, Sequence[str]] = {}
    if given.help is not None:
        words["help"] = given.help.words
    if given.status is not None:
        words["status"] = given.status.words
    if given.end is not None:
        words["end"] = given.end.words
    if given.language is not None:
        words["language"] = ()
    return words
