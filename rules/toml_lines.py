"""TOML with the line of every key: tomllib reads the values, a scan finds the lines.

Officers and operators are told file, line and key of whatever is wrong; tomllib gives only
the values. The scan runs after tomllib has accepted the text, so it may trust the grammar.
"""

import re
import tomllib
from typing import Any

__all__ = ["Lines", "Path", "TomlError", "line_of", "load_toml"]

Path = tuple[str | int, ...]
"""Where a value stands: table keys, and positions (from 0) in arrays."""

Lines = dict[Path, int]
"""The line of each path, from 1."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY = re.compile(r'[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|\'[^\']*\'')
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'  # TOML 1.0: one or two quotes may stand before the closing three
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    re.DOTALL,
)
_BARE_VALUE = re.compile(r"[^,\]}\n#]+")
_DECODE_PLACE = re.compile(r"^(?P<what>.*) \(at line (?P<line>\d+), column \d+\)$", re.DOTALL)


class TomlError(ValueError):
    """The text is not TOML. ``line`` counts from 1; None: at the end of the file."""

    def __init__(self, name: str, line: int | None, message: str) -> None:
        super().__init__(f"{name}:{line or 'end'}: {message}")
        self.name = name
        self.line = line
        self.message = message


def load_toml(text: str, name: str) -> tuple[dict[str, Any], Lines]:
    """The values of a TOML text, and the line (from 1) of each key and array element.

    name is the file's name for messages. Raises TomlError.
    """
    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    try:
        return tomllib.loads(text), _Scan(text).run()
    except tomllib.TOMLDecodeError as error:
        place = _DECODE_PLACE.match(str(error))
        if place is None:
            raise TomlError(name, None, str(error)) from None
        raise TomlError(name, int(place["line"]), place["what"]) from None
    except RecursionError:
        raise TomlError(name, None, "nests brackets far too deep") from None


def line_of(lines: Lines, path: Path) -> int | None:
    """The line of a path, or of the nearest table around it; None: the file as a whole."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


class _Scan:
    """One pass over a valid TOML text, noting where keys stand."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.lines: Lines = {}
        self.tables_seen: dict[Path, int] = {}  # [[path]] → how many so far

    def run(self) -> Lines:
        table: Path = ()
        self.take(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.key_and_value(table)
            self.take(_BLANK)
        return self.lines

    def take(self, pattern: re.Pattern[str]) -> str:
        """Step over what the pattern matches here, counting its lines."""
        match = pattern.match(self.text, self.at)
        taken = match.group() if match else ""
        self.at += len(taken)
        self.line += taken.count("\n")
        return taken

    def skip(self, count: int) -> None:
        self.at += count

    def header(self) -> Path:
        """``[a.b]`` or ``[[a.b]]``: the path that the lines below it belong to."""
        brackets = 2 if self.text.startswith("[[", self.at) else 1
        self.skip(brackets)
        *parents, last = self.dotted_key()
        self.skip(brackets)
        path: Path = ()
        for key in parents:
            path = self.into_last((*path, key))
            self.lines.setdefault(path, self.line)
        path = (*path, last)
        if brackets == 2:
            self.lines.setdefault(path, self.line)
            self.tables_seen[path] = self.tables_seen.get(path, 0) + 1
        path = self.into_last(path)
        self.lines[path] = self.line
        return path

    def into_last(self, path: Path) -> Path:
        """TOML 1.0, array of tables: a key below ``[[a]]`` means the last ``a`` so far."""
        seen = self.tables_seen.get(path)
        return (*path, seen - 1) if seen else path

    def dotted_key(self) -> list[str]:
        parts = []
        while True:
            self.take(_SPACE)
            key = self.take(_KEY)
            if key[0] in "\"'":
                key = next(iter(tomllib.loads(f"{key}=0")))
            parts.append(key)
            self.take(_SPACE)
            if self.text[self.at] != ".":
                return parts
            self.skip(1)

    def key_and_value(self, table: Path) -> None:
        line = self.line
        path = table
        for key in self.dotted_key():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self.skip(1)  # the equals sign
        self.take(_SPACE)
        self.value(path)

    def value(self, path: Path) -> None:
        opening = self.text[self.at]
        if opening == "[":
            self.array(path)
        elif opening == "{":
            self.inline_table(path)
        elif not self.take(_STRING):
            self.take(_BARE_VALUE)

    def array(self, path: Path) -> None:
        self.skip(1)
        self.take(_BLANK)
        index = 0
        while self.text[self.at] != "]":
            self.lines[(*path, index)] = self.line
            self.value((*path, index))
            index += 1
            self.next_item()
        self.skip(1)

    def inline_table(self, path: Path) -> None:
        self.skip(1)
        self.take(_BLANK)
        while self.text[self.at] != "}":
            self.key_and_value(path)
            self.next_item()
        self.skip(1)

    def next_item(self) -> None:
        self.take(_BLANK)
        if self.text[self.at] == ",":
            self.skip(1)
            self.take(_BLANK)
