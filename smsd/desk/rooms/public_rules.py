"""/rules: the rules in force, for anybody, in three languages; from the policy, not about it."""

from typing import NamedTuple

from rules import CompiledPolicy
from smsd.desk.premises import Premises
from smsd.desk.rooms.policy_tables import ToldPolicies, next_change_us
from smsd.desk.web.answer import Answer, See, Sorry, Text
from smsd.desk.web.rendering import Rendering
from smsd.desk.web.route import ANYBODY, Route
from smsd.desk.web.visit import NOBODY, Visit
from smsd.desk.web.words import LANGUAGES, Words

__all__ = ["PublicRulesRoom"]

_CACHED_S = 60
_HTML = "text/html; charset=utf-8"


class _Printed(NamedTuple):
    """A page, and what it was made for."""

    digest: str
    from_us: int | None
    day: int
    octets: bytes


class PublicRulesRoom:
    """Shows the rules in force, without asking who comes."""

    def __init__(
        self, premises: Premises, told: ToldPolicies, rendering: Rendering, words: Words
    ) -> None:
        self._premises = premises
        self._told = told
        self._rendering = rendering
        self._words = words
        self._printed: dict[str, _Printed] = {}

    def routes(self) -> tuple[Route, ...]:
        """One address for each language, so that whatever stands between may keep its page."""
        return (
            Route("GET", "/rules", ANYBODY, self._choose),
            Route("GET", "/rules/{language}", ANYBODY, self._show),
        )

    async def _choose(self, visit: Visit) -> Answer:
        return See(f"/rules/{visit.language}") if self._is_open else _nothing(visit)

    async def _show(self, visit: Visit) -> Answer:
        language = visit.place["language"]
        if not self._is_open or language not in LANGUAGES:
            return _nothing(visit)
        policy = self._premises.law.policy
        key = (
            policy.digest,
            policy.version_at(visit.at_us).from_us,
            policy.calendar.day(visit.at_us),
        )
        printed = self._printed.get(language)
        if printed is None or printed[:3] != key:
            octets = await self._print(policy, language, visit)
            self._printed[language] = printed = _Printed(*key, octets)
        return Text(_HTML, printed.octets, cached_s=_CACHED_S)

    @property
    def _is_open(self) -> bool:
        return self._premises.config.desk.public_rules

    async def _print(self, policy: CompiledPolicy, language: str, visit: Visit) -> bytes:
        law = await self._told.at(policy, language, visit.at_us)
        anybody = Visit(visit.path, NOBODY, language, self._words.of(language), visit.at_us)
        values = {
            "law": law,
            "version": law.table.versions[0],
            "example": policy.grammar.example,
            "examples": _examples(policy),
            "documents_max": policy.policy.content.requests.documents_max,
            "language_names": LANGUAGES,
            "next_change_us": next_change_us(policy, visit.at_us),
            "at_us": visit.at_us,
        }
        page = await self._premises.in_thread(
            self._rendering.page, "public_rules.html", anybody, False, values
        )
        return page.encode()


def _examples(policy: CompiledPolicy) -> dict[str, str]:
    """For each code an SMS as it should be typed."""
    model, shown = policy.grammar.example, policy.policy.content.requests.example_code
    return {code: f"{code}{model.removeprefix(shown)}" for code in policy.policy.content.codes}


def _nothing(visit: Visit) -> Sorry:
    return Sorry(404, visit.say("frame.nothing_here"))
