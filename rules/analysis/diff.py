"""What changes between two policies, exactly: the same cells, cut by the constants of both.

Beside the decisions: what becomes of their replies, and how these read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from rules.analysis.cell_cubes import Cube, intersect, joined, primes
from rules.analysis.cell_grounds import ground_of
from rules.analysis.cell_words import Said, say_cells
from rules.analysis.cells import Share, Space, Witness
from rules.calendar import Calendar
from rules.compile import CompiledPolicy, Version
from rules.conclusions import US_PER_MINUTE
from rules.decide import Verdict, decide
from rules.policy import Late, PolicyFile

__all__ = [
    "Difference",
    "Handling",
    "Outcome",
    "Rewording",
    "diff",
    "difference_words",
    "handling_words",
    "handlings",
    "rewordings",
]


class Outcome(NamedTuple):
    """What a request comes to, apart from its own facts.

    minutes: how long a granted permit is valid; starts_after: minutes until it begins;
    begins_with_reply: counted from the reply. rule: only says who decided.
    """

    verdict: Verdict
    reply: str
    minutes: int | None
    starts_after: int
    begins_with_reply: bool
    rule: str


class Difference(NamedTuple):
    """Requests that come to something else.

    from_us, until_us: received in this time, half-open; None: without bound.
    facts: what sets them apart; a fact that is not named may be anything.
    before, after: None where the policy has no such code.
    witness: one of the requests.
    """

    codes: tuple[str, ...]
    from_us: int | None
    until_us: int | None
    facts: tuple[Said, ...]
    before: Outcome | None
    after: Outcome | None
    witness: Witness


class Handling(NamedTuple):
    """What becomes of replies otherwise, whatever was decided.

    code: replies to it leave before all others, or in turn; None: those that are too late.
    before, after: what is done, in words.
    """

    code: str | None
    before: str
    after: str


class Rewording(NamedTuple):
    """A reply that reads differently; None: the policy has no such text."""

    reply: str
    part: str
    language: str
    before: str | None
    after: str | None


_NO_CODE = "no such code"

Change = tuple[Outcome | None, Outcome | None]


def diff(
    old: CompiledPolicy, new: CompiledPolicy, languages: tuple[str, ...] = ()
) -> list[Difference]:
    """Every request whose outcome changes, in as few rows as there are ways to say it.

    languages: into which the facts are translated as well.
    Raises ValueError when the policies have different time zones; TooManyCells.
    """
    if old.zone != new.zone:
        raise ValueError(f"the policies live in different zones: {old.zone} and {new.zone}")
    codes = dict.fromkeys((*old.policy.content.codes, *new.policy.content.codes))
    edges = [None, *sorted({*old.boundaries_us, *new.boundaries_us}), None]
    rows = [
        row
        for code in codes
        for from_us, until_us in pairwise(edges)
        for row in _in_stretch(old, new, code, (from_us, until_us), languages)
    ]
    return _joined_codes(_joined_times(rows))


def handlings(old: CompiledPolicy, new: CompiledPolicy) -> list[Handling]:
    """Every code that becomes urgent or no longer is, and ``[late]`` where it changes."""
    before, after = old.policy.content, new.policy.content
    rows = [
        Handling(code, _turn_words(before, code), _turn_words(after, code))
        for code in dict.fromkeys((*before.codes, *after.codes))
        if _urgent(before, code) != _urgent(after, code)
    ]
    late = Handling(None, _late_words(before.late), _late_words(after.late))
    return [*rows, late] if late.before != late.after else rows


def rewordings(old: CompiledPolicy, new: CompiledPolicy) -> list[Rewording]:
    """Every reply text that is not the same in both files; placeholders as they are written."""
    before, after = dict(_texts(old)), dict(_texts(new))
    return [
        Rewording(*key, before.get(key), after.get(key))
        for key in dict.fromkeys((*before, *after))
        if before.get(key) != after.get(key)
    ]


def difference_words(row: Difference, calendar: Calendar) -> str:
    """E.g. ``code 1, age 65+: refuse (senior) → grant 120 min``, with the time before it."""
    told = [f"code{'s' * (len(row.codes) > 1)} {', '.join(row.codes)}"]
    told += [said.words for said in row.facts]
    before, after = _outcome_words(row.before), _outcome_words(row.after)
    if before == after and row.before and row.after:
        before, after = (f"{before}, reply {each.reply}" for each in (row.before, row.after))
    return f"{_time_words(row, calendar)}{', '.join(told)}: {before} → {after}"


def handling_words(row: Handling) -> str:
    """E.g. ``replies to code 1: in turn → first``."""
    subject = "replies that are too late" if row.code is None else f"replies to code {row.code}"
    return f"{subject}: {row.before} → {row.after}"


def _in_stretch(
    old: CompiledPolicy,
    new: CompiledPolicy,
    code: str,
    stretch: tuple[int | None, int | None],
    languages: tuple[str, ...],
) -> Iterator[Difference]:
    """The differences for a code in a time in which neither policy changes."""
    from_us, until_us = stretch
    having = [policy for policy in (old, new) if code in policy.policy.content.codes]
    space = Space([ground_of(p, _cut(p, from_us, until_us), code) for p in having])
    sides = [_outcomes(policy, space, which) for which, policy in enumerate(having)]
    whole: list[tuple[Outcome | None, list[Cube]]] = [(None, [space.whole])]
    before = sides[0] if old in having else whole
    after = sides[-1] if new in having else whole
    changed: dict[Change, list[Cube]] = {}
    impossible: list[Cube] = []
    for was, old_cubes in before:
        for becomes, new_cubes in after:
            if _alike(was, becomes):
                continue
            for cube in _meets(old_cubes, new_cubes):
                known = (
                    changed.setdefault((was, becomes), []) if space.witness(cube) else impossible
                )
                known.append(cube)
    for change, cubes in changed.items():
        for cube in primes(joined(cubes), impossible):
            witness = space.witness(cube)
            assert witness is not None, "a cube holds the possible one that it grew from"
            facts = say_cells(space, cube, languages)
            yield Difference((code,), from_us, until_us, facts, *change, witness)


def _cut(policy: CompiledPolicy, from_us: int | None, until_us: int | None) -> Version:
    """The part of a version in which the other policy does not change either."""
    version = policy.versions[0] if from_us is None else policy.version_at(from_us)
    return version._replace(from_us=from_us, until_us=until_us)


def _outcomes(
    policy: CompiledPolicy, space: Space, which: int
) -> list[tuple[Outcome | None, list[Cube]]]:
    shares, left = space.shares(which)
    assert not left, "compilation leaves no request without a rule"
    return [(_outcome(policy, space, s), s.decided) for s in shares if s.decided]


def _outcome(policy: CompiledPolicy, space: Space, share: Share) -> Outcome:
    at = space.witness(share.decided[0])
    assert at is not None, "Space.shares keeps only possible cells"
    made = decide(policy, at.code, at.document, at.facts, at.at_us)
    assert made.rule == share.rule.rule.id, f"{made.rule} decides a cell of {share.rule.rule.id}"
    if made.verdict is not Verdict.GRANT:
        return Outcome(made.verdict, made.reply, None, 0, False, made.rule)
    assert made.valid_from_us is not None and made.valid_until_us is not None, "a grant"
    minutes = (made.valid_until_us - made.valid_from_us) // US_PER_MINUTE
    delay = (made.valid_from_us - at.at_us) // US_PER_MINUTE
    return Outcome(made.verdict, made.reply, minutes, delay, made.begins_with_reply, made.rule)


def _alike(one: Outcome | None, other: Outcome | None) -> bool:
    """The same for whoever asked, whichever rule decided."""
    return one is not None and other is not None and one[:-1] == other[:-1]


def _meets(some: Iterable[Cube], others: Iterable[Cube]) -> list[Cube]:
    found = (intersect(one, other) for one in some for other in others)
    return [cube for cube in found if cube is not None]


def _joined_times(rows: Iterable[Difference]) -> list[Difference]:
    """Rows that only go on where an earlier one ends become one."""
    joined: list[Difference] = []
    for row in rows:
        for at, earlier in enumerate(joined):
            goes_on = earlier.until_us is not None and earlier.until_us == row.from_us
            if goes_on and _besides_time(earlier) == _besides_time(row):
                joined[at] = earlier._replace(until_us=row.until_us)
                break
        else:
            joined.append(row)
    return joined


def _besides_time(row: Difference) -> tuple[object, ...]:
    return row.codes, row.facts, row.before, row.after


def _joined_codes(rows: Iterable[Difference]) -> list[Difference]:
    """Rows that say the same of several codes become one."""
    joined: dict[tuple[object, ...], Difference] = {}
    for row in rows:
        key = (row.from_us, row.until_us, row.facts, row.before, row.after)
        known = joined.setdefault(key, row)
        if known is not row:
            joined[key] = known._replace(codes=(*known.codes, *row.codes))
    return list(joined.values())


def _texts(policy: CompiledPolicy) -> Iterator[tuple[tuple[str, str, str], str]]:
    content = policy.policy.content
    for key, reply in content.replies.items():
        for part, texts in (("text", reply.text), ("line", reply.line or {})):
            for language, text in texts.items():
                yield (key, part, language), text
    for language, text in content.household.opening.items():
        yield ("household", "opening", language), text


def _urgent(content: PolicyFile, code: str) -> bool:
    """A code that is not there is not urgent: that it comes or goes is a decision's row."""
    return code in content.codes and content.codes[code].urgent


