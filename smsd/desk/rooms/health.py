"""For whoever restarts and watches things: /metrics, /livez, /readyz."""

from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from smsd.desk.premises import Premises
from smsd.desk.web.answer import Answer, Text
from smsd.desk.web.route import ANYBODY, Route, only
from smsd.desk.web.visit import Visit
from storage.roles import Role, Scope

__all__ = ["HealthRoom"]

_TEXT = "text/plain; charset=utf-8"


class HealthRoom:
    """Answers programs."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises

    def routes(self) -> tuple[Route, ...]:
        """Nothing in them is about anybody."""
        watchers = only(Role.VIEWER, Role.ADMIN, scope=Scope.METRICS, loopback=True)
        return (
            Route("GET", "/metrics", watchers, self._metrics, data=True),
            Route("GET", "/livez", ANYBODY, self._live, data=True),
            Route("GET", "/readyz", ANYBODY, self._ready, data=True),
        )

    async def _metrics(self, visit: Visit) -> Answer:
        await self._premises.in_thread(self._premises.look_at_disks)
        return Text(CONTENT_TYPE_LATEST, generate_latest(self._premises.metrics.registry))

    async def _live(self, visit: Visit) -> Answer:
        return Text(_TEXT, b"alive\n")

    async def _ready(self, visit: Visit) -> Answer:
        readiness = self._premises.readiness
        reasons = readiness.reasons()
        lines = [f"not ready: {reason}" for reason in reasons] or ["ready"]
        told = "\n".join([*lines, *readiness.remarks(), ""])
        return Text(_TEXT, told.encode(), 503 if reasons else 200)
