"""Options and exits that the commands share."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from smsd.config import Config, ConfigError, load_config

if TYPE_CHECKING:
    from rules import CompiledPolicy

__all__ = [
    "EXIT_CONFIG",
    "EXIT_FAILED",
    "ConfigUnusable",
    "config_option",
    "json_option",
    "load_configuration",
    "load_policy_in_use",
    "run_tool",
]

EXIT_FAILED = 1
EXIT_CONFIG = 78  # sysexits.h: EX_CONFIG

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("config.toml"),
    show_default=True,
    help="The configuration file.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


class ConfigUnusable(click.ClickException):
    exit_code = EXIT_CONFIG

    def show(self, file: Any = None) -> None:
        click.echo(self.message, err=True)


def load_configuration(config_file: Path) -> Config:
    try:
        return load_config(config_file)
    except ConfigError as fault:
        raise ConfigUnusable(str(fault)) from fault


def load_policy_in_use(config: Config) -> "CompiledPolicy":
    import rules

    file = config.policy.file
    try:
        return rules.load_policy(file)
    except rules.PolicyError as fault:
        raise ConfigUnusable(str(fault)) from fault
    except OSError as fault:
        reason = f"{file}: cannot be read ({fault.strerror}); name another in policy.file"
        raise ConfigUnusable(reason) from fault


def _fail(message: str) -> NoReturn:
    if message:
        click.echo(message, err=True)
    sys.exit(EXIT_FAILED)


def run_tool(tool: Callable[..., None], *arguments: object) -> None:
    """Run a tool; what it refuses becomes a clear message and exit code 1."""
    from smsd.tools.output import ToolRefused

    try:
        tool(*arguments)
    except ToolRefused as refused:
        _fail(str(refused))
