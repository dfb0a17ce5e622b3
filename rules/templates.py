"""Reply texts with ``{placeholder}``s → closures that fill them in.

A text is read once, at load; values are only ever put in, never read as a template.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

__all__ = ["Slot", "Slots", "longest", "placeholders", "renderer", "stray_brace"]

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class Slot(NamedTuple):
    """A placeholder's value: how to get it from an outcome, and the longest it can be."""

    get: Callable[[Any], str]
    longest: str


Slots = Mapping[str, Slot | str]
"""By placeholder; a plain text is the same for every outcome."""


def placeholders(template: str) -> list[str]:
    """The placeholders of a template, in order."""
    return _PLACEHOLDER.findall(template)


def stray_brace(template: str) -> bool:
    """Whether a brace stands outside a placeholder, which is always a slip."""
    rest = _PLACEHOLDER.sub("", template)
    return "{" in rest or "}" in rest


def longest(template: str, slots: Slots) -> str:
    """The template with the longest values it can ever get."""

    def fill(match: re.Match[str]) -> str:
        slot = slots[match[1]]
        return slot if isinstance(slot, str) else slot.longest

    return _PLACEHOLDER.sub(fill, template)


def renderer(template: str, slots: Slots) -> Callable[[Any], str]:
    """A function from an outcome to the filled template; KeyError for an unknown placeholder."""
    literals = [part.replace("%", "%%") for part in _PLACEHOLDER.split(template)[::2]]
    getters = []
    pattern = literals[0]
    for name, literal in zip(placeholders(template), literals[1:], strict=True):
        slot = slots[name]
        if isinstance(slot, str):
            pattern += slot.replace("%", "%%") + literal
        else:
            getters.append(slot.get)
            pattern += "%s" + literal
    return _filled(pattern, getters)


def _filled(pattern: str, getters: list[Callable[[Any], str]]) -> Callable[[Any], str]:
    """Unrolled for the counts that replies have; a loop costs half as much again."""
    match getters:
        case []:
            text = pattern % ()
            return lambda _: text
        case [a]:
            return lambda o: pattern % (a(o),)
        case [a, b]:
            return lambda o: pattern % (a(o), b(o))
        case [a, b, c]:
            return lambda o: pattern % (a(o), b(o), c(o))
        case [a, b, c, d]:
            return lambda o: pattern % (a(o), b(o), c(o), d(o))
        case [a, b, c, d, e]:
            return lambda o: pattern % (a(o), b(o), c(o), d(o), e(o))
        case [a, b, c, d, e, f]:
            return lambda o: pattern % (a(o), b(o), c(o), d(o), e(o), f(o))
    return lambda o: pattern % tuple([get(o) for get in getters])
