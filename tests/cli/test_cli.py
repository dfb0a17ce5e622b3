"""Help, usage and configuration mistakes: what a stranger reads, and the exit codes."""

import json
import os
import socket
from importlib.metadata import version
from pathlib import Path

import pytest
from daemon_process import POLICY_FILE, smsc_section, write_config
from smsd_command import smsd, smsd_process

TAKES_CONFIG = [["run"], ["check-config"], ["registry", "import"], ["explain"]]
EVERY_COMMAND = [[], ["registry"], ["demo"], *TAKES_CONFIG]


def people(tmp_path: Path) -> Path:
    file = tmp_path / "people.csv"
    file.write_text("person,document,birth_date\nA,AZE1111111,1980-01-01\n")
    return file


def tools(tmp_path: Path) -> list[list[str | Path]]:
    """Every command that reads the configuration and ends."""
    return [["check-config"], ["registry", "import", people(tmp_path)], ["explain", "6HEQVA"]]


@pytest.mark.parametrize("command", EVERY_COMMAND, ids=" ".join)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_explains_itself(command: list[str], option: str) -> None:
    """A sentence of its own, and no summary that is cut off in the middle."""
    result = smsd(*command, option)
    assert result.exit_code == 0
    usage, sentence, *_ = (line for line in result.stdout.splitlines() if line)
    assert usage.startswith("Usage: ")
    assert len(sentence.split()) > 3
    assert "..." not in result.stdout.replace("[ARGS]...", "")


@pytest.mark.parametrize("command", TAKES_CONFIG, ids=" ".join)
def test_help_names_the_configuration_and_its_default(command: list[str]) -> None:
    """Whatever reads a configuration says how to name one, and which it reads otherwise."""
    said = " ".join(smsd(*command, "--help").stdout.split())
    assert "--config FILE The configuration file. [default: config.toml]" in said


def test_help_tells_the_exit_codes() -> None:
    """Whoever writes a script looks there."""
    said = " ".join(smsd("--help").stdout.split())
    assert "0 done, 1 refused or failed, 2 wrong usage, 78 bad configuration" in said


def test_the_version_is_the_installed_one() -> None:
    """The name and the number, from a real process."""
    result = smsd_process("--version")
    assert (result.returncode, result.stdout) == (0, f"smsd, version {version('smsd')}\n")


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["demoo"], "Did you mean 'demo'?"),
        (["run", "--bogus"], "No such option '--bogus'"),
        (["run", "extra"], "unexpected extra argument"),
        (["run", "--config", "/"], "is a directory"),
        (["explain"], "Missing argument 'REFERENCE'"),
        (["explain", "6HEQVA", "RW4YE9"], "unexpected extra argument"),
        (["registry", "import"], "Missing argument 'FILE'"),
        (["registry", "import", "/no/such/people.csv"], "'/no/such/people.csv' does not exist"),
        (["registry", "import", "/"], "is a directory"),
        (["registry", "export"], "No such command 'export'"),
    ],
)
def test_a_wrong_command_line_says_what_is_wrong(arguments: list[str], advice: str) -> None:
    """Usage errors exit with 2, say which word is wrong, and point to the help."""
    result = smsd(*arguments)
    assert result.exit_code == 2
    assert advice in result.stderr
    assert "--help' for help" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("command", [[], ["registry"]], ids=["smsd", "registry"])
def test_without_a_command_the_help_is_shown(command: list[str]) -> None:
    """Nothing was asked for: usage, 2."""
    result = smsd(*command)
    assert result.exit_code == 2
    assert "Commands:" in result.stderr


