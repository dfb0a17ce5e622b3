"""The dashboard of a desk on stage: time passes for it, and its threads are waited for."""

from collections.abc import Callable, Iterable
from typing import Any

from desk_stage import DeskStage
from twisted.internet.defer import Deferred, ensureDeferred

from smsd.desk.metrics import Metrics
from smsd.desk.rooms.dashboard import DashboardRoom
from smsd.gateway.writer import NOTHING
from storage import ReplyState
from storage.sqlite_library import dbapi

S_US = 1_000_000

NewDesk = Callable[[str], DeskStage]
"""Builds a desk with lines of [desk] of its own; the one before is closed."""


class WatchedDesk:
    """A stage, and what a test of its dashboard needs to reach."""

    def __init__(self, stage: DeskStage) -> None:
        self.stage = stage
        self.metrics: Metrics = stage.daemon._metrics
        self.room: DashboardRoom = stage.desk._rooms.dashboard
        self.premises = self.room._premises

    def pass_time(self, seconds: float, step_s: float = 0.125) -> None:
        """Both clocks, in steps that floats add up exactly; what is begun in each is waited for."""
        while seconds > 0:
            passes = min(step_s, seconds)
            self.stage.clock.now_us += round(passes * S_US)
            self.stage.reactor.advance(passes)
            self.wait(self.room.sampler.written)
            seconds -= passes

    def wait(self, doing: "Deferred[Any]") -> None:
        """Run what threads ask for until something is done."""
        while not doing.called:
            self.stage.reactor.run_one()

    def wait_for_look(self) -> None:
        """What lies on disk is read again."""
        self.wait(ensureDeferred(self.room.watch.look()))

    def traffic(
        self, messages: int, turnarounds_us: Iterable[int] = (), smsc: str = "simulator"
    ) -> None:
        """So many SMS came, were granted, and their replies left."""
        decisions = {("grant", "granted"): messages}
        self.metrics.messages_came(smsc, messages)
        self.metrics.committed(NOTHING._replace(decisions=decisions), messages, 0.004)
        self.metrics.submitted(smsc, list(turnarounds_us))
        for _ in range(messages):
            self.metrics.reply_settled(smsc, ReplyState.SENT)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What is committed, as another process sees it."""
        path = self.stage.config.store.url.removeprefix("sqlite:///")
        connection = dbapi.connect(f"file:{path}?mode=ro", uri=True)
        try:
            return list(connection.execute(query))
        finally:
            connection.close()
