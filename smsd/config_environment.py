"""The environment over the configuration: `SMSD_SECTION__KEY` sets `key` in `[section]`."""

import itertools
from collections.abc import Mapping
from typing import Any

ENVIRONMENT_PREFIX = "SMSD_"


def lay_environment_over(
    data: dict[str, Any], environment: Mapping[str, str]
) -> tuple[dict[tuple[str | int, ...], str], list[str]]:
    """Set in `data` what the environment names; (path → variable, problems)."""
    overridden: dict[tuple[str | int, ...], str] = {}
    problems = []
    for name in sorted(environment):
        if not name.startswith(ENVIRONMENT_PREFIX) or "__" not in name:
            continue
        words = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
        path = tuple(int(word) if word.isdigit() else word for word in words)
        if _set(data, path, environment[name]):
            overridden[path] = name
        else:
            problems.append(
                f"environment {name}: no such place; allowed: {ENVIRONMENT_PREFIX}SECTION__KEY,"
                f" and {ENVIRONMENT_PREFIX}SMSC__0__KEY for the first [[smsc]]"
            )
    return overridden, problems


def _set(data: dict[str, Any], path: tuple[str | int, ...], value: str) -> bool:
    """Put `value` at `path` in nested tables; False where the path leads nowhere."""
    place: Any = data
    for here, following in itertools.pairwise(path):
        if isinstance(here, int):
            if not isinstance(place, list) or here > len(place):
                return False
            if here == len(place):
                place.append({})
        elif not isinstance(place, dict):
            return False
        else:
            place.setdefault(here, [] if isinstance(following, int) else {})
        place = place[here]
    if not isinstance(place, dict) or isinstance(path[-1], int):
        return False
    place[path[-1]] = value
    return True
