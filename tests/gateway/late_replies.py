"""A writer whose SMSC is away: SMS are decided, and their replies come too late."""

from pathlib import Path

from virtual_reactor import HOUR_US, NOON_US

from rules import CompiledPolicy, compile_policy, parse_policy
from smsd.gateway.adjudicate import Law
from smsd.gateway.writer import Batch, Done, Writer
from storage import InboundMessage, Register, Reply, ReplyOutcome, ReplyState, SqliteStore

POLICIES = Path(__file__).parents[2] / "rules" / "policies"
LATE_US = NOON_US + 3 * HOUR_US  # an hour after a permit of noon has ended
RENEWS = '[late]\naction = "renew"\n'
EXPLAINS = """\
[replies.too-late]
segments_max = 1
[replies.too-late.text]
az = "Gec oldu"
az-ascii = "Gec oldu."
en = "Too late, text again, like {example}"
ru = "Поздно"

[late]
action = "explain"
reply = "too-late"
"""
FORGETS = (RENEWS + 'source = "ours: nobody loses the day\'s permit to an outage"\n', "")


def law(*changes: tuple[str, str], name: str = "8103") -> Law:
    """A shipped policy with other words, without its own tests."""
    text = (POLICIES / f"{name}.toml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return Law(compile_policy(parse_policy(text, "changed.toml"), trial=False))


class Outage:
    """A store and its writer. What is asked waits for an SMSC until it is let expire or leave."""

    def __init__(
        self, store: SqliteStore, decided_by: Law, register: Register | None = None
    ) -> None:
        self.store = store
        self.writer = Writer(store, register, decided_by, lambda: 0.0)

    @property
    def policy(self) -> CompiledPolicy:
        """The one in force."""
        return self.writer.law.policy

    def ask(self, *messages: InboundMessage, outcomes: tuple[ReplyOutcome, ...] = ()) -> Done:
        """One batch."""
        return self.writer.write(Batch(list(messages), list(outcomes), []))

    def replies(self, *messages: InboundMessage) -> list[Reply]:
        """What is to be answered to some SMS."""
        replies = self.ask(*messages).replies
        assert replies is not None
        return replies

    def expire(self, *late: Reply, at_us: int = LATE_US, resent: bool = False) -> Done:
        """They could not leave in time; what comes of it."""
        return self.ask(outcomes=expired(*late, at_us=at_us, resent=resent))

    def send(self, *replies: Reply) -> None:
        """The SMSC takes them."""
        at_us = max(reply.received_at_us for reply in replies)
        self.ask(
            outcomes=tuple(
                ReplyOutcome(r.id, ReplyState.SENT, at_us, "", 0, False, r.starts_permit)
                for r in replies
            )
        )

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """What is stored."""
        return list(self.store.connection.execute(query))


def expired(*late: Reply, at_us: int = LATE_US, resent: bool = False) -> tuple[ReplyOutcome, ...]:
    """The outcomes of replies that could not leave in time."""
    return tuple(
        ReplyOutcome(r.id, ReplyState.EXPIRED, at_us, "", 0, resent, r.starts_permit) for r in late
    )


def texts(done: Done) -> list[str]:
    """The replies that came of a batch."""
    return [reply.text for reply in done.replies or []]
