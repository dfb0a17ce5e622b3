"""Outcomes → the SMS that tells them; texts come from the policy, compiled once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from rules import reference
from rules.calendar import Calendar
from rules.commands import CommandAnswer
from rules.decide import Decision
from rules.documents import NAME_CHARS_MAX
from rules.grammar.request import Reason, Unrecognised
from rules.instants import US_PER_SECOND, by_second
from rules.policy import PolicyFile, Rule
from rules.reply_book import ReplyBook
from rules.sms_length import segment_count
from rules.templates import Slot

if TYPE_CHECKING:
    from rules.compile import CompiledPolicy

__all__ = [
    "PLACEHOLDERS",
    "Occasion",
    "flood_text",
    "late_text",
    "occasion_of",
    "render",
    "slots",
    "unrecognised_key",
]

_DAYS_CACHED_MAX = 64  # today, tomorrow and the days of replies worded again by `explain`
_LONGEST_REFERENCE = "WWWWWW"  # six characters, rules.reference
_LONGEST_DIGITS = "999"  # an SMS is read up to 640 characters, rules.grammar.request

_COMMON = frozenset({"short_number", "codes", "documents_max", "example"})
_OPENING = _COMMON | {"code", "day"}
_DECISION = _OPENING | {"document", "reference"}
_PERMIT = _DECISION | {"from", "until", "from_day", "until_day"}


class Occasion(Enum):
    """When a reply is sent, which decides what it can tell."""

    PERMIT = "a permit, granted or held already"
    PERMIT_TO_COME = "a permit that begins when its reply leaves"
    REFUSAL = "a refusal"
    QUOTA_SPENT = "a refusal because a quota is spent"
    STOPPED = "a refusal because of a block or quarantine"
    OPENING = "the first line to a household"
    NOT_UNDERSTOOD = "an SMS that is no request"
    BAD_DIGITS = "a document with a wrong count of digits"
    COMMAND = "an answer that tells of no permit"
    COMMAND_PERMIT = "an answer that tells of a permit"
    FLOOD = "the last reply before silence"
    LATE = "a reply that would have come after its permit ended"


PLACEHOLDERS: dict[Occasion, frozenset[str]] = {
    Occasion.PERMIT: _PERMIT,
    Occasion.PERMIT_TO_COME: _DECISION,
    Occasion.REFUSAL: _DECISION,
    Occasion.QUOTA_SPENT: _DECISION
    | {"earlier_from", "earlier_until", "earlier_reference", "next_day"},
    Occasion.STOPPED: _DECISION | {"ends_day"},
    Occasion.OPENING: _OPENING,
    Occasion.NOT_UNDERSTOOD: _COMMON,
    Occasion.BAD_DIGITS: _COMMON | {"kind", "digits", "wanted"},
    Occasion.COMMAND: _COMMON,
    Occasion.COMMAND_PERMIT: _PERMIT,
    Occasion.FLOOD: _COMMON,
    Occasion.LATE: _COMMON,
}
"""What a reply may tell on each occasion, besides the policy's parameters."""


def occasion_of(rule: Rule) -> Occasion:
    """The occasion on which a rule's reply is sent."""
    if rule.verdict != "refuse":
        to_come = rule.window_from == "reply"
        return Occasion.PERMIT_TO_COME if to_come else Occasion.PERMIT
    if rule.when.quota_spent:
        return Occasion.QUOTA_SPENT
    stopped = rule.when.blocked or rule.when.quarantined
    return Occasion.STOPPED if stopped else Occasion.REFUSAL


def unrecognised_key(outcome: Unrecognised) -> str:
    """The key in ``[unrecognised]``: the reason, more precise where the kind is known."""
    near = outcome.near_miss
    if outcome.reason is Reason.BAD_DOCUMENT and near and near.kind and near.digits is not None:
        return "bad_digits"
    return outcome.reason.value


def render(
    policy: CompiledPolicy,
    outcome: Decision | Unrecognised | CommandAnswer | Sequence[Decision],
    language: str | None,
    at_us: int,
) -> str:
    """The reply's text. Several decisions make one reply with a line for each person.

    language: None, or one that the policy lacks, means the one the SMS was recognised by,
        else the policy's default.
    """
    version = policy.versions[bisect_right(policy.boundaries_us, at_us)]
    if isinstance(outcome, Unrecognised):
        spoken = policy.language_of(language or outcome.language)
        return version.replies.texts[unrecognised_key(outcome), spoken](outcome)
    spoken = policy.language_of(language)
    if isinstance(outcome, CommandAnswer):
        return _tell(version.replies, outcome, spoken)
    if isinstance(outcome, Decision):
        return version.replies.texts[outcome.reply, spoken](outcome)
    if len(outcome) == 1:
        return version.replies.texts[outcome[0].reply, spoken](outcome[0])
    told = [version.replies.lines[decision.reply, spoken](decision) for decision in outcome]
    return "\n".join([version.replies.openings[spoken](outcome[0]), *told])


