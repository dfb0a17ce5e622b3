"""What an agent sees of a conversation: each SMS, each decision in words, the people in it."""

from pathlib import Path
from typing import NamedTuple

from rules import CompiledPolicy, reference
from rules.decide import OVERRIDE, Verdict
from rules.telling.words import words_for
from smsd.desk.explaining import Explained, PastLaws, explain
from storage import ReplyState
from storage.blocks import BlockRow, blocks_of
from storage.conversations import Exchange, Judgement
from storage.holders import find_holder
from storage.permits import Permit, Standing, permits_of
from storage.store import StoreError

__all__ = ["Judged", "Person", "Seen", "may_go_again", "person_of", "see"]

_KINDS = {Verdict.GRANT: "ok", Verdict.ALREADY_GRANTED: "ok", Verdict.REFUSE: "bad"}
_AGAIN = (ReplyState.SENT, ReplyState.REFUSED, ReplyState.UNKNOWN, ReplyState.DROPPED)


class Judged(NamedTuple):
    """A decision in words. kind: of its badge. purpose: of its code, in the agent's language."""

    judgement: Judgement
    reference: str
    kind: str
    purpose: str
    explained: Explained

    @property
    def refused(self) -> bool:
        """Whether an override would change it."""
        return self.judgement.verdict == Verdict.REFUSE

    @property
    def overridden(self) -> bool:
        """Whether an agent had it granted."""
        return self.judgement.rule == OVERRIDE


class Seen(NamedTuple):
    """One SMS with what came of it."""

    exchange: Exchange
    judged: tuple[Judged, ...]


class Held(NamedTuple):
    """A permit with its reference and how it stands."""

    permit: Permit
    reference: str
    standing: Standing


class Person(NamedTuple):
    """Whoever holds a document: permits of today, blocks that stand.

    registered: None: no register is used. unknown: the register cannot be read now.
    """

    document: str
    registered: bool | None
    permits: tuple[Held, ...]
    blocks: tuple[BlockRow, ...]
    unknown: bool = False


def see(exchange: Exchange, laws: PastLaws, language: str) -> Seen:
    """An SMS with its decisions explained; some milliseconds each.

    Raises:
        StoreError: the store cannot be read.
    """
    return Seen(exchange, tuple(_judged(each, laws, language) for each in exchange.judgements))


def _judged(judgement: Judgement, laws: PastLaws, language: str) -> Judged:
    policy = laws.of(judgement.policy)
    return Judged(
        judgement,
        reference.encode(judgement.permit or judgement.serial),
        _KINDS[Verdict(judgement.verdict)],
        _purpose(policy, judgement.code, language),
        explain(policy, judgement, language),
    )


def person_of(
    url: str,
    register: Path | None,
    policy: CompiledPolicy,
    document: str,
    at_us: int,
) -> Person:
    """Who holds a document, by the newest register.

    Raises:
        StoreError: the store cannot be read.
    """
    try:
        holder = find_holder(register, document)
    except StoreError:
        return Person(document, None, (), (), unknown=True)
    calendar = policy.calendar
    permits = tuple(
        Held(
            permit,
            reference.encode(permit.serial),
            permit.standing(at_us),
        )
        for permit in permits_of(url, holder.name, calendar, at_us)
    )
    registered = None if register is None else holder.citizen is not None
    blocks = tuple(blocks_of(url, holder.name, calendar.day(at_us)))
    return Person(document, registered, permits, blocks)


def may_go_again(exchange: Exchange, at_us: int) -> bool:
    """Whether its reply may be sent again: it reached its end, and what it says still holds."""
    answer = exchange.answer
    return (
        answer is not None
        and bool(exchange.phone)
        and answer.state in _AGAIN
        and at_us < answer.not_after_us
        and not any(each.ended_us is not None or each.taken_back for each in exchange.judgements)
    )


def _purpose(policy: CompiledPolicy, code: str, language: str) -> str:
    purpose = policy.policy.content.codes.get(code)
    return words_for(language).title(purpose.title) if purpose else ""
