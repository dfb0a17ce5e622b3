"""What an operator may do with SMSCs while the daemon runs: list, suspend, resume, reconnect."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock, ensureDeferred

from smsd.gateway.binds import SmscBinds

Audit = Callable[[str, str, str, str], Awaitable[None]]
"""Takes who, action, subject, reason."""

# What is done, and whether that is for an SMSC that is suspended.
_ACTS: dict[str, tuple[Callable[[SmscBinds], Awaitable[None]], bool]] = {
    "suspend": (SmscBinds.suspend, False),
    "resume": (SmscBinds.resume, True),
    "reconnect": (SmscBinds.reconnect, False),
}


class Switchboard:
    """Answers requests one after the other: who resumes waits until a suspension is done.

    A suspended SMSC is unbound until it is resumed or the daemon starts again. Its replies wait
    in the store; its SMS stay with it.
    """

    def __init__(self, smscs: Sequence[SmscBinds], audit: Audit) -> None:
        self._smscs = {smsc.settings.name: smsc for smsc in smscs}
        self._audit = audit
        self._lock = DeferredLock()

    @property
    def smscs(self) -> Collection[SmscBinds]:
        """All of them, in the order of config.toml."""
        return self._smscs.values()

    def answer(self, request: dict[str, Any]) -> "Deferred[dict[str, Any]]":
        """What became of a request.

        request: `do` (list, suspend, resume, reconnect) and, but for list, `smsc` (its name),
            `who` and `reason` for the audit.

        Returns `ok`; then `changed` and `smscs`, those concerned as they are now; or `error`.
        """
        return self._lock.run(lambda: ensureDeferred(self._answer(request)))

    async def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        do = str(request.get("do"))
        if do == "list":
            return _done(False, self._smscs.values())
        if do not in _ACTS:
            return _refused(f"no such request; there are: list, {', '.join(_ACTS)}")
        smsc = self._smscs.get(str(request.get("smsc")))
        if smsc is None:
            return _refused(f"no such SMSC; there are: {', '.join(self._smscs)}")
        act, for_suspended = _ACTS[do]
        name = smsc.settings.name
        if (smsc.suspended_since_us is not None) is not for_suspended:
            if do == "reconnect":
                return _refused(f"{name} is suspended; to bind again: smsd smsc resume {name}")
            return _done(False, [smsc])
        await self._audit(
            str(request.get("who", "")), f"smsc_{do}", name, str(request.get("reason", ""))
        )
        await act(smsc)
        return _done(True, [smsc])


def _done(changed: bool, smscs: Iterable[SmscBinds]) -> dict[str, Any]:
    return {"ok": True, "changed": changed, "smscs": [smsc.describe() for smsc in smscs]}


def _refused(error: str) -> dict[str, Any]:
    return {"ok": False, "error": error}
