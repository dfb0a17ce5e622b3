"""One proposal: what was found out about it, and what a second person decides."""

from typing import Any, NamedTuple

import rules
from rules import CompiledPolicy
from smsd.desk.premises import Premises
from smsd.desk.rooms.policy import READERS, in_force_now, refused_words
from smsd.desk.rooms.policy_tables import BadMoment, moment_us
from smsd.desk.rooms.policy_told_findings import FindingsTeller
from smsd.desk.study.studies import Studies
from smsd.desk.timetable import Timetable
from smsd.desk.web.answer import Answer, Data, Page, See, Sorry, Text
from smsd.desk.web.numbers import number_in
from smsd.desk.web.reasons import reason_in
from smsd.desk.web.route import Handler, Route, only
from smsd.desk.web.visit import Visit
from storage import policies, proposals, studies
from storage.proposal_states import MOVES, Move, MoveRefused, State, Why
from storage.proposals import Proposal, Taken
from storage.roles import Role
from storage.studies import Outcome, Study

__all__ = ["ProposalsRoom"]

_DONE = {
    Move.ACTIVATE: "policy.activated",
    Move.QUEUE: "policy.queued",
    Move.DECLINE: "policy.declined",
    Move.WITHDRAW: "policy.withdrawn",
}


class _Known(NamedTuple):
    """What the store knows of a proposal. stale: its study was against another policy."""

    proposal: Proposal
    moves: list[Taken]
    study: Study | None
    stale: bool


