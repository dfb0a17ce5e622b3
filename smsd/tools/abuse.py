"""`smsd abuse report` and `smsd block …`."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import click

from rules import CompiledPolicy
from rules import reference as references
from smsd.config import Config
from smsd.tools.law import law_in_force
from smsd.tools.moments import now_us, since_us, told
from smsd.tools.output import ToolRefused, print_json
from storage import blocks
from storage.abuse import CANDIDATES_MAX, Measured, measure
from storage.holders import find_holder
from storage.store import StoreError

__all__ = ["add_block", "list_blocks", "remove_block", "report_abuse"]


def report_abuse(config: Config, since: str, as_json: bool) -> None:
    """Measure recorded traffic by the policy's [[abuse]]."""
    policy = law_in_force(config)
    start_us = since_us(since, policy.zone)
    parameters = policy.version_at(now_us()).parameters
    found: list[tuple[str, str, int, Measured]] = []
    try:
        for each in policy.policy.content.abuse:
            earliest_us = max(start_us, now_us() - each.days * 86_400_000_000)
            bound = parameters[each.at_least]
            measured = measure(config.store.url, each.measure, each.codes or (), earliest_us, bound)
            found.append((each.id, each.title, bound, measured))
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault
    if as_json:
        print_json([_report_data(*row) for row in found])
        return
    if not found:
        click.echo("The policy in force has no [[abuse]]; see rules/README.md.")
    for name, title, bound, measured in found:
        click.echo(
            f"{name}: {title} ({bound} or more): {measured.above} of {measured.everybody};"
            f" half have {measured.median} or fewer, 99 % have {measured.percentile_99} or fewer"
        )
        for candidate in measured.candidates:
            click.echo(f"  {candidate.amount:>5}  {candidate.who}")
            for example in candidate.examples:
                click.echo(
                    f"         {references.encode(example.serial)}"
                    f"  {told(example.at_us, policy.zone)}  code {example.code}"
                    f"  {example.document}  from {example.phone}"
                )
        if measured.above > CANDIDATES_MAX:
            click.echo(f"  … and {measured.above - CANDIDATES_MAX} more")


def _report_data(name: str, title: str, bound: int, measured: Measured) -> dict[str, object]:
    return {
        "id": name,
        "title": title,
        "at_least": bound,
        **measured._asdict(),
        "candidates": [
            {
                **candidate._asdict(),
                "examples": [
                    {**example._asdict(), "reference": references.encode(example.serial)}
                    for example in candidate.examples
                ],
            }
            for candidate in measured.candidates
        ],
    }


def add_block(
    config: Config, document: str, code: str, until: date, who: str, reason: str, as_json: bool
) -> None:
    """Block the holder of a document until a day."""
    policy = law_in_force(config)
    read = policy.grammar.parse_document(document)
    if read is None:
        raise ToolRefused("That is no document that the policy knows; write it as it is printed.")
    codes = policy.grammar.codes
    if code and code not in codes:
        raise ToolRefused(f"There is no code {code}; there are {', '.join(codes)}.")
    if until <= _today(policy):
        raise ToolRefused("--until must lie after today: it is the first free day.")
    holder, whose = _holder(config, read.text)
    try:
        number = blocks.add_block(
            config.store.url, holder, read.text, code, until.toordinal(), who, reason, now_us()
        )
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault
    if as_json:
        print_json({"block": number, "holder": holder, "code": code, "until": until.isoformat()})
        return
    what = f"code {code}" if code else "all codes"
    click.echo(f"Block {number}: {whose} is refused {what} until {until}, and free on that day.")
    if "blocked" not in policy.facts_asked:
        click.echo(
            "But no rule of the policy in force asks for blocks: it has no effect.", err=True
        )


def _holder(config: Config, document: str) -> tuple[str, str]:
    """As decisions name the holder of a document, and in words."""
    if config.register_.mode == "off":
        return find_holder(None, document).name, "this document"
    try:
        holder = find_holder(config.register_.file, document)
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault
    if holder.citizen is None:
        raise ToolRefused("The register does not know this document, so it gets no permits anyway.")
    return holder.name, "the person who holds this document"


def remove_block(config: Config, number: int, who: str, reason: str, as_json: bool) -> None:
    """Lift a block."""
    try:
        blocks.remove_block(config.store.url, number, who, reason, now_us())
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault
    if as_json:
        print_json({"block": number, "lifted": True})
    else:
        click.echo(f"Block {number} is lifted.")


def list_blocks(config: Config, ended: bool, as_json: bool) -> None:
    """The blocks that stand, or all."""
    policy = law_in_force(config)
    try:
        rows = blocks.list_blocks(config.store.url, _today(policy).toordinal(), ended)
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault
    if as_json:
        print_json([{**row._asdict(), "until": _iso(row.until_day)} for row in rows])
        return
    for row in rows:
        what = f"code {row.code}" if row.code else "all codes"
        lifted = f"; lifted by {row.removed_by}: {row.removal_reason}" if row.removed_by else ""
        click.echo(
            f"{row.id:>5}  {row.document}  {what}, until {_iso(row.until_day)};"
            f" {row.added_by}: {row.reason}{lifted}"
        )
    if not rows:
        click.echo("Nobody is blocked.")


def _iso(day: int) -> str:
    return date.fromordinal(day).isoformat()


def _today(policy: CompiledPolicy) -> date:
    return datetime.now(tz=ZoneInfo(policy.zone)).date()
