"""Tokens of programs: made, shown once, listed, revoked."""

from collections.abc import Mapping
from datetime import date, timedelta

from smsd.desk.premises import Premises
from smsd.desk.web.answer import Answer, Page, See, Sorry
from smsd.desk.web.reasons import reason_in
from smsd.desk.web.route import Route, only
from smsd.desk.web.visit import Visit
from storage import tokens
from storage.roles import Role, Scope
from storage.tokens import LONGEST_DAYS, NoSuchToken
from storage.users import NameTaken, proper_name

__all__ = ["TokensRoom"]


class TokensRoom:
    """For admins."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises

    def routes(self) -> tuple[Route, ...]:
        """By name; none is ever deleted, since the audit names them."""
        admins = only(Role.ADMIN)
        return (
            Route("GET", "/tokens", admins, self._list),
            Route("POST", "/tokens", admins, self._add),
            Route("POST", "/tokens/{name}/revoke", admins, self._revoke),
        )

    async def _list(self, visit: Visit) -> Answer:
        return await self._page(visit)

    async def _add(self, visit: Visit) -> Answer:
        form, say = visit.form, visit.say
        name, scopes = proper_name(form.get("name", "")), _scopes(form)
        until, last = _day(form.get("until", "")), self._last_day(visit)
        reason, missing = reason_in(visit)
        today = last - timedelta(days=LONGEST_DAYS)
        wrong = {
            "name": "" if name else say("people.wrong_name"),
            "scopes": "" if scopes else say("tokens.wrong_scopes"),
            "until": "" if until and today < until <= last else say("tokens.wrong_until", day=last),
            "reason": missing,
        }
        if name is None or until is None or any(wrong.values()):
            return await self._page(visit, wrong)
        expires_us = self._premises.law.policy.calendar.day_start_us(until.toordinal())
        try:
            secret = await self._premises.in_thread(
                tokens.add_token,
                self._premises.url,
                name,
                scopes,
                expires_us,
                visit.who,
                reason,
                visit.at_us,
            )
        except NameTaken:
            return await self._page(visit, {**wrong, "name": say("tokens.taken")})
        return Page("tokens_secret.html", {"name": name, "secret": secret, "until": until})

    async def _revoke(self, visit: Visit) -> Answer:
        reason, missing = reason_in(visit)
        if missing:
            return Sorry(400, missing)
        name = visit.place["name"]
        try:
            await self._premises.in_thread(
                tokens.revoke_token, self._premises.url, name, visit.who, reason, visit.at_us
            )
        except NoSuchToken:
            return Sorry(404, visit.say("tokens.none"))
        return See("/tokens", said="tokens.revoked_now")

    def _last_day(self, visit: Visit) -> date:
        """The latest day until which a token may be good."""
        today: date = self._premises.law.policy.calendar.date(visit.at_us)
        return today + timedelta(days=LONGEST_DAYS)

    async def _page(self, visit: Visit, wrong: Mapping[str, str] | None = None) -> Page:
        """All tokens, and the form to make one: empty, or as it was sent with what is wrong."""
        found = await self._premises.in_thread(tokens.list_tokens, self._premises.url)
        values = {
            "tokens": found,
            "all_scopes": list(Scope),
            "form": visit.form,
            "chosen": _scopes(visit.form),
            "last_day": self._last_day(visit),
            "wrong": wrong or {"name": "", "scopes": "", "until": "", "reason": ""},
        }
        return Page("tokens.html", values, 400 if wrong else 200)


def _scopes(form: Mapping[str, str]) -> frozenset[Scope]:
    return frozenset(scope for scope in Scope if f"scope_{scope}" in form)


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None
