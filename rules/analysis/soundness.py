"""All that stands between a policy and its use: its shape, its own tests, what its rules cover."""

from typing import NamedTuple

from rules.analysis.cell_traits import TooManyCells
from rules.analysis.coverage import Coverage, cover
from rules.compile import CompiledPolicy, compile_policy
from rules.policy import Policy
from rules.problems import PolicyError, Problem

__all__ = ["Examined", "examine", "sound"]


class Examined(NamedTuple):
    """What was found. compiled, coverage: None where the problems leave nothing to look at."""

    compiled: CompiledPolicy | None
    coverage: Coverage | None
    problems: tuple[Problem, ...]


def examine(policy: Policy) -> Examined:
    """Look for every fault of a policy: gaps and rules that never decide are among them."""
    compiled = coverage = None
    problems: list[Problem] = []
    try:
        coverage = cover(policy)
        problems += coverage.faults
    except PolicyError as fault:
        problems += fault.problems
    except TooManyCells as fault:
        problems.append(Problem(policy.name, None, "rules", str(fault)))
    try:
        compiled = compile_policy(policy)
    except PolicyError as fault:
        problems += fault.problems
    return Examined(compiled, coverage, PolicyError(dict.fromkeys(problems)).problems)


def sound(policy: Policy) -> CompiledPolicy:
    """A policy without any fault, compiled. Raises PolicyError with all of them."""
    found = examine(policy)
    if found.problems:
        raise PolicyError(found.problems)
    assert found.compiled is not None, "what cannot be compiled has a problem"
    return found.compiled
