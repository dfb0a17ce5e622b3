"""Work that nobody waits for: a fault of ours in it is told in the log, and ends only it."""

from collections.abc import Coroutine
from typing import Any

import structlog
from twisted.internet.defer import ensureDeferred
from twisted.python.failure import Failure

__all__ = ["unattended"]

_log = structlog.get_logger("smsd.desk")


def unattended(work: Coroutine[Any, Any, None]) -> None:
    """Begin something."""
    ensureDeferred(work).addErrback(_tell)


def _tell(failure: Failure) -> None:
    _log.error("desk_failed", exception=failure.getTraceback())
