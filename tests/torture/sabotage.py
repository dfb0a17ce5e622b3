"""`smsd` as it must not be: test builds with one fault each, which the checks must see.

`python sabotage.py FAULT run --config FILE` is `smsd run --config FILE` with that fault.
"""

import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from rules import CompiledPolicy, HeldPermit
from smsd import cli, writer_process
from smsd.gateway import writer_host
from smsd.gateway.backlog import Backlog
from smsd.gateway.commit_lane import CommitLane, Inbound
from storage import SqliteStore
from storage.sqlite_transaction import SqliteTransaction

_WRITER = "writer"  # in the place of a subcommand: this is the daemon's writer process


class _Deaf:
    """A link that has been told already."""

    def acknowledge(self, inbound: list[Inbound]) -> None:
        pass

    def put_off(self, inbound: list[Inbound]) -> None:
        pass


def acknowledge_before_commit() -> None:
    """deliver_sm_resp leaves at once, and the batch follows."""
    offer = CommitLane.offer

    def hasty(self: CommitLane, inbound: list[Inbound]) -> None:
        for item in inbound:
            item.link.acknowledge([item])
        offer(self, [item._replace(link=_Deaf()) for item in inbound])

    CommitLane.offer = hasty  # type: ignore[method-assign]


def dropped_index() -> None:
    """Nothing in the store forbids a second permit, and nobody looks."""
    opened = SqliteStore.__init__

    def careless(self: SqliteStore, *arguments: Any, **named: Any) -> None:
        opened(self, *arguments, **named)
        self.connection.execute("DROP INDEX IF EXISTS decision_grant")

    def blind(
        self: SqliteTransaction, holders: Collection[str], since_us: int
    ) -> dict[str, tuple[HeldPermit, ...]]:
        return {}

    SqliteStore.__init__ = careless  # type: ignore[method-assign]
    SqliteTransaction.permits = blind  # type: ignore[method-assign]


def forgotten_reload() -> None:
    """What an earlier daemon left unsent stays unsent."""
    built = Backlog.__init__

    def forgetful(self: Backlog, *arguments: Any, **named: Any) -> None:
        built(self, *arguments, **named)
        self._more_on_disk = False

    Backlog.__init__ = forgetful  # type: ignore[method-assign]
    Backlog.look_on_disk = lambda _self: None  # type: ignore[method-assign]


def normal_sync() -> None:
    """COMMIT does not wait for the disk: the control of the power cut."""
    transaction = SqliteStore.transaction

    def quick(self: SqliteStore, policy: CompiledPolicy) -> Any:
        self.connection.execute("PRAGMA synchronous = NORMAL")
        return transaction(self, policy)

    SqliteStore.transaction = quick  # type: ignore[method-assign]


FAULTS: dict[str, Callable[[], None]] = {
    "acknowledge-before-commit": acknowledge_before_commit,
    "dropped-index": dropped_index,
    "forgotten-reload": forgotten_reload,
    "normal-sync": normal_sync,
}


def main() -> None:
    """Plant the fault in whichever of the two processes this is, then be it."""
    fault, role = sys.argv[1:3]
    FAULTS[fault]()
    if role == _WRITER:
        del sys.argv[1:3]
        writer_process.main()
        return
    writer_host.COMMAND[:] = [sys.executable, str(Path(__file__)), fault, _WRITER]
    del sys.argv[1]
    cli.main()


if __name__ == "__main__":
    main()
