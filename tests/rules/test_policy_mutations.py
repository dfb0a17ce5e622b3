"""The policy's own tests notice every change of the law that changes an outcome.

Each rule, number and date of the file is changed in turn. Whether that changes anything is asked
of ``rules.analysis.diff``, which is exact; where it does, a test of the file must fail.
"""

import re
from functools import cache

import pytest
from mutants import Mutant, mutants_of, with_another_length
from policy_edits import edited

import rules
from rules import CompiledPolicy, PolicyError
from rules.analysis.diff import diff, difference_words
from rules.checks import check
from rules.compile import _Compiler
from rules.toml_lines import load_toml

NAME = "8103.toml"


@cache
def original() -> CompiledPolicy:
    return rules.compile_policy(edited(with_another_length), trial=False)


def all_mutants() -> list[Mutant]:
    data, _ = load_toml(edited().source, NAME)
    return mutants_of(data)


def compiled(mutant: Mutant) -> CompiledPolicy:
    """Raises PolicyError when it cannot be loaded, but not for a reply that nobody sends any more.

    Such a reply would let a mutant be noticed for something that does not matter.
    """
    policy = edited(with_another_length, mutant.edit)
    problems = [problem for problem in check(policy) if "is used by no" not in problem.message]
    if problems:
        raise PolicyError(problems)
    return _Compiler(policy).run()


@pytest.mark.parametrize("mutant", all_mutants(), ids=lambda mutant: mutant.name)
def test_a_change_that_matters_is_noticed(mutant: Mutant) -> None:
    """It cannot be loaded, changes no outcome at all, or fails a test of the file."""
    try:
        changed = compiled(mutant)
    except PolicyError:
        return
    differences = diff(original(), changed)
    if differences or junk_max(changed) != junk_max(original()):
        assert rules.failures(changed), [
            difference_words(row, changed.calendar) for row in differences
        ]


def junk_max(policy: CompiledPolicy) -> set[int | None]:
    """Decisions know nothing of it, but an SMS more or less is answered."""
    return {version.flood and version.flood.junk_max for version in policy.versions}


# What changes no decision: how long replies wait and buckets fill, and who is reported; values
# that begin before anything is in force; that a rule about a quota has only its codes.
WITHOUT_EFFECT = re.compile(
    r"(refusal_life|junk_max|junk_refill|funerals_many|treatments_many|family_many|phones_many)\[.*"
    r"|parameters\..* earlier"
    r"|rule once-a-day: only code 2"
)


def test_only_a_few_changes_of_the_law_have_no_effect() -> None:
    """Those that stand here with their reasons; all others change an outcome or are refused."""
    kinds: dict[str, list[str]] = {"refused": [], "alike": [], "other": []}
    for mutant in all_mutants():
        try:
            kind = "other" if diff(original(), compiled(mutant)) else "alike"
        except PolicyError:
            kind = "refused"
        kinds[kind].append(mutant.name)
    assert [name for name in kinds["alike"] if not WITHOUT_EFFECT.fullmatch(name)] == []
    assert len(kinds["other"]) > 70
    assert len(kinds["refused"]) < 30
