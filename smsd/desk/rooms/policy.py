"""The policy room: the law in words, what is to come, what was; and the way back."""

from typing import Any, NamedTuple

from rules import reference
from smsd.desk.premises import Premises
from smsd.desk.rooms.policy_tables import BadMoment, ToldPolicies, moment_us, next_change_us
from smsd.desk.study.covering import Covering
from smsd.desk.timetable import Timetable
from smsd.desk.web.answer import Answer, Page, See, Text
from smsd.desk.web.reasons import reason_in
from smsd.desk.web.route import KNOWN, Route, only
from smsd.desk.web.visit import Visit
from storage import policies, proposals, studies
from storage.policies import Activation, Difference
from storage.proposal_states import MoveRefused, State, Why
from storage.proposals import Proposal
from storage.roles import Role

__all__ = ["READERS", "PolicyRoom", "in_force_now", "refused_words"]

READERS = (Role.POLICY, Role.AUDITOR, Role.ADMIN)
"""Who sees what is proposed; the table in force is for all."""

_PROPOSALS_SHOWN = 20
_HISTORY_SHOWN = 50
_EXAMPLES_SHOWN = 10


class _Record(NamedTuple):
    """What the store knows of the law.

    before: where a rollback leads. queued_is_stale: what is queued was studied against another
    policy than the one in force, so it would be kept back.
    """

    history: list[Activation]
    before: Activation | None
    proposals: list[Proposal]
    queued_is_stale: bool
    shadow: Activation | None
    shadow_counts: list[tuple[str, ...]]
    shadow_examples: list[Difference]


class PolicyRoom:
    """The law in force and around it."""

    def __init__(
        self, premises: Premises, told: ToldPolicies, timetable: Timetable, covering: Covering
    ) -> None:
        self._premises = premises
        self._covering = covering
        self._told = told
        self._timetable = timetable

    def routes(self) -> tuple[Route, ...]:
        """Everybody may read the law; policy officers may go back to the one before."""
        officers = only(Role.POLICY)
        return (
            Route("GET", "/policy", KNOWN, self._show),
            Route("GET", "/policy/file", only(*READERS), self._file),
            Route("POST", "/policy/rollback", officers, self._roll_back),
            Route("POST", "/policy/shadow/end", officers, self._end_shadow),
        )

    async def _show(self, visit: Visit) -> Answer:
        return await self._page(visit)

    async def _page(self, visit: Visit, problem: str = "", typed: str = "") -> Page:
        premises = self._premises
        policy = premises.law.policy
        at_us, wrong_date = visit.at_us, ""
        if asked := visit.query.get("at", ""):
            try:
                at_us = moment_us(asked, policy.zone)
            except BadMoment:
                wrong_date = visit.say("policy.bad_moment", zone=policy.zone)
        values: dict[str, Any] = {
            "law": await self._told.at(policy, visit.language, at_us),
            "in_force_now": policy.version_at(visit.at_us).in_force,
            "next_change_us": next_change_us(policy, at_us),
            "at_us": at_us,
            "asked": asked,
            "wrong_date": wrong_date,
            "problem": problem,
            "typed": typed,
            "record": None,
            "queued": self._timetable.next,
        }
        if visit.visitor.may(*READERS):
            values["record"] = record = await premises.in_thread(_read, premises.url)
            values["coverage"] = self._covering.of(policy)
            values["open"] = [p for p in record.proposals if p.state in _OPEN]
            values["closed"] = [p for p in record.proposals if p.state not in _OPEN]
            values["reference_of"] = reference.encode
        return Page("policy.html", values, 400 if problem or wrong_date else 200)

    async def _file(self, visit: Visit) -> Answer:
        return Text("text/plain; charset=utf-8", self._premises.law.policy.source.encode())

    async def _roll_back(self, visit: Visit) -> Answer:
        (reason, wrong), digest = reason_in(visit), visit.form.get("digest", "")
        if wrong:
            return await self._page(visit, wrong)
        premises = self._premises
        try:
            await premises.in_thread(
                proposals.roll_back, premises.url, digest, visit.at_us, visit.who, reason
            )
        except MoveRefused as refused:
            return await self._page(visit, refused_words(visit, refused.why), reason)
        return await in_force_now(premises, digest, "policy.rolled_back")

    async def _end_shadow(self, visit: Visit) -> Answer:
        reason, wrong = reason_in(visit)
        if wrong:
            return await self._page(visit, wrong)
        premises = self._premises
        await premises.in_thread(_end_shadow, premises.url, visit.at_us, visit.who, reason)
        await premises.reload_policy()
        return See("/policy", said="policy.shadow_ended")


_OPEN = (State.PROPOSED, State.QUEUED)


def refused_words(visit: Visit, why: Why) -> str:
    """Why something was refused, in the visitor's language."""
    return visit.say(f"policy.why_{why.name.lower()}")


async def in_force_now(premises: Premises, digest: str, said: str) -> See:
    """Have the daemon take what was activated, and say whether it did."""
    await premises.reload_policy()
    taken = premises.law.policy.digest == digest
    return See("/policy", said=said if taken else "policy.kept")


def _read(url: str) -> _Record:
    shadow = policies.shadow(url)
    counts, examples = (
        policies.shadow_differences(url, shadow.digest, _EXAMPLES_SHOWN) if shadow else ([], [])
    )
    return _Record(
        policies.history(url)[:_HISTORY_SHOWN],
        policies.before(url),
        proposals.recent(url, _PROPOSALS_SHOWN),
        _queued_is_stale(url),
        shadow,
        counts,
        examples,
    )


def _queued_is_stale(url: str) -> bool:
    queued = proposals.queued(url)
    study = studies.newest(url, queued.id) if queued is not None else None
    active = policies.active(url)
    return study is not None and active is not None and study.against != active.digest


def _end_shadow(url: str, at_us: int, who: str, reason: str) -> None:
    shadow = policies.shadow(url)
    if shadow is not None:
        source = policies.policy_source(url, shadow.digest)
        policies.activate(url, source, shadow.digest, at_us, who, reason, "shadow_off")
