"""`smsd abuse …` and `smsd block …`: finding those who misuse permits, and stopping them."""

from datetime import datetime
from pathlib import Path

import click

from smsd.cli_options import config_option, json_option, load_configuration, run_tool

_who_option = click.option("--who", required=True, help="Your name, for the audit.")
_reason_option = click.option("--reason", required=True, help="Why, for the audit.")


@click.group()
def abuse() -> None:
    """Who asks for more than anyone needs."""


@abuse.command(short_help="List candidates with the evidence.")
@click.option("--since", required=True, help="From when on: 2020-06-28T00:00, 24h or 7d.")
@config_option
@json_option
def report(since: str, config_file: Path, as_json: bool) -> None:
    """Measure recorded traffic by the [[abuse]] sections of the policy in force.

    A list to look into, not a verdict. Reads only; the daemon may run.
    """
    from smsd.tools.abuse import report_abuse

    run_tool(report_abuse, load_configuration(config_file), since, as_json)


@click.group()
def block() -> None:
    """Refuse a person all codes or one, until a day."""


@block.command(short_help="Block the holder of a document.")
@click.argument("document")
@click.option("--code", default="", help="Only from this code; without it, from all.")
@click.option(
    "--until",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="The first day on which the person is free again.",
)
@_who_option
@_reason_option
@config_option
@json_option
def add(
    document: str,
    code: str,
    until: datetime,
    who: str,
    reason: str,
    config_file: Path,
    as_json: bool,
) -> None:
    """Block the holder of DOCUMENT (as printed, e.g. "AZE 1111111") from the next SMS on.

    Where the register knows the person, all of the person's documents are meant.
    """
    from smsd.tools.abuse import add_block

    config = load_configuration(config_file)
    run_tool(add_block, config, document, code, until.date(), who, reason, as_json)


@block.command(short_help="Lift a block.")
@click.argument("number", type=int)
@_who_option
@_reason_option
@config_option
@json_option
def remove(number: int, who: str, reason: str, config_file: Path, as_json: bool) -> None:
    """Lift block NUMBER, as `smsd block list` gives it. The row stays, with who and why."""
    from smsd.tools.abuse import remove_block

    run_tool(remove_block, load_configuration(config_file), number, who, reason, as_json)


@block.command("list", short_help="List blocks.")
@click.option("--all", "ended", is_flag=True, help="Also those that ended or were lifted.")
@config_option
@json_option
def list_(ended: bool, config_file: Path, as_json: bool) -> None:
    """The newest first, with who set them and why."""
    from smsd.tools.abuse import list_blocks

    run_tool(list_blocks, load_configuration(config_file), ended, as_json)
