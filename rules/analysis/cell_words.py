"""A set of cells in plain English, fact by fact: ``age 65+``, ``not registered or unknown``."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rules.analysis.cell_cubes import Cube
from rules.analysis.cell_features import PERMITS, Feature
from rules.analysis.cell_moments import DAY_SECONDS
from rules.analysis.cell_traits import Trait
from rules.analysis.cells import Dimension, Space

__all__ = ["Said", "say_cells"]

_ELSEWHERE = "elsewhere"  # rules.analysis.cell_choices: a region that no rule names
_REGIONS_TOLD_MAX = 5


class Said(NamedTuple):
    """What is told of one fact. dimension: e.g. ``age``; words: e.g. ``age 65+``.

    names: the regions that the words leave out or only count.
    """

    dimension: str
    words: str
    names: tuple[str, ...] = ()


def say_cells(space: Space, cube: Cube) -> tuple[Said, ...]:
    """What sets these cells apart; a fact that may be anything is left out."""
    return tuple(
        Said(dimension.name, _words(dimension, mask), _names(dimension, mask))
        for dimension, mask in zip(space.dimensions, cube, strict=True)
        if mask != dimension.whole
    )


def _names(dimension: Dimension, mask: int) -> tuple[str, ...]:
    if dimension.name != "region":
        return ()
    chosen = [trait.name for trait in dimension.traits(mask)]
    if _ELSEWHERE in chosen:
        chosen = [trait.name for trait in dimension.traits(dimension.whole & ~mask)]
    return tuple(sorted(name for name in chosen if name not in ("unknown", _ELSEWHERE)))


def _words(dimension: Dimension, mask: int) -> str:
    if dimension.name == PERMITS:
        return _permits(dimension, mask)
    chosen = dimension.traits(mask)
    return _WORDS[dimension.name](chosen, dimension.traits(dimension.whole & ~mask))


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _one_of(phrases: dict[str, str]) -> Callable[[Sequence[Trait], Sequence[Trait]], str]:
    return lambda chosen, _rest: _listed(phrases[trait.name] for trait in chosen)


def _named(
    start: str, negated: str, unknown: str = ""
) -> Callable[[Sequence[Trait], Sequence[Trait]], str]:
    """Names one by one, or those that are left out where they are fewer."""

    def words(chosen: Sequence[Trait], rest: Sequence[Trait]) -> str:
        names = [trait.name for trait in chosen if trait.name != "unknown"]
        others = [trait.name for trait in rest if trait.name != "unknown"]
        told = [unknown] if len(names) < len(chosen) else []
        if names and others and len(others) < len(names):
            told.insert(0, f"{negated} {_listed(others)}")
        elif names and others:
            told.insert(0, f"{start} {_listed(names)}")
        elif names:
            return f"{unknown.removesuffix(' unknown')} known"
        return _listed(told)

    return words


def _regions(chosen: Sequence[Trait], rest: Sequence[Trait]) -> str:
    """Of many regions that the rules name, it is enough to say how many they are."""
    names = [trait.name for trait in chosen if trait.name not in ("unknown", _ELSEWHERE)]
    others = [trait.name for trait in rest if trait.name != "unknown"]
    told = []
    if others == [_ELSEWHERE] and len(names) > _REGIONS_TOLD_MAX:
        told.append(f"living in one of {len(names)} regions named")
    elif names and not others:
        return "region known"
    elif len(names) < len(chosen) and _ELSEWHERE in [trait.name for trait in chosen]:
        told.append(f"not living in {_listed(others)}" if names else "living elsewhere")
    elif names:
        told.append(f"living in {_listed(names)}")
    if any(trait.name == "unknown" for trait in chosen):
        told.append("region unknown")
    return _listed(told)


def _blocks(chosen: Sequence[Trait], _rest: Sequence[Trait]) -> str:
    return _BLOCKS[frozenset(trait.name for trait in chosen)]


_WHOLLY, _CODE = "blocked wholly", "blocked from this code"
_BLOCKS = {
    frozenset({"no"}): "not blocked",
    frozenset({"wholly"}): f"{_WHOLLY} and not from this code alone",
    frozenset({"from_code"}): f"{_CODE} and not wholly",
    frozenset({"both"}): f"{_WHOLLY} and from this code",
    frozenset({"wholly", "both"}): _WHOLLY,
    frozenset({"from_code", "both"}): _CODE,
    frozenset({"wholly", "from_code", "both"}): "blocked",
    frozenset({"wholly", "from_code"}): f"{_WHOLLY} or from this code, not both",
    frozenset({"no", "wholly"}): f"not {_CODE}",
    frozenset({"no", "from_code"}): f"not {_WHOLLY}",
    frozenset({"no", "both"}): f"not blocked, or {_WHOLLY} and from this code",
    frozenset({"no", "wholly", "from_code"}): f"not {_WHOLLY} and from this code",
    frozenset({"no", "wholly", "both"}): f"not {_CODE} alone",
    frozenset({"no", "from_code", "both"}): f"not {_WHOLLY} alone",
}


def _spans(chosen: Sequence[Trait]) -> list[tuple[int | None, int | None]]:
    """The intervals of some traits, joined where they meet."""
    spans: list[tuple[int | None, int | None]] = []
    for trait in chosen:
        if trait.name:
            continue
        if spans and spans[-1][1] == trait.low:
            spans[-1] = (spans[-1][0], trait.high)
        else:
            spans.append((trait.low, trait.high))
    return spans


def _ages(chosen: Sequence[Trait], rest: Sequence[Trait]) -> str:
    told = [_age(low, high) for low, high in _spans(chosen)]
    return _numbers("age", told, chosen, rest)


def _age(low: int | None, high: int | None) -> str:
    if low is not None and low == high:
        return f"{low} by one reading of 29 February"
    if high is None:
        return "of any years" if low is None else f"{low}+"
    return f"under {high}" if low is None else f"{low} to {high - 1}"


def _counts(what: str) -> Callable[[Sequence[Trait], Sequence[Trait]], str]:
    def words(chosen: Sequence[Trait], rest: Sequence[Trait]) -> str:
        told = [_count(low or 0, high) for low, high in _spans(chosen)]
        return _numbers(f"{what} today", told, chosen, rest)

    return words


def _count(low: int, high: int | None) -> str:
    if high is None:
        return f"{low} or more"
    if low + 1 == high:
        return str(low)
    return f"under {high}" if low == 0 else f"{low} to {high - 1}"


def _numbers(what: str, told: list[str], chosen: Sequence[Trait], rest: Sequence[Trait]) -> str:
    if not any(trait.name != "unknown" for trait in rest):
        return f"{what} known"
    unknown = ["unknown"] if any(trait.name == "unknown" for trait in chosen) else []
    return f"{what} {_listed([*told, *unknown])}"


def _times(chosen: Sequence[Trait], _rest: Sequence[Trait]) -> str:
    spans = [(low or 0, high or 0) for low, high in _spans(chosen)]
    # Told over midnight where the day is.
    if len(spans) > 1 and spans[0][0] == 0 and spans[-1][1] == DAY_SECONDS:
        spans = [*spans[1:-1], (spans[-1][0], spans[0][1])]
    return _listed(f"{_clock(low)}-{_clock(high)}" for low, high in spans)


def _clock(second: int) -> str:
    minutes, rest = divmod(second, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}" + (f":{rest:02}" if rest else "")


def _permits(dimension: Dimension, mask: int) -> str:
    """By what the rules ask of permits: the fewest answers that mean just these histories."""
    wanted = {n for n in range(len(dimension.classes)) if mask >> n & 1}
    common = [
        (at, truth)
        for at in range(len(dimension.features))
        for truth in (True, False)
        if all(dimension.classes[n].truths[at] is truth for n in wanted)
    ]
    if _meant(dimension, common) == wanted:
        return _both(dimension, common, wanted)
    told = []
    left = set(wanted)
    for at in range(len(dimension.features)):
        for truth in (True, False):
            meant = _meant(dimension, [(at, truth)])
            if meant <= wanted and meant & left:
                told.append(_asked(dimension.features[at], truth))
                left -= meant
    for n in sorted(left):
        answers = [(at, truth is True) for at, truth in enumerate(dimension.classes[n].truths)]
        told.append(_both(dimension, answers, {n}))
    return ", or ".join(told)


def _meant(dimension: Dimension, answers: Sequence[tuple[int, bool]]) -> set[int]:
    """The classes that give all these answers."""
    return {
        n
        for n, each in enumerate(dimension.classes)
        if all(each.truths[at] is truth for at, truth in answers)
    }


def _both(dimension: Dimension, answers: Sequence[tuple[int, bool]], wanted: set[int]) -> str:
    """Several answers in words, without those that follow from the others."""
    needed = list(answers)
    for answer in reversed(answers):
        fewer = [other for other in needed if other != answer]
        if _meant(dimension, fewer) == wanted:
            needed = fewer
    return " and ".join(_asked(dimension.features[at], truth) for at, truth in needed)


def _asked(feature: Feature, truth: bool) -> str:
    if feature.key == "holds_permit":
        which = " for this code" if feature.names == ("same_code",) else ""
        return f"{'a' if truth else 'no'} valid permit{which}"
    reached = truth is not (feature.key == "permits_today.below")
    codes = f" with code {_listed(feature.names)}" if feature.names else ""
    limit = feature.bounds[0]
    if limit == 1:
        return f"{'a' if reached else 'no'} permit today{codes}"
    return f"{f'{limit} or more' if reached else f'under {limit}'} permits today{codes}"


_WORDS: dict[str, Callable[[Sequence[Trait], Sequence[Trait]], str]] = {
    "document_kind": _named("document", "any document but"),
    "registered": _one_of(
        {"yes": "registered", "no": "not registered", "unknown": "registration unknown"}
    ),
    "age": _ages,
    "blocked": _blocks,
    "quarantined": _one_of(
        {"yes": "in quarantine", "no": "not in quarantine", "unknown": "quarantine unknown"}
    ),
    "region": _regions,
    "local_time": _times,
    "weekday": _named("on", "not on"),
    "messages_today": _counts("messages"),
    "documents_today": _counts("documents"),
    "channel": _named("by", "not by"),
}
