"""`smsd audit …`: reading the audit, and proving that nobody has changed it."""

import re
from pathlib import Path

import click

from smsd.cli_options import config_option, json_option, load_configuration, run_tool

_HASH = re.compile(r"[0-9a-f]{64}")


@click.group()
def audit() -> None:
    """Who saw or did what, about whom, when and why."""


def _noted(_context: click.Context, _option: click.Parameter, typed: str | None) -> str | None:
    if typed is not None and not _HASH.fullmatch(typed):
        raise click.BadParameter("a hash has 64 digits 0-9, a-f, as the log and verify tell it")
    return typed


@audit.command(short_help="Say whether the audit is as it was written.")
@click.option(
    "--head",
    "noted",
    metavar="HASH",
    callback=_noted,
    help="A hash that was noted earlier: the daemon logs one each hour, as audit_head.",
)
@config_option
@json_option
def verify(noted: str | None, config_file: Path, as_json: bool) -> None:
    """Walk the chain of the audit's lines; the daemon may run.

    Exit code 1, and the first line that is wrong, where one was altered, is missing or stands in
    another's place. That the newest lines were cut off shows only with --head.
    """
    from smsd.tools.audit import verify_audit

    run_tool(verify_audit, load_configuration(config_file), noted, as_json)


@audit.command("list", short_help="List who did what, newest first.")
@click.option("--by", metavar="NAME", help="Only what this person did.")
@click.option("--action", help="Only this, e.g. policy_activate.")
@click.option("--since", help="From when on: 2020-06-28T00:00, 24h or 7d.")
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=100_000),
    default=100,
    show_default=True,
    help="So many lines at most.",
)
@click.option(
    "--before",
    metavar="NUMBER",
    type=click.IntRange(min=1),
    help="Only lines before this one: the next page.",
)
@click.option(
    "--reveal",
    is_flag=True,
    help="Whole phones and documents; needs --who and --reason, for the audit.",
)
@click.option("--who", help="Your name, for the audit.")
@click.option("--reason", help="Why, for the audit.")
@config_option
@json_option
def list_(
    by: str | None,
    action: str | None,
    since: str | None,
    limit: int,
    before: int | None,
    reveal: bool,
    who: str | None,
    reason: str | None,
    config_file: Path,
    as_json: bool,
) -> None:
    """Number, time, who, what, about whom (the last digits) and why; the daemon may run."""
    from smsd.tools.audit import list_audit

    named = (who, reason) if who and reason else None
    if reveal and named is None:
        raise click.UsageError("--reveal needs --who and --reason, for the audit.")
    config = load_configuration(config_file)
    shown = named if reveal else None
    run_tool(list_audit, config, by, action, since, limit, before, shown, as_json)
