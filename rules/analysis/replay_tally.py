"""What a replay changes, counted, with examples."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rules.analysis.recorded import RecordedMessage
from rules.analysis.replay import Change

__all__ = ["EXAMPLES_MAX", "Kind", "Tally"]

EXAMPLES_MAX = 5
"""Of each kind of change; the first ones met."""


@dataclass(slots=True)
class Kind:
    """All changes from one outcome to one other."""

    old: str
    new: str
    count: int = 0
    examples: list[Change] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """Counts of a replay; its memory grows with the kinds of outcome only.

    messages: SMS that were read, repeated ones among them. decisions: recorded ones.
    """

    messages: int = 0
    repeated: int = 0
    decisions: int = 0
    changes: int = 0
    _kinds: dict[tuple[str, str], Kind] = field(default_factory=dict)

    def watch(self, messages: Iterable[RecordedMessage]) -> Iterator[RecordedMessage]:
        """Count messages while they are handed on."""
        for message in messages:
            self.messages += 1
            self.repeated += message.outcome == "repeated"
            self.decisions += len(message.decisions)
            yield message

    def add(self, change: Change) -> None:
        """Count a change; keep it while there are few of its kind."""
        self.changes += 1
        key = change.old, change.new
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._kinds[key] = Kind(*key)
        kind.count += 1
        if len(kind.examples) < EXAMPLES_MAX:
            kind.examples.append(change)

    def kinds(self) -> list[Kind]:
        """The most frequent first."""
        return sorted(self._kinds.values(), key=lambda kind: (-kind.count, kind.old, kind.new))
