"""A decision table laid out as sections of grids, which both renderers print."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rules.telling.table_rows import (
    CodeRow,
    LateRow,
    ReasonRow,
    RuleRow,
    Table,
    VersionTable,
)
from rules.telling.words import Words, words_for

__all__ = ["Cell", "Grid", "Section", "identity", "notes", "sections"]


class Cell(NamedTuple):
    """What stands in one place, in one or more paragraphs.

    kind: what a renderer may set apart: ``id``, ``reply`` (in the language of the replies),
    ``law`` (as the file writes it, in no declared language), a verdict, or empty.
    """

    lines: tuple[str, ...]
    kind: str = ""


class Grid(NamedTuple):
    """Rows of cells; the cell under ``header`` names its row. wide: too much for a line."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    header: int = 0
    wide: bool = False


class Section(NamedTuple):
    """A heading, a state (such as "not in force") and what is beneath."""

    heading: str
    state: str
    grids: tuple[Grid, ...]


def identity(table: Table) -> tuple[tuple[str, str], ...]:
    """What the policy is, as names and values."""
    label = _label(table)
    return (
        (label("short_number"), table.short_number),
        (label("zone"), table.zone),
        (label("digest"), table.digest[:16]),
    )


def notes(table: Table) -> tuple[str, ...]:
    """How to read the table."""
    label = _label(table)
    return label("first_hit"), label("placeholders", braces="{document}")


def sections(table: Table) -> Iterator[Section]:
    """Everything that the table says, in order; a section with nothing in it is left out."""
    label = _label(table)
    plain = [
        _section(
            label("in_force"),
            (label("dates"), label("source")),
            [(_cell(row.interval), _law(row.source)) for row in table.in_force],
        ),
        _section(
            label("codes"),
            (label("code"), label("purpose"), label("source")),
            [(_id(row.code), _purpose(label, row), _law(row.source)) for row in table.codes],
        ),
    ]
    yield from plain
    # The limit on junk seldom changes: told once where it is the same in every version.
    floods = [_floods(label, version) for version in table.versions]
    same = all(flood == floods[0] for flood in floods)
    for version, flood in zip(table.versions, floods, strict=True):
        yield _version(label, version, () if same else flood)
    rest = [
        *(Section(grid.caption, "", (grid,)) for grid in floods[0] if same),
        _late(label, table.late),
        _section(
            label("parameters"),
            (label("parameter"), label("value"), label("dates"), label("source")),
            [
                (_law(row.title), _cell(dated.value), _cell(dated.interval), _law(dated.source))
                for row in table.parameters
                for dated in row.values
            ],
        ),
        _section(
            label("commands"),
            (label("command"), label("words"), label("reply"), label("source")),
            [
                (
                    _cell(row.title),
                    _id(*row.words),
                    _replies(row.endings),
                    _law(row.source),
                )
                for row in table.commands
            ],
            wide=True,
        ),
        _section(
            label("unrecognised"),
            (label("reason"), label("reply")),
            _by_reply(table.unrecognised),
        ),
        _section(
            label("documents"),
            (label("kind"), label("holder"), label("example"), label("source")),
            [
                (_id(row.kind), _law(row.holder), _id(row.example), _law(row.source))
                for row in table.documents
            ],
        ),
        _section(
            label("regions"),
            (label("region"), label("source")),
            [(_cell(row.title), _law(row.source)) for row in table.regions],
        ),
        _section(
            label("languages"),
            (label("language"), label("language_words")),
            [(_id(row.name), _id(*row.tags)) for row in table.languages],
        ),
    ]
    yield from (section for section in rest if section.grids[0].rows)


def _version(label: "_Label", version: VersionTable, floods: Sequence[Grid]) -> Section:
    columns = ("number", "rule", "for_codes", "when", "then", "reply", "source")
    rules = Grid(
        label("rules"),
        tuple(map(label, columns)),
        tuple(_rule(label.words, row) for row in version.rules),
        header=1,
        wide=True,
    )
    idle = Grid(
        label("idle"),
        (label("rules"), label("why")),
        tuple((_id(*row.rules), _cell(row.why)) for row in version.idle),
    )
    quotas = Grid(
        label("quotas"),
        (label("quota"), label("source")),
        tuple((_cell(row.words), _law(row.source)) for row in version.quotas),
    )
    return Section(
        version.interval,
        label("is_in_force" if version.in_force else "not_in_force"),
        tuple(grid for grid in (rules, quotas, *floods, idle) if grid.rows),
    )


def _floods(label: "_Label", version: VersionTable) -> tuple[Grid, ...]:
    """The limit of a version as a grid; none: it has none."""
    flood = version.flood
    if flood is None:
        return ()
    columns = (label("quota"), label("reply"), label("source"))
    row = (_cell(flood.words), Cell((flood.reply,), "reply"), _law(flood.source))
    return (Grid(label("flood"), columns, (row,)),)


def _purpose(label: "_Label", row: CodeRow) -> Cell:
    return _cell(row.title, label.words("urgent")) if row.urgent else _cell(row.title)


def _late(label: "_Label", late: LateRow) -> Section:
    """What follows when a reply is too late; without a column for what there is none of."""
    told = [
        (label("follows"), _cell(late.words)),
        (label("reply"), Cell((late.reply,), "reply")),
        (label("source"), _law(late.source)),
    ]
    told = [(column, cell) for column, cell in told if any(cell.lines)]
    columns, row = zip(*told, strict=True)
    return _section(label("late"), columns, [row])


def _rule(words: Words, row: RuleRow) -> tuple[Cell, ...]:
    when = row.conditions or (words("always"),)
    if len(when) > 1:
        when = (words("all_of"), *(f"– {condition}" for condition in when))
    rest = tuple(line for line in (row.exception, row.unknown) if line)
    return (
        _cell(str(row.number)),
        _id(row.id),
        _cell(words("all") if row.all_codes else ", ".join(row.codes)),
        _cell(*when, *rest),
        Cell((row.verdict_words,), row.verdict),
        Cell((row.reply,), "reply"),
        _law(row.source),
    )


def _by_reply(reasons: Iterable[ReasonRow]) -> Iterator[tuple[Cell, ...]]:
    """What is answered alike stands together."""
    same: dict[str, list[str]] = {}
    for row in reasons:
        same.setdefault(row.reply, []).append(row.title)
    for reply, titles in same.items():
        yield _cell("; ".join(titles)), Cell((reply,), "reply")


class _Label:
    """The headings in a table's language."""

    def __init__(self, words: Words) -> None:
        self.words = words

    def __call__(self, key: str, **values: str) -> str:
        return self.words(f"labels.{key}", **values)


def _label(table: Table) -> _Label:
    return _Label(words_for(table.language))


def _section(
    heading: str,
    columns: tuple[str, ...],
    rows: Iterable[tuple[Cell, ...]],
    wide: bool = False,
) -> Section:
    grid = Grid(heading, columns, tuple(rows), wide=wide)
    return Section(heading, "", (grid,))


def _cell(*lines: str) -> Cell:
    return Cell(lines)


def _id(*names: str) -> Cell:
    return Cell((", ".join(names),), "id")


def _law(text: str) -> Cell:
    return Cell((text,), "law")


def _replies(endings: Iterable[tuple[str, str]]) -> Cell:
    return Cell(tuple(f"{outcome}: {reply}" for outcome, reply in endings), "reply")
