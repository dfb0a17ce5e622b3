"""Why something was decided so, for an agent to tell a caller: in plain words, with the article."""

from collections.abc import Callable
from typing import NamedTuple

from rules import CompiledPolicy, compile_policy, parse_policy
from rules.decide import OVERRIDE
from rules.documents import taken_apart
from rules.telling.trace import trace, trace_words, what_if_words
from rules.telling.words import words_for
from storage.conversations import Judgement
from storage.policies import policy_source

__all__ = ["Explained", "PastLaws", "explain"]

_LAWS_KEPT_MAX = 8


class Explained(NamedTuple):
    """A decision in words of one language.

    verdict: what the rule decides. because: its conditions, each by itself. source: its article.
    instead: what would have been granted but for it, or was by override; empty: nothing.
    lines: every rule of the policy, one by one.
    """

    verdict: str
    because: tuple[str, ...]
    source: str
    instead: str
    lines: tuple[str, ...]


class PastLaws:
    """The policies that decided, compiled when they are asked for. Any thread may ask."""

    def __init__(self, url: str, in_force: Callable[[], CompiledPolicy]) -> None:
        self._url = url
        self._in_force = in_force
        self._compiled: dict[str, CompiledPolicy] = {}

    def of(self, digest: str) -> CompiledPolicy:
        """The policy of a digest.

        Raises:
            StoreError: the store cannot be read.
        """
        in_force = self._in_force()
        if in_force.digest == digest:
            return in_force
        policy = self._compiled.get(digest)
        if policy is None:
            source = policy_source(self._url, digest)
            policy = compile_policy(parse_policy(source, f"policy {digest[:12]}"), trial=False)
            if len(self._compiled) >= _LAWS_KEPT_MAX:
                self._compiled.clear()
            self._compiled[digest] = policy
        return policy


def explain(policy: CompiledPolicy, judgement: Judgement, language: str) -> Explained:
    """Why a decision fell as it did; policy: the one that decided."""
    document = taken_apart(judgement.document, policy.grammar.kinds)
    traces = trace(policy, judgement.code, document, judgement.facts, judgement.at_us)
    words = words_for(language)
    decides = next(traced for traced in traces if traced.decides)
    overridden = judgement.rule == OVERRIDE
    return Explained(
        words.verdict(decides.verdict),
        tuple(words.condition(each) for each in decides.when),
        decides.source,
        what_if_words(traces, words, overridden),
        tuple(trace_words(traces, language, overridden)),
    )
