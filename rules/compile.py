"""A policy file → closures: a table of rules and replies for each interval between its dates."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path as FilePath
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rules.analysis.cell_features import Ground
from rules.analysis.cell_traits import TooManyCells
from rules.analysis.cells import gap
from rules.calendar import Calendar
from rules.checks import check
from rules.conclusions import US_PER_MINUTE, Conclusion, conclusion
from rules.conditions import Condition, Scope, rule_condition
from rules.decide import Decision, Facts
from rules.documents import Document
from rules.flood import Bucket
from rules.grammar.grammars import Parser, build_grammar
from rules.instants import by_second, instant_us
from rules.moments import Moment, RulesOfVersion, moments
from rules.policy import Conditions, Policy, Rule, load
from rules.problems import PolicyError, Problem, problem_at
from rules.replies import slots
from rules.reply_book import ReplyBook, compile_book
from rules.toml_lines import Path
from rules.trial import failures

__all__ = ["CompiledPolicy", "Version", "compile_policy", "draft", "load_policy"]

RuleTable = tuple[tuple[Condition, Conclusion], ...]


class Version(NamedTuple):
    """The policy between two of its dates, half-open; None: without bound.

    rules: by code, whether a rule applies and what it concludes, in order; no request
        is left without one.
    refusals_expire_us: how long after the SMS a reply without a permit is worth delivering.
    flood: how much junk a phone may send; None: as much as it likes.
    """

    from_us: int | None
    until_us: int | None
    in_force: bool
    parameters: dict[str, int]
    rules: dict[str, RuleTable]
    replies: ReplyBook
    refusals_expire_us: int
    flood: Bucket | None


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """A policy ready to decide. Immutable; safe to share between threads.

    digest: SHA-256 of the file's bytes, in hex; source: its text.
    boundaries_us: the instants at which anything changes; ``versions`` has one entry more.
    day_of_second: the civil day of a second since the epoch, as ``date.toordinal``.
    moment: by whole second since the epoch, the rules as they stand at it.
    facts_asked: the conditions that any of its rules asks, e.g. ``blocked``; a fact that none
        asks for need not be looked up.
    """

    id: str
    title: str
    digest: str
    source: str
    zone: str
    calendar: Calendar
    day_of_second: Callable[[int], int]
    short_number: str
    languages: tuple[str, ...]
    default_language: str
    grammar: Parser
    boundaries_us: tuple[int, ...]
    versions: tuple[Version, ...]
    policy: Policy
    moment: Callable[[int], Moment]
    facts_asked: frozenset[str]

    def version_at(self, at_us: int) -> Version:
        """The version in force at an instant; it begins exactly on its boundary."""
        return self.versions[bisect_right(self.boundaries_us, at_us)]

    def language_of(self, wanted: str | None) -> str:
        """The language to answer in: the one wanted if the policy has it, else its default."""
        return wanted if wanted in self.languages else self.default_language

    def reply_not_after_us(self, decisions: Sequence[Decision], at_us: int) -> int:
        """The instant from which the reply must no longer reach the phone.

        A permit's reply is void once the first permit in it has ended; without a permit, the
        policy says how long a refusal is worth delivering.
        """
        ends = [d.valid_until_us for d in decisions if d.valid_until_us is not None]
        return min(ends) if ends else at_us + self.version_at(at_us).refusals_expire_us


def load_policy(path: FilePath) -> CompiledPolicy:
    """Read, check and compile a policy file and run its own tests.

    Raises PolicyError with everything that is wrong; OSError when the file cannot be read.
    """
    return compile_policy(load(path))


def compile_policy(policy: Policy, trial: bool = True) -> CompiledPolicy:
    """Check and compile a policy and run its own tests; PolicyError with everything found.

    trial: False leaves the policy's own tests out, for tools that look at a policy only.
    """
    if problems := check(policy):
        raise PolicyError(problems)
    compiled = _Compiler(policy).run()
    if trial and (problems := failures(compiled)):
        raise PolicyError(problems)
    return compiled


def draft(policy: Policy) -> tuple[CompiledPolicy, tuple[Problem, ...]]:
    """Compile what can be compiled of a policy, with the problems met; its tests are not run.

    For tools that look into a policy which cannot be used. Where it has problems, requests may
    meet no rule. Raises PolicyError when a reference leads nowhere or there is no grammar.
    """
    if problems := check(policy):
        raise PolicyError(problems)
    compiler = _Compiler(policy)
    compiled = compiler.draft()
    if compiled is None:
        raise PolicyError(compiler.found())
    return compiled, tuple(compiler.found())


class _Unset(LookupError):
    """A parameter has no value in the version that is being compiled."""


class _Compiler:
    """Gathers problems while compiling, so that all of them are told at once."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.content = policy.content
        self.zone = ZoneInfo(self.content.policy.zone)
        self.calendar = Calendar(self.content.policy.zone)
        names = [language.name for language in self.content.languages]
        self.second_of_day = by_second(self.calendar.second_of_day)
        self.slots = {name: slots(self.content, name, self.calendar) for name in names}
        self.problems: dict[tuple[Path, str], None] = {}  # each once, though versions repeat it

    def run(self) -> CompiledPolicy:
        compiled = self.draft()
        if compiled is None or self.problems:
            raise PolicyError(self.found())
        return compiled

    def found(self) -> list[Problem]:
        name, lines = self.policy.name, self.policy.lines
        return [problem_at(name, lines, *problem) for problem in self.problems]

    def draft(self) -> CompiledPolicy | None:
        """What can be compiled, whatever the problems; None without a grammar."""
        identity = self.content.policy
        grammar = self.grammar()
        boundaries = self.boundaries_us()
        versions = tuple(map(self.version, (None, *boundaries), (*boundaries, None)))
        if grammar is None:
            return None
        return CompiledPolicy(
            id=identity.id,
            title=identity.title,
            digest=self.policy.digest,
            source=self.policy.source,
            zone=identity.zone,
            calendar=self.calendar,
            day_of_second=by_second(self.calendar.day),
            short_number=identity.short_number,
            languages=tuple(self.slots),
            default_language=identity.default_language,
            grammar=grammar,
            boundaries_us=boundaries,
            versions=versions,
            policy=self.policy,
            moment=moments(
                self.calendar,
                boundaries,
                tuple(map(self.rules_of, (None, *boundaries), versions)),
                self.policy.digest,
            ),
            facts_asked=frozenset().union(*map(_asked, self.content.rules)),
        )

    def say(self, path: Path, message: str) -> None:
        self.problems[path, message] = None

    def grammar(self) -> Parser | None:
        try:
            return build_grammar(self.content)
        except ValueError as error:
            self.say(("documents",), str(error))
            return None

    def boundaries_us(self) -> tuple[int, ...]:
        """Every date of the file at which anything changes."""
        content = self.content
        written = [
            *(date for interval in content.in_force for date in (interval.start, interval.until)),
            *(date for rule in content.rules for date in (rule.start, rule.until)),
            *(dated.start for p in content.parameters.values() for dated in p.values),
        ]
        return tuple(sorted({instant_us(date, self.zone) for date in written if date is not None}))

    def covers(self, start: datetime | None, until: datetime | None, from_us: int | None) -> bool:
        """Whether a half-open interval of the file covers the version that begins at from_us."""
        if from_us is None:
            return start is None
        begun = start is None or instant_us(start, self.zone) <= from_us
        return begun and (until is None or from_us < instant_us(until, self.zone))

    def version(self, from_us: int | None, until_us: int | None) -> Version:
        content = self.content
        parameters = {
            name: _number(dated.value)
            for name, parameter in content.parameters.items()
            for dated in parameter.values  # the last one that has begun holds
            if self.covers(dated.start, None, from_us)
        }
        in_force = any(self.covers(x.start, x.until, from_us) for x in content.in_force)
        tables = {
            code: self.table(self.scope(code, in_force, parameters), from_us, until_us)
            for code in content.codes
        }
        decided = {reply for _, replies in tables.values() for reply in replies}
        expire = content.policy.refusals_expire
        if expire not in parameters:
            self.say(("policy", "refusals_expire"), f"{expire} needs a value without from")
        return Version(
            from_us=from_us,
            until_us=until_us,
            in_force=in_force,
            parameters=parameters,
            rules={code: table for code, (table, _) in tables.items()},
            replies=compile_book(content, decided, self.slots, parameters, self.say),
            refusals_expire_us=parameters.get(expire, 0) * US_PER_MINUTE,
            flood=self.flood(parameters, from_us),
        )

    def flood(self, parameters: dict[str, int], from_us: int | None) -> Bucket | None:
        flood = self.content.flood
        if flood is None:
            return None
        for key, name in (("junk_max", flood.junk_max), ("refill", flood.refill)):
            if name not in parameters:
                path = ("flood", key)
                self.say(path, f'"{name}" has no value {self.when(from_us)}; add one without from')
                return None
        return Bucket(parameters[flood.junk_max], parameters[flood.refill] * US_PER_MINUTE)

    def scope(self, code: str, in_force: bool, parameters: dict[str, int]) -> Scope:
        def value(name: str) -> int:
            if name not in parameters:
                raise _Unset(name)
            return parameters[name]

        leap_day_birthday = self.content.policy.leap_day_birthday
        return Scope(
            code, in_force, value, self.content.quotas, leap_day_birthday, self.second_of_day
        )

    def table(
        self, scope: Scope, from_us: int | None, until_us: int | None
    ) -> tuple[RuleTable, set[str]]:
        """The rules for a code in a version, up to the one that always applies; their replies."""
        table: list[tuple[Condition, Conclusion]] = []
        replies: set[str] = set()
        existing: list[tuple[int, Rule]] = []
        for index, rule in enumerate(self.content.rules):
            if not self.covers(rule.start, rule.until, from_us):
                continue
            existing.append((index, rule))
            try:
                applies = rule_condition(rule.when, rule.exceptions, rule.unknown, scope)
                if applies is False:
                    continue
                conclude = conclusion(rule, scope, self.policy.digest)
            except _Unset as unset:
                self.say(
                    ("rules", index),
                    f'needs parameter "{unset}", which has no value {self.when(from_us)}',
                )
                continue
            replies.add(rule.reply)
            if applies is True:
                return (*table, (_always, conclude)), replies
            table.append((applies, conclude))
        ground = Ground(self.content, self.calendar, scope, from_us, until_us, tuple(existing))
        if _may_meet_no_rule(ground):
            self.say(
                ("rules",),
                f"a request with code {scope.code} {self.when(from_us)} may meet no rule that "
                "applies; let the last rule stand without when, except, from and until",
            )
        return tuple(table), replies

    def rules_of(self, from_us: int | None, version: Version) -> RulesOfVersion:
        """What `rules.moments` needs of a version."""
        return RulesOfVersion(
            tuple(r for r in self.content.rules if self.covers(r.start, r.until, from_us)),
            {
                code: self.scope(code, version.in_force, version.parameters)
                for code in self.content.codes
            },
        )

    def when(self, from_us: int | None) -> str:
        if from_us is None:
            return "before the first date of the file"
        return f"from {self.calendar.date(from_us)} {self.calendar.clock(from_us)}"


def _asked(rule: Rule) -> set[str]:
    """The conditions that a rule asks."""
    given = [rule.when] if rule.exceptions is None else [rule.when, rule.exceptions]
    return {
        key
        for conditions in given
        for key in Conditions.model_fields
        if getattr(conditions, key) is not None
    }


def _may_meet_no_rule(ground: Ground) -> bool:
    """Whether a request can be left without a rule: exactly, or True where that is too much."""
    try:
        return gap(ground) is not None
    except TooManyCells:
        return True


def _number(value: int | time) -> int:
    """A parameter's value; a time of day in seconds since 00:00:00."""
    if isinstance(value, time):
        return (value.hour * 60 + value.minute) * 60 + value.second
    return value


def _always(document: Document, facts: Facts, at_us: int, day: int) -> bool:
    return True
