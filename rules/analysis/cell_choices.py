"""The values of each fact that the constants of the rules tell apart, with exact witnesses.

A choice says what a fact is like, relative to an instant, and fills it in for that instant.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import get_args

from rules.analysis.cell_features import PERMITS, Feature, Ground
from rules.analysis.cell_moments import Moment, spans_of
from rules.analysis.cell_permits import permit_choices
from rules.analysis.cell_traits import Choice, Patch, Trait
from rules.birthdays import latest_birth_date
from rules.decide import Block
from rules.documents import Document
from rules.fields import Channel
from rules.occasion_conditions import WEEKDAYS

__all__ = ["any_document", "choices_of", "time_cuts"]

_NO_PERSON_OLDER_BY = timedelta(days=30 * 365)
_FAR = 1000  # messages and documents beyond every bound


def choices_of(
    dimension: str, features: Sequence[Feature], grounds: Sequence[Ground]
) -> list[Choice]:
    """The values of a dimension; together they are all that the fact can be."""
    return _BUILDERS[dimension](features, grounds)


def time_cuts(features: Iterable[Feature]) -> list[int]:
    """The times of day that rules ask for, in seconds."""
    return sorted({bound for f in features if f.key == "local_time" for bound in f.bounds})


def any_document(grounds: Sequence[Ground]) -> Document:
    """A document where no rule asks what kind it is."""
    return next(iter(_documents(grounds).values()))


def _documents(grounds: Sequence[Ground]) -> dict[str, Document]:
    found = {
        series.kind: Document(series.kind, "1" * min(series.digits))
        for ground in grounds
        for series in ground.content.documents
    }
    # A request by name and address carries no series.
    return found or {"NAME": Document("NAME", "NAME")}


def _always(dimension: str, name: str, *patches: Patch) -> Choice:
    return _steady(Trait(dimension, name), patches)


def _steady(trait: Trait, patches: Sequence[Patch]) -> Choice:
    """A value that does not depend on the instant."""
    return Choice(trait, lambda moment: patches)


def _kinds(features: Sequence[Feature], grounds: Sequence[Ground]) -> list[Choice]:
    return [
        _always("document_kind", kind, {"document": document})
        for kind, document in _documents(grounds).items()
    ]


def _registered(features: Sequence[Feature], grounds: Sequence[Ground]) -> list[Choice]:
    names = {"yes": True, "no": False, "unknown": None}
    return [_always("registered", name, {"registered": known}) for name, known in names.items()]


def _ages(features: Sequence[Feature], grounds: Sequence[Ground]) -> list[Choice]:
    """Whole years, from the birthday to the day before the next that counts."""
    # Who was born on 29 February reaches an age earlier by the reading "02-28".
    steps = sorted({(f.bounds[0], f.leap_day_birthday) for f in features})
    sides: list[tuple[int, str] | None] = [None, *steps, None]
    return [
        _always("age", "unknown", {"birth_date": None}),
        *(_age(low, high) for low, high in pairwise(sides)),
    ]


def _age(low: tuple[int, str] | None, high: tuple[int, str] | None) -> Choice:
    def born(moment: Moment) -> Sequence[Patch]:
        today = date.fromordinal(moment.day)
        youngest = latest_birth_date(today, *low) if low else today
        if high is None:
            oldest = max(youngest, date(1, 12, 31) + _NO_PERSON_OLDER_BY) - _NO_PERSON_OLDER_BY
        else:
            oldest = latest_birth_date(today, *high) + timedelta(days=1)
        if oldest > youngest:
            return ()
        return tuple({"birth_date": birthday} for birthday in dict.fromkeys((youngest, oldest)))

    return Choice(Trait("age", "", low[0] if low else None, high[0] if high else None), born)


def _blocks(features: Sequence[Feature], grounds: Sequence[Ground]) -> list[Choice]:
    code = grounds[0].scope.code
    others = [other for ground in grounds for other in ground.content.codes if other != code]

    def choice(name: str, *blocks: Callable[[int], tuple[Block, ...]]) -> Choice:
        return Choice(
            Trait("blocked", name),
            lambda moment: tuple({"blocks": until(moment.day)} for until in blocks),
        )

    return [
        choice(
            "no",
            lambda day: (),
            lambda day: (Block("", day), Block(code, day)),
            lambda day: tuple(Block(other, day + 1) for other in others[:1]),
        ),
        choice("wholly", lambda day: (Block("", day + 1),)),
        choice("from_code", lambda day: (Block(code, day + 1),)),
        choice("both", lambda day: (Block("", day + 1), Block(code, day + 1))),
    ]


def _quarantines(features: Sequence[Feature], grounds: Sequence[Ground]) -> list[Choice]:
    def choice(name: str, *until: Callable[[int], int | None]) -> Choice:
        return Choice(
            Trait("quarantined", name),
            lambda moment: tuple({"quarantine_until_day": day(moment.day)} for day in until),
        )

    return [
        choice("no", lambda day: 0, lambda day: day),
        choice("yes", lambda day: day + 1, lambda day: day + 14),
        choice("unknown", lambda day: None),
    ]


def _regions(features: Sequence[Feature], grounds: Sequence[Ground]) -> list[Choice]:
    named = dict.fromkeys(name for feature in features for name in feature.names)
    return [
        *(_always("region", name, {"region": name}) for name in [*named, "elsewhere"]),
        _always("region", "unknown", {"region": None}),
    ]


def _channels(features: Sequence[Feature], grounds: Sequence[Ground]) -> list[Choice]:
    return [_always("channel", name, {"channel": name}) for name in get_args(Channel)]


def _counts(fact: str) -> Callable[[Sequence[Feature], Sequence[Ground]], list[Choice]]:
    def choices(features: Sequence[Feature], grounds: Sequence[Ground]) -> list[Choice]:
        edges = sorted({0, *(feature.bounds[0] for feature in features)})
        found = [_always(fact, "unknown", {fact: None})]
        for low, high in pairwise([*edges, None]):
            assert low is not None, "only the last edge is open"
            last = low + _FAR if high is None else high - 1
            patches = [{fact: count} for count in dict.fromkeys((low, last))]
            found.append(_steady(Trait(fact, "", low, high), patches))
        return found

    return choices


def _weekdays(features: Sequence[Feature], grounds: Sequence[Ground]) -> list[Choice]:
    return [_always("weekday", name, {}) for name in WEEKDAYS]


def _local_times(features: Sequence[Feature], grounds: Sequence[Ground]) -> list[Choice]:
    return [
        _steady(Trait("local_time", "", low, high), ({},))
        for low, high in spans_of(time_cuts(features))
    ]


_BUILDERS: dict[str, Callable[[Sequence[Feature], Sequence[Ground]], list[Choice]]] = {
    "document_kind": _kinds,
    "registered": _registered,
    "age": _ages,
    PERMITS: permit_choices,
    "blocked": _blocks,
    "quarantined": _quarantines,
    "region": _regions,
    "local_time": _local_times,
    "weekday": _weekdays,
    "messages_today": _counts("messages_today"),
    "documents_today": _counts("documents_today"),
    "channel": _channels,
}
