"""The policy file as typed values: TOML → ``Policy``, or every fault of its shape at once.

Field by field documentation is in README.md beside this file; a test holds the two together.
What the values mean together is checked by ``rules.checks`` and ``rules.compile``.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from rules.problems import PolicyError, Problem, problems_in
from rules.toml_lines import Lines, TomlError, load_toml

__all__ = ["Policy", "PolicyFile", "load", "parse_policy"]

FILE_BYTES_MAX = 1_000_000
"""The reference timeline needs 30 kB; a file over this is not a policy."""


def _zone_exists(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError
        raise ValueError(f'"{name}" is not a time zone; write it like "Asia/Baku"') from None
    return name


def _with_time(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        raise ValueError(f"needs a time of day; write {value}T00:00:00 for the start of the day")
    return value


def _one_or_many(value: Any) -> Any:
    """``code = "2"`` is short for ``code = ["2"]``."""
    return [value] if isinstance(value, str) else value


def _each_language(value: Any) -> Any:
    """``segments_max = 1`` holds for every language."""
    return {"*": value} if isinstance(value, int) and not isinstance(value, bool) else value


def _is_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is not a pattern: {error}") from None
    return text


Source = Annotated[str, Field(min_length=1, max_length=200)]
"""Where the law or the decision stands: an article, or seed, press, ours with a word of why."""
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=40)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Code = Annotated[str, Field(min_length=1, max_length=8)]
Text = Annotated[str, Field(min_length=1, max_length=1000)]
Instant = Annotated[datetime, BeforeValidator(_with_time)]
"""Without an offset: the time on the clock in the policy's zone."""
Codes = Annotated[list[Code], BeforeValidator(_one_or_many), Field(min_length=1)]
Kinds = Annotated[list[str], BeforeValidator(_one_or_many), Field(min_length=1)]
SegmentLimits = Annotated[
    dict[str, Annotated[int, Field(ge=1, le=20)]], BeforeValidator(_each_language)
]


class Table(BaseModel):
    """A table of the file: no unknown key, no silent conversion, no change after loading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Identity(Table):
    """``[policy]``: which law this is and where it holds."""

    id: Id = Field(description="the short name of the policy")
    title: Text = Field(description="what the policy is, for people")
    zone: Annotated[str, AfterValidator(_zone_exists)] = Field(
        description='the time zone of its days and dates, e.g. "Asia/Baku"'
    )
    short_number: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")] = Field(
        description="the number that people text"
    )
    default_language: str = Field(description="the language of a phone that named none")
    leap_day_birthday: Literal["02-28", "03-01"] = Field(
        description="when a person born on 29 February grows older in other years"
    )
    refusals_expire: Name = Field(
        description="the parameter that says how long a refusal is worth delivering"
    )


class Interval(Table):
    """``[[in_force]]``: from this instant, until that one without it."""

    start: Instant = Field(alias="from", description="the first instant")
    until: Instant | None = None
    source: Source = Field(description="the legal reference")


class Language(Table):
    """``[[languages]]``: a language of the replies, and how a phone asks for it."""

    name: Id = Field(description="the key of its texts")
    tags: list[str] = Field(description="words in an SMS that ask for it")
    letters: str = ""
    word_or: Text = Field(description='its word for "or"')


class PurposeCode(Table):
    """``[codes.X]``: what a person may text X for."""

    title: dict[str, Text] = Field(description="the purpose, in each language")
    source: Source = Field(description="the legal reference")


class Requests(Table):
    """``[requests]``: the shape of an SMS."""

    documents_max: Annotated[int, Field(ge=1, le=20)] = Field(description="documents in one SMS")
    example_code: Code = Field(description="the code of the examples in replies")
    country_code: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")] = Field(
        description="of the numbering plan, so that a phone number is no document"
    )
    national_digits: Annotated[int, Field(ge=4, le=14)] = Field(
        description="digits of a phone number without the country code"
    )


class DocumentSeries(Table):
    """``[[documents]]``: one kind of identity document."""

    kind: Annotated[str, Field(pattern=r"^[A-Z]{1,8}$")] = Field(description="its series")
    digits: Annotated[list[Annotated[int, Field(ge=1, le=20)]], Field(min_length=1)] = Field(
        description="every count of digits that it may have"
    )
    spellings: list[Text] = Field(description="the series as people type it")
    bare: bool = False
    example: Text = Field(description="a whole document as it should be typed")
    title: Text = Field(description="who holds it")
    source: Source = Field(description="the legal reference")


class DatedValue(Table):
    """One value of a parameter, until the next one's start."""

    start: Instant | None = Field(default=None, alias="from")
    value: Annotated[int, Field(ge=0, le=1_000_000)] = Field(description="the number")
    source: Source = Field(description="the legal reference")


class Parameter(Table):
    """``[parameters.X]``: a number of the law, dated."""

    title: Text = Field(description="what the number is")
    unit: Literal["minutes", "years", "permits"] = Field(description="the unit of its values")
    values: Annotated[list[DatedValue], Field(min_length=1)] = Field(
        description="the values, in order of their dates"
    )


class DailyQuota(Table):
    """``[quotas.X]``: how many permits of these codes a person may be granted a day."""

    codes: Codes = Field(description="the codes whose permits count")
    limit: Name = Field(description="the parameter with the number of permits")
    source: Source = Field(description="the legal reference")


class Comparison(Table):
    """``{ at_least = "parameter" }`` and ``{ below = "parameter" }``; both must hold."""

    at_least: Name | None = None
    below: Name | None = None


class Conditions(Table):
    """``when`` and ``except``: all that are given must hold."""

    in_force: bool | None = None
    code: Codes | None = None
    document_kind: Kinds | None = None
    registered: bool | None = None
    age: Comparison | None = None
    holds_permit: Literal["same_code", "any_code"] | None = None
    quota_spent: Id | None = None


