"""`smsd policy …`: what an officer does with the law."""

from pathlib import Path

import click

from smsd.cli_options import config_option, json_option, load_configuration, run_tool

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_who_option = click.option(
    "--who",
    required=True,
    help="Your name, for the history.",
)
_reason_option = click.option(
    "--reason", required=True, help="Why, for the history: the decree, the incident."
)


@click.group()
def policy() -> None:
    """The law: check it, read it, compare it, put it in force."""


@policy.command(short_help="Say whether a policy file could be used.")
@click.argument("file", type=_FILE)
@json_option
def check(file: Path, as_json: bool) -> None:
    """Name everything that is wrong with FILE, line by line.

    Shape, references, dates, replies that are too long, gaps and rules that cannot be reached,
    and the file's own tests.
    """
    from smsd.tools.policy import check_policy

    run_tool(check_policy, file, as_json)


@policy.command(short_help="Run a policy's own tests.")
@click.argument("file", type=_FILE)
@json_option
def test(file: Path, as_json: bool) -> None:
    """Run the [[tests]] of FILE and tell each by its title."""
    from smsd.tools.policy import test_policy

    run_tool(test_policy, file, as_json)


@policy.command(short_help="Print a policy as a table in words.")
@click.argument("file", type=_FILE)
@click.option("--language", help="One of the policy's languages; its default if not given.")
@click.option("--html", "as_html", is_flag=True, help="One page to print, on standard output.")
@click.option("--at", help="Only what holds at this time, e.g. 2020-07-03T00:00.")
@json_option
def show(file: Path, language: str | None, as_html: bool, at: str | None, as_json: bool) -> None:
    """Print the rules of FILE as it is compiled, so that the words cannot drift from the law."""
    from smsd.tools.policy import show_policy

    run_tool(show_policy, file, language, at, as_html, as_json)


@policy.command(short_help="Find gaps and rules that can never decide.")
@click.argument("file", type=_FILE)
@json_option
def coverage(file: Path, as_json: bool) -> None:
    """Try every case that the numbers and dates of FILE can tell apart.

    Names gaps, rules that can never decide, rules that stand in the shadow of earlier ones, and
    replies that can overflow their segments.
    """
    from smsd.tools.policy import cover_policy

    run_tool(cover_policy, file, as_json)


@policy.command(short_help="Tell in words what one policy decides otherwise than another.")
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@json_option
def diff(old: Path, new: Path, as_json: bool) -> None:
    """Compare every case that OLD and NEW tell apart. Exit code 1 where they differ."""
    from smsd.tools.policy import diff_policies

    run_tool(diff_policies, old, new, as_json)


@policy.command(short_help="Print the JSON Schema of a policy file.")
def schema() -> None:
    """For editors that check a file while it is written."""
    from smsd.tools.policy import print_schema

    run_tool(print_schema)


@policy.command(short_help="Decide recorded traffic under another policy.")
@click.option("--since", required=True, help="From when on: 2020-06-28T00:00, 24h or 7d.")
@click.option("--policy", "file", type=_FILE, help="The policy to try.")
@click.option(
    "--verify",
    is_flag=True,
    help="Instead: does each decision follow from its facts and the policy that made it?",
)
@click.option(
    "--mode",
    type=click.Choice(["recorded", "cascading"]),
    default="recorded",
    show_default=True,
    help="With --policy: each request on the facts it had, or on a history that the policy makes"
    " anew.",
)
@config_option
@json_option
def replay(
    since: str, file: Path | None, verify: bool, mode: str, config_file: Path, as_json: bool
) -> None:
    """Decide the SMS in the store again under another policy, and show every changed outcome.

    With --verify, exit code 1 where a stored decision is not the one that its facts and its own
    policy give. Reads only; the daemon may run.
    """
    if (file is None) is not verify:
        raise click.UsageError("give either --policy FILE or --verify")
    from smsd.tools.replay import replay_traffic, verify_traffic

    config = load_configuration(config_file)
    if verify:
        run_tool(verify_traffic, config, since, as_json)
    else:
        run_tool(replay_traffic, config, file, since, mode, as_json)


@policy.command(short_help="Put a policy in force.")
@click.argument("file", type=_FILE)
@_who_option
@_reason_option
@config_option
@json_option
def activate(file: Path, who: str, reason: str, config_file: Path, as_json: bool) -> None:
    """Check FILE as `check` does, store it, and let the running daemon decide by it.

    It stays in force after a restart, until another is activated or the file that config.toml
    names is changed. Whatever fails, the policy in force stays.
    """
    from smsd.tools.activation import activate_policy

    run_tool(activate_policy, load_configuration(config_file), file, who, reason, as_json)


@policy.command(short_help="Put the policy before this one in force again.")
@_who_option
@_reason_option
@config_option
@json_option
def rollback(who: str, reason: str, config_file: Path, as_json: bool) -> None:
    """Return to the policy that was in force before the one that is now."""
    from smsd.tools.activation import roll_back

    run_tool(roll_back, load_configuration(config_file), who, reason, as_json)


@policy.command(short_help="List which policy was put in force when, by whom and why.")
@config_option
@json_option
def history(config_file: Path, as_json: bool) -> None:
    """The newest first."""
    from smsd.tools.activation import show_history

    run_tool(show_history, load_configuration(config_file), as_json)


@policy.command(short_help="Let a candidate decide in the shadow of the policy in force.")
@click.argument("file", type=_FILE, required=False)
@click.option("--off", is_flag=True, help="End the shadow.")
@click.option("--who", help="Your name, for the history; needed with FILE or --off.")
@click.option("--reason", help="Why, for the history; needed with FILE or --off.")
@config_option
@json_option
def shadow(
    file: Path | None,
    off: bool,
    who: str | None,
    reason: str | None,
    config_file: Path,
    as_json: bool,
) -> None:
    """Try FILE on live traffic without effect; without FILE, show where it disagreed."""
    from smsd.tools.activation import set_shadow, show_shadow

    config = load_configuration(config_file)
    if file is None and not off:
        run_tool(show_shadow, config, as_json)
        return
    if file is not None and off:
        raise click.UsageError("give either FILE or --off")
    if not who or not reason:
        raise click.UsageError("--who and --reason are needed, for the history")
    run_tool(set_shadow, config, file, who, reason, as_json)
