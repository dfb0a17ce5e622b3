"""The reason that every act of consequence needs."""

from smsd.desk.web.visit import Visit

__all__ = ["REASON_CHARACTERS_MAX", "reason_in"]

REASON_CHARACTERS_MAX = 500


def reason_in(visit: Visit) -> tuple[str, str]:
    """The reason in a form, on one line; and what is wrong with it, empty when it will do."""
    reason = " ".join(visit.form.get("reason", "").split())[:REASON_CHARACTERS_MAX]
    return reason, "" if reason else visit.say("frame.reason_missing")