class Rule(Table):
    """``[[rules]]``: the first one that applies decides."""

    id: Id = Field(description="a name that never changes; records and replies cite it")
    source: Source = Field(description="the legal reference")
    start: Instant | None = Field(default=None, alias="from")
    until: Instant | None = None
    when: Conditions = Field(default_factory=Conditions)
    exceptions: Conditions | None = Field(default=None, alias="except")
    unknown: Literal["skip", "apply"] | None = None
    verdict: Literal["grant", "refuse", "already_granted"] = Field(description="what it decides")
    window: Name | None = None
    reply: Id = Field(description="the reply that tells it")


class Unrecognised(Table):
    """``[unrecognised]``: the reply to an SMS that is no request, by what is wrong with it."""

    empty: Id = Field(description="the reply to an SMS without letters and digits")
    too_long: Id = Field(description="the reply to an SMS too long to be a request")
    unreadable: Id = Field(description="the reply when neither code nor document was found")
    no_code: Id = Field(description="the reply to a document without a code")
    unknown_code: Id = Field(description="the reply to a code that does not exist")
    no_document: Id = Field(description="the reply to a code without a document")
    bad_document: Id = Field(description="the reply to a document of no known kind")
    bad_digits: Id = Field(description="the reply to a known kind with a wrong count of digits")
    too_many_documents: Id = Field(description="the reply to more documents than allowed")
    ambiguous: Id = Field(description="the reply to an SMS that can be read in two ways")


class Reply(Table):
    """``[replies.X]``: one reply in every language."""

    segments_max: SegmentLimits = Field(description="how many SMS segments it may take")
    text: dict[str, Text] = Field(description="the whole reply, in each language")
    line: dict[str, Text] | None = None


class Household(Table):
    """``[household]``: the one reply to an SMS with several documents."""

    segments_max: SegmentLimits = Field(description="how many SMS segments it may take")
    opening: dict[str, Text] = Field(description="its first line, in each language")


class GrantedBefore(Table):
    """A permit that the person of a test holds."""

    code: Code = Field(description="its code")
    granted: Instant = Field(description="when it was granted and began")
    until: Instant = Field(description="when it ends")


class CaseFacts(Table):
    """What is known of the person in a test; what is not given is unknown."""

    registered: bool | None = None
    birth_date: date | None = None
    permits: list[GrantedBefore] = Field(default_factory=list)


class Expected(Table):
    """What a test expects; at least one thing."""

    rule: Id | None = None
    verdict: Literal["grant", "refuse", "already_granted"] | None = None
    start: Instant | None = Field(default=None, alias="from")
    until: Instant | None = None
    reply: Id | None = None
    reason: str | None = None
    language: str | None = None
    sms: Annotated[str, AfterValidator(_is_pattern)] | None = None


class Case(Table):
    """``[[tests]]``: an SMS at an instant, and what must come of it."""

    title: Text = Field(description="what the test shows, in a sentence")
    at: Instant = Field(description="when the SMS arrives")
    text: str = Field(description="the SMS")
    facts: CaseFacts = Field(default_factory=CaseFacts)
    expect: Expected = Field(description="what must come of it")


class PolicyFile(Table):
    """The whole file."""

    policy: Identity = Field(description="which law this is and where it holds")
    in_force: Annotated[list[Interval], Field(min_length=1)] = Field(
        description="when the policy is in force"
    )
    languages: Annotated[list[Language], Field(min_length=1)] = Field(
        description="the languages of the replies"
    )
    codes: Annotated[dict[str, PurposeCode], Field(min_length=1)] = Field(
        description="the purpose codes"
    )
    requests: Requests = Field(description="the shape of an SMS")
    documents: Annotated[list[DocumentSeries], Field(min_length=1)] = Field(
        description="the kinds of identity documents"
    )
    parameters: dict[str, Parameter] = Field(description="the numbers of the law")
    quotas: dict[str, DailyQuota] = Field(default_factory=dict)
    rules: Annotated[list[Rule], Field(min_length=1)] = Field(description="the rules, in order")
    unrecognised: Unrecognised = Field(description="the replies to SMS that are no requests")
    replies: dict[str, Reply] = Field(description="the replies")
    household: Household = Field(description="the reply to an SMS with several documents")
    tests: Annotated[list[Case], Field(min_length=1)] = Field(description="the policy's own tests")


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy file whose shape is right.

    source: its text; digest: SHA-256 of its bytes, in hex.
    """

    name: str
    source: str
    digest: str
    content: PolicyFile
    lines: Lines


def load(path: FilePath) -> Policy:
    """Read a policy file. Raises PolicyError; OSError when the file cannot be read."""
    octets = path.read_bytes()
    if len(octets) > FILE_BYTES_MAX:
        raise PolicyError([Problem(path.name, None, "", f"is over {FILE_BYTES_MAX} bytes long")])
    try:
        return parse_policy(octets.decode(), path.name)
    except UnicodeDecodeError as error:
        line = octets[: error.start].count(b"\n") + 1
        raise PolicyError([Problem(path.name, line, "", "is not UTF-8 text")]) from None


def parse_policy(text: str, name: str) -> Policy:
    """A policy from its text; ``name`` stands for the file in messages. Raises PolicyError."""
    try:
        data, lines = load_toml(text, name)
    except TomlError as error:
        raise PolicyError([Problem(name, error.line, "", error.message)]) from None
    try:
        content = PolicyFile.model_validate(data)
    except ValidationError as error:
        raise PolicyError(problems_in(error, PolicyFile, name, lines)) from None
    return Policy(name, text, hashlib.sha256(text.encode()).hexdigest(), content, lines)