def flood_text(policy: CompiledPolicy, language: str | None, at_us: int) -> str:
    """The last reply to a phone that has sent too much."""
    flood = policy.policy.content.flood
    assert flood is not None, "only a policy with [flood] silences anybody"
    spoken = policy.language_of(language)
    return policy.version_at(at_us).replies.texts[flood.reply, spoken](None)


def late_text(policy: CompiledPolicy, language: str | None, at_us: int) -> str:
    """What explains that the reply to an SMS would have come after its permit ended."""
    late = policy.policy.content.late
    assert late is not None and late.reply is not None, "only a policy that explains says so"
    spoken = policy.language_of(language)
    return policy.version_at(at_us).replies.texts[late.reply, spoken](None)


def _tell(book: ReplyBook, answered: CommandAnswer, spoken: str) -> str:
    """One permit in full; several in a line each, the newest that fit and how many do not."""
    told = answered.replies
    if len(told) == 1:
        key, permit = told[0]
        return book.texts[key, spoken](permit)
    lines = [book.lines[key, spoken](permit) for key, permit in told]
    left = 0
    while (
        segment_count(text := "\n".join([*lines[left:], *([f"+{left}"] if left else [])]))
        > (book.household_segments[spoken])
    ):
        left += 1
    return text


def slots(content: PolicyFile, language: str, calendar: Calendar) -> dict[str, Slot | str]:
    """Every placeholder of a language but the parameters, with the longest value it can have."""
    longest_code = max(content.codes, key=len)
    examples = [d.example for d in content.documents] or [""]
    ending = content.requests.example_ending or ""
    example = " ".join(filter(None, (content.requests.example_code, examples[0], ending)))
    longest_example = " ".join(filter(None, (longest_code, max(examples, key=len), ending)))
    documents = [d.kind + "9" * max(d.digits) for d in content.documents]
    longest_document = max(documents, key=len, default="M" * NAME_CHARS_MAX)
    longest_kind = max((d.kind for d in content.documents), key=len, default="")
    wanted = _digit_counts(content, language)
    clock = by_second(calendar.clock)
    day = by_second(lambda at_us: _day_text(calendar.day(at_us)))
    return {
        "short_number": content.policy.short_number,
        "codes": ", ".join(content.codes),
        "documents_max": str(content.requests.documents_max),
        "code": Slot(lambda d: d.code, longest_code),
        "day": Slot(lambda d: _day_text(d.day), "31.12"),
        "document": Slot(lambda d: d.document.text, longest_document),
        "reference": Slot(lambda d: d.reference, _LONGEST_REFERENCE),
        "from": Slot(lambda d: clock(d.valid_from_us // US_PER_SECOND), "23:59"),
        "until": Slot(lambda d: clock(d.valid_until_us // US_PER_SECOND), "23:59"),
        "from_day": Slot(lambda d: day(d.valid_from_us // US_PER_SECOND), "31.12"),
        "until_day": Slot(lambda d: day(d.valid_until_us // US_PER_SECOND), "31.12"),
        "earlier_from": Slot(lambda d: clock(d.earlier.valid_from_us // US_PER_SECOND), "23:59"),
        "earlier_until": Slot(lambda d: clock(d.earlier.valid_until_us // US_PER_SECOND), "23:59"),
        "earlier_reference": Slot(lambda d: reference.encode(d.earlier.serial), _LONGEST_REFERENCE),
        "next_day": Slot(lambda d: _day_text(d.day + 1), "31.12"),
        "ends_day": Slot(lambda d: _day_text(d.ends_day) if d.ends_day else "?", "31.12"),
        "example": Slot(lambda outcome: _near_example(outcome) or example, longest_example),
        "kind": Slot(lambda u: u.near_miss.kind, longest_kind),
        "digits": Slot(lambda u: str(u.near_miss.digits), _LONGEST_DIGITS),
        "wanted": Slot(
            lambda u: wanted[u.near_miss.kind], max(wanted.values(), key=len, default="")
        ),
    }


def _near_example(outcome: Decision | Unrecognised) -> str | None:
    """The example that mends the SMS, where it was nearly a request."""
    near = outcome.near_miss if isinstance(outcome, Unrecognised) else None
    return near.example if near else None


def _digit_counts(content: PolicyFile, language: str) -> dict[str, str]:
    """By kind: ``7``, ``7 or 8``, ``6-12``."""
    word_or = next(item.word_or for item in content.languages if item.name == language)
    return {document.kind: _counts(document.digits, word_or) for document in content.documents}


def _counts(digits: list[int], word_or: str) -> str:
    ordered = sorted(set(digits))
    if len(ordered) > 2 and ordered == list(range(ordered[0], ordered[-1] + 1)):
        return f"{ordered[0]}-{ordered[-1]}"
    *most, last = map(str, ordered)
    return f"{', '.join(most)} {word_or} {last}" if most else last


@lru_cache(maxsize=_DAYS_CACHED_MAX)
def _day_text(day: int) -> str:
    return date.fromordinal(day).strftime("%d.%m")
