"""`smsd user …` and `smsd token …`: who may use the desk, and which programs."""

import getpass
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click

from smsd.cli_options import config_option, json_option, load_configuration, run_tool
from storage.roles import Role, Scope

_name_argument = click.argument("name")
_password_option = click.option(
    "--password-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Its first line is the password; without it you are asked.",
)
_roles_option = click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([role.value for role in Role]),
    help="What the person may do; give it once for each role.",
)


def _audited(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a command that leaves a line in the audit."""
    for option in (
        json_option,
        config_option,
        click.option("--reason", default="", help="Why, for the audit."),
        click.option(
            "--who",
            default=getpass.getuser,
            help="Your name, for the audit; your login name if not given.",
        ),
    ):
        command = option(command)
    return command


@click.group()
def user() -> None:
    """People who sign in at the desk. The daemon may run."""


@user.command(short_help="Add somebody who signs in by password.")
@_name_argument
@_roles_option
@_password_option
@_audited
def add(
    name: str,
    roles: tuple[str, ...],
    password_file: Path | None,
    who: str,
    reason: str,
    config_file: Path,
    as_json: bool,
) -> None:
    """Let NAME sign in at the desk, with at least one role.

    As soon as one user exists, the desk shows nothing without a sign-in.
    """
    from smsd.tools.users import add_user

    config = load_configuration(config_file)
    run_tool(add_user, config, name, roles, password_file, who, reason, as_json)


@user.command("list", short_help="List who may sign in.")
@config_option
@json_option
def list_users(config_file: Path, as_json: bool) -> None:
    """Everybody by name, with roles, and how each signs in."""
    from smsd.tools.users import show_users

    run_tool(show_users, load_configuration(config_file), as_json)


@user.command(short_help="Give somebody another password.")
@_name_argument
@_password_option
@click.option("--once", is_flag=True, help="At the next sign-in the person must choose another.")
@_audited
def password(
    name: str,
    password_file: Path | None,
    once: bool,
    who: str,
    reason: str,
    config_file: Path,
    as_json: bool,
) -> None:
    """Give NAME another password, and end the sessions that are open."""
    from smsd.tools.users import change_password

    config = load_configuration(config_file)
    run_tool(change_password, config, name, password_file, once, who, reason, as_json)


@user.command(short_help="Change what somebody may do.")
@_name_argument
@_roles_option
@_audited
def roles(
    name: str, roles: tuple[str, ...], who: str, reason: str, config_file: Path, as_json: bool
) -> None:
    """Give NAME these roles and no others, and end the sessions that are open."""
    from smsd.tools.users import change_roles

    config = load_configuration(config_file)
    run_tool(change_roles, config, name, roles, who, reason, as_json)


@user.command(short_help="Keep somebody out.")
@_name_argument
@_audited
def disable(name: str, who: str, reason: str, config_file: Path, as_json: bool) -> None:
    """Keep NAME out from now on, and end the sessions that are open."""
    from smsd.tools.users import disable_user

    run_tool(disable_user, load_configuration(config_file), name, True, who, reason, as_json)


@user.command(short_help="Let somebody in again.")
@_name_argument
@_audited
def enable(name: str, who: str, reason: str, config_file: Path, as_json: bool) -> None:
    """Let NAME, who was disabled, sign in again."""
    from smsd.tools.users import disable_user

    run_tool(disable_user, load_configuration(config_file), name, False, who, reason, as_json)


@click.group()
def token() -> None:
    """Tokens with which programs ask the desk. The daemon may run."""


@token.command("add", short_help="Make a token, and print it once.")
@_name_argument
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What it is good for; give it once for each scope.",
)
@click.option(
    "--until",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="The first day on which it is good no longer, at most a year from now.",
)
@_audited
def add_token(
    name: str,
    scopes: tuple[str, ...],
    until: datetime,
    who: str,
    reason: str,
    config_file: Path,
    as_json: bool,
) -> None:
    """Make a token that the audit will call NAME. It cannot be shown again.

    A program sends it with each request: "Authorization: Bearer TOKEN".
    """
    from smsd.tools.tokens import make_token

    config = load_configuration(config_file)
    run_tool(make_token, config, name, scopes, until.date(), who, reason, as_json)


@token.command("list", short_help="List tokens, never their text.")
@config_option
@json_option
def list_tokens(config_file: Path, as_json: bool) -> None:
    """All there ever were, the newest first: scope, maker, end, last use."""
    from smsd.tools.tokens import show_tokens

    run_tool(show_tokens, load_configuration(config_file), as_json)


@token.command(short_help="Let a token be good no longer.")
@_name_argument
@_audited
def revoke(name: str, who: str, reason: str, config_file: Path, as_json: bool) -> None:
    """Refuse the token NAME from now on."""
    from smsd.tools.tokens import revoke_token

    run_tool(revoke_token, load_configuration(config_file), name, who, reason, as_json)
