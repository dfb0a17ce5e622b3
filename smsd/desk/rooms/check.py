"""/check, for a phone in the street, and /api/check, for the police's own programs."""

from datetime import UTC, datetime

from rules.telling.words import words_for
from smsd.desk.checking import Checked, Finding, check_document, check_reference
from smsd.desk.noting import Notes
from smsd.desk.pace import Pace
from smsd.desk.premises import Premises
from smsd.desk.typed import DocumentTyped, ReferenceTyped, example_of, readings
from smsd.desk.web.answer import Answer, Data, Page, Sorry
from smsd.desk.web.route import Route, only
from smsd.desk.web.visit import Visit
from storage.permits import Standing
from storage.roles import Role, Scope

__all__ = ["CheckRoom"]

_US_PER_S = 1_000_000

Asked = ReferenceTyped | DocumentTyped


class CheckRoom:
    """Checks permits. Every check is in the audit before its answer is seen."""

    def __init__(self, premises: Premises, notes: Notes) -> None:
        self._premises = premises
        self._notes = notes
        settings = premises.config
        self._pace = Pace(settings.desk.checks_per_minute_max, premises.clock.monotonic)
        required = settings.register_.mode == "required"
        self._register = settings.register_.file if required else None

    def routes(self) -> tuple[Route, ...]:
        """What is asked is in the body: addresses are kept in too many places."""
        police = only(Role.POLICE)
        return (
            Route("GET", "/check", police, self._form),
            Route("POST", "/check", police, self._check),
            Route(
                "POST",
                "/api/check",
                only(Role.POLICE, scope=Scope.CHECK),
                self._data,
                data=True,
            ),
        )

    async def _form(self, visit: Visit) -> Answer:
        return self._page()

    async def _check(self, visit: Visit) -> Answer:
        text = visit.form.get("what", "")
        asked = self._read(text)
        if asked is None:
            wrong = visit.say("check.unreadable", document=self._example)
            return self._page(wrong=wrong, typed=text, status=422)
        if not self._pace.admits(visit.who):
            return self._page(wrong=visit.say("check.too_many"), typed=text, status=429)
        checked = await self._look(visit, asked)
        return self._page(checked=checked, asked=asked)

    async def _data(self, visit: Visit) -> Answer:
        given = [name for name in ("reference", "document") if visit.form.get(name, "").strip()]
        if len(given) != 1:
            return Sorry(422, visit.say("check.one_of_two"))
        [name] = given
        kind = ReferenceTyped if name == "reference" else DocumentTyped
        found = readings(self._premises.law.policy, visit.form[name])
        asked = next((each for each in found if isinstance(each, kind)), None)
        if asked is None:
            return Sorry(422, visit.say(f"check.bad_{name}", document=self._example))
        if not self._pace.admits(visit.who):
            return Sorry(429, visit.say("check.too_many"))
        checked = await self._look(visit, asked)
        if isinstance(asked, ReferenceTyped) and not checked.findings:
            return Sorry(404, visit.say("check.unknown"))
        permits = [_as_data(finding, visit.language) for finding in checked.findings]
        return Data({"valid": checked.valid, "checked_at": _iso(visit.at_us), "permits": permits})

    def _read(self, text: str) -> Asked | None:
        """A reference or a document; what may be both is a reference, which officers are shown."""
        for reading in readings(self._premises.law.policy, text):
            if isinstance(reading, ReferenceTyped | DocumentTyped):
                return reading
        return None

    async def _look(self, visit: Visit, asked: Asked) -> Checked:
        """Look, and leave a line in the audit before anything is told."""
        url, policy, at_us = self._premises.url, self._premises.law.policy, visit.at_us
        in_thread = self._premises.in_thread
        if isinstance(asked, ReferenceTyped):
            checked = await in_thread(check_reference, url, policy, asked, at_us)
            subject = f"reference {asked.text}"
        else:
            checked = await in_thread(check_document, url, self._register, policy, asked, at_us)
            subject = "document"
        await self._notes.note(visit, "check", subject, about=checked.about)
        return checked

    @property
    def _example(self) -> str:
        return example_of(self._premises.law.policy)

    def _page(
        self,
        checked: Checked | None = None,
        asked: Asked | None = None,
        wrong: str = "",
        typed: str = "",
        status: int = 200,
    ) -> Page:
        values = {
            "checked": checked,
            "asked": asked,
            "wrong": wrong,
            "typed": typed,
            "example": self._example,
            "is_reference": isinstance(asked, ReferenceTyped),
            "Standing": Standing,
            "title": _title,
        }
        return Page("check.html", values, status)


def _title(titles: dict[str, str], language: str) -> str:
    return words_for(language).title(titles) if titles else ""


def _as_data(finding: Finding, language: str) -> dict[str, str]:
    told = {
        "standing": finding.standing.value,
        "code": finding.code,
        "purpose": _title(finding.purpose, language),
        "region": _title(finding.region, language),
        "valid_from": _iso(finding.from_us),
        "valid_until": _iso(finding.until_us),
        "document_ends_with": finding.document_end,
    }
    return {name: value for name, value in told.items() if value}


def _iso(at_us: int) -> str:
    return datetime.fromtimestamp(at_us // _US_PER_S, UTC).isoformat().replace("+00:00", "Z")
