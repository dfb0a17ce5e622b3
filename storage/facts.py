"""Recorded facts: what a decision knew, as JSON, so that anyone can decide it again."""

import json
from datetime import date
from typing import TypeVar

from rules import Block, Facts, HeldPermit

Row = TypeVar("Row", Block, HeldPermit)

_NOTHING_MORE = tuple(Facts(0)[4:])
_USUAL = 3
"""Keys that are always written."""
_PERMIT = (int, str, int, int, int)
_BLOCK = (str, int)
_MORE = {
    "quarantine_until_day": int,
    "region": str,
    "messages_today": int,
    "documents_today": int,
    "channel": str,
    "override": bool,
}
_REGISTERED_JSON = {None: "null", True: "true", False: "false"}


def to_json(facts: Facts) -> str:
    """Facts as a JSON object; the serial is the row's own and is left out.

    Built by hand: `json.dumps` of the same object costs three times as much, for every SMS.
    """
    born = f'"{facts.birth_date.isoformat()}"' if facts.birth_date else "null"
    permits = json.dumps(facts.permits, separators=(",", ":")) if facts.permits else "[]"
    registered = _REGISTERED_JSON[facts.registered]
    more = _more(facts) if facts[4:] != _NOTHING_MORE else ""
    return f'{{"registered":{registered},"birth_date":{born},"permits":{permits}{more}}}'


def _more(facts: Facts) -> str:
    """The facts that most decisions do not have, each only where it is there."""
    fields = zip(Facts._fields[4:], facts[4:], _NOTHING_MORE, strict=True)
    data = {name: value for name, value, usual in fields if value != usual}
    return "," + json.dumps(data, separators=(",", ":"))[1:-1]


def from_json(serial: int, text: str) -> Facts:
    """The facts of decision `serial`, as `to_json` wrote them.

    Raises ValueError, KeyError or TypeError when it did not write this.
    """
    data = json.loads(text)
    born, permits = data["birth_date"], data["permits"]
    if data["registered"] not in (None, True, False):
        raise ValueError("registered")
    facts = Facts(
        serial,
        data["registered"],
        date.fromisoformat(born) if born else None,
        tuple([_typed(HeldPermit(*permit), _PERMIT) for permit in permits]) if permits else (),
    )
    if len(data) == _USUAL:
        return facts
    more = {name: data[name] for name in Facts._fields[5:] if name in data}
    for name, value in more.items():
        if type(value) is not _MORE[name]:
            raise TypeError(name)
    blocks = tuple(_typed(Block(*block), _BLOCK) for block in data.get("blocks", ()))
    return facts._replace(blocks=blocks, **more)


def _typed(row: Row, types: tuple[type, ...]) -> Row:
    """A row of a list, once its values are found to be of their types."""
    if tuple(map(type, row[: len(types)])) != types:
        raise TypeError(type(row).__name__)
    return row
