"""One's own account: what one may do here, and another password."""

from smsd.desk.access.sign_in import Busy, SignedIn, SignIn, TooOften, Weak
from smsd.desk.premises import Premises
from smsd.desk.rooms.sign_in import refusal, weak_words
from smsd.desk.web.answer import Answer, Page, See, Sorry
from smsd.desk.web.route import KNOWN, Route
from smsd.desk.web.visit import SignedBy, Visit
from storage import users

__all__ = ["MeRoom"]


class MeRoom:
    """For everybody who is signed in."""

    def __init__(self, premises: Premises, sign_in: SignIn) -> None:
        self._premises = premises
        self._sign_in = sign_in

    def routes(self) -> tuple[Route, ...]:
        """Whatever one's roles are."""
        return (
            Route("GET", "/me", KNOWN, self._show),
            Route("POST", "/me/password", KNOWN, self._change),
        )

    async def _show(self, visit: Visit) -> Answer:
        return await self._page(visit)

    async def _change(self, visit: Visit) -> Answer:
        form, name = visit.form, visit.visitor.name
        chosen = form.get("chosen", "")
        if chosen != form.get("again", ""):
            return await self._page(visit, 400, wrong_again=visit.say("sign_in.differ"))
        outcome = await self._sign_in.by_chosen_password(
            name, form.get("password", ""), chosen, visit.address, visit.at_us
        )
        if isinstance(outcome, SignedIn):
            return See("/me", said="me.changed", cookies=(outcome.cookie,))
        if isinstance(outcome, Weak):
            return await self._page(visit, 400, wrong_chosen=weak_words(visit, outcome))
        if isinstance(outcome, TooOften | Busy):
            words, status = refusal(visit, outcome)
            return await self._page(visit, status, problem=words)
        return await self._page(visit, 400, wrong_password=visit.say("me.wrong"))

    async def _page(
        self,
        visit: Visit,
        status: int = 200,
        problem: str = "",
        wrong_password: str = "",
        wrong_chosen: str = "",
        wrong_again: str = "",
    ) -> Answer:
        if visit.visitor.signed_by is not SignedBy.SESSION:
            return See("/sign-in")
        account = await self._premises.in_thread(
            users.find_account, self._premises.url, visit.visitor.name
        )
        if account is None:
            return Sorry(404, visit.say("frame.nothing_here"))
        values = {
            "user": account.user,
            "problem_words": problem,
            "wrong_password": wrong_password,
            "wrong_chosen": wrong_chosen,
            "wrong_again": wrong_again,
        }
        return Page("me.html", values, status)
