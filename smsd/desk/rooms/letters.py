"""Replies that wait and those that never left: found by their reasons, sent again, given up.

Phones are shown by their last digits; who wants the whole ones says why, and the audit has it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

from smsd.desk.premises import Premises
from smsd.desk.web.answer import Answer, Page, See
from smsd.desk.web.numbers import number_in
from smsd.desk.web.reasons import reason_in
from smsd.desk.web.route import Route, only
from smsd.desk.web.visit import Visit
from smsd.smpp.constants import status_text
from storage import ReplyState, audit, dead_letters
from storage.dead_letters import DEAD, RETRIABLE, Letter, Listed, Lot, WhyNot
from storage.roles import Role

__all__ = ["LettersRoom"]

_US_PER_DAY = 86_400_000_000
_DAYS = (1, 7, 30)
_DIGITS_SHOWN = 3
_CHOSEN = "reply-"  # begins the name of a letter's field in the form
_OUTCOMES_TOLD = 20
_STATES = {state.name.lower(): state for state in DEAD}


class _Filter(NamedTuple):
    """Which letters: of one SMSC or, empty, of all; of one state, status, and so many days.

    state: a word of _STATES; empty: any. status: the SMSC's command_status; 0: any.
    """

    smsc: str = ""
    state: str = ""
    status: int = 0
    days: int = _DAYS[0]

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> Self:
        """From a query or a form; what makes no sense is left out."""
        state, status, days = (fields.get(name, "") for name in ("state", "status", "days"))
        offered = {str(days): days for days in _DAYS}
        return cls(
            fields.get("smsc", ""),
            state if state in _STATES else "",
            number_in(status) or 0,
            offered.get(days, _DAYS[0]),
        )

    @property
    def states(self) -> tuple[ReplyState, ...]:
        """Those that are asked for."""
        return (_STATES[self.state],) if self.state else DEAD


class _Found(NamedTuple):
    """What the page lists."""

    waiting: Listed
    dead: Listed
    lots: list[Lot]


class LettersRoom:
    """For admins."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises

    def routes(self) -> tuple[Route, ...]:
        """One page, and three acts on what it shows."""
        admins = only(Role.ADMIN)
        return (
            Route("GET", "/smsc/letters", admins, self._show),
            Route("POST", "/smsc/letters/retry", admins, self._retry),
            Route("POST", "/smsc/letters/drop", admins, self._drop),
            Route("POST", "/smsc/letters/reveal", admins, self._reveal),
        )

    async def _show(self, visit: Visit) -> Answer:
        return await self._page(visit, _Filter.of(visit.query))

    async def _retry(self, visit: Visit) -> Answer:
        """Those that were chosen, or a whole lot."""
        chosen = _Filter.of(visit.form)
        reason, wrong = reason_in(visit)
        whole = "lot" in visit.form
        if wrong and whole:
            return await self._page(visit, chosen, wrong_lot=wrong)
        if wrong:
            return await self._page(visit, chosen, wrong=wrong)
        ids = await self._lot(visit, chosen) if whole else _chosen(visit.form)
        if not ids:
            return await self._page(visit, chosen, wrong=visit.say("letters.nothing_chosen"))
        config = self._premises.config
        done = await self._premises.in_thread(
            dead_letters.retry,
            config.store.url,
            ids,
            {smsc.name for smsc in config.smsc},
            visit.who,
            reason,
            visit.at_us,
        )
        self._premises.look_on_disk()
        return await self._outcome(visit, chosen, done, "letters.retried")

    async def _drop(self, visit: Visit) -> Answer:
        chosen = _Filter.of(visit.form)
        reason, wrong = reason_in(visit)
        ids = _chosen(visit.form)
        if wrong or not ids:
            nothing = visit.say("letters.nothing_chosen")
            return await self._page(visit, chosen, wrong=wrong or nothing)
        done = await self._premises.in_thread(
            dead_letters.drop, self._premises.url, ids, True, visit.who, reason, visit.at_us
        )
        return await self._outcome(visit, chosen, done, "letters.dropped")

    async def _reveal(self, visit: Visit) -> Answer:
        """Whole numbers, once: who loads the page again has to say again why."""
        chosen = _Filter.of(visit.form)
        reason, wrong = reason_in(visit)
        if wrong:
            return await self._page(visit, chosen, wrong_reveal=wrong)
        found = await self._found(visit, chosen)
        shown = f"phones of {len(found.waiting.letters) + len(found.dead.letters)} replies"
        await self._premises.in_thread(
            audit.note, self._premises.url, visit.at_us, visit.who, "outbox_reveal", shown, reason
        )
        return self._rendered(chosen, found, revealed=True)

    async def _lot(self, visit: Visit, chosen: _Filter) -> list[int]:
        """Of its letters those that may still leave."""
        url, smsc, status = self._premises.url, chosen.smsc, chosen.status
        return await self._premises.in_thread(
            dead_letters.retriable, url, smsc, status, visit.at_us, chosen.states
        )

    async def _outcome(
        self, visit: Visit, chosen: _Filter, done: Mapping[int, WhyNot | None], said: str
    ) -> Answer:
        """On to the list where all went well; else what did not, above it."""
        refused = {number: why for number, why in done.items() if why is not None}
        if not refused:
            return See(f"/smsc/letters{_query(chosen)}", said=said)
        return await self._page(visit, chosen, 200, refused=refused, done=len(done) - len(refused))

    async def _page(
        self, visit: Visit, chosen: _Filter, status: int | None = None, **more: Any
    ) -> Answer:
        found = await self._found(visit, chosen)
        return self._rendered(chosen, found, status or (400 if more else 200), **more)

    async def _found(self, visit: Visit, chosen: _Filter) -> _Found:
        config = self._premises.config
        return await self._premises.in_thread(
            _read, config.store.url, chosen, visit.at_us, config.desk.found_max
        )

    def _rendered(
        self,
        chosen: _Filter,
        found: _Found,
        status: int = 200,
        revealed: bool = False,
        refused: Mapping[int, WhyNot] | None = None,
        **more: Any,
    ) -> Page:
        values = {
            "chosen": chosen,
            "smscs": [smsc.name for smsc in self._premises.config.smsc],
            "states": list(_STATES),
            "days": _DAYS,
            "lots": [_lot_told(lot, chosen.days) for lot in found.lots],
            "waiting": _told(found.waiting.letters, revealed),
            "waiting_total": found.waiting.total,
            "dead": _told(found.dead.letters, revealed),
            "dead_total": found.dead.total,
            "revealed": revealed,
            "refused": {
                number: why.name.lower()
                for number, why in list((refused or {}).items())[:_OUTCOMES_TOLD]
            },
            "refused_total": len(refused or {}),
            "done": 0,
            "wrong": "",
            "wrong_lot": "",
            "wrong_reveal": "",
            **more,
        }
        return Page("letters.html", values, status)


