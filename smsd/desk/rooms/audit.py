"""The audit, read: who saw or did what, about whom, when and why; and whether it is whole."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from smsd.desk.audit_walk import WalkFailed, walk
from smsd.desk.premises import Premises
from smsd.desk.web.answer import Answer, Page, Text
from smsd.desk.web.numbers import number_in
from smsd.desk.web.reasons import reason_in
from smsd.desk.web.route import Route, only
from smsd.desk.web.visit import Visit
from storage import audit
from storage.audit import AuditLine, Wanted
from storage.audit_proof import Verdict
from storage.roles import Role

__all__ = ["ACTIONS", "AuditRoom"]

ACTIONS = (
    "sign_in", "sign_out", "check", "look_up", "conversation", "ask", "override", "block_add",
    "block_remove", "outbox_retry", "outbox_drop", "outbox_reveal", "smsc_suspend", "smsc_resume",
    "smsc_reconnect", "smsc_pace", "policy_file", "policy_propose", "policy_study",
    "policy_activate", "policy_queue", "policy_decline", "policy_withdraw", "policy_lapse",
    "policy_rollback", "policy_rollback_alone", "policy_shadow", "policy_shadow_off",
    "policy_in_force", "policy_kept", "user_add", "user_password", "user_roles", "user_disable",
    "user_enable", "token_add", "token_revoke", "store_purge", "store_purged", "audit_reveal",
    "audit_whole", "audit_export",
)  # fmt: skip
"""What can be asked for by name; other actions are shown as they are called."""

_PAGE_LINES = 50
_EXPORT_LINES_MAX = 20_000
_LETTERS_SHOWN = 3
# By the form that something is wrong with.
_NOTHING_WRONG = {"reason": "", "export": "", "head": ""}
_HASH = re.compile(r"[0-9a-f]{64}")


class _Asked(NamedTuple):
    """Which lines are asked for, as it was typed; wrong_day: what is wrong with that."""

    who: str
    action: str
    day: str
    before: int | None
    wanted: Wanted
    wrong_day: str = ""


class AuditRoom:
    """For auditors and admins."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises
        self._walking = False

    def routes(self) -> tuple[Route, ...]:
        """Whole phones and documents are given by POST only, for a reason, which is audited."""
        readers = only(Role.AUDITOR, Role.ADMIN)
        return (
            Route("GET", "/audit", readers, self._list),
            Route("POST", "/audit/whole", readers, self._show_whole),
            Route("POST", "/audit/export", readers, self._export),
            Route("POST", "/audit/verify", readers, self._verify),
        )

    async def _list(self, visit: Visit) -> Answer:
        return await self._page(visit, self._asked(visit, visit.query))

    async def _show_whole(self, visit: Visit) -> Answer:
        """Lines of a day, a person, or about somebody, with the names that the list shortens."""
        asked, (reason, missing) = self._asked(visit, visit.form), reason_in(visit)
        if missing or asked.wrong_day:
            return await self._page(visit, asked, 400, wrong={"reason": missing})
        about = "".join(visit.form.get("about", "").split()).removeprefix("+").upper()
        if about:
            asked = asked._replace(wanted=asked.wanted._replace(about=about))
        found = await self._found(asked)
        await self._note(visit, "audit_whole", _named(found[:_PAGE_LINES]), reason, about)
        return await self._page(visit, asked, whole=True, found=found)

    async def _export(self, visit: Visit) -> Answer:
        asked, (reason, missing) = self._asked(visit, visit.form), reason_in(visit)
        if missing or asked.wrong_day:
            return await self._page(visit, asked, 400, wrong={"export": missing})
        found = await self._found(asked, _EXPORT_LINES_MAX)
        await self._note(visit, "audit_export", _named(found), reason, "")
        octets = await self._premises.in_thread(_exported, found)
        return Text("application/x-ndjson", octets)

    async def _verify(self, visit: Visit) -> Answer:
        asked = self._asked(visit, {})
        noted = visit.form.get("head", "").strip().lower()
        if noted and not _HASH.fullmatch(noted):
            words = visit.say("audit.wrong_head")
            return await self._page(visit, asked, 400, noted=noted, wrong={"head": words})
        if self._walking:
            words = visit.say("audit.walking")
            return await self._page(visit, asked, 503, noted=noted, wrong={"head": words})
        self._walking = True
        limit_s = self._premises.config.desk.study_s
        try:
            verdict = await walk(self._premises.reactor, self._premises.url, limit_s, noted)
        except WalkFailed:
            words = visit.say("audit.walk_failed", minutes=round(limit_s / 60))
            return await self._page(visit, asked, 503, noted=noted, wrong={"head": words})
        finally:
            self._walking = False
        return await self._page(visit, asked, noted=noted, verdict=verdict)

    def _asked(self, visit: Visit, given: Mapping[str, str]) -> _Asked:
        who, action, day = (given.get(key, "").strip() for key in ("who", "action", "day"))
        wanted = Wanted(who or None, action or None)
        asked = _Asked(who, action, day, number_in(given.get("before", "")), wanted)
        if not day:
            return asked
        calendar = self._premises.law.policy.calendar
        try:
            ordinal = date.fromisoformat(day).toordinal()
            span = calendar.day_start_us(ordinal), calendar.day_start_us(ordinal + 1)
        except (ValueError, OverflowError):
            return asked._replace(wrong_day=visit.say("audit.wrong_day"))
        return asked._replace(wanted=wanted._replace(from_us=span[0], to_us=span[1]))

    async def _found(self, asked: _Asked, most: int = _PAGE_LINES + 1) -> list[AuditLine]:
        in_thread, url = self._premises.in_thread, self._premises.url
        return await in_thread(audit.lines, url, most, asked.wanted, asked.before)

    async def _note(self, visit: Visit, action: str, subject: str, reason: str, about: str) -> None:
        """Before anything is shown, so that nothing is shown of which nothing stands here."""
        await self._premises.in_thread(
            audit.note, self._premises.url, visit.at_us, visit.who, action, subject, reason, about
        )

    async def _page(
        self,
        visit: Visit,
        asked: _Asked,
        status: int = 200,
        whole: bool = False,
        verdict: Verdict | None = None,
        noted: str = "",
        wrong: Mapping[str, str] = _NOTHING_WRONG,
        found: list[AuditLine] | None = None,
    ) -> Page:
        if found is None:
            found = await self._found(asked)
        head = await self._premises.in_thread(audit.head, self._premises.url)
        lines = found[:_PAGE_LINES]
        known = (*ACTIONS, *sorted({line.action for line in lines} - set(ACTIONS)))
        values = {
            "asked": asked,
            "lines": lines,
            "older": lines[-1].id if len(found) > _PAGE_LINES else None,
            "abouts": {line.id: line.about if whole else _short(line.about) for line in lines},
            "whole": whole,
            "actions": known,
            "form": visit.form,
            "head": head,
            "verdict": verdict,
            "noted": noted,
            "wrong": {**_NOTHING_WRONG, **wrong},
        }
        return Page("audit.html", values, 400 if asked.wrong_day else status)


def _short(about: str | None) -> str | None:
    """Enough to see that two lines are about one person, and not about whom."""
    return f"…{about[-_LETTERS_SHOWN:]}" if about else about


def _named(lines: Sequence[AuditLine]) -> str:
    """Which lines somebody got, by their numbers: what was typed as a filter may name a person."""
    return f"#{lines[-1].id}-#{lines[0].id} ({len(lines)})" if lines else "(0)"


def _exported(lines: Iterable[AuditLine]) -> bytes:
    """One JSON object each; with what the chain is made of."""
    return "".join(map(_json_line, lines)).encode()


def _json_line(line: AuditLine) -> str:
    return json.dumps(line._asdict(), ensure_ascii=False) + "\n"
