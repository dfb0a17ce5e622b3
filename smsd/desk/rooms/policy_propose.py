"""Proposing a policy: a file or pasted text, and everything that is wrong with it at once."""

from typing import Any

from rules import PolicyError
from rules.policy import text_of
from smsd.desk.premises import Premises
from smsd.desk.rooms.policy import refused_words
from smsd.desk.study.studies import Studies, StudyFailed
from smsd.desk.web.answer import Answer, Page, See
from smsd.desk.web.reasons import reason_in
from smsd.desk.web.route import Route, only
from smsd.desk.web.visit import Visit
from storage import policies, proposals
from storage.proposal_states import MoveRefused
from storage.roles import Role

__all__ = ["ProposeRoom"]

_NAME = "proposal.toml"
"""What problems call a policy that came by a form; they tell its lines."""


class ProposeRoom:
    """Takes policies in."""

    def __init__(self, premises: Premises, studies: Studies) -> None:
        self._premises = premises
        self._studies = studies

    def routes(self) -> tuple[Route, ...]:
        """For policy officers."""
        officers = only(Role.POLICY)
        return (
            Route("GET", "/policy/propose", officers, self._show),
            Route("POST", "/policy/propose", officers, self._propose),
            Route("POST", "/policy/propose/return", officers, self._return),
        )

    async def _show(self, visit: Visit) -> Answer:
        begun = visit.query.get("start") == "in-force"
        return _page(visit, self._premises.law.policy.source if begun else "")

    async def _propose(self, visit: Visit) -> Answer:
        octets = visit.files.get("file", b"")
        # Browsers end the lines of what was pasted with CR LF.
        text = visit.form.get("text", "").replace("\r\n", "\n")
        if octets:
            try:
                text = text_of(octets, _NAME)
            except PolicyError as fault:
                return _page(visit, text, [problem._asdict() for problem in fault.problems])
        if not text.strip():
            return _page(visit, text, wrong_text=visit.say("policy.text_missing"))
        reason, wrong = reason_in(visit)
        if wrong:
            return _page(visit, text, wrong_reason=wrong)
        try:
            found = await self._studies.examine(_NAME, text)
        except StudyFailed as fault:
            return _page(visit, text, wrong_text=visit.say("policy.examine_failed", reason=fault))
        if found["problems"]:
            return _page(visit, text, found["problems"], found["problems_count"])
        return await self._keep(visit, text, found["digest"], reason)

    async def _return(self, visit: Visit) -> Answer:
        """Propose the policy before the present one."""
        (reason, wrong), premises = reason_in(visit), self._premises
        if wrong:
            return See("/policy", said="frame.reason_missing")
        before = await premises.in_thread(policies.before, premises.url)
        if before is None or before.digest != visit.form.get("digest"):
            return See("/policy", said="policy.why_moved_on")
        source = await premises.in_thread(policies.policy_source, premises.url, before.digest)
        return await self._keep(visit, source, before.digest, reason, returns=True)

    async def _keep(
        self, visit: Visit, text: str, digest: str, reason: str, returns: bool = False
    ) -> Answer:
        premises = self._premises
        try:
            number = await premises.in_thread(
                proposals.propose,
                premises.url,
                text,
                digest,
                visit.at_us,
                visit.who,
                reason,
                returns,
            )
        except MoveRefused as refused:
            if returns:
                return See("/policy", said=f"policy.why_{refused.why.name.lower()}")
            return _page(visit, text, wrong_text=refused_words(visit, refused.why))
        self._studies.look()
        return See(f"/policy/proposals/{number}", said="policy.proposed")


def _page(
    visit: Visit,
    text: str,
    problems: list[dict[str, Any]] | None = None,
    problems_count: int = 0,
    wrong_text: str = "",
    wrong_reason: str = "",
) -> Page:
    values = {
        "text": text,
        "reason_typed": visit.form.get("reason", ""),
        "problems": problems or [],
        "problems_count": max(problems_count, len(problems or ())),
        "wrong_text": wrong_text,
        "wrong_reason": wrong_reason,
    }
    bad = problems or wrong_text or wrong_reason
    return Page("policy_propose.html", values, 400 if bad else 200)
