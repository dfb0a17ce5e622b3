"""The dashboard: a page that lives, its stream, its history, and the same for machines."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet.defer import DeferredLock

from smsd.desk.events import KINDS
from smsd.desk.history.charts import RANGES_S, columns
from smsd.desk.history.sampler import Sampler
from smsd.desk.live.abuse import AbuseCounts
from smsd.desk.live.feed import Feed
from smsd.desk.live.snapshot import Snapshots
from smsd.desk.live.surroundings import Watch
from smsd.desk.live.telling import (
    HEADLINES,
    PROBLEMS,
    REASONS,
    SPOKEN,
    STATES,
    UNITS,
    VERDICTS,
    Teller,
)
from smsd.desk.metrics import Metrics
from smsd.desk.premises import Premises
from smsd.desk.web.answer import Answer, Data, Page, Sorry, Stream, Text
from smsd.desk.web.route import KNOWN, Route, only
from smsd.desk.web.visit import Visit
from storage.history import Tier, series
from storage.roles import Role, Scope

__all__ = ["DashboardRoom"]

_US_PER_S = 1_000_000
_RANGE = "1h"
_KEPT_S_MAX = 120.0  # what was read of a range, however long its spans


class DashboardRoom:
    """Shows how the daemon fares. From `start` on it keeps history, looked at or not."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises
        self.sampler = Sampler(premises)
        self.abuse = AbuseCounts(premises)
        self.watch = Watch(premises)
        self.snapshots = Snapshots(premises, self.sampler, self.watch, self.abuse, premises.events)
        self.feed = Feed(premises.reactor, self.snapshots)
        self._reading = DeferredLock()
        self._read: dict[str, tuple[float, bytes]] = {}  # by range: until when it is good

    def routes(self) -> tuple[Route, ...]:
        """Nothing in them is about anybody; yet they are for those who work here."""
        watchers = only(Role.VIEWER, Role.ADMIN, scope=Scope.METRICS, loopback=True)
        return (
            Route("GET", "/", KNOWN, self._page),
            Route("GET", "/live", KNOWN, self._live, data=True),
            Route("GET", "/live.json", KNOWN, self._poll, data=True),
            Route("GET", "/history.json", KNOWN, self._history, data=True),
            Route("GET", "/status.json", watchers, self._status, data=True),
        )

    def start(self) -> None:
        """Begin to keep history."""
        self.sampler.start()

    async def stop(self) -> None:
        """Write the last of it."""
        self.abuse.stop()
        await self.sampler.stop()

    async def _page(self, visit: Visit) -> Answer:
        await self.watch.look()
        say = visit.say
        now = self.snapshots.now()
        level = now["problems"][0]["level"] if now["problems"] else "ok"
        wanted = visit.query.get("range", "")
        values = {
            "now": now,
            "level": level,
            "headline": HEADLINES[level],
            "range": wanted if wanted in RANGES_S else _RANGE,
            "teller": Teller(say, self._premises.law.policy.zone),
            "sparks": self._sparks(),
            "ranges": tuple(RANGES_S),
            "words": _words(say),
        }
        return Page("dashboard.html", values)

    def _sparks(self) -> dict[str, list[float]]:
        """The rates of the last minute, second by second, as far as they are known."""
        known = self.sampler.last_rates()
        each_s = range(self.sampler.tiers[0].step_s)
        return {way: [rates[way] for rates in known for _ in each_s] for way in ("in", "out")}

    async def _live(self, visit: Visit) -> Answer:
        return Stream(self.feed.begin)

    async def _poll(self, visit: Visit) -> Answer:
        return Data(self.snapshots.now())

    async def _status(self, visit: Visit) -> Answer:
        await self.watch.look()
        readiness = self._premises.readiness
        unready = readiness.reasons()
        ready = {"ready": not unready, "not_ready": unready, "remarks": readiness.remarks()}
        return Data({**ready, **self.snapshots.now()})

    async def _history(self, visit: Visit) -> Answer:
        wanted = visit.query.get("range", _RANGE)
        if wanted not in RANGES_S:
            return Sorry(400, visit.say("dashboard.no_such_range", ranges=", ".join(RANGES_S)))
        octets: bytes = await self._reading.run(partial(self._history_of, wanted))
        return Text("application/json", octets)

    def _history_of(self, wanted: str) -> Any:
        """One reading for all who ask within the length of its spans."""
        now = self._premises.clock.monotonic()
        good_until, octets = self._read.get(wanted, (-1.0, b""))
        if now < good_until:
            return octets
        dashboard = self._premises.config.desk.dashboard
        until_us = self._premises.clock.utc_us()
        reading = self._premises.in_thread(
            _read,
            self._premises.url,
            until_us - RANGES_S[wanted] * _US_PER_S,
            until_us,
            dashboard.points_max,
            self.sampler.tiers,
            self._premises.metrics,
        )

        def keep(found: tuple[int, bytes]) -> bytes:
            step_s, read = found
            self._read[wanted] = (now + min(step_s, _KEPT_S_MAX), read)
            return read

        return reading.addCallback(keep)


def _read(
    url: str,
    since_us: int,
    until_us: int,
    points_max: int,
    tiers: list[Tier],
    metrics: Metrics,
) -> tuple[int, bytes]:
    """How long the spans are, and the columns as JSON."""
    found = series(url, since_us, until_us, points_max, tiers)
    told = json.dumps(columns(found, metrics), separators=(",", ":"))
    return found.step_s, told.encode()


def _words(say: Callable[..., str]) -> dict[str, str]:
    """What the page's own code says, with its placeholders."""
    return {
        **{key.partition(".")[2]: say(key) for key in SPOKEN},
        **{f"event_{kind}": say(f"dashboard.event_{kind}") for kind in KINDS},
        **{f"problem_{kind}": say(f"dashboard.problem_{kind}") for kind in PROBLEMS},
        **{f"todo_{kind}": say(f"dashboard.todo_{kind}") for kind in PROBLEMS},
        **{f"verdict_{verdict}": say(f"dashboard.verdict_{verdict}") for verdict in VERDICTS},
        **{f"reason_{reason}": say(f"dashboard.reason_{reason}") for reason in REASONS},
        **{f"state_{state}": say(f"dashboard.state_{state}") for state in STATES},
        **{f"unit_{unit}": say(f"frame.unit_{unit}") for unit in UNITS},
    }
