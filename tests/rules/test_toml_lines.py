"""The line of every key, whatever form TOML gives it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.toml_lines import Path, TomlError, line_of, load_toml

EVERY_FORM = '''\
# a comment with [brackets] and = signs
title = "one # not a comment"

[policy]
id = "8103"   # trailing comment
"quoted.key" = 1
physical.colour = "orange"
text = """
[not a header]
also = 'no key'
ends with quotes"""""
literal = \'\'\'
[still] "no"
\'\'\'
values = [
  # a comment, with a comma
  { from = 2020-04-05T00:00:00, value = 120 },
  { from = 2020-04-27T00:00:00, value = 180 },
]

[[rules]]
id = "first"
when = { code = ["1", "2"], age = { at_least = "limit" } }

[[rules]]
id = "second"
[rules.when]
code = "]"
[[rules.notes]]
text = 'a'
[[rules.notes]]
text = 'b'
[a . "b c" . d]
empty = []
none = {}
'''

LINES: dict[Path, int] = {
    ("title",): 2,
    ("policy",): 4,
    ("policy", "id"): 5,
    ("policy", "quoted.key"): 6,
    ("policy", "physical"): 7,
    ("policy", "physical", "colour"): 7,
    ("policy", "text"): 8,
    ("policy", "literal"): 12,
    ("policy", "values"): 15,
    ("policy", "values", 0): 17,
    ("policy", "values", 0, "from"): 17,
    ("policy", "values", 1, "value"): 18,
    ("rules",): 21,
    ("rules", 0): 21,
    ("rules", 0, "id"): 22,
    ("rules", 0, "when", "code", 1): 23,
    ("rules", 0, "when", "age", "at_least"): 23,
    ("rules", 1): 25,
    ("rules", 1, "id"): 26,
    ("rules", 1, "when"): 27,
    ("rules", 1, "when", "code"): 28,
    ("rules", 1, "notes", 0, "text"): 30,
    ("rules", 1, "notes", 1, "text"): 32,
    ("a", "b c", "d"): 33,
    ("a", "b c", "d", "none"): 35,
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_form_of_key_has_its_line(newline: str) -> None:
    """Headers, arrays of tables, dotted and quoted keys, inline tables, long strings."""
    data, lines = load_toml(EVERY_FORM.replace("\n", newline), "p.toml")
    assert {path: lines.get(path) for path in LINES} == LINES
    assert data["rules"][1]["when"]["code"] == "]"


def test_line_of_falls_back_to_the_table_around() -> None:
    """A missing key is reported at the table that should hold it."""
    _, lines = load_toml(EVERY_FORM, "p.toml")
    assert line_of(lines, ("rules", 1, "verdict")) == 25
    assert line_of(lines, ("nowhere",)) is None
    assert line_of(lines, ()) is None


def test_what_is_not_toml_names_file_and_line() -> None:
    """The decoder's own message comes with the place split off."""
    with pytest.raises(TomlError) as caught:
        load_toml("a = 1\nb = = 2\n", "p.toml")
    assert (caught.value.name, caught.value.line) == ("p.toml", 2)
    assert "line" not in caught.value.message
    with pytest.raises(TomlError) as caught:
        load_toml('a = "x', "p.toml")
    assert str(caught.value).startswith("p.toml:")


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.integers(0, 9) | st.text(alphabet="a[]{}#=,'\"", max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("depth", [100, 300, 450, 100_000])
def test_brackets_within_brackets_are_read_or_refused(depth: int) -> None:
    """Whether tomllib or the scan meets the bottom first, there is a message and no trace."""
    text = "k = " + "[" * depth + "]" * depth
    try:
        _, lines = load_toml(text, "p.toml")
    except TomlError as error:
        assert "nests brackets far too deep" in str(error)
    else:
        assert lines[("k",)] == 1


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[\n" + "".join(f" {_toml(item)}, # c\n" for item in value) + "]"
    if isinstance(value, str):
        return '"' + value.replace('"', '\\"') + '"'
    return str(value)


@given(st.dictionaries(st.sampled_from(["k", "m", "n-1"]), VALUES, max_size=3))
def test_every_key_that_tomllib_sees_has_a_line(data: dict[str, Any]) -> None:
    """The scan and tomllib agree on what exists; keys sit on the lines that hold their name."""
    text = "".join(f"{key} = {_toml(value)}\n" for key, value in data.items())
    parsed, lines = load_toml(text, "p.toml")
    assert parsed == data
    assert set(lines) == set(_paths(data))
    source = text.split("\n")
    assert all(str(path[0]) in source[n - 1] for path, n in lines.items() if len(path) == 1)


def _paths(value: Any, path: Path = ()) -> list[Path]:
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [found for key, item in items for found in [(*path, key), *_paths(item, (*path, key))]]
