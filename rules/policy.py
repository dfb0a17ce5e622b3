"""The policy file as typed values: TOML → ``Policy``, or every fault of its shape at once.

Field by field documentation is in README.md beside this file; a test holds the two together.
What the values mean together is checked by ``rules.checks`` and ``rules.compile``.
"""

import hashlib
from dataclasses import dataclass
from datetime import time
from pathlib import Path as FilePath
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from rules.case_tables import Case
from rules.fields import (
    Channel,
    Code,
    Codes,
    Id,
    Instant,
    Kinds,
    Name,
    SegmentLimits,
    Source,
    Table,
    Text,
    Unit,
    Weekday,
    ZoneName,
)
from rules.problems import PolicyError, Problem, problems_in
from rules.toml_lines import Lines, TomlError, load_toml

__all__ = ["FILE_BYTES_MAX", "Policy", "PolicyFile", "load", "parse_policy", "text_of"]

FILE_BYTES_MAX = 1_000_000
"""The reference timeline needs 30 kB; a file over this is not a policy."""


class Identity(Table):
    """``[policy]``: which law this is and where it holds."""

    id: Id = Field(description="the short name of the policy")
    title: Text = Field(description="what the policy is, for people")
    zone: ZoneName = Field(description='the time zone of its days and dates, e.g. "Asia/Baku"')
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
    urgent: bool = False
    source: Source = Field(description="the legal reference")


class Region(Table):
    """``[regions.X]``: a region of residence, as the register names it."""

    title: dict[str, Text] = Field(description="its name, in each language")
    source: Source = Field(description="the legal reference")


class Requests(Table):
    """``[requests]``: the shape of an SMS."""

    form: Literal["documents", "number_postcode", "name_address"] = "documents"
    documents_max: Annotated[int, Field(ge=1, le=20)] = Field(description="documents in one SMS")
    example_code: Code = Field(description="the code of the examples in replies")
    country_code: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")] = Field(
        description="of the numbering plan, so that a phone number is no document"
    )
    national_digits: Annotated[int, Field(ge=4, le=14)] = Field(
        description="digits of a phone number without the country code"
    )
    postcode_digits: Annotated[int, Field(ge=3, le=6)] | None = None
    words_min: Annotated[int, Field(ge=1, le=10)] | None = None
    example_ending: Text | None = None


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
    value: Annotated[int, Field(ge=0, le=1_000_000)] | time = Field(description="the number")
    source: Source = Field(description="the legal reference")


class Parameter(Table):
    """``[parameters.X]``: a number of the law, dated."""

    title: Text = Field(description="what the number is")
    unit: Unit = Field(description="the unit of its values")
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


class TimeSpan(Table):
    """``{ from = "parameter", until = "parameter" }``, half-open; may reach over midnight."""

    start: Name = Field(alias="from", description="the parameter with its first time of day")
    until: Name = Field(description="the parameter with the time of day that ends it")


class PermitCount(Comparison):
    """``permits_today``: how many the person was granted today, of these codes or of all."""

    codes: Codes | None = None


class Conditions(Table):
    """``when`` and ``except``: all that are given must hold."""

    in_force: bool | None = None
    code: Codes | None = None
    document_kind: Kinds | None = None
    registered: bool | None = None
    age: Comparison | None = None
    holds_permit: Literal["same_code", "any_code"] | None = None
    quota_spent: Id | None = None
    permits_today: PermitCount | None = None
    blocked: Literal["wholly", "from_code"] | None = None
    quarantined: bool | None = None
    region: Kinds | None = None
    local_time: TimeSpan | None = None
    weekday: Annotated[list[Weekday], Field(min_length=1)] | None = None
    messages_today: Comparison | None = None
    documents_today: Comparison | None = None
    channel: Annotated[list[Channel], Field(min_length=1)] | None = None


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
    window_from: Literal["decision", "reply"] | None = None
    starts_after: Name | None = None
    reply: Id = Field(description="the reply that tells it")


class HelpCommand(Table):
    """``[commands.help]``: how to text."""

    words: Annotated[list[Text], Field(min_length=1)] = Field(description="what people text")
    reply: Id = Field(description="the reply")
    source: Source = Field(description="the legal reference")


class StatusCommand(HelpCommand):
    """``[commands.status]``: which permits this phone has asked for that have not ended."""

    none: Id = Field(description="the reply when there is none")


class EndCommand(Table):
    """``[commands.end]``: the permits that this phone has asked for end now."""

    words: Annotated[list[Text], Field(min_length=1)] = Field(description="what people text")
    returned: Id = Field(description="the reply when the permit had begun")
    cancelled: Id = Field(description="the reply when it had not, so the day is given back")
    none: Id = Field(description="the reply when there is none")
    source: Source = Field(description="the legal reference")