def _read(url: str, chosen: _Filter, at_us: int, limit: int) -> _Found:
    since_us = at_us - chosen.days * _US_PER_DAY
    waiting, dead = dead_letters.list_letters(
        url, chosen.smsc, since_us, limit, chosen.states, chosen.status
    )
    return _Found(waiting, dead, dead_letters.lots(url, since_us, at_us))


def _lot_told(lot: Lot, days: int) -> dict[str, Any]:
    """A lot with what its link asks for."""
    state = lot.state.name.lower()
    return {
        **lot._asdict(),
        "state": state,
        "status_text": status_text(lot.status) if lot.status else "",
        "query": _query(_Filter(lot.smsc, state, lot.status, days)),
        "may_leave": lot.in_time if lot.state in RETRIABLE else 0,
    }


def _told(letters: Iterable[Letter], revealed: bool) -> list[dict[str, Any]]:
    return [
        {
            **letter._asdict(),
            "phone": letter.phone if revealed else f"…{letter.phone[-_DIGITS_SHOWN:]}",
            "state": letter.state.name.lower(),
            "status_text": status_text(letter.status) if letter.status else "",
        }
        for letter in letters
    ]


def _query(chosen: _Filter) -> str:
    """Of a link: nothing in it is about anybody."""
    # An SMSC's name has letters, digits, dots, dashes and underscores only.
    smsc, state, status, days = chosen
    return f"?smsc={smsc}&state={state}&status={status}&days={days}"


def _chosen(form: Mapping[str, str]) -> list[int]:
    """The numbers of the letters whose boxes were ticked."""
    ticked = (name.removeprefix(_CHOSEN) for name in form if name.startswith(_CHOSEN))
    return [number for each in ticked if (number := number_in(each))]
