"""/look-up, for agents: a search, and the conversation that it leads to."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from rules import reference
from smsd.desk.explaining import PastLaws
from smsd.desk.noting import Notes
from smsd.desk.premises import Premises
from smsd.desk.rooms.look_up_sight import Person, Seen, may_go_again, person_of, see
from smsd.desk.typed import (
    DocumentTyped,
    PhoneTyped,
    ReferenceTyped,
    Typed,
    example_of,
    readings,
)
from smsd.desk.web.answer import Answer, Page, See, Sorry
from smsd.desk.web.numbers import number_in
from smsd.desk.web.route import Route, only
from smsd.desk.web.visit import Visit
from storage import conversations
from storage.conversations import Exchange
from storage.roles import Role

__all__ = ["LookUpRoom"]

_DAYS = (1, 3, 7, 31)
_PEOPLE_SHOWN_MAX = 8
_BLOCK_DAYS = 30  # what the form proposes


class _Conversation(NamedTuple):
    """What the page of one SMS shows. chosen: that SMS."""

    chosen: Exchange
    seen: tuple[Seen, ...]
    people: tuple[Person, ...]


class LookUpRoom:
    """Finds conversations. Whatever is shown of a person is in the audit first."""

    def __init__(self, premises: Premises, notes: Notes) -> None:
        self._premises = premises
        self._notes = notes
        settings = premises.config
        self._desk = settings.desk
        required = settings.register_.mode == "required"
        self.register = settings.register_.file if required else None
        self._laws = PastLaws(premises.url, lambda: premises.law.policy)

    def routes(self) -> tuple[Route, ...]:
        """A search is a POST, so that no address names a phone."""
        agents = only(Role.AGENT)
        return (
            Route("GET", "/look-up", agents, self._form),
            Route("POST", "/look-up", agents, self._search),
            Route("GET", "/look-up/{number}", agents, self._conversation),
        )

    async def _form(self, visit: Visit) -> Answer:
        return self.search_page(visit)

    async def _search(self, visit: Visit) -> Answer:
        text, days = visit.form.get("what", ""), self._days(visit.form)
        meant = readings(self._premises.law.policy, text)
        if not meant:
            wrong = visit.say("look_up.unreadable", document=self.example)
            return self.search_page(visit, wrong, 422)
        for typed in meant:
            about = "" if isinstance(typed, ReferenceTyped) else typed.text
            await self._notes.note(visit, "look_up", _subject(typed), about=about)
            found = await self._premises.in_thread(self._find, typed, days, visit.at_us)
            if len(found) == 1 or (found and isinstance(typed, PhoneTyped)):
                return See("/look-up/{0}#m{0}".format(found[-1].id))
            if found or isinstance(typed, DocumentTyped):
                return await self._found(visit, typed, found, days)
        return self.search_page(visit, visit.say("look_up.nothing", days=days), 404)

    def _find(self, typed: Typed, days: int, at_us: int) -> list[Exchange]:
        url, most = self._premises.url, self._desk.found_max
        if isinstance(typed, ReferenceTyped):
            return conversations.naming_reference(url, typed.number, reference.SERIALS, most)
        if isinstance(typed, PhoneTyped):
            # One more: the store counts in days of UTC, which begin within ours.
            return conversations.of_phone(url, typed.text, at_us, days + 1, most)
        calendar = self._premises.law.policy.calendar
        since_us = calendar.day_start_us(calendar.day(at_us) - days + 1)
        return conversations.naming_document(url, typed.text, since_us, most)

    async def _found(self, visit: Visit, typed: Typed, found: list[Exchange], days: int) -> Answer:
        """A list, where a search by document leads to several SMS or to none."""
        person = None
        if isinstance(typed, DocumentTyped):
            person = await self._person(visit, typed.text)
        return self.search_page(
            visit, found=found[::-1], typed=typed, person=person, searched_days=days
        )

    def search_page(
        self,
        visit: Visit,
        wrong: str = "",
        status: int = 200,
        asked: Mapping[str, str] | None = None,
        asked_wrong: str = "",
        **more: Any,
    ) -> Page:
        """The search box, and below it what a caller without a phone may ask."""
        codes = self._premises.law.policy.policy.content.codes
        values: dict[str, Any] = {
            "what": visit.form.get("what", "") if asked is None else "",
            "days": self._days(visit.form),
            "days_offered": self._days_offered,
            "wrong": wrong,
            "asked": asked or {},
            "asked_wrong": asked_wrong,
            "codes": codes,
            "example": self.example,
            "found": None,
            "typed": None,
            "person": None,
            "searched_days": 0,
            "day_of": date.fromordinal,
        }
        return Page("look_up.html", {**values, **more}, status)

    async def _conversation(self, visit: Visit) -> Answer:
        return await self.conversation_page(visit, visit.place["number"])

    async def conversation_page(
        self, visit: Visit, number: str, wrong: Mapping[str, str] | None = None
    ) -> Answer:
        """The page of one SMS. wrong: by the name of a form in it, what is wrong with that."""
        days, wanted = self._days(visit.query), number_in(number)
        if wanted is None:
            return Sorry(404, visit.say("look_up.gone"))
        in_thread = self._premises.in_thread
        told = await in_thread(self._told, wanted, days, visit.language, visit.at_us)
        if told is None:
            return Sorry(404, visit.say("look_up.gone"))
        chosen = told.chosen
        about = chosen.phone or (chosen.judgements[0].document if chosen.judgements else "")
        await self._notes.note(visit, "conversation", f"message {chosen.id}", about=about)
        calendar = self._premises.law.policy.calendar
        today = date.fromordinal(calendar.day(visit.at_us))
        values = {
            "told": told,
            "days": days,
            "days_offered": self._days_offered,
            "wrong": wrong or {},
            "typed": visit.form,
            "may_go_again": may_go_again(chosen, visit.at_us),
            "by_sms": self.has_way(chosen),
            "codes": self._premises.law.policy.policy.content.codes,
            "first_free_day": (today + timedelta(days=_BLOCK_DAYS)).isoformat(),
            "tomorrow": (today + timedelta(days=1)).isoformat(),
            "day_of": date.fromordinal,
        }
        return Page("look_up_conversation.html", values, 400 if wrong else 200)

    def _told(self, number: int, days: int, language: str, at_us: int) -> _Conversation | None:
        """Everything that the page of an SMS shows; in a thread."""
        url = self._premises.url
        found = conversations.around(url, number, days, self._desk.found_max)
        chosen = next((each for each in found if each.id == number), None)
        if chosen is None:
            return None
        seen = tuple(see(each, self._laws, language) for each in found)
        documents = list(dict.fromkeys(each.document for each in chosen.judgements))
        policy = self._premises.law.policy
        people = tuple(
            person_of(url, self.register, policy, document, at_us)
            for document in documents[:_PEOPLE_SHOWN_MAX]
        )
        return _Conversation(chosen, seen, people)

    async def _person(self, visit: Visit, document: str) -> Person:
        return await self._premises.in_thread(
            person_of,
            self._premises.url,
            self.register,
            self._premises.law.policy,
            document,
            visit.at_us,
        )

    def has_way(self, exchange: Exchange) -> bool:
        """Whether an SMS can go to the phone of a conversation: by the SMSC that it came from."""
        names = {smsc.name for smsc in self._premises.config.smsc}
        return bool(exchange.phone) and exchange.smsc in names

    @property
    def example(self) -> str:
        """A document as it should be typed."""
        return example_of(self._premises.law.policy)

    @property
    def _days_offered(self) -> tuple[int, ...]:
        return tuple(days for days in _DAYS if days <= self._desk.look_up_days_max)

    def _days(self, given: Mapping[str, str]) -> int:
        """How many days back are asked for, among those that are offered."""
        offered = {str(days): days for days in self._days_offered}
        return offered.get(given.get("days", ""), _DAYS[0])


def _subject(typed: Typed) -> str:
    """What was searched for, for the audit; never the phone or document itself."""
    if isinstance(typed, ReferenceTyped):
        return f"reference {typed.text}"
    return "phone" if isinstance(typed, PhoneTyped) else "document"
