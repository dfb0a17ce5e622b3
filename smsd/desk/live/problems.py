"""What is wrong now, by keys and values; the words stand in words/dashboard.toml."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from smsd.config_desk import DashboardSection
from smsd.desk.live.surroundings import Surroundings
from smsd.desk.premises import Premises
from smsd.gateway.binds import SmscBinds

__all__ = ["Problem", "problems"]

_US_PER_S = 1_000_000
_DAY_S = 86_400


class Problem(NamedTuple):
    """level: bad: the daemon cannot do all its work; warn: somebody should look.

    values: what the words name; of those ending in _s seconds, in _bytes octets.
    """

    level: str
    kind: str
    values: Mapping[str, str | float]


def problems(premises: Premises, known: Surroundings, now_us: int) -> list[Problem]:
    """All there are, the bad ones first."""
    found = [
        *_of_store(premises, known),
        *_of_policy(premises),
        *_of_register(premises, known, now_us),
        *_of_smscs(premises, now_us),
        *_of_certificates(premises, now_us),
    ]
    return sorted(found, key=lambda problem: problem.level)


def _of_store(premises: Premises, known: Surroundings) -> Iterator[Problem]:
    lane, settings = premises.lane, premises.config.desk.dashboard
    if not lane.alive:
        yield Problem("bad", "writer", {})
    if lane.fault is not None:
        yield Problem("bad", "store", {"reason": lane.fault})
    if known.disk is not None and known.disk.free_bytes < settings.disk_free_min_bytes:
        yield Problem("warn", "disk", {"free_bytes": known.disk.free_bytes})


def _of_policy(premises: Premises) -> Iterator[Problem]:
    if premises.readiness.policy_kept:
        yield Problem("warn", "policy", {})


def _of_register(premises: Premises, known: Surroundings, now_us: int) -> Iterator[Problem]:
    if premises.config.register_.mode != "required":
        return
    if known.register is None:
        yield Problem("bad", "register", {})
        return
    age_s = now_us / _US_PER_S - known.register.at_s
    if age_s > premises.config.desk.dashboard.register_days * _DAY_S:
        yield Problem("warn", "register_old", {"age_s": age_s})


def _of_smscs(premises: Premises, now_us: int) -> Iterator[Problem]:
    smscs, settings = premises.switchboard.smscs, premises.config.desk.dashboard
    if all(smsc.suspended_since_us is not None for smsc in smscs):
        yield Problem("bad", "all_suspended", {})
    for smsc in smscs:
        name = smsc.settings.name
        up = sum(bind.up for bind in smsc.binds)
        if smsc.suspended_since_us is not None:
            yield Problem("warn", "suspended", {"smsc": name})
        elif not smsc.in_service:
            down = next(bind for bind in smsc.binds if not bind.up)
            reason = down.describe()["reason"]
            yield Problem("bad", "smsc_down", {"smsc": name, "reason": reason})
        elif up < len(smsc.binds):
            binds = len(smsc.binds)
            yield Problem("warn", "smsc_partly", {"smsc": name, "up": up, "binds": binds})
        yield from _of_outbox(smsc, settings, now_us)


def _of_outbox(smsc: SmscBinds, settings: DashboardSection, now_us: int) -> Iterator[Problem]:
    name, outbox = smsc.settings.name, smsc.outbox
    limit = smsc.settings.throughput
    if outbox.rate_per_s and (not limit or outbox.rate_per_s < limit):
        yield Problem("warn", "congestion", {"smsc": name, "rate": round(outbox.rate_per_s)})
    if outbox.oldest_us is not None:
        waited_s = (now_us - outbox.oldest_us) / _US_PER_S
        if waited_s > settings.reply_late_s:
            yield Problem("warn", "late", {"smsc": name, "waited_s": round(waited_s)})


def _of_certificates(premises: Premises, now_us: int) -> Iterator[Problem]:
    days = premises.config.desk.dashboard.certificate_days
    for (smsc, which), expires_s in premises.metrics.certificates.items():
        left_s = expires_s - now_us / _US_PER_S
        if left_s < days * _DAY_S:
            kind = f"certificate_{which}" if left_s > 0 else f"certificate_{which}_ended"
            yield Problem("warn", kind, {"smsc": smsc, "left_s": max(0, round(left_s))})
