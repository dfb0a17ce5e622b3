"""`smsd outbox …`: replies that wait, and those that their SMSC would not take."""

from pathlib import Path

import click

from smsd.cli_options import config_option, json_option, load_configuration, run_tool

_ids_argument = click.argument("ids", metavar="[ID…]", nargs=-1, type=click.IntRange(min=1))
_who_option = click.option("--who", required=True, help="Your name, for the audit.")
_reason_option = click.option("--reason", required=True, help="Why, for the audit.")


@click.group(short_help="Replies that wait, and those that never left.")
def outbox() -> None:
    """Replies on their way to an SMSC, and those that never got there."""


@outbox.command("list", short_help="List what waits and what never left.")
@click.option("--smsc", metavar="NAME", help="Only of this SMSC.")
@click.option(
    "--since",
    default="1d",
    show_default=True,
    help="What never left, from when on: 2020-06-28T00:00, 24h or 7d.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=100_000),
    default=1_000,
    show_default=True,
    help="So many of each at most.",
)
@click.option(
    "--reveal", is_flag=True, help="Whole phone numbers; needs --who and --reason, for the audit."
)
@click.option("--who", help="Your name, for the audit.")
@click.option("--reason", help="Why, for the audit.")
@config_option
@json_option
def list_(
    smsc: str | None,
    since: str,
    limit: int,
    reveal: bool,
    who: str | None,
    reason: str | None,
    config_file: Path,
    as_json: bool,
) -> None:
    """Number, SMSC, when the SMS came, phone (its last digits), state and reason of each reply.

    Never the text. The daemon may run.
    """
    from smsd.tools.outbox import list_outbox

    named = (who, reason) if who and reason else None
    if reveal and named is None:
        raise click.UsageError("--reveal needs --who and --reason, for the audit.")
    config = load_configuration(config_file)
    run_tool(list_outbox, config, smsc, since, limit, named if reveal else None, as_json)


@outbox.command(short_help="Send again what was refused.")
@_ids_argument
@click.option("--status", metavar="STATUS", help="All refused with it: a name, or 0x0b.")
@click.option("--all-of", "smsc", metavar="NAME", help="All that this SMSC refused.")
@_who_option
@_reason_option
@config_option
@json_option
def retry(
    ids: tuple[int, ...],
    status: str | None,
    smsc: str | None,
    who: str,
    reason: str,
    config_file: Path,
    as_json: bool,
) -> None:
    """Put replies back into their outboxes; a running daemon sends them at once.

    Either the replies with these IDs, as `smsd outbox list` gives them, or all refused with
    --status, by the SMSC --all-of. What would mislead, because the permit it tells of has ended,
    stays where it is.
    """
    from smsd.tools.outbox import retry_chosen, retry_replies

    chosen = status is not None or smsc is not None
    if bool(ids) == chosen:
        raise click.UsageError("Give either IDs or one or both of --status and --all-of.")
    config = load_configuration(config_file)
    if chosen:
        run_tool(retry_chosen, config, smsc, status, who, reason, as_json)
    else:
        run_tool(retry_replies, config, ids, who, reason, as_json)


@outbox.command(short_help="Give replies up for good.")
@_ids_argument
@_who_option
@_reason_option
@config_option
@json_option
def drop(ids: tuple[int, ...], who: str, reason: str, config_file: Path, as_json: bool) -> None:
    """Take the replies with these IDs off the list; permits that they tell of stand.

    A reply that waits can only be dropped while no daemon runs.
    """
    from smsd.tools.outbox import drop_replies

    if not ids:
        raise click.UsageError("Give the IDs of the replies, as smsd outbox list prints them.")
    run_tool(drop_replies, load_configuration(config_file), ids, who, reason, as_json)
