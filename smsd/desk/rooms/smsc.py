"""The SMSCs: how each fares, for everybody; what may be done with them, for admins."""

from collections.abc import Mapping
from functools import partial
from math import isfinite
from typing import Any, NamedTuple

from smsd.desk.premises import Premises
from smsd.desk.web.answer import Answer, Page, See, Sorry
from smsd.desk.web.reasons import reason_in
from smsd.desk.web.route import KNOWN, Route, only
from smsd.desk.web.visit import Visit
from smsd.gateway.binds import SmscBinds
from smsd.gateway.switchboard import RATE_MAX_PER_S
from storage.roles import Role

__all__ = ["SmscRoom"]

_US_PER_S = 1_000_000
_US_PER_DAY = 86_400 * _US_PER_S

# What may be done, and the words that it was.
_ACTS = {
    "suspend": "smsc.done_suspend",
    "resume": "smsc.done_resume",
    "reconnect": "smsc.done_reconnect",
    "pace": "smsc.done_pace",
}
# The words of a state, and the kind of its badge.
_STATES = {
    "bound": ("smsc.state_bound", "ok"),
    "partly bound": ("smsc.state_partly", "warn"),
    "not bound": ("smsc.state_down", "bad"),
    "suspended": ("smsc.state_suspended", "warn"),
}


class _Wrong(NamedTuple):
    """What is wrong with a form, and which: of the SMSC `smsc`, the one that does `do`.

    typed: as it was sent. elsewhere: what is wrong with none of its fields.
    """

    smsc: str = ""
    do: str = ""
    typed: Mapping[str, str] = {}
    reason: str = ""
    rate: str = ""
    elsewhere: str = ""


class SmscRoom:
    """One page. Each act needs a reason, which the switchboard notes in the audit."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises

    def routes(self) -> tuple[Route, ...]:
        """To look, and to act."""
        admins = only(Role.ADMIN)
        return (
            Route("GET", "/smsc", KNOWN, self._show),
            *(
                Route("POST", f"/smsc/{{name}}/{do}", admins, partial(self._act, do))
                for do in _ACTS
            ),
        )

    async def _show(self, visit: Visit) -> Answer:
        return self._page(_Wrong())

    async def _act(self, do: str, visit: Visit) -> Answer:
        smscs = {smsc.settings.name: smsc for smsc in self._premises.switchboard.smscs}
        smsc = smscs.get(visit.place["name"])
        if smsc is None:
            return Sorry(404, visit.say("smsc.none"))
        name = smsc.settings.name
        reason, no_reason = reason_in(visit)
        request: dict[str, Any] = {"do": do, "smsc": name, "who": visit.who, "reason": reason}
        no_rate = ""
        if do == "pace":
            least = smsc.settings.throughput_min
            try:
                request["rate_per_s"] = _rate_in(visit.form.get("rate", ""), least)
            except ValueError:
                no_rate = visit.say("smsc.wrong_rate", least=f"{least:g}", most=RATE_MAX_PER_S)
        wrong = _Wrong(name, do, visit.form, no_reason, no_rate)
        if no_reason or no_rate:
            return self._page(wrong)
        answer = await self._premises.switchboard.answer(request)
        if not answer["ok"]:  # somebody suspended it meanwhile
            return self._page(wrong._replace(elsewhere=visit.say("smsc.is_suspended")))
        return See("/smsc", said=_ACTS[do] if answer["changed"] else "smsc.nothing_to_do")

    def _page(self, wrong: _Wrong) -> Page:
        smscs = [self._told(smsc) for smsc in self._premises.switchboard.smscs]
        now_us = self._premises.clock.utc_us()
        days = self._premises.config.desk.dashboard.certificate_days
        values = {
            "smscs": smscs,
            "wrong": wrong,
            "now_us": now_us,
            "warn_until_us": now_us + round(days * _US_PER_DAY),
        }
        return Page("smsc.html", values, 400 if wrong.smsc else 200)

    def _told(self, smsc: SmscBinds) -> dict[str, Any]:
        """As `SmscBinds.describe`, with its certificates and in the words of the page."""
        told = smsc.describe()
        up = [bind for bind in smsc.binds if bind.up and bind.transmits]
        words, kind = _STATES[told["state"]]
        return {
            **told,
            "state_words": words,
            "state_kind": kind,
            "window_used": sum(bind.window_used for bind in smsc.binds),
            "window_size": smsc.settings.window * len(up),
            "certificates": {
                which: round(expires_s * _US_PER_S)
                for (name, which), expires_s in self._premises.metrics.certificates.items()
                if name == smsc.settings.name
            },
        }


def _rate_in(typed: str, least: float) -> float | None:
    """Messages a second, with a comma or a point; None: as configured.

    Raises:
        ValueError: it is none, or out of bounds.
    """
    typed = typed.strip().replace(",", ".")
    if not typed:
        return None
    rate = float(typed)
    if not isfinite(rate) or not least <= rate <= RATE_MAX_PER_S:
        raise ValueError
    return rate
