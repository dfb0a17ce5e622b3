"""What people type: `smsd run`, `check-config`, `policy …`, `smsc …`, `outbox …`, `store …` …"""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from smsd.cli_abuse import abuse, block
from smsd.cli_audit import audit
from smsd.cli_options import (
    ConfigUnusable,
    config_option,
    json_option,
    load_configuration,
    load_policy_in_use,
    run_tool,
)
from smsd.cli_outbox import outbox
from smsd.cli_policy import policy
from smsd.cli_smsc import smsc as smsc_group
from smsd.cli_store import store
from smsd.cli_users import token, user
from smsd.config import ConfigError, SmscSection, read_client_secret, read_password


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
@config_option
@click.option(
    "--clock-offset-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="For rehearsals only: shift the time of decisions by the seconds that FILE holds.",
)
def run(config_file: Path, clock_offset_file: Path | None) -> None:
    """Run the gateway until SIGTERM or Ctrl-C."""
    from smsd.service import run_until_signal

    config = load_configuration(config_file)
    sys.exit(run_until_signal(config, clock_offset_file))


@main.command("check-config", short_help="Check the configuration and the policy it names.")
@config_option
def check_config(config_file: Path) -> None:
    """Say whether smsd run could use the configuration.

    Reads the policy, the password files and the certificates that it names, too; starts nothing.
    """
    config = load_configuration(config_file)
    problems = []
    for smsc in config.smsc:
        try:
            read_password(smsc)
        except ConfigError as fault:
            problems += fault.problems
        problems += _tls_problems(smsc)
    if config.desk.oidc is not None:
        try:
            read_client_secret(config.desk.oidc)
        except ConfigError as fault:
            problems += fault.problems
    try:
        law = load_policy_in_use(config)
    except ConfigUnusable as fault:
        problems.append(fault.message)
    if problems:
        raise ConfigUnusable("\n".join(problems))
    names = ", ".join(smsc.name for smsc in config.smsc)
    click.echo(f"{config_file}: good. Policy {law.id} ({law.digest[:12]}), SMSC: {names}.")


def _tls_problems(smsc: SmscSection) -> list[str]:
    """What is wrong with an SMSC's certificate files."""
    from smsd.gateway.tls import Tls, TlsFault

    if smsc.tls is None or not smsc.tls.enabled:
        return []
    problems = []
    for host, _ in smsc.addresses:
        try:
            Tls(smsc.tls, host, datetime.now(UTC), lambda _expires_s: None)
        except TlsFault as fault:
            problems.append(f"smsc {smsc.name!r}: {fault}")
    return problems[:1]  # the files are the same for each host


@main.group()
def registry() -> None:
    """The population register: who holds which document."""


@registry.command("import", short_help="Replace the register by a CSV file.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@config_option
@json_option
def registry_import(file: Path, config_file: Path, as_json: bool) -> None:
    """Replace the register by FILE, a CSV with the header person,document,birth_date.

    All or nothing: if a line is bad, each bad line is named and the old register stays.
    A running daemon uses the new register from its next SMS on.
    """
    from smsd.tools.register import import_register

    config = load_configuration(config_file)
    run_tool(import_register, config, load_policy_in_use(config), file, as_json)


@main.command(short_help="Tell why a permit was given or refused.")
@click.argument("reference")
@config_option
@json_option
def explain(reference: str, config_file: Path, as_json: bool) -> None:
    """Tell what REFERENCE (as in a reply) stands for, and why it was decided so."""
    from smsd.tools.explain import explain_reference

    run_tool(explain_reference, load_configuration(config_file), reference, as_json)


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


for group in (policy, block, abuse, audit, outbox, store, smsc_group, user, token):
    main.add_command(group)
