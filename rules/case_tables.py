"""``[[tests]]``: the policy's own tests, as the file writes them."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from rules.fields import Channel, Code, Id, Instant, Pattern, Table, Text

__all__ = ["BlockedUntil", "Case", "CaseFacts", "Expected", "GrantedBefore"]


class GrantedBefore(Table):
    """A permit that the person of a test holds."""

    code: Code = Field(description="its code")
    granted: Instant = Field(description="when it was granted")
    start: Instant | None = Field(default=None, alias="from")
    until: Instant = Field(description="when it ends")


class BlockedUntil(Table):
    """A block of the person of a test; without a code it is from all of them."""

    code: Code | None = None
    until: date = Field(description="the first day on which the person is free again")


class CaseFacts(Table):
    """What is known of the person in a test; what is not given is unknown."""

    registered: bool | None = None
    birth_date: date | None = None
    permits: list[GrantedBefore] = Field(default_factory=list)
    blocks: list[BlockedUntil] = Field(default_factory=list)
    quarantine_until: date | Literal["none"] | None = None
    region: str | None = None
    messages_today: Annotated[int, Field(ge=0)] | None = None
    documents_today: Annotated[int, Field(ge=0)] | None = None
    channel: Channel = "sms"
    junk_before: Annotated[int, Field(ge=0, le=1000)] = 0
    asked_before: bool = False


class Expected(Table):
    """What a test expects; at least one thing."""

    rule: Id | None = None
    verdict: Literal["grant", "refuse", "already_granted", "silent"] | None = None
    command: Literal["help", "status", "end", "language"] | None = None
    start: Instant | None = Field(default=None, alias="from")
    until: Instant | None = None
    reply: Id | None = None
    reason: str | None = None
    language: str | None = None
    sms: Pattern | None = None


class Case(Table):
    """``[[tests]]``: an SMS at an instant, and what must come of it."""

    title: Text = Field(description="what the test shows, in a sentence")
    at: Instant = Field(description="when the SMS arrives")
    text: str = Field(description="the SMS")
    facts: CaseFacts = Field(default_factory=CaseFacts)
    expect: Expected = Field(description="what must come of it")
