"""`smsd policy check, test, show, coverage, diff, schema`: words, JSON and exit codes."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from smsd_command import smsd

import rules
from rules.telling.words import words_for

POLICIES = sorted((Path(rules.__file__).parent / "policies").glob("*.toml"))
LAW = next(path for path in POLICIES if path.stem == "8103")
FAULTS = Path(__file__).parents[1] / "rules" / "faults"


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
@pytest.mark.parametrize("command", ["check", "test", "coverage"])
def test_the_shipped_policies_are_good(command: str, path: Path) -> None:
    """Exit code 0, a last line that says so, and JSON that says the same."""
    words = smsd("policy", command, path)
    assert words.exit_code == 0, words.output
    assert words.output.strip()
    data = smsd("policy", command, path, "--json")
    assert data.exit_code == 0
    assert json.loads(data.stdout)


@pytest.mark.parametrize("name", ["gap", "overflowing-reply", "unknown-parameter", "test-fails"])
def test_a_bad_policy_is_refused_with_its_lines(name: str) -> None:
    """The same words as at a start of the daemon, on standard error; in JSON as data."""
    file = FAULTS / f"{name}.toml"
    told = [line.removeprefix("#! ") for line in file.read_text().splitlines() if "#! " in line]
    refused = smsd("policy", "check", file)
    assert refused.exit_code == 1
    for line in told:
        assert line in refused.stderr
    data = smsd("policy", "check", file, "--json")
    assert data.exit_code == 1
    assert json.loads(data.stdout)["good"] is False
    assert json.loads(data.stdout)["problems"][0]["line"] > 0


def test_each_test_is_told_by_its_title(tmp_path: Path) -> None:
    """Those that fail with what came instead."""
    text = LAW.read_text(encoding="utf-8").replace("value = 65", "value = 66")
    file = tmp_path / "older.toml"
    file.write_text(text, encoding="utf-8")
    failed = smsd("policy", "test", file)
    assert failed.exit_code == 1
    assert "FAILED  the 65th birthday, from its first instant" in failed.stdout
    assert "expected senior; it is granted" in failed.stdout
    assert "passed  the last day of being 64" in failed.stdout
    assert "tests failed." in failed.stderr


def test_a_difference_is_told_in_words(tmp_path: Path) -> None:
    """Who is concerned, from when on, before and after; exit code 1, as diff has it."""
    text = LAW.read_text(encoding="utf-8").replace("value = 65", "value = 70")
    file = tmp_path / "older.toml"
    file.write_text(text, encoding="utf-8")
    changed = smsd("policy", "diff", LAW, file)
    assert changed.exit_code == 1
    assert "age 65 to 69: refuse (senior) → grant 120 min" in changed.stdout
    rows = json.loads(smsd("policy", "diff", LAW, file, "--json").stdout)["decisions"]
    assert all("age 65 to 69" in row["words"] for row in rows)
    same = smsd("policy", "diff", LAW, LAW)
    assert (same.exit_code, same.stdout) == (0, "Every request is decided alike.\n")


def test_replies_handled_otherwise_are_a_difference(tmp_path: Path) -> None:
    """Though every request is decided alike: told in words and as data, with exit code 1."""
    text = LAW.read_text(encoding="utf-8").replace("urgent = true", "urgent = false")
    file = tmp_path / "in-turn.toml"
    file.write_text(text, encoding="utf-8")
    changed = smsd("policy", "diff", LAW, file)
    line = "replies to code 1: first → in turn"
    assert (changed.exit_code, changed.stdout) == (1, f"{line}\nEvery request is decided alike.\n")
    data = smsd("policy", "diff", LAW, file, "--json")
    assert data.exit_code == 1
    assert json.loads(data.stdout) == {
        "decisions": [],
        "handling": [{"code": "1", "before": "first", "after": "in turn", "words": line}],
        "replies": [],
    }


class _Headings(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)


def test_the_table_comes_as_text_page_and_data() -> None:
    """In each language of the policy; another is refused by name."""
    for language in ("az", "az-ascii", "en", "ru"):
        told = smsd("policy", "show", LAW, "--language", language)
        assert told.exit_code == 0
        assert "once-a-day" in told.stdout
        assert words_for(language)("labels.late") in told.stdout
        assert max(map(len, told.stdout.splitlines())) <= 100
    page = _Headings()
    page.feed(smsd("policy", "show", LAW, "--html").stdout)
    assert {"table", "th", "h1"} <= set(page.tags)
    assert "script" not in page.tags
    data = json.loads(smsd("policy", "show", LAW, "--json").stdout)
    assert [code["code"] for code in data["codes"] if code["urgent"]] == ["1"]
    assert data["late"]["action"] == "renew"
    only = smsd("policy", "show", LAW, "--language", "en", "--at", "2020-04-04T00:00")
    assert "from 5 April 2020, 00:00 (in force)" not in only.stdout
    refused = smsd("policy", "show", LAW, "--language", "xx")
    assert refused.exit_code == 1
    assert 'there is no language "xx"; there are az, az-ascii, en, ru' in refused.stderr
    assert smsd("policy", "show", LAW, "--at", "soon").exit_code == 1


def test_the_schema_has_every_table_of_the_file() -> None:
    """Made from the tables that read the file, with their descriptions."""
    schema = json.loads(smsd("policy", "schema").stdout)
    assert {"policy", "rules", "replies", "commands", "flood", "tests"} <= set(schema["properties"])
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Rule"]["properties"]["from"]


def test_wrong_usage_is_told() -> None:
    """A file that is not there, a command without one, a shadow without an author."""
    assert smsd("policy", "check", "nowhere.toml").exit_code == 2
    assert smsd("policy", "check").exit_code == 2
    assert smsd("policy", "shadow", LAW).exit_code == 2
