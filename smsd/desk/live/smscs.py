"""How one SMSC fares."""

from typing import Any

from smsd.gateway.binds import SmscBinds
from storage.history import Sample

__all__ = ["smsc_state"]

_US_PER_S = 1_000_000


def smsc_state(smsc: SmscBinds, minute: Sample, now_us: int) -> dict[str, Any]:
    """Ready for JSON.

    state: bound, partly, down, suspended. window: of all binds that transmit and are up, together.
    rate_limit: messages a second, 0: none; slowed: it is lower than configured, after congestion.
    received, sent, refused: in the last minute. reason: why a bind is down.
    """
    name, settings, outbox = smsc.settings.name, smsc.settings, smsc.outbox
    up = sum(bind.up for bind in smsc.binds)
    sending = [bind for bind in smsc.binds if bind.up and bind.transmits]
    down = [bind.describe() for bind in smsc.binds if not bind.up]
    told = smsc.binds[0].describe()
    limit = outbox.rate_per_s
    oldest_us = outbox.oldest_us
    suspended = smsc.suspended_since_us is not None
    count = minute.counts.get
    return {
        "name": name,
        "state": "suspended" if suspended else _STATES[up > 0, up == len(smsc.binds)],
        "address": (down or [told])[0]["address"],
        "reason": down[0]["reason"] if down and not suspended else "",
        "binds_up": up,
        "binds": len(smsc.binds),
        "window_used": sum(bind.window_used for bind in sending),
        "window": settings.window * len(sending),
        "rate_limit": round(limit, 1),
        "slowed": bool(limit) and (not settings.throughput or limit < settings.throughput),
        "outbox": outbox.depth,
        "oldest_s": max(0.0, (now_us - oldest_us) / _US_PER_S) if oldest_us is not None else None,
        "received": count(f"received/{name}", 0),
        "sent": count(f"replies/{name}/sent", 0),
        "refused": count(f"replies/{name}/refused", 0),
        "failover": settings.failover,
    }


# By whether any bind is up, and whether all are.
_STATES = {(True, True): "bound", (True, False): "partly", (False, False): "down"}
