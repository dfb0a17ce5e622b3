"""What people type: `smsd run`, `check-config`, `registry import`, `explain`, `demo`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from smsd.config import Config, ConfigError, load_config, read_password

if TYPE_CHECKING:
    from rules import CompiledPolicy

EXIT_FAILED = 1
EXIT_CONFIG = 78  # sysexits.h: EX_CONFIG

_config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("config.toml"),
    show_default=True,
    help="The configuration file.",
)


class _ConfigUnusable(click.ClickException):
    exit_code = EXIT_CONFIG

    def show(self, file: Any = None) -> None:
        click.echo(self.message, err=True)


def _load(config_file: Path) -> Config:
    try:
        return load_config(config_file)
    except ConfigError as fault:
        raise _ConfigUnusable(str(fault)) from fault


def _load_policy(config: Config) -> "CompiledPolicy":
    import rules

    file = config.policy.file
    try:
        return rules.load_policy(file)
    except rules.PolicyError as fault:
        raise _ConfigUnusable(str(fault)) from fault
    except OSError as fault:
        reason = f"{file}: cannot be read ({fault.strerror}); name another in policy.file"
        raise _ConfigUnusable(reason) from fault


def _fail(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(EXIT_FAILED)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 78 bad configuration.",
)
@click.version_option(package_name="smsd", prog_name="smsd")
def main() -> None:
    """The gateway a country texts for permission.

    A phone texts "2 AZE 1111111" to 8103; its operator's SMSC hands the SMS over by
    SMPP 3.4; smsd decides by the rules of a policy file, stores the decision, and answers.

    To see it work: smsd demo. To run it: edit config.toml, then smsd run.
    """


@main.command()
@_config_option
@click.option(
    "--clock-offset-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="For rehearsals only: shift the time of decisions by the seconds that FILE holds.",
)
def run(config_file: Path, clock_offset_file: Path | None) -> None:
    """Run the gateway until SIGTERM or Ctrl-C."""
    from smsd.service import run_until_signal

    config = _load(config_file)
    sys.exit(run_until_signal(config, clock_offset_file))


@main.command("check-config", short_help="Check the configuration and the policy it names.")
@_config_option
def check_config(config_file: Path) -> None:
    """Say whether smsd run could use the configuration.

    Reads the policy and the password files that it names, too; starts nothing.
    """
    config = _load(config_file)
    problems = []
    for smsc in config.smsc:
        try:
            read_password(smsc)
        except ConfigError as fault:
            problems += fault.problems
    try:
        policy = _load_policy(config)
    except _ConfigUnusable as fault:
        problems.append(fault.message)
    if problems:
        raise _ConfigUnusable("\n".join(problems))
    names = ", ".join(smsc.name for smsc in config.smsc)
    click.echo(f"{config_file}: good. Policy {policy.id} ({policy.digest[:12]}), SMSC: {names}.")


@main.group()
def registry() -> None:
    """The population register: who holds which document."""


@registry.command("import", short_help="Replace the register by a CSV file.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_config_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def registry_import(file: Path, config_file: Path, as_json: bool) -> None:
    """Replace the register by FILE, a CSV with the header person,document,birth_date.

    All or nothing: if a line is bad, each bad line is named and the old register stays.
    A running daemon uses the new register from its next SMS on.
    """
    from smsd.tools.register import import_register

    config = _load(config_file)
    _exit_with(import_register, config, _load_policy(config), file, as_json)


@main.command(short_help="Tell why a permit was given or refused.")
@click.argument("reference")
@_config_option
@click.option("--json", "as_json", is_flag=True, help="Print the decisions as JSON.")
def explain(reference: str, config_file: Path, as_json: bool) -> None:
    """Tell what REFERENCE (as in a reply) stands for, and why it was decided so."""
    from smsd.tools.explain import explain_reference

    _exit_with(explain_reference, _load(config_file), reference, as_json)


@main.command(short_help="Watch phones text a daemon on this machine.")
@click.option(
    "--once",
    is_flag=True,
    help="End after the conversation; exit 0 only if every reply is the expected one.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var/demo"),
    show_default=True,
    help="Where the demo keeps its store and logs; each demo starts anew there.",
)
def demo(once: bool, folder: Path) -> None:
    """Play a conversation between phones, a simulated SMSC and the real daemon.

    Needs nothing but the free ports 2775, 2776 and 8103 of this machine.
    """
    from smsd.demo import play

    sys.exit(play(folder, once))


def _exit_with(tool: Callable[..., None], *arguments: object) -> None:
    """Run a tool; what it refuses becomes a clear message and exit code 1."""
    from smsd.tools.output import ToolRefused

    try:
        tool(*arguments)
    except ToolRefused as refused:
        _fail(str(refused))
