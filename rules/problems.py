"""What is wrong with a policy file, in words that a policy officer can act on."""

import difflib
import re
from collections.abc import Iterable
from types import NoneType
from typing import Any, NamedTuple, TypeGuard, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rules.toml_lines import Lines, Path, line_of

__all__ = ["PolicyError", "Problem", "problem_at", "problems_in"]


class Problem(NamedTuple):
    """One thing to mend: where it stands, what is wrong, what is allowed.

    line: from 1; None when it concerns the file as a whole.
    key: e.g. ``rules[2].when.code``; positions count from 1, as people do.
    """

    file: str
    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class PolicyError(ValueError):
    """The policy cannot be used; ``problems`` names everything that was found, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.line or 0, p.key)))
        super().__init__("\n".join(map(str, self.problems)))


def problem_at(file: str, lines: Lines, path: Path, message: str) -> Problem:
    """A problem with the value at ``path``."""
    return Problem(file, line_of(lines, path), _key(path), message)


def problems_in(
    error: ValidationError, model: type[BaseModel], file: str, lines: Lines
) -> list[Problem]:
    """pydantic's findings, reworded, each at its line."""
    return [
        problem_at(file, lines, details["loc"], _in_words(details, model))
        for details in error.errors()
    ]


def _key(path: Path) -> str:
    words = [f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(words).removeprefix(".")


_PATTERN_WORDS = {
    r"^[a-z][a-z0-9_]*$": "small letters a-z, digits and underscores, a letter first",
    r"^[a-z0-9][a-z0-9-]*$": "small letters a-z, digits and hyphens",
    r"^[0-9]{1,20}$": "digits, in quotation marks",
    r"^[A-Z]{1,8}$": "capital letters A-Z, at most 8",
}
_TYPE_WORDS = {
    "string_type": 'must be text in quotation marks, e.g. "seed"',
    "int_type": "must be a whole number, without quotation marks",
    "bool_type": "must be true or false, without quotation marks",
    "list_type": 'must be a list in brackets, e.g. ["1", "2"]',
    "dict_type": "must be a table of keys and values",
    "model_type": "must be a table of keys and values",
    "datetime_type": "must be a date with a time, e.g. 2020-04-05T00:00:00",
    "date_type": "must be a date, e.g. 1955-04-05",
}


def _in_words(details: ErrorDetails, model: type[BaseModel]) -> str:
    """One finding of pydantic as a sentence; its own words where we have none."""
    kind, given, limits = details["type"], details["input"], details.get("ctx", {})
    if kind == "missing":
        return f"is missing; add it{_purpose(model, details['loc'])}"
    if kind == "extra_forbidden":
        return _unknown_key(str(details["loc"][-1]), _keys_of(model, details["loc"][:-1]))
    if kind in _TYPE_WORDS:
        return f"{_TYPE_WORDS[kind]}; here stands {_shown(given)}"
    if kind == "literal_error":
        return f"must be one of {limits['expected'].replace(chr(39), chr(34))}, not {_shown(given)}"
    if kind == "string_pattern_mismatch":
        allowed = _PATTERN_WORDS.get(limits["pattern"], limits["pattern"])
        return f"{_shown(given)} is not allowed; allowed are {allowed}"
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = f"at least {limits['ge']}" if "ge" in limits else f"at most {limits['le']}"
        return f"must be {bound}, not {given}"
    if kind in ("string_too_short", "too_short"):
        return "must not be empty"
    if kind in ("string_too_long", "too_long"):
        return f"is too long; at most {limits['max_length']}"
    return re.sub("^Value error, ", "", details["msg"])


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _unknown_key(key: str, allowed: list[str]) -> str:
    near = difflib.get_close_matches(key, allowed, 1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"is not a key that is known here; known are {', '.join(allowed)}.{meant}"


def _keys_of(model: type[BaseModel], path: Path) -> list[str]:
    found = _model_at(model, path)
    if found is None:
        return []
    return [field.alias or name for name, field in found.model_fields.items()]


def _purpose(model: type[BaseModel], path: Path) -> str:
    """What the missing key is for, from its field's description."""
    found = _model_at(model, path[:-1])
    for name, field in found.model_fields.items() if found else ():
        if (field.alias or name) == path[-1] and field.description:
            return f": {field.description}"
    return ""


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel] | None:
    """The model that describes the table at ``path``; None where none does."""
    kind: Any = model
    for part in path:
        kind = _present(kind)
        if not _is_model(kind):  # list[Model], dict[str, Model]
            kind = get_args(kind)[-1] if get_args(kind) else None
            continue
        fields = {field.alias or name: field for name, field in kind.model_fields.items()}
        kind = fields[str(part)].annotation if part in fields else None
    kind = _present(kind)
    return kind if _is_model(kind) else None


def _present(kind: Any) -> Any:
    """``X | None`` → ``X``."""
    arguments = get_args(kind)
    return arguments[0] if len(arguments) == 2 and arguments[1] is NoneType else kind


def _is_model(kind: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and not get_args(kind) and issubclass(kind, BaseModel)
