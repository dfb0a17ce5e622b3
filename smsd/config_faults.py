"""What is wrong with a configuration, in words for a person: place, mistake, what is allowed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from rules.toml_lines import Path as TomlPath
from rules.toml_lines import line_of

Location = tuple[str | int, ...]


def explain(
    error: Any,
    model: type[BaseModel],
    path: Path,
    lines: dict[TomlPath, int],
    overridden: Mapping[Location, str],
) -> str:
    """One line for a person from one of the errors that pydantic found against `model`."""
    location = tuple(error["loc"])
    if location in overridden:
        where = f"environment {overridden[location]}"
    else:
        line = line_of(lines, location)
        key = ".".join(str(step) for step in location) or "the whole file"
        where = f"{path}:{line}: {key}" if line else f"{path}: {key}"
    return f"{where}: {_wrong_and_allowed(error, model, location)}"


def _wrong_and_allowed(error: Any, model: type[BaseModel], location: Location) -> str:
    kind = error["type"]
    if kind == "extra_forbidden":
        return f"unknown key; allowed: {', '.join(_keys_allowed(model, location))}"
    if kind == "missing":
        if location == ("smsc",):
            return "missing; at least one [[smsc]] is needed"
        return "missing; it has no default"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind == "tuple_type" and location == ("smsc",):
        return "each SMSC needs a section [[smsc]], in double brackets"
    message = error["msg"][:1].lower() + error["msg"][1:]
    if kind == "string_pattern_mismatch":
        message = f"must be {_field(model, location).description}"
    secret = location and str(location[-1]).startswith("password")
    got = "" if secret or isinstance(error["input"], dict | list) else f"; got {error['input']!r}"
    return f"{message}{got}"


def _keys_allowed(model: type[BaseModel], location: Location) -> list[str]:
    """The keys of the section in which an unknown one stands."""
    return sorted(field.alias or name for name, field in _section(model, location).items())


def _field(model: type[BaseModel], location: Location) -> FieldInfo:
    """The key that `location` names, or whose list it is an entry of."""
    keys = [step for step in location if isinstance(step, str)]
    return _section(model, tuple(keys))[keys[-1]]


def _section(model: type[BaseModel], location: Location) -> dict[str, FieldInfo]:
    """The fields of the section that the last step of `location` is, or should be, a key of."""
    for step in location[:-1]:
        if isinstance(step, str):
            named = {field.alias or name: field for name, field in model.model_fields.items()}
            inner = _model_in(named[step].annotation)
            assert inner is not None, location
            model = inner
    return model.model_fields


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The section that a field holds: itself, a list of it, or perhaps none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(each) for each in get_args(annotation))
    return next((each for each in inner if each is not None), None)
