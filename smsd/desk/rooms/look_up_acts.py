"""What agents do at /look-up, each act with its reason in the audit before it happens."""

from datetime import date

from rules import Verdict
from rules.decide import OVERRIDE
from smsd.desk.noting import Notes
from smsd.desk.premises import Premises
from smsd.desk.rooms.look_up import LookUpRoom
from smsd.desk.web.answer import Answer, See, Sorry
from smsd.desk.web.numbers import number_in
from smsd.desk.web.reasons import reason_in
from smsd.desk.web.route import Route, only
from smsd.desk.web.visit import Visit
from smsd.gateway.counter import Addressee, Counter
from storage import StoreError, StoreUnavailable, blocks, conversations, dead_letters
from storage.conversations import Exchange, Judgement
from storage.holders import find_holder
from storage.overrides import note_override
from storage.roles import Role

__all__ = ["LookUpActs"]


class LookUpActs:
    """Sends again, answers callers, grants by override, blocks and unblocks."""

    def __init__(self, premises: Premises, notes: Notes, room: LookUpRoom) -> None:
        self._premises = premises
        self._notes = notes
        self._room = room
        self._counter = Counter(premises.lane, premises.clock)
        self._smscs = {smsc.name for smsc in premises.config.smsc}

    def routes(self) -> tuple[Route, ...]:
        """All are forms of the room's two pages."""
        agents = only(Role.AGENT)
        return (
            Route("POST", "/look-up/ask", agents, self._ask),
            Route("POST", "/look-up/{number}/again", agents, self._send_again),
            Route("POST", "/look-up/{number}/override", agents, self._override),
            Route("POST", "/look-up/{number}/block", agents, self._block),
            Route("POST", "/look-up/{number}/unblock", agents, self._unblock),
        )

    async def _ask(self, visit: Visit) -> Answer:
        """Answer on behalf of a caller without a phone."""
        policy, form = self._premises.law.policy, visit.form
        reason, wrong = reason_in(visit)
        document = policy.grammar.parse_document(form.get("document", ""))
        code = form.get("code", "")
        if document is None:
            wrong = visit.say("look_up.no_document", document=self._room.example)
        elif code not in policy.grammar.codes:
            wrong = visit.say("look_up.no_code")
        if wrong or document is None:
            return self._room.search_page(visit, status=400, asked=form, asked_wrong=wrong)
        await self._notes.note(visit, "ask", f"code {code}", reason, document.text)
        return await self._decided(visit, f"{code} {document.text}", Addressee())

    async def _override(self, visit: Visit) -> Answer:
        """Grant once what a rule refused, told by SMS or read out."""
        found = await self._judgement(visit)
        if found is None:
            return Sorry(404, visit.say("look_up.gone"))
        exchange, judgement = found
        reason, wrong = reason_in(visit)
        if not wrong and judgement.verdict != Verdict.REFUSE:
            wrong = visit.say("look_up.not_refused")
        by_sms = visit.form.get("told") == "sms"
        if not wrong and by_sms and not self._room.has_way(exchange):
            wrong = visit.say("look_up.no_way")
        if not wrong and not await self._may_override(visit, judgement, reason):
            most = self._premises.config.desk.overrides_per_day_max
            wrong = visit.say("look_up.too_many_overrides", most=most)
        if wrong:
            return await self._again_with(visit, f"override_{judgement.serial}", wrong)
        to = Addressee(exchange.phone, exchange.smsc) if by_sms else Addressee()
        text = f"{judgement.code} {judgement.document}"
        return await self._decided(visit, text, to, override=True)

    async def _may_override(self, visit: Visit, judgement: Judgement, reason: str) -> bool:
        """Note it, unless the agent has done so too often today."""
        calendar = self._premises.law.policy.calendar
        return await self._premises.in_thread(
            note_override,
            self._premises.url,
            visit.at_us,
            calendar.day_start_us(calendar.day(visit.at_us)),
            self._premises.config.desk.overrides_per_day_max,
            visit.who,
            f"code {judgement.code}",
            reason,
            judgement.document,
        )

    async def _decided(
        self, visit: Visit, text: str, to: Addressee, override: bool = False
    ) -> Answer:
        """Have a request decided by the lane, and show what came of it."""
        if not to.phone:
            text += self._tag(visit.language)
        try:
            message = await self._counter.ask(text, to, override)
        except StoreUnavailable:
            return Sorry(503, visit.say("look_up.not_decided"))
        number = await self._premises.in_thread(
            conversations.asked_at, self._premises.url, message.phone, message.received_at_us
        )
        assert number is not None, "it was acknowledged, so it is durable"
        [told] = [each for each in await self._around(number) if each.id == number]
        if not override:
            said = "look_up.answered"
        elif any(each.rule == OVERRIDE for each in told.judgements):
            said = "look_up.overridden"
        else:
            said = "look_up.not_overridden"
        return See(f"/look-up/{number}", said=said)

    def _tag(self, language: str) -> str:
        """What asks for a reply in the agent's language, where the policy knows it."""
        policy = self._premises.law.policy
        for spoken in policy.policy.content.languages:
            if spoken.name == language and spoken.tags:
                return f" {spoken.tags[0]}"
        return ""

    async def _send_again(self, visit: Visit) -> Answer:
        """Put a reply back into its outbox."""
        exchange = await self._exchange(visit)
        if exchange is None:
            return Sorry(404, visit.say("look_up.gone"))
        reason, wrong = reason_in(visit)
        if wrong:
            return await self._again_with(visit, "again", wrong)
        why_not = await self._premises.in_thread(
            dead_letters.retry,
            self._premises.url,
            [exchange.id],
            self._smscs,
            visit.who,
            reason,
            visit.at_us,
            again=True,
        )
        if why_not[exchange.id]:
            return await self._again_with(visit, "again", visit.say("look_up.not_sent_again"))
        self._premises.look_on_disk()
        return See(f"/look-up/{exchange.id}", said="look_up.sent_again")

    async def _block(self, visit: Visit) -> Answer:
        """Refuse the holder of a document a code, or all, until a day."""
        exchange = await self._exchange(visit)
        form, policy = visit.form, self._premises.law.policy
        document = form.get("document", "")
        if exchange is None or document not in {each.document for each in exchange.judgements}:
            return Sorry(404, visit.say("look_up.gone"))
        reason, wrong = reason_in(visit)
        code, until = form.get("code", ""), _day(form.get("until", ""))
        if code and code not in policy.grammar.codes:
            wrong = visit.say("look_up.no_code")
        if until is None or until <= policy.calendar.day(visit.at_us):
            wrong = visit.say("look_up.until_later")
        if wrong or until is None:
            return await self._again_with(visit, "block", wrong)
        try:
            holder = await self._premises.in_thread(find_holder, self._room.register, document)
        except StoreError:
            return await self._again_with(visit, "block", visit.say("look_up.no_register"))
        await self._premises.in_thread(
            blocks.add_block,
            self._premises.url,
            holder.name,
            document,
            code,
            until,
            visit.who,
            reason,
            visit.at_us,
        )
        return See(f"/look-up/{exchange.id}", said="look_up.blocked")

    async def _unblock(self, visit: Visit) -> Answer:
        """Lift a block."""
        number, block = visit.place["number"], visit.form.get("block", "")
        reason, wrong = reason_in(visit)
        if wrong:
            return await self._again_with(visit, f"unblock_{block}", wrong)
        wanted = number_in(block)
        if wanted is None:
            return Sorry(404, visit.say("look_up.gone"))
        url, who, at_us = self._premises.url, visit.who, visit.at_us
        try:
            await self._premises.in_thread(blocks.remove_block, url, wanted, who, reason, at_us)
        except StoreUnavailable:
            raise
        except StoreError:
            pass  # another agent was quicker
        return See(f"/look-up/{number}", said="look_up.unblocked")

    async def _again_with(self, visit: Visit, form: str, wrong: str) -> Answer:
        """The page once more, with what is wrong by its form."""
        return await self._room.conversation_page(visit, visit.place["number"], {form: wrong})

    async def _judgement(self, visit: Visit) -> tuple[Exchange, Judgement] | None:
        exchange = await self._exchange(visit)
        for judgement in exchange.judgements if exchange else ():
            if exchange and str(judgement.serial) == visit.form.get("serial"):
                return exchange, judgement
        return None

    async def _exchange(self, visit: Visit) -> Exchange | None:
        """The SMS whose page a form is on."""
        number = number_in(visit.place["number"])
        if number is None:
            return None
        return next((each for each in await self._around(number) if each.id == number), None)

    async def _around(self, number: int) -> list[Exchange]:
        return await self._premises.in_thread(
            conversations.around, self._premises.url, number, 1, 1
        )


def _day(text: str) -> int | None:
    """An ISO date as its ordinal."""
    try:
        return date.fromisoformat(text).toordinal()
    except ValueError:
        return None
