"""How the page tells the values of a snapshot. static/dashboard_format.js tells them the same."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rules.grammar.request import Reason
from smsd.desk.web.rendering import lasting, number

__all__ = ["HEADLINES", "PROBLEMS", "REASONS", "SPOKEN", "STATES", "UNITS", "VERDICTS", "Teller"]

HEADLINES = {
    "ok": "dashboard.all_well",
    "warn": "dashboard.works_but",
    "bad": "dashboard.does_not_work",
}
UNITS = ("day", "hour", "minute", "second")
VERDICTS = ("grant", "already_granted", "refuse", "unrecognised")
REASONS = (*(reason.value for reason in Reason), "other")
STATES = ("bound", "partly", "down", "suspended")
PROBLEMS = (
    "writer", "store", "policy", "disk", "register", "register_old", "all_suspended", "suspended",
    "smsc_down", "smsc_partly", "congestion", "late", "certificate_client", "certificate_server",
    "certificate_client_ended", "certificate_server_ended",
)  # fmt: skip
SPOKEN = (
    *HEADLINES.values(),
    "dashboard.live",
    "dashboard.polling",
    "dashboard.no_news",
    "dashboard.lost",
    "dashboard.half",
    "dashboard.in",
    "dashboard.out",
    "dashboard.time",
    "dashboard.no_history",
    "dashboard.no_limit",
    "dashboard.share_more",
    "dashboard.share_less",
    "dashboard.share_same",
    "dashboard.share_new",
    "dashboard.unit_millisecond",
    "dashboard.policy_no_next",
    "dashboard.policy_in",
)
"""What static/dashboard*.js says besides."""

_US_PER_S = 1_000_000
_ABOUT_PERCENT = 10
_DIGEST_DIGITS = 12
_NONE = "–"
_BYTES = ((1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB"))


class Teller:
    """Tells values as words in one language. zone: in which moments are told."""

    def __init__(self, say: Callable[..., str], zone: str) -> None:
        self._say = say
        self._zone = ZoneInfo(zone)
        self._ways: Mapping[str, Callable[[Any], str]] = {
            "text": str,
            "count": number,
            "rate": rate,
            "seconds": self._seconds,
            "lasting": lambda seconds: lasting(seconds, say),
            "bytes": size,
            "clock": lambda at_us: self._moment(at_us, "%H:%M:%S"),
            "moment": lambda at_us: self._moment(at_us, "%Y-%m-%d %H:%M"),
            "digest": lambda digest: str(digest)[:_DIGEST_DIGITS],
            "verdict": lambda verdict: say(f"dashboard.verdict_{verdict}"),
            "state": lambda state: say(f"dashboard.state_{state}"),
            "limit": lambda limit: rate(limit) if limit else say("dashboard.no_limit"),
            "reason": self._reason,
            "trend": self._trend,
            "change": self._change,
            "candidate": _candidate,
            "event": lambda event: self.sentence(
                f"dashboard.event_{event['kind']}", event["values"]
            ),
            "problem": lambda each: self.sentence(
                f"dashboard.problem_{each['kind']}", each["values"]
            ),
            "todo": lambda each: self.sentence(f"dashboard.todo_{each['kind']}", each["values"]),
        }

    def figure(self, item: Any, path: str, way: str) -> str:
        """What stands in a snapshot, or in one item of its lists, behind dots; "": the item."""
        for name in path.split(".") if path else ():
            item = item[name] if item is not None else None
        return "" if item is None and way != "text" and not path else self.tell(way, item)

    def tell(self, way: str, value: Any) -> str:
        """A value in words; what is not known as a dash."""
        return _NONE if value is None else self._ways[way](value)

    def sentence(self, key: str, values: Mapping[str, Any]) -> str:
        """Words with values in them; of those whose name ends in _s or _bytes with their unit."""
        told = {name: self._named(name, value) for name, value in values.items()}
        return self._say(key, **told) if told else self._say(key)

    def _named(self, name: str, value: Any) -> str:
        if name.endswith("_s"):
            return self.tell("lasting", value)
        if name.endswith("_bytes"):
            return self.tell("bytes", value)
        return number(value) if isinstance(value, int | float) else str(value)

    def _seconds(self, seconds: float) -> str:
        """Three digits at most, in the unit that suits."""
        if seconds < 1:
            told = seconds * 1_000
            unit = self._say("dashboard.unit_millisecond")
            return f"{number(told, 1 if told < 10 else 0)}\u00a0{unit}"
        if seconds < 100:
            return f"{number(seconds, 1)}\u00a0{self._say('frame.unit_second')}"
        return lasting(seconds, self._say)

    def _moment(self, at_us: int, form: str) -> str:
        at = datetime.fromtimestamp(at_us / _US_PER_S, tz=UTC)
        return at.astimezone(self._zone).strftime(form)

    def _trend(self, trend: Mapping[str, int] | None) -> str:
        """Now against before, in percent; small numbers move a lot, and mean little."""
        if trend is None:
            return _NONE
        now, before = trend["now"], trend["before"]
        if not before:
            return self._say("dashboard.share_new")
        percent = round((now - before) * 100 / before)
        if abs(percent) < _ABOUT_PERCENT:
            return self._say("dashboard.share_same")
        key = "dashboard.share_more" if percent > 0 else "dashboard.share_less"
        return self._say(key, percent=number(abs(percent)))

    def _change(self, policy: Mapping[str, Any]) -> str:
        """When the rules change next, and in how long."""
        if policy["next_us"] is None:
            return self._say("dashboard.policy_no_next")
        left = self.sentence("dashboard.policy_in", {"lasting_s": policy["next_s"]})
        return f"{self.tell('moment', policy['next_us'])}, {left}"

    def _reason(self, reason: str) -> str:
        """A rule by its own name; why a text is no request in words."""
        kind, _, name = reason.partition("/")
        return name if kind == "rule" else self._say(f"dashboard.reason_{name}")


def _candidate(policy: Mapping[str, Any]) -> str:
    if policy["candidate"] is None:
        return _NONE
    return f"{policy['candidate']} ({policy['candidate_digest'][:_DIGEST_DIGITS]})"


def rate(per_s: float) -> str:
    """SMS a second, a tenth where they are few."""
    return number(per_s, 1 if 0 < per_s < 10 else 0)


def size(octets: float) -> str:
    """Octets, in the unit that suits."""
    for unit, name in _BYTES:
        if octets >= unit:
            return f"{number(octets / unit, 1 if octets < 100 * unit else 0)}\u00a0{name}"
    return f"{number(octets)}\u00a0B"
