"""The conversation that the demo plays: who texts what, when, and what must come back."""

import tomllib
from importlib.resources import files
from typing import NamedTuple


class Line(NamedTuple):
    """One SMS of the conversation.

    `at` is local time, HH:MM; `phone` an MSISDN; `reply` the exact expected reply.
    """

    at: str
    who: str
    phone: str
    text: str
    reply: str


def register_csv() -> str:
    """The sample register; all persons and documents in it are invented."""
    return (files("smsd.demo") / "register.csv").read_text(encoding="utf-8")


def conversation() -> list[Line]:
    """The lines in order of time."""
    source = (files("smsd.demo") / "conversation.toml").read_text(encoding="utf-8")
    return [Line(**line) for line in tomllib.loads(source)["sms"]]