def test_without_a_configuration_every_command_says_how_to_name_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newcomer in a folder without config.toml."""
    monkeypatch.chdir(tmp_path)
    for command in [["run"], *tools(tmp_path)]:
        result = smsd(*command)
        assert result.exit_code == 78, command
        assert result.stderr == (
            "config.toml: cannot be read (No such file or directory);"
            " name another with --config FILE\n"
        )


def test_every_command_tells_all_mistakes_of_the_configuration_at_once(tmp_path: Path) -> None:
    """File, line, key, what is wrong, what is allowed; the environment by its variable."""
    config = tmp_path / "wrong.toml"
    config.write_text(
        '[store]\nurl = "mysql://x"\ncolour = 1\n[[smsc]]\nname = "a"\nport = 0\npassword = "x"\n'
    )
    for command in [["run"], *tools(tmp_path)]:
        result = smsd(*command, "--config", config, env={"SMSD_LOG__LEVEL": "loud"})
        assert result.exit_code == 78, command
        assert set(result.stderr.splitlines()) == {
            "environment SMSD_LOG__LEVEL: input should be"
            " 'debug', 'info', 'warning' or 'error'; got 'loud'",
            f"{config}:2: store.url: must be sqlite:///PATH, or sqlite:////PATH from /;"
            " got 'mysql://x'",
            f"{config}:3: store.colour: unknown key; allowed: url",
            f"{config}:6: smsc.0.port: input should be greater than or equal to 1; got 0",
        }


def test_a_configuration_that_is_no_toml_is_told_by_its_line(tmp_path: Path) -> None:
    """Before any key can be looked at."""
    config = tmp_path / "wrong.toml"
    config.write_text("[store]\nurl = \n")
    result = smsd("check-config", "--config", config)
    assert result.exit_code == 78
    assert result.stderr.startswith(f"{config}:2")


def test_check_config_names_what_it_found_good(config: Path) -> None:
    """The policy by id and digest, the SMSCs by name."""
    result = smsd("check-config", "--config", config)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{config}: good. Policy 8103 (")
    assert result.stdout.endswith("SMSC: simulator.\n")


def test_check_config_starts_nothing(config: Path) -> None:
    """No store, no register: it may be run beside a daemon, or before there is one."""
    smsd("check-config", "--config", config)
    assert [each.name for each in config.parent.iterdir()] == [config.name]


def test_check_config_reads_policy_and_password_files_and_tells_of_both(tmp_path: Path) -> None:
    """What it calls good, `smsd run` can use: each file that it names is there."""
    section = smsc_section(1).replace('password = "secret"', 'password_file = "/no/password"')
    config = write_config(tmp_path, [section])
    result = smsd("check-config", "--config", config, env={"SMSD_POLICY__FILE": "/no/policy.toml"})
    assert result.exit_code == 78
    password, policy = result.stderr.splitlines()
    assert password.startswith("smsc 'simulator', password_file /no/password: cannot be read")
    assert policy == (
        "/no/policy.toml: cannot be read (No such file or directory); name another in policy.file"
    )


def wrong_policies(tmp_path: Path) -> dict[Path, list[str]]:
    """Policy files that cannot be used, and what must be said about each."""
    law = POLICY_FILE.read_text(encoding="utf-8")
    unknown, broken, binary = (tmp_path / f"{name}.toml" for name in ("unknown", "broken", "bin"))
    unknown.write_text(law.replace("\ntitle =", "\ntitel =", 1), encoding="utf-8")
    broken.write_text("[policy\n")
    binary.write_bytes(b"\xff\xfe")
    line = law.split("\ntitle =")[0].count("\n") + 2
    return {
        Path("/no/policy.toml"): ["/no/policy.toml: cannot be read", "policy.file"],
        tmp_path: ["cannot be read (Is a directory)"],
        unknown: [f"unknown.toml:{line}: policy.titel", "Did you mean title?"],
        broken: ["broken.toml:1"],
        binary: ["bin.toml", "not UTF-8"],
    }


def test_a_policy_that_cannot_be_used_is_a_bad_configuration(config: Path, tmp_path: Path) -> None:
    """78 and the policy's line and key, from whatever needs the policy."""
    for policy, expected in wrong_policies(tmp_path).items():
        for command in (["check-config"], ["registry", "import", people(tmp_path)]):
            result = smsd(
                *command, "--config", config, env={"SMSD_POLICY__FILE": os.fspath(policy)}
            )
            assert result.exit_code == 78, (command, policy)
            assert all(words in result.stderr for words in expected), result.stderr
    assert not (tmp_path / "register.db").exists()


def test_the_daemon_does_not_start_on_a_policy_that_cannot_be_used(
    config: Path, tmp_path: Path
) -> None:
    """The same words and code, in its log."""
    for policy, expected in wrong_policies(tmp_path).items():
        result = smsd_process("run", "--config", config, SMSD_POLICY__FILE=os.fspath(policy))
        assert result.returncode == 78, policy
        assert all(words in result.stderr for words in expected), result.stderr
        assert "Traceback" not in result.stderr


def test_the_daemon_tells_each_mistake_of_a_policy_in_a_line_of_its_own(
    config: Path, tmp_path: Path
) -> None:
    """Legible as JSON and on a terminal, where a line end within a value would not be."""
    law = POLICY_FILE.read_text(encoding="utf-8")
    policy = tmp_path / "wrong.toml"
    policy.write_text(
        law.replace("\ntitle =", "\ntitel =", 1).replace("\nshort_number =", "\nnumber =", 1),
        encoding="utf-8",
    )
    result = smsd_process("run", "--config", config, SMSD_POLICY__FILE=os.fspath(policy))
    assert result.returncode == 78
    reasons = [json.loads(line)["reason"] for line in result.stderr.splitlines()]
    assert len(reasons) == 4  # two keys unknown, two missing
    for reason in reasons:
        assert reason.startswith("wrong.toml:")
        assert "\n" not in reason


def test_a_port_that_is_taken_ends_the_daemon_with_one(config: Path) -> None:
    """Which key, which address, and what may be the matter."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = smsd_process("run", "--config", config, SMSD_DESK__LISTEN=address)
    assert result.returncode == 1
    assert f"desk.listen {address}: " in result.stderr
    assert "another program may have it: name a free one" in result.stderr
    assert "Traceback" not in result.stderr
    assert "unhandled_error" not in result.stderr


def test_a_store_that_cannot_be_made_ends_the_daemon_with_one(config: Path) -> None:
    """A file stands where its folder should be."""
    url = f"sqlite:///{config}/smsd.db"
    result = smsd_process("run", "--config", config, SMSD_STORE__URL=url)
    assert result.returncode == 1
    assert f"{config}/smsd.db" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_default_configuration_is_read_where_one_stands(config: Path) -> None:
    """./config.toml, as the help says."""
    result = smsd_process("check-config", cwd=config.parent)
    assert (result.returncode, result.stdout[:18]) == (0, "config.toml: good.")
