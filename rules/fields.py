"""The kinds of values in a policy file, each with what it allows."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

__all__ = [
    "Channel",
    "Code",
    "Codes",
    "Id",
    "Instant",
    "Kinds",
    "Name",
    "Pattern",
    "SegmentLimits",
    "Source",
    "Table",
    "Text",
    "Unit",
    "Weekday",
    "ZoneName",
]


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
Pattern = Annotated[str, AfterValidator(_is_pattern)]
ZoneName = Annotated[str, AfterValidator(_zone_exists)]
Kinds = Annotated[list[str], BeforeValidator(_one_or_many), Field(min_length=1)]
SegmentLimits = Annotated[
    dict[str, Annotated[int, Field(ge=1, le=20)]], BeforeValidator(_each_language)
]
Unit = Literal[
    "minutes", "years", "permits", "messages", "documents", "people", "phones", "time_of_day"
]
Channel = Literal["sms", "call_centre", "web"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Table(BaseModel):
    """A table of the file: no unknown key, no silent conversion, no change after loading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
