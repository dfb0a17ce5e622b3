"""Work that nobody waits for: a fault of ours in it is told in the log, and ends only it."""

from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.python.failure import Failure

__all__ = ["tell_fault", "unattended"]

_log = structlog.get_logger("smsd.desk")

_T = TypeVar("_T")


def unattended(work: Coroutine[Any, Any, _T]) -> "Deferred[_T | None]":
    """Begin something; what is returned fires once it has ended, well or not."""
    return ensureDeferred(work).addErrback(tell_fault)


def tell_fault(failure: Failure) -> None:
    """Where it happened and of what kind it was: the log leaves its message out, as anywhere."""
    _log.error("desk_failed", exc_info=(failure.type, failure.value, failure.getTracebackObject()))
