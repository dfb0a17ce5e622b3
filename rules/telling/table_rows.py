"""A decision table as values: what its renderers print and ``--json`` gives."""

from datetime import datetime
from typing import Any, NamedTuple

__all__ = [
    "CodeRow",
    "CommandRow",
    "DatedRow",
    "DocumentRow",
    "FloodRow",
    "IdleRow",
    "LanguageRow",
    "LateRow",
    "ParameterRow",
    "QuotaRow",
    "ReasonRow",
    "RegionRow",
    "RuleRow",
    "Table",
    "VersionTable",
    "as_data",
]


class DatedRow(NamedTuple):
    """A value in words and when it holds; ``value`` is empty for an interval in force."""

    interval: str
    value: str
    source: str


class CodeRow(NamedTuple):
    """A purpose code. urgent: replies to it leave before all others."""

    code: str
    title: str
    urgent: bool
    source: str


class DocumentRow(NamedTuple):
    """A kind of document."""

    kind: str
    holder: str
    example: str
    source: str


class RegionRow(NamedTuple):
    """A region that rules name."""

    id: str
    title: str
    source: str


class LanguageRow(NamedTuple):
    """A language of the replies and the words in an SMS that ask for it."""

    name: str
    tags: tuple[str, ...]


class ParameterRow(NamedTuple):
    """A number of the law with all its dated values."""

    id: str
    title: str
    values: tuple[DatedRow, ...]


class QuotaRow(NamedTuple):
    """A daily limit that a rule of the version asks for."""

    id: str
    words: str
    source: str


class RuleRow(NamedTuple):
    """A rule that can decide in a version.

    codes: those for which it can; all_codes: they are all that there are.
    conditions: all must hold; none: it always applies. exception: empty: it excepts nothing.
    unknown: what an unknown fact means; empty: it asks for none that can be unknown.
    """

    number: int
    id: str
    codes: tuple[str, ...]
    all_codes: bool
    conditions: tuple[str, ...]
    exception: str
    unknown: str
    verdict: str
    verdict_words: str
    reply_id: str
    reply: str
    source: str


class IdleRow(NamedTuple):
    """Rules that decide nothing in a version, and why."""

    rules: tuple[str, ...]
    why: str


class FloodRow(NamedTuple):
    """How much junk a phone may send, and the last reply before silence."""

    words: str
    reply: str
    source: str


class LateRow(NamedTuple):
    """What becomes of an SMS whose permit ended before its reply could leave.

    action: ``renew``, ``explain`` or, where the policy has no word on it, ``nothing``.
    reply: what is sent instead; empty: nothing of its own. source: empty for ``nothing``.
    """

    action: str
    words: str
    reply: str
    source: str


class VersionTable(NamedTuple):
    """The policy between two of its dates. from_us, until_us: None: without bound."""

    from_us: int | None
    until_us: int | None
    interval: str
    in_force: bool
    rules: tuple[RuleRow, ...]
    idle: tuple[IdleRow, ...]
    quotas: tuple[QuotaRow, ...]
    flood: FloodRow | None


class CommandRow(NamedTuple):
    """What a phone may text besides requests. endings: (outcome, reply)."""

    command: str
    title: str
    words: tuple[str, ...]
    endings: tuple[tuple[str, str], ...]
    source: str


class ReasonRow(NamedTuple):
    """The reply to an SMS that is no request."""

    reason: str
    title: str
    reply: str


class Table(NamedTuple):
    """A whole policy in words.

    language: of the words, as asked for; reply_language: of the replies, which is the policy's
    default where it has no replies in ``language``; tag, reply_tag: BCP 47.
    """

    policy: str
    title: str
    short_number: str
    zone: str
    digest: str
    language: str
    tag: str
    reply_language: str
    reply_tag: str
    in_force: tuple[DatedRow, ...]
    codes: tuple[CodeRow, ...]
    versions: tuple[VersionTable, ...]
    late: LateRow
    parameters: tuple[ParameterRow, ...]
    documents: tuple[DocumentRow, ...]
    regions: tuple[RegionRow, ...]
    commands: tuple[CommandRow, ...]
    unrecognised: tuple[ReasonRow, ...]
    languages: tuple[LanguageRow, ...]


def as_data(value: Any) -> Any:
    """A table, a trace or any value of NamedTuples as what ``json.dumps`` takes."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: as_data(item) for name, item in value._asdict().items()}
    if isinstance(value, (tuple, list)):
        return [as_data(item) for item in value]
    if isinstance(value, dict):
        return {name: as_data(item) for name, item in value.items()}
    return value.isoformat() if isinstance(value, datetime) else value
