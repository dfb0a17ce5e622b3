"""`smsd policy replay`: days of invented SMS under other policies and under their own."""

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1] / "storage"))

from lived_traffic import BEGIN_US, HOUR_US, live, live_for_days, policy, policy_text, sms
from smsd_command import smsd

from rules import reference
from storage import SqliteStore

SINCE = ("--since", "2020-04-05T00:00")
TWICE = ("value = 1, source = ", "value = 2, source = ")


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a few hundred SMS."""
    folder = tmp_path_factory.mktemp("lived")
    live_for_days(f"sqlite:///{folder}/smsd.db", folder, policy(), count=600, seed=3)
    return folder / "smsd.db"


@pytest.fixture
def store(lived: Path, config: Path) -> Path:
    """The same where `config` looks for it."""
    return Path(shutil.copy(lived, config.with_name("smsd.db")))


@pytest.fixture
def twice(tmp_path: Path) -> Path:
    """Code 2 twice a day; the file's own tests say once, and are not asked."""
    file = tmp_path / "twice.toml"
    file.write_text(policy_text(TWICE), encoding="utf-8")
    return file


def replay(*arguments: str | Path, since: tuple[str, ...] = SINCE) -> Any:
    return smsd("policy", "replay", *since, *arguments)


def three_requests(config: Path) -> str:
    """Code 2 three times on one day."""
    url = f"sqlite:///{config.with_name('smsd.db')}"
    hours = (16, 19, 22)  # BEGIN_US is at 20:00
    live(url, policy(), [[sms("2 AZE 1111111", BEGIN_US + h * HOUR_US)] for h in hours])
    return url


def test_a_change_is_told_with_its_examples(config: Path, twice: Path) -> None:
    """Mode and meaning first, then counts, and of each kind reference, time and code."""
    three_requests(config)
    said = replay("--policy", twice, "--config", config)
    assert said.exit_code == 0
    digest = policy(TWICE).digest[:12]
    assert said.stdout.splitlines() == [
        "Mode recorded: each request is decided on the facts recorded for it. What this policy"
        " would have granted or refused before it is not followed.",
        "3 SMS with 3 decisions since 2020-04-05 00:00:00, under policy 8103"
        f" ({digest}): 2 outcomes change.",
        "",
        "        2  refuse (once-a-day) → grant 120 min",
        f"           {reference.encode(2)}  2020-04-06 15:00:00  code 2",
        f"           {reference.encode(3)}  2020-04-06 18:00:00  code 2",
    ]


def test_the_cascading_mode_follows_its_own_permits(config: Path, twice: Path) -> None:
    """With the second permit given, the third request is still refused."""
    three_requests(config)
    said = replay("--policy", twice, "--mode", "cascading", "--config", config)
    lines = said.stdout.splitlines()
    assert lines[0].startswith("Mode cascading: each request is decided on the permits that this")
    assert lines[1].endswith(": 1 outcome changes.")
    assert lines[3:] == [
        "        1  refuse (once-a-day) → grant 120 min",
        f"           {reference.encode(2)}  2020-04-06 15:00:00  code 2",
    ]


def test_as_json(config: Path, twice: Path) -> None:
    """The same figures for programs."""
    three_requests(config)
    said = replay("--policy", twice, "--json", "--config", config)
    data = json.loads(said.stdout)
    assert data.pop("meaning").startswith("each request is decided on the facts")
    examples = [
        {"reference": reference.encode(2), "at": "2020-04-06 15:00:00", "code": "2"},
        {"reference": reference.encode(3), "at": "2020-04-06 18:00:00", "code": "2"},
    ]
    old, new = "refuse (once-a-day)", "grant 120 min"
    assert data == {
        "mode": "recorded",
        "policy": "8103",
        "digest": policy(TWICE).digest,
        "since": "2020-04-05 00:00:00",
        "zone": "Asia/Baku",
        "messages": 3,
        "repeated": 0,
        "decisions": 3,
        "changed": 2,
        "changes": [{"old": old, "new": new, "count": 2, "examples": examples}],
    }


def test_since_leaves_out_what_came_before(config: Path, twice: Path) -> None:
    """On the clock of the policy's zone."""
    three_requests(config)
    since = ("--since", "2020-04-06T18:00")
    said = replay("--policy", twice, "--json", "--config", config, since=since)
    assert json.loads(said.stdout)["messages"] == 1


