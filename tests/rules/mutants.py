"""Every small change of the law in a policy file, one at a time."""

from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from policy_edits import Data, parameter

__all__ = ["Mutant", "mutants_of", "with_another_length"]

_STEPS = {
    "a second": timedelta(seconds=1),
    "a day": timedelta(days=1),
}
_LISTS = {
    "blocked": ["wholly", "from_code"],
    "holds_permit": ["same_code", "any_code"],
}


class Mutant(NamedTuple):
    """A change: what it is, for people, and the edit of the parsed file that makes it."""

    name: str
    edit: Callable[[Data], object]


def mutants_of(data: Data) -> list[Mutant]:
    """All of them: of each rule, each number, each date, each daily limit."""
    found = [
        *_of_numbers(data),
        *_of_dates(data),
        *_of_all_dates_together(data),
        *_of_quotas(data),
        *_of_birthdays(data),
    ]
    for at, rule in enumerate(data["rules"]):
        found += [
            Mutant(f"rule {rule['id']}: {name}", _at(("rules", at), edit))
            for name, edit in _of_rule(data, rule)
        ]
        if at + 1 < len(data["rules"]):
            found.append(Mutant(f"rule {rule['id']}: after the next one", _swap(at)))
    return found


def _at(path: tuple[Any, ...], edit: Callable[[Any], object]) -> Callable[[Data], object]:
    """An edit of what stands at a path."""

    def change(data: Data) -> None:
        place: Any = data
        for key in path:
            place = place[key]
        edit(place)

    return change


def _swap(at: int) -> Callable[[Data], object]:
    def swap(data: Data) -> None:
        rules = data["rules"]
        rules[at], rules[at + 1] = rules[at + 1], rules[at]

    return swap


Edit = tuple[str, Callable[[Data], object]]


def _of_rule(data: Data, rule: Data) -> Iterator[Edit]:
    # Taken out, its reply and its tests would lead nowhere; so it never applies.
    yield "dropped", lambda it: it.update({"except": {}})
    yield from _of_verdict(rule)
    when = rule.get("when", {})
    for key, value in when.items():
        yield f"without {key}", lambda it, key=key: _take(it, key)
        for asked in _others(data, key, value):
            yield f"{key} = {asked}", lambda it, key=key, x=asked: it["when"].update({key: x})
        if "except" not in rule:
            yield (
                f"unless {key}",
                lambda it, key=key: it.update({"except": {key: _take_only(it, key)}}),
            )
    if "except" in rule:
        yield "without except", lambda it: it.pop("except")
        for key, value in rule["except"].items():
            for asked in _others(data, key, value):
                yield (
                    f"except {key} = {asked}",
                    lambda it, key=key, x=asked: it["except"].update({key: x}),
                )
    if "unknown" in rule:
        turned = "apply" if rule["unknown"] == "skip" else "skip"
        yield f"unknown = {turned}", lambda it: it.update(unknown=turned)
    for code in data["codes"]:
        if "code" not in when:
            yield f"only code {code}", lambda it, x=code: it.setdefault("when", {}).update(code=[x])


def _take(rule: Data, key: str) -> Any:
    """Takes a condition away, and what hangs on it: placeholders of the reply, the doubt."""
    asked = rule["when"].pop(key)
    if key in ("blocked", "quarantined", "quota_spent"):
        rule["reply"] = "not-in-force"
    if key in ("registered", "age") and len(rule["when"]) == 0:
        rule.pop("unknown")
    return asked


def _take_only(rule: Data, key: str) -> Any:
    """The same, but the doubt stays: the condition stays too, elsewhere."""
    doubt = rule.get("unknown")
    asked = _take(rule, key)
    if doubt is not None:
        rule["unknown"] = doubt
    return asked


def _of_verdict(rule: Data) -> Iterator[Edit]:
    def refuse(it: Data) -> None:
        for key in ("window", "window_from", "starts_after"):
            it.pop(key, None)
        it.update(verdict="refuse", reply="not-in-force")

    def grant(it: Data) -> None:
        it.update(verdict="grant", reply="granted", window="window")

    if rule["verdict"] == "refuse":
        yield (
            "another reply",
            lambda it: it.update(
                reply="not-in-force" if it["reply"] != "not-in-force" else "not-registered"
            ),
        )
    else:
        yield "refuses", refuse
    if rule["verdict"] != "grant":
        yield "grants", grant
        return
    yield "window = another", lambda it: it.update(window="another_length")
    yield "starts_after", lambda it: it.update(starts_after="another_length")
    yield "window_from = reply", lambda it: it.update(window_from="reply")