class ProposalsRoom:
    """Shows proposals, and takes what officers decide about them."""

    def __init__(
        self,
        premises: Premises,
        studies: Studies,
        timetable: Timetable,
        findings: FindingsTeller,
    ) -> None:
        self._premises = premises
        self._findings = findings
        self._studies = studies
        self._timetable = timetable

    def routes(self) -> tuple[Route, ...]:
        """Readers read, officers act."""
        officers, readers = only(Role.POLICY), only(*READERS)
        page = "/policy/proposals/{number}"
        return (
            Route("GET", page, readers, self._show),
            Route("GET", f"{page}/file", readers, self._file),
            Route("GET", f"{page}/study", readers, self._progress, data=True),
            Route("POST", f"{page}/study", officers, self._study),
            Route("POST", f"{page}/shadow", officers, self._shadow),
            *(Route("POST", f"{page}/{move}", officers, self._making(move)) for move in _DONE),
        )

    async def _show(self, visit: Visit) -> Answer:
        known = await self._known(visit)
        return _nothing(visit) if known is None else await self._page(visit, known)

    async def _page(
        self,
        visit: Visit,
        known: _Known,
        problem: str = "",
        wrong_reason: str = "",
        wrong_due: str = "",
    ) -> Page:
        proposal, law = known.proposal, self._premises.law.policy
        officer = visit.visitor.may(Role.POLICY)
        own = visit.who == proposal.proposed_by
        possible = {move for state, move in MOVES if state is proposal.state and move in _DONE}
        study, told = known.study, None
        if study is not None and study.outcome is not None:
            told = await self._findings.of(study, visit)
        values = {
            **known._asdict(),
            "told": told,
            "officer": officer,
            "own": own,
            "possible": possible if officer else set(),
            "problem": problem,
            "wrong_reason": wrong_reason,
            "wrong_due": wrong_due,
            "reason_typed": visit.form.get("reason", ""),
            "due_typed": visit.form.get("due", "") or _tomorrow(law, visit.at_us),
            "law_zone": law.zone,
            "progress": self._progress_of(visit, known.study),
            "ended": told is not None,
        }
        status = 400 if wrong_reason or wrong_due else 409 if problem else 200
        return Page("policy_proposal.html", values, status)

    async def _file(self, visit: Visit) -> Answer:
        known = await self._known(visit)
        if known is None:
            return _nothing(visit)
        premises, digest = self._premises, known.proposal.digest
        source = await premises.in_thread(policies.policy_source, premises.url, digest)
        return Text("text/plain; charset=utf-8", source.encode())

    async def _progress(self, visit: Visit) -> Answer:
        premises = self._premises
        study = await premises.in_thread(studies.newest, premises.url, _number(visit))
        return _nothing(visit) if study is None else Data(self._progress_of(visit, study))

    def _progress_of(self, visit: Visit, study: Study | None) -> dict[str, Any]:
        """How far a study is, for whoever waits for it."""
        if study is None or study.ended_at_us is not None:
            return {"ended": True, "fraction": 1.0, "words": ""}
        under_way = self._studies.under_way
        if under_way is None or under_way[0] != study.id:
            return {"ended": False, "fraction": 0.0, "words": visit.say("policy.step_wait")}
        progress = under_way[1]
        words = visit.say(f"policy.step_{progress.step}")
        return {"ended": False, "fraction": progress.fraction, "words": words}

    async def _study(self, visit: Visit) -> Answer:
        known, premises = await self._known(visit), self._premises
        if known is None:
            return _nothing(visit)
        number = known.proposal.id
        if known.proposal.state not in (State.PROPOSED, State.QUEUED):
            return await self._page(visit, known, refused_words(visit, Why.STATE))
        await premises.in_thread(studies.ask, premises.url, number, visit.at_us, visit.who)
        self._studies.look()
        return See(f"/policy/proposals/{number}", said="policy.study_asked")

    async def _shadow(self, visit: Visit) -> Answer:
        """Let it decide beside the law in force; as phones notice nothing, one person may."""
        known, premises = await self._known(visit), self._premises
        if known is None:
            return _nothing(visit)
        reason, wrong = reason_in(visit)
        if wrong:
            return await self._page(visit, known, wrong_reason=wrong)
        if known.study is None or known.study.outcome is not Outcome.SOUND:
            return await self._page(visit, known, refused_words(visit, Why.UNSTUDIED))
        digest = known.proposal.digest
        source = await premises.in_thread(policies.policy_source, premises.url, digest)
        zone = await premises.in_thread(_zone, source)
        if zone != premises.law.policy.zone:
            return await self._page(visit, known, visit.say("policy.other_zone", zone=zone))
        await premises.in_thread(
            policies.activate,
            premises.url,
            source,
            digest,
            visit.at_us,
            visit.who,
            reason,
            "shadow",
        )
        await premises.reload_policy()
        return See("/policy", said="policy.shadow_begun")

    def _making(self, move: Move) -> Handler:
        async def make(visit: Visit) -> Answer:
            return await self._make(visit, move)

        return make

    async def _make(self, visit: Visit, move: Move) -> Answer:
        known, premises = await self._known(visit), self._premises
        if known is None:
            return _nothing(visit)
        number, (reason, wrong) = known.proposal.id, reason_in(visit)
        if wrong:
            return await self._page(visit, known, wrong_reason=wrong)
        due_us = None
        if move is Move.QUEUE:
            zone = premises.law.policy.zone
            try:
                due_us = moment_us(visit.form.get("due", ""), zone)
            except BadMoment:
                return await self._page(
                    visit, known, wrong_due=visit.say("policy.bad_moment", zone=zone)
                )
        try:
            await premises.in_thread(
                proposals.move,
                premises.url,
                number,
                move,
                visit.at_us,
                visit.who,
                reason,
                due_us,
            )
        except MoveRefused as refused:
            return await self._page(visit, known, refused_words(visit, refused.why))
        await self._timetable.look()
        if move is Move.ACTIVATE:
            return await in_force_now(premises, known.proposal.digest, _DONE[move])
        return See(f"/policy/proposals/{number}", said=_DONE[move])

    async def _known(self, visit: Visit) -> _Known | None:
        premises = self._premises
        return await premises.in_thread(_read, premises.url, _number(visit))


def _number(visit: Visit) -> int:
    """The proposal's number in the address; 0: there is none."""
    return number_in(visit.place["number"]) or 0


def _nothing(visit: Visit) -> Sorry:
    return Sorry(404, visit.say("policy.no_proposal"))


def _read(url: str, number: int) -> _Known | None:
    proposal = proposals.find(url, number)
    if proposal is None:
        return None
    study = studies.newest(url, number)
    active = policies.active(url)
    stale = (
        study is not None
        and study.outcome is not None
        and active is not None
        and study.against != active.digest
    )
    return _Known(proposal, proposals.moves_of(url, number), study, stale)


def _zone(source: str) -> str:
    return rules.parse_policy(source, "candidate").content.policy.zone


def _tomorrow(policy: CompiledPolicy, at_us: int) -> str:
    """The next midnight as a form's field wants it: what officers mean most."""
    day = policy.calendar.day(at_us) + 1
    return f"{policy.calendar.date(policy.calendar.day_start_us(day))}T00:00"
