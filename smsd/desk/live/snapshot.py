"""All that the dashboard shows of this moment, as one value ready for JSON."""

from typing import Any

from smsd.desk.events import KINDS, Event, Events
from smsd.desk.history.charts import refusal
from smsd.desk.history.percentiles import buckets_of, percentile
from smsd.desk.history.sampler import Sampler
from smsd.desk.history.totals import Totals, counted, difference, rates
from smsd.desk.live.abuse import AbuseCounts
from smsd.desk.live.problems import problems
from smsd.desk.live.smscs import smsc_state
from smsd.desk.live.surroundings import Surroundings, Watch
from smsd.desk.premises import Premises
from storage.disk import Space
from storage.history import Sample

__all__ = ["Snapshots"]

_US_PER_S = 1_000_000
_FRESH_S = 0.9  # whoever asks sooner gets the one before
_RULES_MAX = 10
_EVENTS_MAX = 30
_PERCENTS = (50, 95, 99)


class Snapshots:
    """Takes them. One that is fresh serves everybody who asks."""

    def __init__(
        self,
        premises: Premises,
        sampler: Sampler,
        watch: Watch,
        abuse: AbuseCounts,
        events: Events,
    ) -> None:
        self._premises = premises
        self._sampler = sampler
        self._watch = watch
        self._abuse = abuse
        self._events = events
        self._before: Totals | None = None
        self._newest: dict[str, Any] = {}

    def now(self) -> dict[str, Any]:
        """How the daemon fares.

        Durations in seconds, moments in microseconds UTC, rates in SMS a second, `minute` over the
        last minute, `today` since midnight in the policy's zone.
        """
        before = self._before
        totals = self._sampler.totals()
        if before is not None and totals.at - before.at < _FRESH_S:
            return self._newest
        now_us = self._premises.clock.utc_us()
        known = self._watch.glance()
        step_s = self._sampler.tiers[0].step_s
        if before is None or totals.at - before.at > step_s:
            before = self._sampler.a_while_ago(totals, _FRESH_S)
        minute = self._sampler.last_minute(totals)
        smscs = [smsc_state(each, minute, now_us) for each in self._premises.switchboard.smscs]
        self._newest = {
            "at_us": now_us,
            "version": self._premises.version,
            "problems": [each._asdict() for each in problems(self._premises, known, now_us)],
            "rate": rates(difference(totals, before)),
            "minute": self._minute(minute),
            "today": _day(known.today),
            "smscs": smscs,
            "waiting": sum(each["outbox"] for each in smscs),
            "backlog": self._premises.lane.backlog,
            "store": {**_disk(known.disk), "up": self._premises.lane.fault is None},
            "register": self._register(known, now_us),
            "policy": self._policy(known, now_us),
            "refusals": _refusals(known),
            "abuse": {
                "at_us": self._abuse.at_us,
                "bounds": [each._asdict() for each in self._abuse.glance()],
            },
            "events": [_event(each) for each in self._events.newest(_EVENTS_MAX)],
        }
        self._before = totals
        return self._newest

    def _minute(self, minute: Sample) -> dict[str, Any]:
        metrics = self._premises.metrics
        rules = sorted(
            (
                (count, *name.split("/")[1:])
                for name, count in minute.counts.items()
                if name.startswith("decisions/")
            ),
            reverse=True,
        )
        return {
            "watched_s": minute.watched_ms / 1_000,
            "turnaround": _spread(minute, "turnaround", metrics.turnaround.bounds_us),
            "handset": _spread(minute, "handset", metrics.handset.bounds_us),
            "commit": _spread(minute, "commit", metrics.commit.bounds_us),
            "verdicts": _verdicts(minute),
            "rules": [
                {"verdict": verdict, "rule": rule, "count": count}
                for count, verdict, rule in rules[:_RULES_MAX]
            ],
        }

    def _register(self, known: Surroundings, now_us: int) -> dict[str, Any]:
        register = known.register
        return {
            "required": self._premises.config.register_.mode == "required",
            "documents": register.documents if register is not None else None,
            "imported_us": round(register.at_s * _US_PER_S) if register is not None else None,
            "age_s": round(now_us / _US_PER_S - register.at_s) if register else None,
        }

    def _policy(self, known: Surroundings, now_us: int) -> dict[str, Any]:
        law = self._premises.law
        policy, activated = law.policy, known.activated
        is_its = activated is not None and activated.digest == policy.digest
        next_us = next((at_us for at_us in policy.boundaries_us if at_us > now_us), None)
        return {
            "id": policy.id,
            "title": policy.title,
            "digest": policy.digest,
            "zone": policy.zone,
            "since_us": activated.at_us if activated is not None and is_its else None,
            "who": activated.who if activated is not None and is_its else None,
            "next_us": next_us,
            "next_s": (next_us - now_us) // _US_PER_S if next_us is not None else None,
            "candidate": law.candidate.id if law.candidate is not None else None,
            "candidate_digest": law.candidate.digest if law.candidate is not None else None,
        }


def _disk(disk: Space | None) -> dict[str, int | None]:
    return dict.fromkeys(Space._fields) if disk is None else disk._asdict()


def _event(event: Event) -> dict[str, Any]:
    return {**event._asdict(), "level": KINDS[event.kind].level}


def _spread(sample: Sample, kind: str, bounds_us: list[int]) -> dict[str, float | None]:
    counts = buckets_of(sample.buckets, kind)
    return {f"p{percent}": percentile(bounds_us, counts, percent) for percent in _PERCENTS}


def _verdicts(sample: Sample) -> dict[str, int]:
    return {
        "grant": counted(sample, "decisions/grant/"),
        "already_granted": counted(sample, "decisions/already_granted/"),
        "refuse": counted(sample, "decisions/refuse/"),
        "unrecognised": counted(sample, "unrecognised/"),
    }


def _day(sample: Sample) -> dict[str, int]:
    return {
        "received": counted(sample, "received/"),
        "sent": counted(sample, "replies/", "/sent"),
        "put_off": counted(sample, "put_off/"),
        "not_sent": counted(sample, "replies/") - counted(sample, "replies/", "/sent"),
        **_verdicts(sample),
    }


def _refusals(known: Surroundings) -> list[dict[str, Any]]:
    """By reason, in the last quarter of an hour and in the one before it; the most frequent first.

    No trend: there was no daemon then to compare with.
    """
    quarters = []
    for sample in (known.quarter, known.before):
        counts: dict[str, int] = {}
        for name, count in sample.counts.items():
            if reason := refusal(name):
                counts[reason] = counts.get(reason, 0) + count
        quarters.append(counts)
    now, before = quarters
    compared = known.before.watched_ms > 0
    return [
        {
            "reason": reason,
            "now": count,
            "trend": {"now": count, "before": before.get(reason, 0)} if compared else None,
        }
        for reason, count in sorted(now.items(), key=lambda pair: -pair[1])[:_RULES_MAX]
    ]
