"""In and out: the page to sign in at, the choice of a password of one's own, signing out."""

from math import ceil

from smsd.desk.access.entrance import Entrance
from smsd.desk.access.onward import onward
from smsd.desk.access.sign_in import Busy, Choose, Outcome, SignedIn, SignIn, TooOften, Weak
from smsd.desk.premises import Premises
from smsd.desk.web.answer import Answer, Page, See
from smsd.desk.web.route import ANYBODY, Route
from smsd.desk.web.visit import SignedBy, Visit

__all__ = ["SignInRoom", "refusal", "weak_words"]


class SignInRoom:
    """For everybody, since nobody is known here yet."""

    def __init__(self, premises: Premises, entrance: Entrance, sign_in: SignIn) -> None:
        self._entrance = entrance
        self._sign_in = sign_in
        oidc = premises.config.desk.oidc
        self._provider = oidc.label if oidc is not None else ""

    def routes(self) -> tuple[Route, ...]:
        """The forms are guarded by the door's token, as all are."""
        return (
            Route("GET", "/sign-in", ANYBODY, self._show),
            Route("POST", "/sign-in", ANYBODY, self._enter),
            Route("POST", "/sign-in/choose", ANYBODY, self._choose),
            Route("POST", "/sign-out", ANYBODY, self._leave),
        )

    async def _show(self, visit: Visit) -> Answer:
        if visit.visitor.signed_by is SignedBy.SESSION:
            return See(onward(visit.query.get("next", "")))
        return self._page(visit.query.get("next", ""))

    async def _enter(self, visit: Visit) -> Answer:
        form = visit.form
        name, password = form.get("name", ""), form.get("password", "")
        outcome = await self._sign_in.by_password(name, password, visit.address, visit.at_us)
        going = form.get("next", "")
        if isinstance(outcome, SignedIn):
            return See(onward(going), cookies=(outcome.cookie,))
        if isinstance(outcome, Choose):
            return _choice(name, going)
        return self._page(going, name, *refusal(visit, outcome))

    async def _choose(self, visit: Visit) -> Answer:
        form = visit.form
        name, password, chosen = (form.get(key, "") for key in ("name", "password", "chosen"))
        going = form.get("next", "")
        if chosen != form.get("again", ""):
            return _choice(name, going, 400, wrong_again=visit.say("sign_in.differ"))
        outcome = await self._sign_in.by_chosen_password(
            name, password, chosen, visit.address, visit.at_us
        )
        if isinstance(outcome, SignedIn):
            return See(onward(going), cookies=(outcome.cookie,))
        if isinstance(outcome, Weak):
            return _choice(name, going, 400, wrong_chosen=weak_words(visit, outcome))
        problem, status = refusal(visit, outcome)
        return _choice(name, going, status, problem=problem)

    async def _leave(self, visit: Visit) -> Answer:
        ended = await self._entrance.signed_out(visit)
        return See("/sign-in", said="sign_in.out", cookies=(ended,))

    def _page(self, going: str, name: str = "", problem: str = "", status: int = 200) -> Page:
        values = {
            "next": onward(going),
            "name": name,
            "problem_words": problem,
            "provider": self._provider,
        }
        return Page("sign_in.html", values, status)


def weak_words(visit: Visit, outcome: Weak) -> str:
    """What is wrong with a password that somebody chose."""
    return visit.say(f"sign_in.weak_{outcome.why.value}")


def _choice(
    name: str,
    going: str,
    status: int = 200,
    problem: str = "",
    wrong_chosen: str = "",
    wrong_again: str = "",
) -> Page:
    values = {
        "next": onward(going),
        "name": name,
        "problem_words": problem,
        "wrong_chosen": wrong_chosen,
        "wrong_again": wrong_again,
    }
    return Page("sign_in_choose.html", values, status)


def refusal(visit: Visit, outcome: Outcome) -> tuple[str, int]:
    """Why somebody is not let in, and the status to say it with."""
    if isinstance(outcome, TooOften):
        return visit.say("sign_in.too_often", minutes=ceil(outcome.wait_s / 60)), 429
    if isinstance(outcome, Busy):
        return visit.say("sign_in.busy"), 503
    return visit.say("sign_in.wrong"), 400
