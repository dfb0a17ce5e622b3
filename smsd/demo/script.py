"""The conversation that the demo plays: who texts what, when, and what must come back."""

import tomllib
from datetime import date, timedelta
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

    def written(self, reply: str) -> list[str]:
        """The line and its reply as the demo prints them: a heading, → what went, ← what came."""
        heading = f"{self.at}  {self.who}, {printed_msisdn(self.phone)}"
        return ["", heading, *_arrowed("→", self.text), *_arrowed("←", reply)]


def printed_msisdn(phone: str) -> str:
    """An Azerbaijani MSISDN as people write it."""
    return f"+{phone[:3]} {phone[3:5]} {phone[5:8]} {phone[8:10]} {phone[10:]}"


def _arrowed(arrow: str, text: str) -> list[str]:
    first, *rest = text.split("\n")
    return [f"    {arrow}  {first}", *(f"       {more}" for more in rest)]


def register_csv() -> str:
    """The sample register; all persons and documents in it are invented."""
    return (files("smsd.demo") / "register.csv").read_text(encoding="utf-8")


def conversation(today: date) -> list[Line]:
    """The lines in order of time, as they must go on `today`."""
    source = (files("smsd.demo") / "conversation.toml").read_text(encoding="utf-8")
    tomorrow = today + timedelta(days=1)
    source = source.replace("{today}", f"{today:%d.%m}").replace("{tomorrow}", f"{tomorrow:%d.%m}")
    return [Line(**line) for line in tomllib.loads(source)["sms"]]
