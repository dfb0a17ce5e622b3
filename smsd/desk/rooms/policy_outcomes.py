"""What a replay says became of an SMS, taken apart so that pages can say it in their language."""

import re
from typing import NamedTuple

from rules.analysis.replay import UNDECIDABLE

__all__ = ["Outcome", "outcome_of"]


class Outcome(NamedTuple):
    """An outcome. kind: a part of the key policy.came_…; other: told as it is.

    minutes: the permit's length; delay: until it begins. name: the rule, or what was wrong.
    moved: a permit at another time; blindly: nothing was known of the person.
    """

    told: str
    kind: str
    minutes: int = 0
    delay: int = 0
    name: str = ""
    moved: bool = False
    blindly: bool = False

    @property
    def granted(self) -> bool:
        """Whether somebody had a permit from it."""
        return self.kind in ("grant", "from_reply", "held")

    @property
    def badge(self) -> str:
        """What kind of badge it is."""
        return "ok" if self.granted else "bad" if self.kind == "refuse" else "plain"


# As rules.analysis.replay words them.
_MOVED = ", at another time"
_BLINDLY = ", with nothing known of the person"
_FORMS = (
    ("from_reply", re.compile(r"grant (?P<minutes>\d+) min from the reply on")),
    ("grant", re.compile(r"grant (?P<minutes>\d+) min(?:, in (?P<delay>\d+) min)?")),
    ("held", re.compile(r"already granted (?P<minutes>\d+) min")),
    ("refuse", re.compile(r"refuse \((?P<name>.+)\)")),
    ("not_understood", re.compile(r"not understood \((?P<name>.+)\)")),
    ("command", re.compile("command")),
    ("silent", re.compile("silent")),
    ("undecidable", re.compile(re.escape(UNDECIDABLE))),
)


def outcome_of(told: str) -> Outcome:
    """What a replay said."""
    plain = told.removesuffix(_BLINDLY)
    blindly = plain != told
    bare = plain.removesuffix(_MOVED)
    for kind, form in _FORMS:
        if match := form.fullmatch(bare):
            given = match.groupdict(default="")
            return Outcome(
                told,
                kind,
                int(given.get("minutes") or 0),
                int(given.get("delay") or 0),
                given.get("name", ""),
                bare != plain,
                blindly,
            )
    return Outcome(told, "other")
