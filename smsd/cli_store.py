"""`smsd store …`: what an operator does to keep the store in good order."""

import getpass
from datetime import datetime
from pathlib import Path

import click

from smsd.cli_options import config_option, json_option, load_configuration, run_tool


@click.group()
def store() -> None:
    """Back the store up, check it, measure it, purge it."""


@store.command(short_help="Copy the store into a new file.")
@click.argument("file", type=click.Path(path_type=Path))
@config_option
@json_option
def backup(file: Path, config_file: Path, as_json: bool) -> None:
    """Copy the store into FILE, of one moment and whole; the daemon may run.

    Written as FILE.new, checked, then renamed, so that FILE is a good copy as soon as it is there.
    To go back to it: stop the daemon, remove the store with its -wal and -shm, and put a copy of
    FILE in its place.
    """
    from smsd.tools.store import back_up

    run_tool(back_up, load_configuration(config_file), file, as_json)


@store.command(short_help="Say whether the store is sound.")
@config_option
@json_option
def verify(config_file: Path, as_json: bool) -> None:
    """Read all of the store and check the file and what must hold in it; the daemon may run.

    Each message has its reply, no place of a daily limit was granted twice, each decision's policy
    is there. Exit code 1, with how many of each, where it is not so.
    """
    from smsd.tools.store import verify_store

    run_tool(verify_store, load_configuration(config_file), as_json)


@store.command(short_help="Say how much the store holds.")
@config_option
@json_option
def stats(config_file: Path, as_json: bool) -> None:
    """Rows, sizes, replies that wait, days, schema; the daemon may run."""
    from smsd.tools.store import show_stats

    run_tool(show_stats, load_configuration(config_file), as_json)


@store.command(short_help="Delete what was received before a day.")
@click.option(
    "--before",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="The first day that stays, by the calendar of the policy in force.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--who", help="Your name, for the audit; your login name if not given.")
@click.option(
    "--reason", default="retention", show_default=True, help="Why, for the audit: the decree."
)
@config_option
@json_option
def purge(
    before: datetime,
    yes: bool,
    who: str | None,
    reason: str,
    config_file: Path,
    as_json: bool,
) -> None:
    """Delete messages with their decisions and replies, in small steps; the daemon may run.

    A message stays whose reply has not left or whose permit is still valid, and the newest one,
    from which the numbers go on. The space is used again; the file does not shrink.
    """
    from smsd.tools.store_purge import purge_store

    config = load_configuration(config_file)
    author = who or getpass.getuser()
    run_tool(purge_store, config, before.date(), author, reason, yes, as_json)
