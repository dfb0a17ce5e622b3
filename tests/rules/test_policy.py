"""Wrong policy files: all is told at once; tests/rules/faults has one file for each fault."""

import re
from pathlib import Path

import pytest

import rules
from rules import PolicyError, case_tables, compile_policy, fields, load, parse_policy, policy
from rules.replies import PLACEHOLDERS

TEXT = (Path(rules.__file__).parent / "policies" / "8103.toml").read_text(encoding="utf-8")


def _problems(text: str) -> tuple[rules.Problem, ...]:
    with pytest.raises(PolicyError) as caught:
        compile_policy(parse_policy(text, "wrong.toml"))
    return caught.value.problems


def test_a_household_too_large_for_its_segments_is_told_for_each_language() -> None:
    """Tried with the longest line for every person, and letters that make all of it UCS-2."""
    problems = _problems(TEXT.replace("documents_max = 8 ", "documents_max = 12 "))
    told = {problem.key: problem.message.partition(" with")[0] for problem in problems}
    assert told == {
        "household.opening.az": "takes 7 SMS segments (70 to 67 letters each)",
        "household.opening.az-ascii": "takes 3 SMS segments (160 to 153 letters each)",
        "household.opening.en": "takes 3 SMS segments (160 to 153 letters each)",
        "household.opening.ru": "takes 7 SMS segments (70 to 67 letters each)",
    }


def test_everything_wrong_is_told_at_once_in_order_of_lines() -> None:
    """Three slips of different kinds need one round of mending, not three."""
    text = (
        TEXT.replace('window = "window"', 'window = "windows"')
        .replace('default_language = "az"', 'default_language = "tr"')
        .replace('ru = "Код {code}, {day}:"', 'ru = "Код {code}, {when}:"')
    )
    problems = _problems(text)
    assert [problem.key for problem in problems] == [
        "policy.default_language",
        "rules[8].window",
        "household.opening.ru",
    ]
    assert str(PolicyError(problems)).count("\n") == 2
    assert str(problems[0]).startswith("wrong.toml:")


def test_shapes_are_told_at_once_too() -> None:
    """A missing key, an unknown one and a wrong type in one file."""
    text = (
        TEXT.replace('verdict = "grant"\nwindow', "window")
        .replace("national_digits = 9", "national_digits = true")
        .replace('title = "SMS permits of 5 April 2020"', 'Title = "x"')
    )
    keys = [problem.key for problem in _problems(text)]
    assert keys == ["policy.title", "policy.Title", "requests.national_digits", "rules[8].verdict"]


def test_what_is_not_toml_or_not_utf_8_is_told(tmp_path: Path) -> None:
    """The first broken line is named; nothing can be read beyond it."""
    with pytest.raises(PolicyError) as caught:
        parse_policy("[policy]\nid = = 1\n", "wrong.toml")
    assert caught.value.problems[0].line == 2
    path = tmp_path / "latin.toml"
    path.write_bytes(b"[policy]\ntitle = '\xe9'\n")
    with pytest.raises(PolicyError, match=r"latin\.toml:2: is not UTF-8 text"):
        load(path)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2020-03-29T03:30:00", "is missing or comes twice"),  # the clocks go from 03:00 to 04:00
        ("2020-10-25T03:30:00", "is missing or comes twice"),  # and back from 04:00 to 03:00
        ("2020-10-25T03:30:00+02:00", None),
        ("2020-03-29T04:00:00", None),
    ],
)
def test_a_time_that_the_clocks_skip_or_repeat_needs_an_offset(
    written: str, said: str | None
) -> None:
    """A law cannot begin at a time that does not exist, or at one of two."""
    text = TEXT.replace('zone = "Asia/Baku"', 'zone = "Asia/Nicosia"').replace(
        "[[in_force]]\nfrom = 2020-04-05T00:00:00", f"[[in_force]]\nfrom = {written}"
    )
    found = {problem.key: problem.message for problem in _problems(text)}
    assert ("in_force[1].from" in found) == (said is not None)
    assert said is None or said in found["in_force[1].from"]


def test_the_digest_is_of_the_bytes(tmp_path: Path) -> None:
    """One byte more, a comment even, is another policy; the same bytes are the same."""
    path = tmp_path / "8103.toml"
    path.write_bytes(TEXT.encode())
    same, other = load(path), parse_policy(TEXT + "#", "8103.toml")
    assert same.digest == parse_policy(TEXT, "elsewhere.toml").digest != other.digest
    assert (len(same.digest), same.source) == (64, TEXT)


def test_the_readme_names_every_key_of_the_file() -> None:
    """An officer finds each key of the file in rules/README.md."""
    readme = (Path(rules.__file__).parent / "README.md").read_text(encoding="utf-8")
    kinds = [*vars(policy).values(), *vars(case_tables).values()]
    models = [kind for kind in kinds if isinstance(kind, type)]
    tables = [kind for kind in models if issubclass(kind, fields.Table)]
    keys = {
        field.alias or name
        for table in tables
        if table is not fields.Table
        for name, field in table.model_fields.items()
    }
    assert len(keys) > 50
    assert [key for key in sorted(keys) if not re.search(rf"[`.\[{{ ]{key}\b", readme)] == []


def test_the_readme_names_every_placeholder() -> None:
    """And each placeholder of each occasion."""
    readme = (Path(rules.__file__).parent / "README.md").read_text(encoding="utf-8")
    names = frozenset().union(*PLACEHOLDERS.values())
    assert [name for name in sorted(names) if f"{{{name}}}" not in readme] == []
