"""A policy in words: conditions, verdicts, dates and numbers as phrases of one language.

The phrases stand in ``vocabulary/LANGUAGE.toml``, one file for each language, all with the same
keys. A language of a policy that has no file of its own:

* ``X-ascii`` is X in the letters of the GSM alphabet, by the table ``[ascii]`` of X;
* any other is told in English; ``Words.tag`` says so.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from rules.policy import Rule
from rules.telling.statements import Argument, StatedVerdict, Statement, facts_of

__all__ = ["LANGUAGES", "PLURALS", "Words", "phrases", "printable", "tag_of", "words_for"]

_FOLDER = Path(__file__).parent / "vocabulary"
_FALLBACK = "en"
LANGUAGES = tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))
"""Those with a vocabulary."""

_HOUR_MINUTES = 60

Phrase = str | list[str]


def _few_many(number: int) -> int:
    """1 разрешение, 2 разрешения, 5 разрешений; 11 to 14 are like 5."""
    if number % 10 == 1 and number % 100 != 11:
        return 0
    return 1 if 2 <= number % 10 <= 4 and not 12 <= number % 100 <= 14 else 2


PLURALS: dict[str, tuple[int, Callable[[int], int]]] = {
    "other": (1, lambda number: 0),
    "one-other": (2, lambda number: int(number != 1)),
    "one-few-many": (3, _few_many),
}
"""How many forms a count has, and which one a number takes (Unicode CLDR, cardinals)."""


@cache
def phrases(language: str) -> Mapping[str, Phrase]:
    """The phrases of a language with a vocabulary, by dotted key."""
    text = (_FOLDER / f"{language}.toml").read_text(encoding="utf-8")
    return dict(_flat(tomllib.loads(text)))


def _flat(table: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, Phrase]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield before + key, value


@cache
def words_for(language: str) -> "Words":
    """The words for a language of a policy, whether it has a vocabulary or not."""
    if language in LANGUAGES:
        return Words(language, phrases(language))
    whole = language.removesuffix("-ascii")
    if whole != language and whole in LANGUAGES:
        return Words(language, _in_ascii(phrases(whole)))
    return Words(language, phrases(_FALLBACK))


def tag_of(language: str) -> str:
    """The BCP 47 tag of a language as a policy names it; ``az-ascii`` is ``az``."""
    return language.removesuffix("-ascii")


def _in_ascii(native: Mapping[str, Phrase]) -> dict[str, Phrase]:
    letters = str.maketrans(
        {
            key.removeprefix("ascii."): str(letter)
            for key, letter in native.items()
            if key.startswith("ascii.")
        }
    )
    return {
        key: phrase.translate(letters)
        if isinstance(phrase, str)
        else [form.translate(letters) for form in phrase]
        for key, phrase in native.items()
    }


class Words:
    """The phrases of one language, filled in.

    language: as the policy names it; tag: BCP 47, of the words that are used for it.
    """

    def __init__(self, language: str, vocabulary: Mapping[str, Phrase]) -> None:
        self.language = language
        self.tag = str(vocabulary["tag"])
        self._phrases = vocabulary
        self._plural = PLURALS[str(vocabulary["plural"])][1]

    def __call__(self, key: str, **values: str) -> str:
        """The phrase of a key; KeyError where there is none."""
        phrase = self._phrases[key]
        assert isinstance(phrase, str), key
        return phrase.format_map(values) if values else phrase

    def has(self, key: str) -> bool:
        """Whether there is a phrase of this key."""
        return key in self._phrases

    def title(self, titles: Mapping[str, str]) -> str:
        """What a policy itself calls a thing, in this language or else its first one."""
        return titles.get(self.language) or titles.get(self.tag) or next(iter(titles.values()))

    # ── Numbers, days and lists ──────────────────────────────────────────────────────────────

    def count(self, number: int, unit: str, table: str = "units") -> str:
        """``2 hours``; ``table`` may be ``measures``, the same within a sentence."""
        key = f"{table}.{unit}" if self.has(f"{table}.{unit}") else f"units.{unit}"
        return self._forms(key, number).format(number=number)

    def _forms(self, key: str, number: int) -> str:
        forms = self._phrases[key]
        assert isinstance(forms, list), key
        return forms[self._plural(number)]

    def length(self, minutes: int, table: str = "units") -> str:
        """``1 hour 30 minutes``, from minutes. Never days, some of which have 23 or 25 hours."""
        hours, left = divmod(minutes, _HOUR_MINUTES)
        parts = ((hours, "hours"), (left, "minutes"))
        told = [self.count(number, unit, table) for number, unit in parts if number]
        return " ".join(told) or self.count(0, "minutes", table)

    def amount(self, value: int, unit: str, table: str = "units") -> str:
        """The value of a parameter, e.g. ``2 hours``, ``21:00``, ``1 permit``."""
        if unit == "time_of_day":
            return _clock(value)
        return self.length(value, table) if unit == "minutes" else self.count(value, unit, table)

    def instant(self, at: datetime) -> str:
        """``5 April 2020, 00:00``, as the clock of the zone shows it; seconds where there are."""
        months = self._phrases["months"]
        day = self("date", day=str(at.day), month=months[at.month - 1], year=str(at.year))
        clock = _clock((at.hour * 60 + at.minute) * 60 + at.second)
        if at.utcoffset() != at.replace(fold=1 - at.fold).utcoffset():
            clock += f" (UTC{at:%z})"  # the clock shows it twice
        return self("instant", date=day, clock=clock)

    def interval(self, start: datetime | None, until: datetime | None) -> str:
        """``from 5 April 2020, 00:00 until 27 April 2020, 00:00``; half-open."""
        given = {"from": start, "until": until}
        values = {name: self.instant(at) for name, at in given.items() if at is not None}
        key = "between" if len(values) == 2 else next(iter(values), "always")
        return self(f"interval.{key}", **values)

    def either(self, words: Iterable[str]) -> str:
        """``a, b or c``."""
        return self._listed("or", words)

    def both(self, words: Iterable[str]) -> str:
        """``a, b and c``."""
        return self._listed("and", words)

    def _listed(self, key: str, words: Iterable[str]) -> str:
        *most, last = words
        return self(key, first=", ".join(most), last=last) if most else last

    def codes(self, codes: tuple[str, ...]) -> str:
        """``codes 1, 2 and 3``."""
        return self._forms("codes", len(codes)).format(codes=self.both(codes))

    # ── What rules say ───────────────────────────────────────────────────────────────────────

    def condition(self, statement: Statement) -> str:
        """``the person is 65 or older``."""
        values: dict[str, str] = {}
        for name, argument in statement.arguments.items():
            values |= self._values(name, argument)
        key = f"conditions.{statement.key}"
        return self(f"{key}.{statement.variant}" if statement.variant else key, **values)

    def _values(self, name: str, argument: Argument) -> dict[str, str]:
        """The placeholders that one argument fills."""
        if isinstance(argument, tuple):
            told = [
                self.title(item)
                if isinstance(item, dict)
                else self(f"{name}.{item}")
                if name in ("weekdays", "channels")
                else item
                for item in argument
            ]
            return {name: self.either(told)}
        if name in ("from", "until"):
            return {name: self("no_value") if argument is None else _clock(argument)}
        if argument is None:
            return {"number": self("no_value"), "amount": self("no_value")}
        return {"number": str(argument), "amount": self.count(argument, name, "measures")}

    def unknown(self, rule: Rule) -> str | None:
        """What a fact that is unknown means for a rule; None: it asks for none that can be."""
        if rule.unknown is None:
            return None
        facts = ", ".join(self(f"facts.{fact}") for fact in facts_of(rule))
        return self(f"unknown.{rule.unknown}", facts=facts)

    def verdict(self, stated: StatedVerdict) -> str:
        """``granted for 2 hours, starting 15 minutes after the decision``."""
        if stated.kind != "grant":
            return self(f"verdicts.{stated.kind}")
        length = self._length_of(stated.length_minutes)
        if stated.delayed:
            delay = self._length_of(stated.delay_minutes)
            return self("verdicts.grant_delayed", length=length, delay=delay)
        key = "verdicts.grant_reply" if stated.begins_with_reply else "verdicts.grant"
        return self(key, length=length)

    def _length_of(self, minutes: int | None) -> str:
        return self("no_value") if minutes is None else self.length(minutes, "measures")


def printable(text: str) -> str:
    """Text that cannot move a terminal's cursor: control characters become spaces."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _clock(second: int) -> str:
    """``21:00``, or ``21:00:30`` where it has seconds."""
    minute, rest = divmod(second, 60)
    clock = f"{minute // 60:02}:{minute % 60:02}"
    return f"{clock}:{rest:02}" if rest else clock