class LanguageCommand(Table):
    """``[commands.language]``: a language tag alone, which chooses the language of a phone."""

    reply: Id = Field(description="the reply, in the language chosen")
    source: Source = Field(description="the legal reference")


class Commands(Table):
    """``[commands]``: what a phone may text besides requests."""

    help: HelpCommand | None = None
    status: StatusCommand | None = None
    end: EndCommand | None = None
    language: LanguageCommand | None = None


class Flood(Table):
    """``[flood]``: how much junk one phone may send before it is no longer answered.

    Junk is an SMS that is no request, and a request that grants nothing and names only documents
    that this phone has asked for before on the same day.
    """

    junk_max: Name = Field(description="the parameter (messages) that a phone may send at once")
    refill: Name = Field(description="the parameter (minutes) after which it may send one more")
    reply: Id = Field(description="the last reply, before silence")
    source: Source = Field(description="the legal reference")


class Late(Table):
    """``[late]``: what becomes of an SMS whose permit ended before its reply could leave.

    Its permits are taken back, and their day is given back with them. Then the SMS is decided
    anew as if it came now, or a reply explains that it came too late.
    """

    action: Literal["renew", "explain"] = Field(description="decide anew, or explain")
    reply: Id | None = None
    source: Source = Field(description="the legal reference")


class AbuseMeasure(Table):
    """``[[abuse]]``: what makes somebody a candidate of ``smsd abuse report``."""

    id: Id = Field(description="the short name of the measure")
    title: Text = Field(description="what it shows, for people")
    measure: Literal["permits_of_person", "people_of_phone", "phones_of_person"] = Field(
        description="what is counted"
    )
    codes: Codes | None = None
    days: Annotated[int, Field(ge=1, le=366)] = Field(description="within so many days")
    at_least: Name = Field(description="the parameter from which on it is too much")
    source: Source = Field(description="the legal reference")


class Unrecognised(Table):
    """``[unrecognised]``: the reply to an SMS that is no request, by what is wrong with it."""

    empty: Id = Field(description="the reply to an SMS without letters and digits")
    too_long: Id = Field(description="the reply to an SMS too long to be a request")
    unreadable: Id | None = None
    no_code: Id = Field(description="the reply to a document without a code")
    unknown_code: Id = Field(description="the reply to a code that does not exist")
    no_document: Id | None = None
    bad_document: Id | None = None
    bad_digits: Id | None = None
    too_many_documents: Id | None = None
    ambiguous: Id | None = None
    incomplete: Id | None = None

    def replies(self) -> dict[str, str]:
        """By reason, the replies that can be sent: unless it says so, incomplete is as too_long."""
        named = {reason: key for reason, key in self.model_dump().items() if key is not None}
        return {"incomplete": self.too_long} | named


class Reply(Table):
    """``[replies.X]``: one reply in every language."""

    segments_max: SegmentLimits = Field(description="how many SMS segments it may take")
    text: dict[str, Text] = Field(description="the whole reply, in each language")
    line: dict[str, Text] | None = None


class Household(Table):
    """``[household]``: the one reply to an SMS with several documents."""

    segments_max: SegmentLimits = Field(description="how many SMS segments it may take")
    opening: dict[str, Text] = Field(description="its first line, in each language")


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
    documents: list[DocumentSeries] = Field(default_factory=list)
    regions: dict[str, Region] = Field(default_factory=dict)
    parameters: dict[str, Parameter] = Field(description="the numbers of the law")
    quotas: dict[str, DailyQuota] = Field(default_factory=dict)
    rules: Annotated[list[Rule], Field(min_length=1)] = Field(description="the rules, in order")
    unrecognised: Unrecognised = Field(description="the replies to SMS that are no requests")
    commands: Commands = Field(default_factory=Commands)
    flood: Flood | None = None
    late: Late | None = None
    abuse: list[AbuseMeasure] = Field(default_factory=list)
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
    return parse_policy(text_of(path.read_bytes(), path.name), path.name)


def text_of(octets: bytes, name: str) -> str:
    """The text of a policy file. Raises PolicyError when it can be none."""
    if len(octets) > FILE_BYTES_MAX:
        raise PolicyError([Problem(name, None, "", f"is over {FILE_BYTES_MAX} bytes long")])
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        line = octets[: error.start].count(b"\n") + 1
        raise PolicyError([Problem(name, line, "", "is not UTF-8 text")]) from None


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
