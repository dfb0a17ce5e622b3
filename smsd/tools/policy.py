"""`smsd policy check, test, show, coverage, diff, schema`: looking at policy files."""

import re
from pathlib import Path

import click

import rules
from rules import CompiledPolicy, Policy, PolicyError
from rules.analysis.cell_traits import TooManyCells
from rules.analysis.coverage import Coverage, cover
from rules.analysis.diff import difference_words, handling_words
from rules.analysis.findings import changes, changes_data
from rules.analysis.soundness import examine
from rules.policy import PolicyFile
from rules.telling.table import as_data, decision_table
from rules.telling.table_html import table_html
from rules.telling.table_text import table_text
from smsd.tools.moments import moment_us
from smsd.tools.output import ToolRefused, print_json

__all__ = [
    "check_policy",
    "compiled",
    "cover_policy",
    "covered",
    "diff_policies",
    "print_schema",
    "read",
    "show_policy",
    "test_policy",
]

_TEST_KEY = re.compile(r"^tests\[(\d+)\]")


def read(file: Path) -> Policy:
    """A policy file whose shape is right; raises ToolRefused with every fault."""
    try:
        return rules.load(file)
    except PolicyError as fault:
        raise ToolRefused(str(fault)) from fault
    except OSError as fault:
        raise ToolRefused(f"{file}: cannot be read ({fault.strerror})") from fault


def compiled(file: Path, trial: bool = True) -> CompiledPolicy:
    """A policy that can be used; raises ToolRefused with every fault."""
    try:
        return rules.compile_policy(read(file), trial)
    except PolicyError as fault:
        raise ToolRefused(str(fault)) from fault


def covered(policy: Policy) -> Coverage:
    """What its rules cover; raises ToolRefused when nothing could be decided."""
    try:
        return cover(policy)
    except (PolicyError, TooManyCells) as fault:
        raise ToolRefused(str(fault)) from fault


def check_policy(file: Path, as_json: bool) -> None:
    """All that stands between a file and its use."""
    policy = None
    try:
        policy = rules.load(file)
        problems = examine(policy).problems
    except PolicyError as fault:
        problems = fault.problems
    except OSError as fault:
        raise ToolRefused(f"{file}: cannot be read ({fault.strerror})") from fault
    if as_json:
        print_json(
            {
                "file": str(file),
                "good": not problems,
                "digest": policy.digest if policy else None,
                "problems": [problem._asdict() for problem in problems],
            }
        )
    if problems:
        raise ToolRefused("" if as_json else "\n".join(map(str, problems)))
    assert policy is not None
    if not as_json:
        identity = policy.content.policy
        click.echo(f"{file}: good. Policy {identity.id}, digest {policy.digest[:12]}.")


def test_policy(file: Path, as_json: bool) -> None:
    """The file's own tests, one by one."""
    policy = compiled(file, trial=False)
    found: dict[int, list[str]] = {}
    for problem in rules.failures(policy):
        match = _TEST_KEY.match(problem.key)
        assert match is not None
        found.setdefault(int(match[1]) - 1, []).append(str(problem))
    cases = policy.policy.content.tests
    if as_json:
        print_json(
            {
                "file": str(file),
                "digest": policy.digest,
                "tests": [
                    {"title": case.title, "passed": i not in found, "problems": found.get(i, [])}
                    for i, case in enumerate(cases)
                ],
            }
        )
    else:
        for index, case in enumerate(cases):
            click.echo(f"{'FAILED' if index in found else 'passed'}  {case.title}")
            for message in found.get(index, []):
                click.echo(f"        {message}")
    if found:
        raise ToolRefused("" if as_json else f"{len(found)} of {len(cases)} tests failed.")
    if not as_json:
        click.echo(f"{len(cases)} tests passed.")


def show_policy(
    file: Path, language: str | None, at: str | None, as_html: bool, as_json: bool
) -> None:
    """The decision table in words."""
    policy = compiled(file, trial=False)
    language = language or policy.default_language
    if language not in (*policy.languages, "en"):
        raise ToolRefused(
            f'there is no language "{language}"; there are {", ".join(policy.languages)}'
        )
    at_us = moment_us(at, policy.zone) if at else None
    table = decision_table(policy, language, at_us)
    if as_json:
        print_json(as_data(table))
    else:
        click.echo(table_html(table) if as_html else table_text(table), nl=False)


def cover_policy(file: Path, as_json: bool) -> None:
    """Every cell that the constants of the file cut."""
    policy = read(file)
    found = covered(policy)
    if as_json:
        print_json(as_data(found))
    else:
        click.echo(
            f"{found.cells} cells in {found.versions} versions, {found.witnesses} requests decided."
        )
        for reached in found.reached:
            cells = sum(version.cells for version in reached.versions)
            times = len(reached.versions)
            click.echo(f"  {reached.rule}: {cells} cells, {times} version{'s' * (times > 1)}")
        if found.untested:
            click.echo(f"No test of the file names: {', '.join(found.untested)}")
    if found.faults:
        raise ToolRefused("" if as_json else "\n".join(map(str, found.faults)))
    if not as_json:
        click.echo("No gaps, no rule in the shadow of others, no reply that overflows.")


def diff_policies(old: Path, new: Path, as_json: bool) -> None:
    """What changes for whom."""
    before, after = compiled(old, trial=False), compiled(new, trial=False)
    try:
        found = changes(before, after)
    except (ValueError, TooManyCells) as fault:
        raise ToolRefused(str(fault)) from fault
    if as_json:
        print_json(changes_data(found, after))
    else:
        for row in found.decisions:
            click.echo(difference_words(row, after.calendar))
        for handling in found.handling:
            click.echo(handling_words(handling))
        for text in found.replies:
            click.echo(f"reply {text.reply}, {text.part}, {text.language}:")
            click.echo(f"  - {text.before or '(none)'}\n  + {text.after or '(none)'}")
        if not found.decisions:
            click.echo("Every request is decided alike.")
    if any(found):
        raise ToolRefused("")


def print_schema() -> None:
    """The JSON Schema of the file, from the same tables that read it."""
    schema = PolicyFile.model_json_schema(by_alias=True)
    print_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
