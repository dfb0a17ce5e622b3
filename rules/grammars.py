"""The grammar that a policy file describes."""

from rules.documents import DocumentKind
from rules.lexicon import Language, PhonePlan
from rules.policy import PolicyFile
from rules.request import Grammar

__all__ = ["Parser", "build_grammar"]

Parser = Grammar


def build_grammar(content: PolicyFile) -> Parser:
    """The grammar of a policy; ValueError says what contradicts what."""
    requests = content.requests
    return Grammar(
        tuple(content.codes),
        [
            DocumentKind(d.kind, tuple(d.digits), tuple(d.spellings), d.bare, d.example)
            for d in content.documents
        ],
        requests.documents_max,
        [Language(x.name, tuple(x.tags), x.letters) for x in content.languages],
        PhonePlan(requests.country_code, requests.national_digits),
        requests.example_code,
    )