def _others(data: Data, key: str, value: Any) -> Iterator[Any]:
    """Every other thing that a condition could ask, a step away."""
    if isinstance(value, bool):
        yield not value
    elif key in _LISTS:
        yield from (other for other in _LISTS[key] if other != value)
    elif isinstance(value, dict):
        turned = {"at_least": "below", "below": "at_least", "from": "until", "until": "from"}
        yield {turned.get(side, side): name for side, name in value.items()}
    elif key in ("code", "document_kind", "region", "weekday", "channel"):
        names = [value] if isinstance(value, str) else value
        yield from ([name for name in names if name != less] for less in names[: len(names) > 1])


def _of_numbers(data: Data) -> Iterator[Mutant]:
    for name, entry in data["parameters"].items():
        for at, dated in enumerate(entry["values"]):
            for step in (-1, 1):
                value = _moved(dated["value"], step)
                edit = _at(
                    ("parameters", name, "values", at), lambda it, x=value: it.update(value=x)
                )
                yield Mutant(f"{name}[{at + 1}] = {value}", edit)


def _moved(value: int | time, step: int) -> int | time:
    if isinstance(value, int):
        return value + step
    moment = datetime.combine(datetime(2020, 1, 1), value)  # noqa: DTZ001 a clock
    return (moment + timedelta(seconds=step)).time()


def _of_dates(data: Data) -> Iterator[Mutant]:
    places: list[tuple[Any, ...]] = [("in_force", at) for at in range(len(data["in_force"]))]
    places += [("rules", at) for at in range(len(data["rules"]))]
    for name, entry in data["parameters"].items():
        places += [("parameters", name, "values", at) for at in range(len(entry["values"]))]
    for path in places:
        place: Any = data
        for key in path:
            place = place[key]
        for side in ("from", "until"):
            if side not in place:
                continue
            for words, step in _STEPS.items():
                for moved, way in ((place[side] - step, "earlier"), (place[side] + step, "later")):
                    edit = _at(path, lambda it, side=side, x=moved: it.update({side: x}))
                    yield Mutant(f"{'.'.join(map(str, path))}.{side} {words} {way}", edit)


def _of_all_dates_together(data: Data) -> Iterator[Mutant]:
    """Alone, a date often cannot move: a rule would stand on a number without a value."""
    for words, step in _STEPS.items():
        for way, sign in (("earlier", -1), ("later", 1)):

            def move(data: Data, by: timedelta = sign * step) -> None:
                tables = [*data["in_force"], *data["rules"]]
                tables += [value for x in data["parameters"].values() for value in x["values"]]
                for table in tables:
                    for side in ("from", "until"):
                        if side in table:
                            table[side] += by

            yield Mutant(f"all dates {words} {way}", move)


def _of_quotas(data: Data) -> Iterator[Mutant]:
    for name, quota in data["quotas"].items():
        for code in data["codes"]:
            counting = [other for other in quota["codes"] if other != code]
            more = counting if code in quota["codes"] else [*quota["codes"], code]
            if more:
                edit = _at(("quotas", name), lambda it, x=more: it.update(codes=x))
                yield Mutant(f"quota {name} counts {more}", edit)
        yield Mutant(f"quota {name} counts all", _all_codes(name))


def _all_codes(name: str) -> Callable[[Data], object]:
    return lambda data: data["quotas"][name].update(codes=list(data["codes"]))


def _of_birthdays(data: Data) -> Iterator[Mutant]:
    turned = {"02-28": "03-01", "03-01": "02-28"}[data["policy"]["leap_day_birthday"]]
    yield Mutant(
        f"leap_day_birthday = {turned}",
        lambda it: it["policy"].update(leap_day_birthday=turned),
    )


def with_another_length(data: Data) -> None:
    """A parameter in minutes that no rule uses, for windows to be exchanged with."""
    parameter("another_length", "minutes", 60)(data)