def _turn_words(content: PolicyFile, code: str) -> str:
    if code not in content.codes:
        return _NO_CODE
    return "first" if content.codes[code].urgent else "in turn"


def _late_words(late: Late | None) -> str:
    if late is None:
        return "nothing follows"
    return "decided anew" if late.action == "renew" else f"explained ({late.reply})"


def _outcome_words(outcome: Outcome | None) -> str:
    if outcome is None:
        return _NO_CODE
    if outcome.verdict is Verdict.REFUSE:
        return f"refuse ({outcome.rule})"
    if outcome.verdict is Verdict.ALREADY_GRANTED:
        return "the permit held"
    delay = f", beginning {outcome.starts_after} min later" if outcome.starts_after else ""
    start = " from the reply" if outcome.begins_with_reply else ""
    return f"grant {outcome.minutes} min{start}{delay}"


def _time_words(row: Difference, calendar: Calendar) -> str:
    def at(us: int) -> str:
        seconds = calendar.second_of_day(us) % 60
        return f"{calendar.date(us)} {calendar.clock(us)}" + (f":{seconds:02}" if seconds else "")

    told = [
        f"{word} {at(us)}"
        for word, us in (("from", row.from_us), ("until", row.until_us))
        if us is not None
    ]
    return f"{' '.join(told)}, " if told else ""
