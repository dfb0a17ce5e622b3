"""What the rules of a policy cover: every cell looked at, with a witness that is really decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rules.analysis.cell_cubes import intersect, size
from rules.analysis.cell_grounds import ground_of
from rules.analysis.cell_words import Said, say_cells
from rules.analysis.cells import Share, Space, Witness
from rules.compile import CompiledPolicy, Version, draft
from rules.decide import decide
from rules.policy import Policy
from rules.problems import PolicyError, Problem, problem_at

__all__ = ["Coverage", "Gap", "Reached", "ReachedIn", "Shadowed", "cover"]

_OF_REPLIES = ("replies", "household", "unrecognised", "commands", "flood", "late")


class ReachedIn(NamedTuple):
    """A rule decides in a version: in how many cells, and one of them.

    from_us, until_us: of the version, half-open; None: without bound.
    """

    from_us: int | None
    until_us: int | None
    cells: int
    facts: tuple[Said, ...]
    witness: Witness


class Reached(NamedTuple):
    """Where a rule decides."""

    rule: str
    versions: tuple[ReachedIn, ...]


class Shadowed(NamedTuple):
    """A rule whose conditions hold, but never first. by: the rules that decide instead."""

    rule: str
    by: tuple[str, ...]
    witness: Witness


class Gap(NamedTuple):
    """Requests that meet no rule."""

    from_us: int | None
    until_us: int | None
    code: str
    cells: int
    facts: tuple[Said, ...]
    witness: Witness


class Coverage(NamedTuple):
    """All that was found.

    cells: in all versions and codes; witnesses: requests that were decided.
    reached: the rules that decide; unreachable: those whose conditions hold in no cell.
    replies: those that cannot be sent, for one because they overflow their segments.
    untested: rules that none of the policy's own tests names; no fault.
    faults: everything that is wrong, in words, with its line.
    """

    versions: int
    cells: int
    witnesses: int
    reached: tuple[Reached, ...]
    unreachable: tuple[str, ...]
    shadowed: tuple[Shadowed, ...]
    gaps: tuple[Gap, ...]
    replies: tuple[Problem, ...]
    untested: tuple[str, ...]
    faults: tuple[Problem, ...]


def cover(policy: Policy) -> Coverage:
    """Look at every cell of a policy; its replies and rules may have faults.

    Raises PolicyError when it has others, so that nothing could be decided; TooManyCells.
    """
    compiled, problems = draft(policy)
    others = [p for p in problems if p.key != "rules" and not p.key.startswith(_OF_REPLIES)]
    if others:
        raise PolicyError(problems)
    survey = _Survey(compiled)
    for version in compiled.versions:
        for code in compiled.policy.content.codes:
            survey.look(version, code)
    return survey.result(tuple(p for p in problems if p.key != "rules"))


class _Survey:
    """Gathers what is found, version by version and code by code."""

    def __init__(self, policy: CompiledPolicy) -> None:
        self.policy = policy
        self.rules = [rule.id for rule in policy.policy.content.rules]
        self.cells = self.witnesses = 0
        self.reached: dict[str, dict[int | None, ReachedIn]] = {rule: {} for rule in self.rules}
        self.holds: dict[str, Witness] = {}
        self.first: dict[str, dict[str, None]] = {rule: {} for rule in self.rules}
        self.gaps: list[Gap] = []

    def look(self, version: Version, code: str) -> None:
        space = Space([ground_of(self.policy, version, code)])
        shares, left = space.shares()
        space.check_edges()
        self.cells += size(space.whole)
        for number, share in enumerate(shares):
            self.look_at_rule(space, version, share, shares[:number])
        for cube in left:
            witness = space.witness(cube)
            assert witness is not None, "Space.shares keeps only possible cells"
            facts = say_cells(space, cube)
            bounds = (version.from_us, version.until_us)
            self.gaps.append(Gap(*bounds, code, size(cube), facts, witness))

    def look_at_rule(
        self, space: Space, version: Version, share: Share, earlier: list[Share]
    ) -> None:
        rule = share.rule.rule.id
        if share.own and (held := space.witness(share.own[0])):
            self.holds.setdefault(rule, held)
            for other in earlier:
                if any(intersect(a, b) is not None for a in other.decided for b in share.own):
                    self.first[rule][other.rule.rule.id] = None
        for cube in share.decided:
            for at in space.ends(cube):
                decision = decide(self.policy, at.code, at.document, at.facts, at.at_us)
                assert decision.rule == rule, f"{decision.rule} decides a cell of {rule}: {at}"
                self.witnesses += 1
        if share.decided:
            self.reach(rule, space, version, share)

    def reach(self, rule: str, space: Space, version: Version, share: Share) -> None:
        """Count the cells; the witness is of the first code that has one."""
        cells = sum(map(size, share.decided))
        known = self.reached[rule].get(version.from_us)
        if known is not None:
            self.reached[rule][version.from_us] = known._replace(cells=known.cells + cells)
            return
        witness = space.witness(share.decided[0])
        assert witness is not None, "Space.shares keeps only possible cells"
        facts = say_cells(space, share.decided[0])
        self.reached[rule][version.from_us] = ReachedIn(
            version.from_us, version.until_us, cells, facts, witness
        )

    def result(self, replies: tuple[Problem, ...]) -> Coverage:
        idle = [rule for rule in self.rules if not self.reached[rule]]
        shadowed = tuple(
            Shadowed(rule, tuple(self.first[rule]), self.holds[rule])
            for rule in idle
            if rule in self.holds
        )
        unreachable = tuple(rule for rule in idle if rule not in self.holds)
        tested = {case.expect.rule for case in self.policy.policy.content.tests}
        return Coverage(
            versions=len(self.policy.versions),
            cells=self.cells,
            witnesses=self.witnesses,
            reached=tuple(
                Reached(rule, tuple(found.values()))
                for rule, found in self.reached.items()
                if found
            ),
            unreachable=unreachable,
            shadowed=shadowed,
            gaps=tuple(self.gaps),
            replies=replies,
            untested=tuple(rule for rule in self.rules if rule not in tested),
            faults=(*self.faults(unreachable, shadowed), *replies),
        )

    def faults(
        self, unreachable: tuple[str, ...], shadowed: tuple[Shadowed, ...]
    ) -> Iterator[Problem]:
        file, lines = self.policy.policy.name, self.policy.policy.lines

        def problem(rule: str, message: str) -> Problem:
            return problem_at(file, lines, ("rules", self.rules.index(rule)), message)

        for rule in unreachable:
            yield problem(rule, f'"{rule}" can never apply: nothing fulfils its conditions')
        for rule, by, _ in shadowed:
            earlier = ", ".join(by)
            yield problem(rule, f'"{rule}" never decides: rules above always come first: {earlier}')
        for gap in self.gaps:
            facts = ", ".join(said.words for said in gap.facts) or "whatever is known"
            yield problem_at(
                file,
                lines,
                ("rules",),
                f"a request with code {gap.code} {self.when(gap.from_us)} meets no rule that "
                f"applies: {facts}",
            )

    def when(self, from_us: int | None) -> str:
        if from_us is None:
            return "before the first date of the file"
        calendar = self.policy.calendar
        return f"from {calendar.date(from_us)} {calendar.clock(from_us)}"
