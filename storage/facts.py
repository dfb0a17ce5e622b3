"""Recorded facts: what a decision knew, as JSON, so that anyone can decide it again."""

import json
from datetime import date

from rules import Block, Facts, HeldPermit

_NOTHING_MORE = tuple(Facts(0)[4:])
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
    """The facts of decision `serial`, as `to_json` wrote them."""
    data = json.loads(text)
    born = data["birth_date"]
    return Facts(
        serial=serial,
        registered=data["registered"],
        birth_date=date.fromisoformat(born) if born else None,
        permits=tuple(HeldPermit(*permit) for permit in data["permits"]),
        blocks=tuple(Block(*block) for block in data.get("blocks", ())),
        **{name: data[name] for name in Facts._fields[5:] if name in data},
    )
