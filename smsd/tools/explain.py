"""`smsd explain`: what a reference stands for, and why it was decided so."""

import json
import textwrap
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import click

import rules
from rules import reference as references
from rules.decide import OVERRIDE
from rules.documents import taken_apart
from rules.telling.table import as_data
from rules.telling.trace import RuleTrace, trace, trace_words, what_if
from smsd.config import Config
from smsd.tools.output import ToolRefused
from storage.cases import Case, find_cases
from storage.store import StoreError

__all__ = ["explain_reference"]

_US_PER_S = 1_000_000
_NAME_COLUMNS = 15
_INDENT = " " * (_NAME_COLUMNS + 2)


def explain_reference(config: Config, reference: str, as_json: bool) -> None:
    """Print every decision behind `reference`; raises `ToolRefused` when there is none."""
    number = references.decode(reference)
    if number is None:
        raise ToolRefused(
            f"{reference!r} is no reference: six characters, the last of which checks the others."
            " One of them may be misread."
        )
    try:
        cases = find_cases(config.store.url, number, references.SERIALS)
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault
    if not cases:
        raise ToolRefused(f"No decision has the reference {references.encode(number)}.")
    if as_json:
        click.echo(
            json.dumps(
                [_as_json(case) for case in cases], ensure_ascii=False, indent=2, default=str
            )
        )
        return
    click.echo("\n\n".join(_in_words(case) for case in cases))


def _in_words(case: Case) -> str:
    policy = rules.parse_policy(case.policy_source, f"policy {case.policy_digest[:12]}")
    identity = policy.content.policy
    zone = ZoneInfo(identity.zone)
    facts = case.facts
    permits = [
        f"code {permit.code}, {_span(permit.valid_from_us, permit.valid_until_us, zone)}"
        for permit in facts.permits
    ]
    registered = {None: "no register is used", True: "yes", False: "no"}[facts.registered]
    lines = [
        ("reference", references.encode(case.permit or case.serial)),
        ("received", f"{_local(case.at_us, zone):%Y-%m-%d %H:%M:%S %Z} by {case.smsc}"),
        ("asked", f"{case.request!r} → code {case.code}, document {case.document}"),
        ("in the register", registered),
        ("born", facts.birth_date.isoformat() if facts.birth_date else "unknown"),
        ("permits then", "; ".join(permits) or "none"),
        *_more_facts(facts),
        ("decided", f"{case.verdict} by rule {case.rule!r}"),
        ("policy", f"{identity.id}, digest {case.policy_digest[:12]}"),
    ]
    if case.valid_from_us is not None and case.valid_until_us is not None:
        lines.append(("valid", _span(case.valid_from_us, case.valid_until_us, zone)))
    if case.ended_us is not None:
        lines.append(("ended", f"{_local(case.ended_us, zone):%Y-%m-%d %H:%M:%S %Z}, by SMS"))
    lines += _lateness(case, zone)
    state = case.reply_state.name.lower() + (", resent" if case.resent else "")
    lines.append(("reply", f"{case.reply}  [{state}]"))
    if case.receipt_state is not None and case.receipt_at_us is not None:
        at = f"{_local(case.receipt_at_us, zone):%Y-%m-%d %H:%M:%S %Z}"
        lines.append(("receipt", f"{case.receipt_state.name.lower()}, {at}"))
    told = [
        f"{name:>{_NAME_COLUMNS}}: {textwrap.indent(value, _INDENT).lstrip()}"
        for name, value in lines
    ]
    return "\n".join([*told, "", *trace_words(_traced(case), "en", case.rule == OVERRIDE)])


def _lateness(case: Case, zone: ZoneInfo) -> list[tuple[str, str]]:
    """What came of a reply that could not leave before its permit ended."""
    found = []
    if case.renews_us is not None:
        came = f"{_local(case.renews_us, zone):%Y-%m-%d %H:%M:%S %Z}"
        found.append(("stands for", f"the SMS of {came}, whose reply came too late"))
    if case.taken_back_us is not None:
        at = f"{_local(case.taken_back_us, zone):%Y-%m-%d %H:%M:%S %Z}"
        found.append(("taken back", f"{at}, because its reply came too late"))
    if case.renewed_as is not None:
        found.append(("decided anew", f"as {references.encode(case.renewed_as)}"))
    if case.explained is not None:
        found.append(("told instead", case.explained))
    return found


def _more_facts(facts: rules.Facts) -> list[tuple[str, str]]:
    """The facts that most decisions do not have."""
    found = []
    for block in facts.blocks:
        what = f"code {block.code}" if block.code else "all codes"
        found.append(("blocked", f"from {what} until {date.fromordinal(block.until_day)}"))
    if facts.quarantine_until_day is not None:
        until = facts.quarantine_until_day
        found.append(("quarantine", f"until {date.fromordinal(until)}" if until else "none"))
    if facts.region is not None:
        found.append(("region", facts.region))
    if facts.messages_today is not None:
        found.append(("SMS that day", f"{facts.messages_today} before this one"))
    if facts.documents_today is not None:
        found.append(("documents", f"{facts.documents_today} asked for that day before"))
    if facts.channel != "sms":
        found.append(("channel", facts.channel))
    if facts.override:
        found.append(("override", "an agent asked that no refusal counts"))
    return found


def _traced(case: Case) -> list[RuleTrace]:
    """Each rule of the policy that decided, asked again on the facts of then."""
    source = rules.parse_policy(case.policy_source, f"policy {case.policy_digest[:12]}")
    policy = rules.compile_policy(source, trial=False)
    document = taken_apart(case.document, policy.grammar.kinds)
    return trace(policy, case.code, document, case.facts, case.at_us)


def _as_json(case: Case) -> dict[str, object]:
    facts = case.facts
    traces = _traced(case)
    values = case._asdict()
    del values["policy_source"]  # the whole policy file; its digest names it
    return {
        **values,
        "reference": references.encode(case.permit or case.serial),
        "at": _local(case.at_us, ZoneInfo("UTC")).isoformat(),
        "reply_state": case.reply_state.name.lower(),
        "receipt_state": case.receipt_state and case.receipt_state.name.lower(),
        "renewed_as": case.renewed_as and references.encode(case.renewed_as),
        "facts": {
            **facts._asdict(),
            "birth_date": facts.birth_date.isoformat() if facts.birth_date else None,
            "permits": [permit._asdict() for permit in facts.permits],
            "blocks": [block._asdict() for block in facts.blocks],
        },
        "trace": as_data(traces),
        "instead": as_data(what_if(traces)),
    }


def _local(at_us: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at_us / _US_PER_S, tz=UTC).astimezone(zone)


def _span(from_us: int, until_us: int, zone: ZoneInfo) -> str:
    return f"{_local(from_us, zone):%Y-%m-%d %H:%M} to {_local(until_us, zone):%Y-%m-%d %H:%M}"
