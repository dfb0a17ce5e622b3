"""What a compiled policy says in one of its versions, condition by condition, in no language yet.

Compilation folds away what is constant for a code in a version. Here it is kept beside the closure
that is left, so that tables and explanations tell exactly what decides.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from rules.compile import CompiledPolicy, Version
from rules.conditions import (
    FACTS_THAT_MAY_BE_UNKNOWN,
    Condition,
    Scope,
    atoms,
    rule_condition,
)
from rules.instants import by_second, instant_us
from rules.policy import Comparison, Conditions, PermitCount, PolicyFile, Rule, TimeSpan

__all__ = [
    "Standing",
    "StatedRule",
    "StatedVerdict",
    "Statement",
    "facts_of",
    "scope_of",
    "stated_rules",
    "stated_verdict",
    "statements",
]

Argument = int | tuple[str, ...] | tuple[dict[str, str], ...] | None
"""A number in the unit of its parameter, names, or titles by language; None: no value yet."""


class Statement(NamedTuple):
    """One condition by itself.

    key: as ``rules.conditions.atoms`` names it, e.g. ``age.at_least``; variant: which of its
        phrases, e.g. ``yes``; empty: it has one.
    arguments: what the phrase tells, by placeholder.
    holds: as compiled, a bool when it is constant here; None: a number of it has no value yet.
    """

    key: str
    variant: str
    arguments: dict[str, Argument]
    holds: Condition | bool | None


class Standing(StrEnum):
    """What can become of a rule for one code in one version.

    ASKED: it decides where its conditions hold. ALWAYS: it decides whatever is asked after it.
    BEHIND: an earlier one always decides. NEVER: it needs what is not so, or a number without a
    value. EXCEPTED: what it excepts is always so. DATES: it exists at other times only.
    """

    ASKED = "asked"
    ALWAYS = "always"
    BEHIND = "behind"
    NEVER = "never"
    EXCEPTED = "excepted"
    DATES = "dates"


class StatedRule(NamedTuple):
    """A rule for one code in one version. number: its place in the file, from 1.

    applies: the whole condition as compiled; None: it has none here, because of its dates or a
        number without a value.
    behind: the rule that always decides before it.
    """

    number: int
    rule: Rule
    when: tuple[Statement, ...]
    exceptions: tuple[Statement, ...]
    applies: Condition | bool | None
    standing: Standing
    behind: str | None


class StatedVerdict(NamedTuple):
    """What a rule decides in a version. kind: grant, refuse or already_granted.

    length_minutes: of the permit; delayed, delay_minutes: it begins later than its decision.
    None: there is none, or its parameter has no value yet.
    begins_with_reply: the length is counted from the moment the reply is sent.
    """

    kind: str
    length_minutes: int | None
    delayed: bool
    delay_minutes: int | None
    begins_with_reply: bool


def stated_verdict(rule: Rule, parameters: Mapping[str, int]) -> StatedVerdict:
    """The verdict of a rule with the numbers of a version."""
    return StatedVerdict(
        rule.verdict,
        parameters.get(rule.window or ""),
        rule.starts_after is not None,
        parameters.get(rule.starts_after or ""),
        rule.window_from == "reply",
    )


def scope_of(policy: CompiledPolicy, version: Version, code: str) -> Scope:
    """What was constant when the rules for a code in a version were compiled."""
    content = policy.policy.content
    return Scope(
        code,
        version.in_force,
        version.parameters.__getitem__,
        content.quotas,
        content.policy.leap_day_birthday,
        by_second(policy.calendar.second_of_day),
    )


def stated_rules(policy: CompiledPolicy, version: Version, code: str) -> tuple[StatedRule, ...]:
    """Every rule of the file in order, as it stands for a code in a version.

    The code is one of ``policy.grammar.codes``.
    """
    stated: list[StatedRule] = []
    behind: str | None = None
    scope = scope_of(policy, version, code)
    zone = ZoneInfo(policy.zone)
    for number, rule in enumerate(policy.policy.content.rules, 1):
        exists = _exists(rule, version, zone)
        applies = _applies(rule, scope) if exists else None
        when = tuple(statements(rule.when, scope, policy.policy.content))
        exceptions: tuple[Statement, ...] = ()
        if rule.exceptions is not None:
            exceptions = tuple(statements(rule.exceptions, scope, policy.policy.content))
        standing = _standing(exists, applies, when, behind)
        stated.append(StatedRule(number, rule, when, exceptions, applies, standing, behind))
        if standing is Standing.ALWAYS:
            behind = rule.id
    kept = sum(rule.standing in (Standing.ASKED, Standing.ALWAYS) for rule in stated)
    assert kept == len(version.rules[code]), "stated otherwise than compiled"
    return tuple(stated)


def facts_of(rule: Rule) -> tuple[str, ...]:
    """The facts a rule asks for that may be unknown, as ``Conditions`` names them."""
    asked = (rule.when, rule.exceptions or Conditions())
    return tuple(
        key
        for key in FACTS_THAT_MAY_BE_UNKNOWN
        if any(getattr(given, key) is not None for given in asked)
    )


def _exists(rule: Rule, version: Version, zone: ZoneInfo) -> bool:
    """Whether a version lies between the dates of a rule; it never lies across one."""
    at_us = version.from_us
    if at_us is None:
        return rule.start is None
    begun = rule.start is None or instant_us(rule.start, zone) <= at_us
    return begun and (rule.until is None or at_us < instant_us(rule.until, zone))


def _applies(rule: Rule, scope: Scope) -> Condition | bool | None:
    try:
        applies = rule_condition(rule.when, rule.exceptions, rule.unknown, scope)
        if applies is not False:
            for name in (rule.window, rule.starts_after):
                if name is not None:
                    scope.parameter(name)
    except KeyError:  # a fault of the policy, unless an earlier rule always decides
        return None
    return applies


def _standing(
    exists: bool,
    applies: Condition | bool | None,
    when: tuple[Statement, ...],
    behind: str | None,
) -> Standing:
    if not exists:
        return Standing.DATES
    if applies is False:
        needs_what_is_not = any(statement.holds is False for statement in when)
        return Standing.NEVER if needs_what_is_not else Standing.EXCEPTED
    if behind is not None:
        return Standing.BEHIND
    if applies is None:
        return Standing.NEVER
    return Standing.ALWAYS if applies is True else Standing.ASKED


def statements(given: Conditions, scope: Scope, content: PolicyFile) -> Iterator[Statement]:
    """Each condition by itself, also behind one that is never so."""
    for key in Conditions.model_fields:
        asked = getattr(given, key)
        if asked is None:
            continue
        alone = Conditions.model_construct(**{key: asked})
        try:
            found: list[tuple[str, Condition | bool | None]] = list(atoms(alone, scope))
        except KeyError:  # a number without a value in this version
            found = [(each, None) for each in _keys(key, asked)]
        for each, holds in found:
            variant, arguments = _told(each, asked, scope, content)
            yield Statement(each, variant, arguments, holds)


def _keys(key: str, asked: Any) -> list[str]:
    if not isinstance(asked, Comparison):
        return [key]
    return [f"{key}.{bound}" for bound in ("at_least", "below") if getattr(asked, bound)]


def _told(
    key: str, asked: Any, scope: Scope, content: PolicyFile
) -> tuple[str, dict[str, Argument]]:
    """Which phrase tells a condition, and what it is filled with."""
    if isinstance(asked, bool):
        return ("yes" if asked else "no"), {}
    if key == "quota_spent":
        quota = content.quotas[asked]
        return "", {"permits": _value(quota.limit, scope), "codes": tuple(quota.codes)}
    if isinstance(asked, str):
        return asked, {}
    if isinstance(asked, TimeSpan):
        return "", {"from": _value(asked.start, scope), "until": _value(asked.until, scope)}
    if isinstance(asked, Comparison):
        name = getattr(asked, key.rpartition(".")[2])
        numbers: dict[str, Argument] = {content.parameters[name].unit: _value(name, scope)}
        if not isinstance(asked, PermitCount):
            return "", numbers
        if asked.codes is None:
            return "of_all", numbers
        return "of_codes", numbers | {"codes": tuple(asked.codes)}
    if key == "region":
        return "", {"regions": tuple(content.regions[region].title for region in asked)}
    return "", {_NAMES[key]: tuple(asked)}


_NAMES = {
    "code": "codes",
    "document_kind": "kinds",
    "weekday": "weekdays",
    "channel": "channels",
}


def _value(name: str, scope: Scope) -> int | None:
    try:
        return scope.parameter(name)
    except KeyError:
        return None
