"""The README is held to the code where it shows commands, configuration or output."""

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

import rules
from simulators import cli as simulator_cli
from smsd import cli
from smsd.demo.script import conversation

ROOT = Path(__file__).parents[1]
POLICY = ROOT / "rules" / "policies" / "8103.toml"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_transcript_is_what_the_demo_plays() -> None:
    """Every exchange shown is one of the demo's, to the letter, in its order."""
    played = [
        "\n".join(line.written(line.reply)).strip("\n") for line in conversation(date(2020, 4, 6))
    ]
    transcript = next(block for block in blocks("text") if "→" in block)
    shown = re.split(r"\n\n(?=\d\d:\d\d)", transcript.rstrip("\n"))
    assert [exchange for exchange in played if exchange in shown] == shown


def test_the_configuration_is_the_shipped_file() -> None:
    """What the README calls config.toml is config.toml."""
    assert (ROOT / "config.toml").read_text(encoding="utf-8") in blocks("toml")


def test_the_example_of_a_rule_does_what_is_said_of_it() -> None:
    """Put into the shipped policy, it lets a senior see a doctor from its date on, not before."""
    source = rules.load_policy(POLICY).source
    example = next(block for block in blocks("toml") if block.startswith("[[rules]]"))
    senior = '[[rules]]\nid = "senior"\n'
    assert senior in source
    ended = f"{senior}until = 2030-05-01T00:00:00\n"
    changed = source.replace(senior, f"{example}\n{ended}")
    policy = rules.compile_policy(rules.parse_policy(changed, "changed.toml"))
    facts = rules.Facts(1, True, date(1940, 1, 1))
    noon = datetime(2030, 4, 30, 12, tzinfo=ZoneInfo("Asia/Baku"))
    verdicts = {
        (code, day): rules.decide(
            policy,
            code,
            rules.Document("AZE", "1111111"),
            facts,
            int((noon + timedelta(days=day)).timestamp()) * 1_000_000,
        ).verdict
        for code in ("1", "2")
        for day in (0, 1)
    }
    refuse = rules.Verdict.REFUSE
    assert verdicts == {
        ("1", 0): refuse,
        ("2", 0): refuse,
        ("1", 1): rules.Verdict.GRANT,
        ("2", 1): refuse,
    }


@pytest.mark.parametrize("command", re.findall(r"^\| `smsd ([a-z-]+(?: [a-z]+)?)", README, re.M))
def test_every_command_named_exists(command: str) -> None:
    """`--help` of each command in the table answers."""
    assert CliRunner().invoke(cli.main, [*command.split(), "--help"]).exit_code == 0


@pytest.mark.parametrize("command", re.findall(r"^\| `smsd-sim ([a-z]+)", README, re.M))
def test_every_simulator_command_named_exists(command: str) -> None:
    """The same for the simulator."""
    assert CliRunner().invoke(simulator_cli.main, [command, "--help"]).exit_code == 0


@pytest.mark.parametrize("target", re.findall(r"`?make ([a-z]+)", README))
def test_every_make_target_named_exists(target: str) -> None:
    """No target is promised that the Makefile lacks."""
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)


def test_every_link_leads_somewhere() -> None:
    """Files that the README links to are there."""
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link


def test_the_architecture_table_names_real_rooms() -> None:
    """Every room of the table is in the tree."""
    for room in re.findall(r"^\| `([a-z/_.]+)`(?:, `([a-z/_.]+)`)*", README, re.M):
        for name in filter(None, room):
            assert (ROOT / name).exists() or (ROOT / "smsd" / name).exists(), name