@pytest.mark.parametrize("mode", ["recorded", "cascading"])
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_nothing_personal_is_printed(
    store: Path, config: Path, twice: Path, mode: str, form: tuple[str, ...]
) -> None:
    """No phone, no document, no date of birth, no text of an SMS."""
    said = replay("--policy", twice, "--mode", mode, *form, "--config", config)
    assert "refuse (once-a-day)" in said.stdout
    unnamed = said.stdout.replace(policy(TWICE).digest, "")
    assert not re.search(r"9945\d|AZE|AA \d|1000\d{3}|19\d\d-|salam", unnamed)


def test_the_policy_in_force_changes_nothing(store: Path, config: Path) -> None:
    """Nor does it say more than that."""
    file = config.with_name("same.toml")
    file.write_text(policy_text(), encoding="utf-8")
    for mode in ("recorded", "cascading"):
        said = replay("--policy", file, "--mode", mode, "--config", config)
        assert said.stdout.splitlines()[1].endswith(": no outcome changes.")


def test_every_decision_is_reproduced(store: Path, config: Path) -> None:
    """From its facts and its own policy: none differs, and the exit code says so."""
    said = replay("--verify", "--config", config)
    assert said.exit_code == 0
    found = re.fullmatch(
        r"(\d+) of (\d+) decisions since 2020-04-05 00:00:00 were reproduced from their recorded"
        r" facts and their own policy\.\n",
        said.stdout,
    )
    assert found
    assert found[1] == found[2]
    assert int(found[1]) > 500
    data = json.loads(replay("--verify", "--json", "--config", config).stdout)
    assert (data["reproduced"], data["differing"]) == (data["decisions"], [])


def test_each_decision_is_held_to_the_policy_that_made_it(config: Path) -> None:
    """A day under one policy and a day under another; neither is judged by the other."""
    url = three_requests(config)
    tomorrow = [BEGIN_US + h * HOUR_US for h in (40, 43, 46)]
    live(url, policy(TWICE), [[sms("2 AZE 1111111", at_us)] for at_us in tomorrow])
    said = replay("--verify", "--config", config)
    assert (said.exit_code, said.stdout[:6]) == (0, "6 of 6")


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ("verdict = 'refuse'", ["verdict"]),
        ("valid_until_us = valid_until_us + 60000000", ["valid_until_us"]),
        ("code = '3'", ["code"]),
        (
            "facts = json_replace(facts, '$.birth_date', '1930-01-01')",
            ["verdict", "rule", "permit", "valid_from_us", "valid_until_us"],
        ),
    ],
)
def test_a_changed_row_is_found(store: Path, config: Path, change: str, fields: list[str]) -> None:
    """Exit code 1, and which decision differs in what; the others are in order."""
    opened = SqliteStore(f"sqlite:///{store}")
    (serial,) = opened.connection.execute(
        "SELECT serial FROM decision WHERE verdict = 'grant' AND code = '2'"
        " AND json_extract(facts, '$.permits') = '[]' LIMIT 1 OFFSET 20"
    ).fetchone()
    opened.connection.execute(f"UPDATE decision SET {change} WHERE serial = ?", (serial,))
    opened.close()
    said = replay("--verify", "--config", config)
    assert said.exit_code == 1
    named = said.stdout.splitlines()[1:]
    assert len(named) == 1
    assert named[0].startswith(f"  {reference.encode(serial)}  2020-04-0")
    assert named[0].endswith(f": {', '.join(fields)}")
    assert said.stderr == "1 not reproduced.\n"
    machine = replay("--verify", "--json", "--config", config)
    assert machine.exit_code == 1
    [row] = json.loads(machine.stdout)["differing"]
    assert (row["reference"], row["fields"]) == (reference.encode(serial), fields)


def test_either_a_policy_or_its_own(config: Path, twice: Path) -> None:
    """Both or neither is a slip of the hand."""
    for arguments in [(), ("--verify", "--policy", twice)]:
        said = replay(*arguments, "--config", config)
        assert said.exit_code == 2
        assert "give either --policy FILE or --verify" in said.stderr


def test_without_a_store_it_says_what_to_do(config: Path, twice: Path) -> None:
    """The daemon has not run yet."""
    for arguments in [("--verify",), ("--policy", twice)]:
        said = replay(*arguments, "--config", config)
        assert said.exit_code == 1
        assert "has the daemon run yet?" in said.stderr


def test_a_policy_that_cannot_be_used_is_refused(config: Path, tmp_path: Path) -> None:
    """With its faults, as check names them."""
    three_requests(config)
    file = tmp_path / "wrong.toml"
    file.write_text(policy_text(('window = "window"', 'window = "windows"')), encoding="utf-8")
    said = replay("--policy", file, "--config", config)
    assert said.exit_code == 1
    assert "wrong.toml:" in said.stderr
    assert "windows" in said.stderr
