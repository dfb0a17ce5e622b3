"""`smsd smsc …`: what an operator does with the SMSCs of a running daemon."""

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from smsd.cli_options import config_option, json_option, load_configuration, run_tool


@click.group()
def smsc() -> None:
    """List, suspend, resume, reconnect, pace the daemon's SMSCs."""


@smsc.command("list", short_help="Say which SMSC is bound, since when, or why not.")
@config_option
@json_option
def list_smscs(config_file: Path, as_json: bool) -> None:
    """Each SMSC with its binds: since when, at which address, how full its window is, why not.

    Exit code 1 where one is neither bound nor suspended.
    """
    from smsd.tools.smsc import list_smscs

    run_tool(list_smscs, load_configuration(config_file), as_json)


def _acting(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a command that acts on one SMSC, and leaves a line in the audit."""
    for option in (
        json_option,
        config_option,
        click.option("--reason", default="", help="Why, for the audit."),
        click.option("--who", help="Your name, for the audit; your login name if not given."),
        click.argument("name"),
    ):
        command = option(command)
    return command


@smsc.command(short_help="Unbind from an SMSC and stay away.")
@_acting
def suspend(name: str, **options: Any) -> None:
    """Unbind from the SMSC NAME until it is resumed, or the daemon is started again.

    Replies that were submitted have their response first; the others wait. What phones send stays
    with the SMSC. /readyz tells of it, and stays ready while another SMSC is in service.
    """
    _act("suspend", name, **options)


@smsc.command(short_help="Bind to a suspended SMSC again.")
@_acting
def resume(name: str, **options: Any) -> None:
    """Bind to the SMSC NAME again, and tell how it takes that."""
    _act("resume", name, **options)


@smsc.command(short_help="Unbind from an SMSC and bind again at once.")
@_acting
def reconnect(name: str, **options: Any) -> None:
    """Unbind from the SMSC NAME in good order and bind again, at the first of its hosts.

    With the certificates that its files hold now.
    """
    _act("reconnect", name, **options)


_AS_CONFIGURED = "configured"


@smsc.command(short_help="Give an SMSC fewer messages a second.")
@_acting
@click.argument("rate")
def pace(
    name: str,
    rate: str,
    who: str | None,
    reason: str,
    config_file: Path,
    as_json: bool,
) -> None:
    """Give the SMSC NAME at most RATE messages a second, over all its binds.

    Until the daemon is started again, or RATE is the word `configured`. Congestion slows down
    below it as ever. Nothing is lost: what may not leave yet waits.
    """
    from smsd.tools.smsc import pace_smsc

    try:
        rate_per_s = None if rate == _AS_CONFIGURED else float(rate)
    except ValueError as fault:
        raise click.UsageError(
            f"RATE {rate!r} is neither messages a second nor the word {_AS_CONFIGURED}."
        ) from fault
    author = who or getpass.getuser()
    config = load_configuration(config_file)
    run_tool(pace_smsc, config, name, rate_per_s, author, reason, as_json)


def _act(
    do: str, name: str, who: str | None, reason: str, config_file: Path, as_json: bool
) -> None:
    from smsd.tools.smsc import act_on_smsc

    author = who or getpass.getuser()
    run_tool(act_on_smsc, load_configuration(config_file), do, name, author, reason, as_json)
