"""Another law while the daemon runs: a changed file, an activation, a rollback, a shadow."""

import json
import shutil
import signal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from daemon_process import POLICY_FILE, Daemon, fetch, metric, smsc_section, write_config

from simulators.control_client import ControlClient
from simulators.process import SmscProcess
from smsd.cli import main
from storage.sqlite_library import dbapi

PHONE = "994500000001"
WHO = ("--who", "A. Officer", "--reason", "a rehearsal")
LONGER = ('value = 120, source = "seed', 'value = 180, source = "seed')


@pytest.fixture
def config(tmp_path: Path, smsc: SmscProcess) -> Path:
    """A configuration whose policy is a file of its own."""
    shutil.copy(POLICY_FILE, tmp_path / "law.toml")
    file = write_config(tmp_path, [smsc_section(smsc.port)])
    file.write_text(file.read_text().replace(str(POLICY_FILE), str(tmp_path / "law.toml")))
    return file


def policy(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, ["policy", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result
    return result


def law(tmp_path: Path, name: str, *changes: tuple[str, str]) -> Path:
    """8103 with three hours, without the tests of two, or with whatever else."""
    text = POLICY_FILE.read_text(encoding="utf-8")
    text = text[: text.index("[[tests]]")]
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    case = '[[tests]]\ntitle = "?"\nat = 2020-05-01T00:00:00\ntext = "?"\n'
    file = tmp_path / name
    file.write_text(text + case + 'expect = { reason = "empty" }\n', encoding="utf-8")
    return file


def length_min(store: Path) -> int:
    """Minutes of the newest permit."""
    with dbapi.connect(f"file:{store}?mode=ro", uri=True) as connection:
        (length,) = connection.execute(
            "SELECT valid_until_us - valid_from_us FROM decision ORDER BY serial DESC LIMIT 1"
        ).fetchone()
    return int(length) // 60_000_000


def test_sighup_takes_a_changed_file_and_keeps_the_law_when_it_is_wrong(
    tmp_path: Path, config: Path, phones: ControlClient
) -> None:
    """First a mistake, told line by line; then the mended file. No bind is touched."""
    store = tmp_path / "smsd.db"
    with Daemon(config) as daemon:
        address = daemon.wait_for("started")["desk"]
        phones.text(PHONE, "1 AZE 1000001")
        assert length_min(store) == 120
        changed = law(tmp_path, "changed.toml", LONGER).read_text(encoding="utf-8")
        (tmp_path / "law.toml").write_text(
            changed.replace('reply = "senior"', 'reply = "seniors"'), encoding="utf-8"
        )
        daemon.process.send_signal(signal.SIGHUP)
        kept = daemon.wait_for("policy_kept")
        assert 'there is no reply "seniors"' in kept["reason"]
        phones.text(PHONE, "1 AZE 1000002")
        assert length_min(store) == 120
        assert metric(address, "smsd_policy_load_failures_total") == 1
        assert metric(address, "smsd_policy_newest_in_force") == 0
        assert "the newest could not be loaded" in fetch(address, "readyz")[1]
        loaded_s = metric(address, "smsd_policy_loaded_timestamp_seconds")
        (tmp_path / "law.toml").write_text(changed, encoding="utf-8")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_for("policy_in_force")
        phones.text(PHONE, "1 AZE 1000003")
        assert length_min(store) == 180
        assert metric(address, "smsd_policy_newest_in_force") == 1
        assert metric(address, "smsd_policy_loaded_timestamp_seconds") > loaded_s
        assert fetch(address, "readyz") == (200, "ready\n")
        assert daemon.terminate() == 0
        assert daemon.log.count('"bound"') == 1
    history = json.loads(policy("history", "--config", config, "--json").output)
    assert [row["action"] for row in history] == ["file", "file"]


def test_a_policy_whose_rules_leave_a_gap_is_not_taken(tmp_path: Path, config: Path) -> None:
    """Coverage is part of taking a policy, and a shadowed rule is a fault as well."""
    shadowed = law(
        tmp_path,
        "shadowed.toml",
        (
            '[[rules]]\nid = "granted"',
            '[[rules]]\nid = "never"\nsource = "ours"\nwhen = { in_force = false }\n'
            'verdict = "refuse"\nreply = "not-in-force"\n\n[[rules]]\nid = "granted"',
        ),
    )
    with Daemon(config) as daemon:
        daemon.wait_for("started")
        refused = policy("activate", shadowed, *WHO, "--config", config)
    assert refused.exit_code == 1
    assert "never" in refused.output
    assert "The policy in force stays." in refused.output


def test_an_activation_holds_at_once_after_a_restart_and_until_it_is_rolled_back(
    tmp_path: Path, config: Path, phones: ControlClient
) -> None:
    """The officer's word is newer than the file; the history names who and why."""
    store = tmp_path / "smsd.db"
    longer = law(tmp_path, "longer.toml", LONGER)
    with Daemon(config) as daemon:
        daemon.wait_for("started")
        phones.text(PHONE, "1 AZE 1000001")
        done = policy("activate", longer, *WHO, "--config", config)
        assert done.exit_code == 0, done.output
        assert "the daemon decides by it" in done.output
        phones.text(PHONE, "1 AZE 1000002")
        assert length_min(store) == 180
        daemon.kill()
    with Daemon(config) as daemon:
        daemon.wait_for("started")
        phones.text(PHONE, "1 AZE 1000003")
        assert length_min(store) == 180
        back = policy("rollback", *WHO, "--config", config)
        assert back.exit_code == 0, back.output
        phones.text(PHONE, "1 AZE 1000004")
        assert length_min(store) == 120
    history = json.loads(policy("history", "--config", config, "--json").output)
    assert [row["action"] for row in history] == ["rollback", "activate", "file"]
    assert history[0]["digest"] == history[2]["digest"] != history[1]["digest"]
    assert history[1]["who"] == "A. Officer"
    assert history[1]["reason"] == "a rehearsal"


def test_a_file_broken_while_the_daemon_was_down_does_not_keep_it_down(
    tmp_path: Path, config: Path, phones: ControlClient
) -> None:
    """A power cut at night, a half-edited file: yesterday's law decides on, and the log says so."""
    with Daemon(config) as daemon:
        daemon.wait_for("started")
        daemon.kill()
    (tmp_path / "law.toml").write_text("[policy\n", encoding="utf-8")
    with Daemon(config) as daemon:
        daemon.wait_for("policy_kept")
        address = daemon.wait_for("started")["desk"]
        assert metric(address, "smsd_policy_newest_in_force") == 0
        assert "AZE1000001" in phones.text(PHONE, "1 AZE 1000001").text


def test_a_candidate_decides_in_the_shadow_without_effect(
    tmp_path: Path, config: Path, phones: ControlClient
) -> None:
    """Its disagreements are counted and exemplified; phones notice nothing."""
    store = tmp_path / "smsd.db"
    longer = law(tmp_path, "longer.toml", LONGER)
    with Daemon(config) as daemon:
        address = daemon.wait_for("started")["desk"]
        done = policy("shadow", longer, *WHO, "--config", config)
        assert done.exit_code == 0, done.output
        phones.text(PHONE, "1 AZE 1000001")
        assert length_min(store) == 120
        phones.text(PHONE, "salam")
        labels = {"verdict": "grant", "candidate_verdict": "grant"}
        assert metric(address, "smsd_shadow_disagreements_total", labels) == 1
        report = json.loads(policy("shadow", "--config", config, "--json").output)
        assert [row["count"] for row in report["disagreements"]] == [1]
        assert len(report["examples"]) == 1
        assert (
            "code 1: grant (granted) → grant (granted)"
            in policy("shadow", "--config", config).output
        )
        assert policy("shadow", "--off", *WHO, "--config", config).exit_code == 0
        phones.text(PHONE, "1 AZE 1000002")
        assert metric(address, "smsd_shadow_disagreements_total", labels) == 1
    cyprus = policy("shadow", POLICY_FILE.with_name("cy-8998.toml"), *WHO, "--config", config)
    assert cyprus.exit_code == 1
    assert "its days are those of Asia/Nicosia" in cyprus.output
    ended = policy("shadow", "--config", config)
    assert ended.exit_code == 1
    assert "No candidate" in ended.output
