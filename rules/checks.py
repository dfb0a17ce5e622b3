"""What the parts of a policy file must mean together; each check says all it finds."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, time
from zoneinfo import ZoneInfo

from rules.conditions import FACTS_THAT_MAY_BE_UNKNOWN
from rules.decide import OVERRIDE
from rules.grammar.request import Reason
from rules.instants import instant_us
from rules.policy import Comparison, Conditions, Policy, Rule
from rules.problems import Problem, problem_at
from rules.replies import PLACEHOLDERS
from rules.reply_checks import check_replies
from rules.toml_lines import Path

__all__ = ["check"]

_NEVER_US = 1 << 62

Say = Callable[[Path, str], None]

_REASONS_ALWAYS = ("unreadable", "no_document")
_REASONS_OF_DOCUMENTS = (
    *_REASONS_ALWAYS, "bad_document", "bad_digits", "too_many_documents", "ambiguous",
)  # fmt: skip


def check(policy: Policy) -> list[Problem]:
    """Every reference that leads nowhere, every contradiction, every text that cannot be filled."""
    problems: list[Problem] = []

    def say(path: Path, message: str) -> None:
        problems.append(problem_at(policy.name, policy.lines, path, message))

    for look in (
        _dates,
        _languages,
        _requests,
        _parameters,
        _quotas,
        _rules,
        _abuse,
        check_replies,
        _tests,
    ):
        look(policy, say)
    return problems


def _dates(policy: Policy, say: Say) -> None:
    content, zone = policy.content, ZoneInfo(policy.content.policy.zone)

    def span(path: Path, start: datetime | None, until: datetime | None) -> tuple[int, int]:
        begins = _us(start, zone, (*path, "from"), say)
        ends = _us(until, zone, (*path, "until"), say)
        if begins is not None and ends is not None and ends <= begins:
            say((*path, "until"), "must be later than from")
        return begins or 0, ends or _NEVER_US

    for index, rule in enumerate(content.rules):
        span(("rules", index), rule.start, rule.until)
    ended = 0
    for index, interval in enumerate(content.in_force):
        begins, ends = span(("in_force", index), interval.start, interval.until)
        if begins < ended:
            say(("in_force", index, "from"), "begins before the interval above has ended")
        ended = ends
    for name, parameter in content.parameters.items():
        previous = 0
        for index, value in enumerate(parameter.values):
            path: Path = ("parameters", name, "values", index)
            begins = _us(value.start, zone, (*path, "from"), say) or 0
            if index and value.start is None:
                say(path, "needs a from date; only the first value may hold since ever")
            elif index and begins <= previous:
                say((*path, "from"), "must be later than the date of the value above")
            previous = begins
    for index, case in enumerate(content.tests):
        path = ("tests", index)
        _us(case.at, zone, (*path, "at"), say)
        span((*path, "expect"), case.expect.start, case.expect.until)
        for position, permit in enumerate(case.facts.permits):
            place = (*path, "facts", "permits", position)
            _us(permit.granted, zone, (*place, "granted"), say)
            _us(permit.until, zone, (*place, "until"), say)


def _us(written: datetime | None, zone: ZoneInfo, path: Path, say: Say) -> int | None:
    if written is not None and written.microsecond:
        say(path, "must be on a whole second")
        return None
    try:
        return None if written is None else instant_us(written, zone)
    except ValueError as error:
        say(path, str(error))
        return None


def _languages(policy: Policy, say: Say) -> None:
    content = policy.content
    names = [language.name for language in content.languages]
    _unique(names, ("languages",), "name", say)
    if content.policy.default_language not in names:
        say(("policy", "default_language"), f"must be one of the languages: {_list(names)}")

    def complete(path: Path, texts: Iterable[str]) -> None:
        for name in names:
            if name not in texts:
                say(path, f'has no text in language "{name}"')
        for name in texts:
            if name not in names:
                say((*path, name), f"is not a language of this policy; those are {_list(names)}")

    for code, purpose in content.codes.items():
        complete(("codes", code, "title"), purpose.title)
    for name, region in content.regions.items():
        complete(("regions", name, "title"), region.title)
    complete(("household", "opening"), content.household.opening)
    for key, reply in content.replies.items():
        complete(("replies", key, "text"), reply.text)
        if reply.line is not None:
            complete(("replies", key, "line"), reply.line)
    limits: list[tuple[Path, Iterable[str]]] = [
        (("household", "segments_max"), content.household.segments_max),
        *((("replies", k, "segments_max"), r.segments_max) for k, r in content.replies.items()),
    ]
    for path, given in limits:
        if "*" not in given:
            complete(path, given)


_FORMS: dict[str, tuple[str, ...]] = {
    "documents": (),
    "number_postcode": ("postcode_digits", "example_ending"),
    "name_address": ("words_min", "example_ending"),
}
"""What each form of a request needs besides codes; the others must leave it out."""


def _requests(policy: Policy, say: Say) -> None:
    content = policy.content
    requests, form = content.requests, content.requests.form
    _known(requests.example_code, content.codes, "code", ("requests", "example_code"), say)
    for key in ("postcode_digits", "words_min", "example_ending"):
        given = getattr(requests, key) is not None
        if key in _FORMS[form] and not given:
            say(("requests",), f'needs {key} with form = "{form}"')
        if given and key not in _FORMS[form]:
            say(("requests", key), f'has no meaning with form = "{form}"')
    if form == "name_address":
        if content.documents:
            say(("documents",), f'has no meaning with form = "{form}": people are named instead')
        if requests.documents_max > 1:
            say(("requests", "documents_max"), f'must be 1 with form = "{form}"')
    elif not content.documents:
        say(("documents",), "is missing; add each kind of identity document")
    given_reasons = content.unrecognised.model_dump()
    for reason in _REASONS_OF_DOCUMENTS if form != "name_address" else _REASONS_ALWAYS:
        if given_reasons[reason] is None:
            say(("unrecognised", reason), "is missing; add the reply")
    _unique([document.kind for document in content.documents], ("documents",), "kind", say)


def _parameters(policy: Policy, say: Say) -> None:
    reserved = frozenset().union(*PLACEHOLDERS.values())
    for name, parameter in policy.content.parameters.items():
        path = ("parameters", name)
        if name in reserved:
            say(path, "is the name of a placeholder of replies; choose another")
        for index, dated in enumerate(parameter.values):
            place = (*path, "values", index, "value")
            clock = isinstance(dated.value, time)
            if clock != (parameter.unit == "time_of_day"):
                wanted = "a time like 21:00:00" if not clock else "a whole number"
                say(place, f"must be {wanted}, in {parameter.unit}")
            elif parameter.unit not in ("years", "time_of_day") and dated.value == 0:
                say(place, f"must be at least 1, in {parameter.unit}")
    identity = policy.content.policy
    _parameter(policy, identity.refusals_expire, "minutes", ("policy", "refusals_expire"), say)
    flood = policy.content.flood
    if flood is not None:
        _parameter(policy, flood.junk_max, "messages", ("flood", "junk_max"), say)
        _parameter(policy, flood.refill, "minutes", ("flood", "refill"), say)
    late = policy.content.late
    if late is not None and (late.reply is None) == (late.action == "explain"):
        needs = "needs reply" if late.reply is None else "has no use for reply; remove it"
        say(("late", "action"), f'"{late.action}" {needs}')


_ABUSE_UNITS = {
    "permits_of_person": "permits",
    "people_of_phone": "people",
    "phones_of_person": "phones",
}


def _abuse(policy: Policy, say: Say) -> None:
    measures = policy.content.abuse
    _unique([measure.id for measure in measures], ("abuse",), "id", say)
    for index, measure in enumerate(measures):
        path: Path = ("abuse", index)
        unit = _ABUSE_UNITS[measure.measure]
        _parameter(policy, measure.at_least, unit, (*path, "at_least"), say)
        for code in measure.codes or ():
            _known(code, policy.content.codes, "code", (*path, "codes"), say)


def _parameter(policy: Policy, name: str, unit: str, path: Path, say: Say) -> None:
    parameters = policy.content.parameters
    if _known(name, parameters, "parameter", path, say) and parameters[name].unit != unit:
        say(path, f'needs a parameter in {unit}; "{name}" is in {parameters[name].unit}')


def _quotas(policy: Policy, say: Say) -> None:
    seen: dict[str, str] = {}
    for name, quota in policy.content.quotas.items():
        path = ("quotas", name)
        _parameter(policy, quota.limit, "permits", (*path, "limit"), say)
        for code in quota.codes:
            _known(code, policy.content.codes, "code", (*path, "codes"), say)
            if code in seen:
                say((*path, "codes"), f'code {code} counts towards quota "{seen[code]}" already')
            seen[code] = name


def _rules(policy: Policy, say: Say) -> None:
    _unique([rule.id for rule in policy.content.rules], ("rules",), "id", say)
    for index, rule in enumerate(policy.content.rules):
        path: Path = ("rules", index)
        if rule.id == OVERRIDE:
            say((*path, "id"), f'"{OVERRIDE}" names what agents grant; choose another')
        _conditions(policy, rule.when, (*path, "when"), say)
        if rule.exceptions is not None:
            _conditions(policy, rule.exceptions, (*path, "except"), say)
        _unknown(rule, path, say)
        _verdict(policy, rule, path, say)
        _known(rule.reply, policy.content.replies, "reply", (*path, "reply"), say)


def _conditions(policy: Policy, given: Conditions, path: Path, say: Say) -> None:
    content = policy.content
    for code in given.code or ():
        _known(code, content.codes, "code", (*path, "code"), say)
    kinds = [document.kind for document in content.documents]
    for kind in given.document_kind or ():
        _known(kind, kinds, "document kind", (*path, "document_kind"), say)
    if given.quota_spent is not None:
        _known(given.quota_spent, content.quotas, "quota", (*path, "quota_spent"), say)
    for region in given.region or ():
        _known(region, content.regions, "region", (*path, "region"), say)
    for code in (given.permits_today and given.permits_today.codes) or ():
        _known(code, content.codes, "code", (*path, "permits_today", "codes"), say)
    for key, unit in _COMPARED:
        _compared(policy, getattr(given, key), unit, (*path, key), say)
    if given.local_time is not None:
        place = (*path, "local_time")
        _parameter(policy, given.local_time.start, "time_of_day", (*place, "from"), say)
        _parameter(policy, given.local_time.until, "time_of_day", (*place, "until"), say)
        if given.local_time.start == given.local_time.until:
            say(place, "begins and ends at the same parameter, so it never holds")


_COMPARED = (
    ("age", "years"),
    ("permits_today", "permits"),
    ("messages_today", "messages"),
    ("documents_today", "documents"),
)


def _compared(policy: Policy, asked: Comparison | None, unit: str, path: Path, say: Say) -> None:
    if asked is None:
        return
    bounds = {"at_least": asked.at_least, "below": asked.below}
    if not any(bounds.values()):
        say(path, f"needs at_least or below, each naming a parameter in {unit}")
    for key, name in bounds.items():
        if name is not None:
            _parameter(policy, name, unit, (*path, key), say)


def _unknown(rule: Rule, path: Path, say: Say) -> None:
    asked = set(rule.when.model_fields_set)
    if rule.exceptions is not None:
        asked |= rule.exceptions.model_fields_set
    doubtful = [fact for fact in FACTS_THAT_MAY_BE_UNKNOWN if fact in asked]
    if doubtful and rule.unknown is None:
        say(
            path,
            f'must say unknown = "skip" or unknown = "apply": {_list(doubtful)} may be unknown, '
            "and then the rule is passed over, or applies",
        )
    if not doubtful and rule.unknown is not None:
        say(
            (*path, "unknown"), "has no meaning here: the rule asks for nothing that may be unknown"
        )


def _verdict(policy: Policy, rule: Rule, path: Path, say: Say) -> None:
    if rule.verdict == "grant":
        if rule.window is None:
            say(path, "grants, so it needs window: the parameter that says how long")
        else:
            _parameter(policy, rule.window, "minutes", (*path, "window"), say)
        if rule.starts_after is not None:
            _parameter(policy, rule.starts_after, "minutes", (*path, "starts_after"), say)
            if rule.window_from == "reply":
                say((*path, "starts_after"), 'cannot stand beside window_from = "reply"')
    else:
        for key in ("window", "window_from", "starts_after"):
            if getattr(rule, key) is not None:
                say((*path, key), f"has no meaning for verdict {rule.verdict}")
    if rule.verdict == "already_granted" and rule.when.holds_permit != "same_code":
        say(path, 'needs when.holds_permit = "same_code": it answers with the permit held')


def _tests(policy: Policy, say: Say) -> None:
    content = policy.content
    for index, case in enumerate(content.tests):
        path: Path = ("tests", index)
        if not case.expect.model_fields_set:
            say((*path, "expect"), "expects nothing; name the rule, for one")
        facts = case.facts
        for permit in facts.permits:
            _known(permit.code, content.codes, "code", (*path, "facts", "permits"), say)
        for block in facts.blocks:
            if block.code is not None:
                _known(block.code, content.codes, "code", (*path, "facts", "blocks"), say)
        if facts.region is not None and facts.region != "elsewhere":
            _known(facts.region, content.regions, "region", (*path, "facts", "region"), say)
        expected = case.expect
        if expected.rule is not None:
            rules = [rule.id for rule in content.rules]
            _known(expected.rule, rules, "rule", (*path, "expect", "rule"), say)
        if expected.reply is not None:
            _known(expected.reply, content.replies, "reply", (*path, "expect", "reply"), say)
        if expected.reason is not None:
            reasons = [reason.value for reason in Reason]
            _known(expected.reason, reasons, "reason", (*path, "expect", "reason"), say)


def _known(key: str, known: Iterable[str], what: str, path: Path, say: Say) -> bool:
    if key in known:
        return True
    say(path, f'there is no {what} "{key}"; there are {_list(known)}')
    return False


def _unique(keys: list[str], path: Path, field: str, say: Say) -> None:
    for key, count in Counter(keys).items():
        if count > 1:
            second = keys.index(key, keys.index(key) + 1)
            say((*path, second, field), f'"{key}" is taken by an entry above')


def _list(words: Iterable[str]) -> str:
    return ", ".join(words) or "none"
