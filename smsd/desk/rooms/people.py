"""Who may use the desk: added, given roles and passwords, kept out; by whoever manages them."""

import secrets
from collections.abc import Callable, Mapping

from smsd.desk.access.passwords import Passwords
from smsd.desk.premises import Premises
from smsd.desk.web.answer import Answer, Page, See, Sorry
from smsd.desk.web.reasons import reason_in
from smsd.desk.web.route import Route, only
from smsd.desk.web.visit import Visit
from storage import users
from storage.roles import Role
from storage.users import NameTaken, NoSuchUser, User, proper_name

__all__ = ["PeopleRoom"]

# Nothing in it that can be mistaken for something else when it is read out.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP_LETTERS = 4, 4


class PeopleRoom:
    """For admins."""

    def __init__(self, premises: Premises, passwords: Passwords) -> None:
        self._premises = premises
        self._passwords = passwords

    def routes(self) -> tuple[Route, ...]:
        """All by name; nobody is ever deleted, since the audit names them."""
        admins = only(Role.ADMIN)
        return (
            Route("GET", "/people", admins, self._list),
            Route("POST", "/people", admins, self._add),
            Route("GET", "/people/{name}", admins, self._show),
            Route("POST", "/people/{name}/roles", admins, self._change_roles),
            Route("POST", "/people/{name}/password", admins, self._reset_password),
            Route("POST", "/people/{name}/disable", admins, self._disable),
            Route("POST", "/people/{name}/enable", admins, self._enable),
        )

    async def _list(self, visit: Visit) -> Answer:
        return await self._all()

    async def _add(self, visit: Visit) -> Answer:
        form = visit.form
        name, roles = proper_name(form.get("name", "")), _roles(form)
        reason, missing = reason_in(visit)
        wrong = {
            "name": "" if name else visit.say("people.wrong_name"),
            "roles": "" if roles else visit.say("people.wrong_roles"),
            "reason": missing,
        }
        if name is None or any(wrong.values()):
            return await self._all(form, wrong)
        password = _one_time_password()
        try:
            hashed = await self._premises.in_thread(self._passwords.hash, password)
            await self._do(visit, users.add_user, name, hashed, True, roles, visit.who, reason)
        except NameTaken:
            return await self._all(form, {**wrong, "name": visit.say("people.taken")})
        return Page("people_password.html", {"name": name, "password": password})

    async def _show(self, visit: Visit) -> Answer:
        return await self._one(visit)

    async def _change_roles(self, visit: Visit) -> Answer:
        roles = _roles(visit.form)
        if _is_himself(visit) and Role.ADMIN not in roles:
            return await self._one(visit, "roles", visit.say("people.not_yourself"))
        return await self._act(visit, "roles", "people.roles_changed", users.set_roles, roles)

    async def _disable(self, visit: Visit) -> Answer:
        if _is_himself(visit):
            return Sorry(400, visit.say("people.not_yourself"))
        return await self._act(visit, "access", "people.disabled_now", users.set_disabled, True)

    async def _enable(self, visit: Visit) -> Answer:
        return await self._act(visit, "access", "people.enabled_now", users.set_disabled, False)

    async def _reset_password(self, visit: Visit) -> Answer:
        reason, missing = reason_in(visit)
        if missing:
            return await self._one(visit, "password", missing)
        name, password = visit.place["name"], _one_time_password()
        try:
            hashed = await self._premises.in_thread(self._passwords.hash, password)
            await self._do(visit, users.set_password, name, hashed, True, visit.who, reason)
        except NoSuchUser:
            return Sorry(404, visit.say("people.none"))
        return Page("people_password.html", {"name": name, "password": password})

    async def _act(
        self, visit: Visit, where: str, said: str, act: Callable[..., None], value: object
    ) -> Answer:
        """Change something of the user whom the path names, by the form that is there."""
        name, (reason, missing) = visit.place["name"], reason_in(visit)
        if missing:
            return await self._one(visit, where, missing)
        try:
            await self._do(visit, act, name, value, visit.who, reason)
        except NoSuchUser:
            return Sorry(404, visit.say("people.none"))
        return See(f"/people/{name}", said=said)

    async def _do(self, visit: Visit, act: Callable[..., None], *arguments: object) -> None:
        await self._premises.in_thread(act, self._premises.url, *arguments, visit.at_us)

    async def _all(
        self, form: Mapping[str, str] | None = None, wrong: Mapping[str, str] | None = None
    ) -> Page:
        """Everybody, and the form to add somebody: empty, or as it was sent with what is wrong."""
        found = await self._premises.in_thread(users.list_users, self._premises.url)
        values = {
            "users": found,
            "all_roles": list(Role),
            "form": form or {},
            "chosen": _roles(form or {}),
            "wrong": wrong or {"name": "", "roles": "", "reason": ""},
        }
        return Page("people.html", values, 400 if wrong else 200)

    async def _one(self, visit: Visit, where: str = "", words: str = "") -> Answer:
        """One user; where: the form that something is wrong with."""
        user = await self._user(visit.place["name"])
        if user is None:
            return Sorry(404, visit.say("people.none"))
        values = {
            "user": user,
            "all_roles": list(Role),
            "chosen": _roles(visit.form) if where == "roles" else user.roles,
            "wrong_where": where,
            "wrong_words": words,
            "reason": reason_in(visit)[0],
            "himself": _is_himself(visit),
        }
        return Page("people_one.html", values, 400 if words else 200)

    async def _user(self, name: str) -> User | None:
        account = await self._premises.in_thread(users.find_account, self._premises.url, name)
        return None if account is None else account.user


def _is_himself(visit: Visit) -> bool:
    """Whoever could lock himself out might be the last one who could let anybody in."""
    return visit.place["name"] == visit.visitor.name


def _roles(form: Mapping[str, str]) -> frozenset[Role]:
    return frozenset(role for role in Role if f"role_{role}" in form)


def _one_time_password() -> str:
    """79 bits, to be read out or copied once."""
    return "-".join(
        "".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LETTERS)) for _ in range(_GROUPS)
    )
