"""A set of cells in words, fact by fact: ``age 65+``, ``not registered or registration unknown``.

The phrases are those of ``[cells]`` of the vocabularies.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import NamedTuple

from rules.analysis.cell_cubes import Cube
from rules.analysis.cell_features import PERMITS, Feature
from rules.analysis.cell_moments import DAY_SECONDS
from rules.analysis.cell_traits import Trait
from rules.analysis.cells import Dimension, Space
from rules.telling.words import Words, words_for

__all__ = ["Said", "say_cells"]

_ELSEWHERE = "elsewhere"  # rules.analysis.cell_choices: a region that no rule names
_REGIONS_TOLD_MAX = 5

Teller = Callable[[Words, Sequence[Trait], Sequence[Trait]], str]
"""The chosen traits of a dimension in words, given the others, too."""


class Said(NamedTuple):
    """What is told of one fact. dimension: e.g. ``age``; words: in English, e.g. ``age 65+``.

    names: the regions that the words leave out or only count.
    translated: the words in the languages that were asked for.
    """

    dimension: str
    words: str
    names: tuple[str, ...] = ()
    translated: tuple[str, ...] = ()


def say_cells(space: Space, cube: Cube, languages: tuple[str, ...] = ()) -> tuple[Said, ...]:
    """What sets these cells apart; a fact that may be anything is left out."""
    return tuple(
        Said(
            dimension.name,
            _words(words_for("en"), dimension, mask),
            _names(dimension, mask),
            tuple(_words(words_for(language), dimension, mask) for language in languages),
        )
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


def _words(words: Words, dimension: Dimension, mask: int) -> str:
    if dimension.name == PERMITS:
        return _permits(words, dimension, mask)
    chosen = dimension.traits(mask)
    return _TELLERS[dimension.name](words, chosen, dimension.traits(dimension.whole & ~mask))


def _one_of(fact: str) -> Teller:
    return lambda words, chosen, _rest: words.either(
        words(f"cells.{fact}.{trait.name}") for trait in chosen
    )


def _named(fact: str, titles: str = "") -> Teller:
    """Names one by one, or those that are left out where they are fewer.

    titles: the table of the vocabulary that has words for the names; empty: they are their own.
    """

    def tell(words: Words, chosen: Sequence[Trait], rest: Sequence[Trait]) -> str:
        few, key = (rest, f"cells.{fact}_not") if len(rest) < len(chosen) else (chosen, None)
        names = (words(f"{titles}.{each.name}") if titles else each.name for each in few)
        return words(key or f"cells.{fact}", names=words.either(names))

    return tell


def _regions(words: Words, chosen: Sequence[Trait], rest: Sequence[Trait]) -> str:
    """Of many regions that the rules name, it is enough to say how many they are."""
    names = [trait.name for trait in chosen if trait.name not in ("unknown", _ELSEWHERE)]
    others = [trait.name for trait in rest if trait.name != "unknown"]
    told = []
    if others == [_ELSEWHERE] and len(names) > _REGIONS_TOLD_MAX:
        told.append(words("cells.region_many", number=str(len(names))))
    elif names and not others:
        return words("cells.region_known")
    elif len(names) < len(chosen) and _ELSEWHERE in [trait.name for trait in chosen]:
        told.append(
            words("cells.region_not", names=words.either(others))
            if names
            else words("cells.region_elsewhere")
        )
    elif names:
        told.append(words("cells.region", names=words.either(names)))
    if any(trait.name == "unknown" for trait in chosen):
        told.append(words("cells.region_unknown"))
    return words.either(told)


def _blocks(words: Words, chosen: Sequence[Trait], _rest: Sequence[Trait]) -> str:
    names = {trait.name for trait in chosen}
    key = "_".join(name for name in ("no", "wholly", "from_code", "both") if name in names)
    return words(f"cells.blocked.{key}")


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


def _ages(words: Words, chosen: Sequence[Trait], rest: Sequence[Trait]) -> str:
    told = [_age(words, low, high) for low, high in _spans(chosen)]
    return _numbers(words, "age", told, chosen, rest)


def _age(words: Words, low: int | None, high: int | None) -> str:
    if low is not None and low == high:
        return words("cells.years.leap", low=str(low))
    if high is None:
        return words("cells.years.any" if low is None else "cells.years.from", low=str(low))
    return _up_to(words, "years", low, high)


def _up_to(words: Words, what: str, low: int | None, high: int) -> str:
    if low is None:
        return words(f"cells.{what}.under", high=str(high))
    return words(f"cells.{what}.between", low=str(low), high=str(high - 1))


def _counts(fact: str) -> Teller:
    def tell(words: Words, chosen: Sequence[Trait], rest: Sequence[Trait]) -> str:
        told = [_count(words, low or 0, high) for low, high in _spans(chosen)]
        return _numbers(words, fact, told, chosen, rest)

    return tell


def _count(words: Words, low: int, high: int | None) -> str:
    if high is None:
        return words("cells.numbers.from", low=str(low))
    if low + 1 == high:
        return str(low)
    return _up_to(words, "numbers", low or None, high)


def _numbers(
    words: Words, fact: str, told: list[str], chosen: Sequence[Trait], rest: Sequence[Trait]
) -> str:
    if not any(trait.name != "unknown" for trait in rest):
        return words(f"cells.{fact}_known")
    if any(trait.name == "unknown" for trait in chosen):
        told = [*told, words("cells.unknown")]
    return words(f"cells.{fact}", values=words.either(told))


def _times(words: Words, chosen: Sequence[Trait], _rest: Sequence[Trait]) -> str:
    spans = [(low or 0, high or 0) for low, high in _spans(chosen)]
    # Told over midnight where the day is.
    if len(spans) > 1 and spans[0][0] == 0 and spans[-1][1] == DAY_SECONDS:
        spans = [*spans[1:-1], (spans[-1][0], spans[0][1])]
    return words.either(f"{_clock(low)}-{_clock(high)}" for low, high in spans)


def _clock(second: int) -> str:
    minutes, rest = divmod(second, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}" + (f":{rest:02}" if rest else "")


def _permits(words: Words, dimension: Dimension, mask: int) -> str:
    """By what the rules ask of permits: the fewest answers that mean just these histories."""
    wanted = {n for n in range(len(dimension.classes)) if mask >> n & 1}
    common = [
        (at, truth)
        for at in range(len(dimension.features))
        for truth in (True, False)
        if all(dimension.classes[n].truths[at] is truth for n in wanted)
    ]
    if _meant(dimension, common) == wanted:
        return _both(words, dimension, common, wanted)
    told = []
    left = set(wanted)
    for at in range(len(dimension.features)):
        for truth in (True, False):
            meant = _meant(dimension, [(at, truth)])
            if meant <= wanted and meant & left:
                told.append(_asked(words, dimension.features[at], truth))
                left -= meant
    for n in sorted(left):
        answers = [(at, truth is True) for at, truth in enumerate(dimension.classes[n].truths)]
        told.append(_both(words, dimension, answers, {n}))
    return _chained(words, "cells.one_so", told)


def _meant(dimension: Dimension, answers: Sequence[tuple[int, bool]]) -> set[int]:
    """The classes that give all these answers."""
    return {
        n
        for n, each in enumerate(dimension.classes)
        if all(each.truths[at] is truth for at, truth in answers)
    }


def _both(
    words: Words, dimension: Dimension, answers: Sequence[tuple[int, bool]], wanted: set[int]
) -> str:
    """Several answers in words, without those that follow from the others."""
    needed = list(answers)
    for answer in reversed(answers):
        fewer = [other for other in needed if other != answer]
        if _meant(dimension, fewer) == wanted:
            needed = fewer
    told = [_asked(words, dimension.features[at], truth) for at, truth in needed]
    return _chained(words, "cells.all_so", told)


def _chained(words: Words, key: str, told: Iterable[str]) -> str:
    """``a and b and c``."""
    return reduce(lambda first, last: words(key, first=first, last=last), told)


def _asked(words: Words, feature: Feature, truth: bool) -> str:
    if feature.key == "holds_permit":
        which = "_for_code" if feature.names == ("same_code",) else ""
        return words(f"cells.permit.{'held' if truth else 'none'}{which}")
    reached = truth is not (feature.key == "permits_today.below")
    limit = feature.bounds[0]
    if limit == 1:
        told = words(f"cells.today.{'one' if reached else 'none'}")
    else:
        told = words(f"cells.today.{'from' if reached else 'under'}", number=str(limit))
    if not feature.names:
        return told
    return words("cells.of_codes", what=told, codes=words.either(feature.names))


_TELLERS: dict[str, Teller] = {
    "document_kind": _named("document"),
    "registered": _one_of("registered"),
    "age": _ages,
    "blocked": _blocks,
    "quarantined": _one_of("quarantined"),
    "region": _regions,
    "local_time": _times,
    "weekday": _named("weekday", "weekdays"),
    "messages_today": _counts("messages_today"),
    "documents_today": _counts("documents_today"),
    "channel": _named("channel", "channels"),
}
